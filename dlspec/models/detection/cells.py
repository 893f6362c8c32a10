"""Whether the cells of a detector's grids cover the pictures that it is given."""

from __future__ import annotations

from dlspec.models.base import Shapes
from dlspec.types import Place, RecipeError


def check_cells(inputs: Shapes, stride: int, otherwise: str) -> None:
    """Raises RecipeError where cells of so many pixels do not divide the picture.

    otherwise: what else than the picture's size may be changed.
    """
    height, width = inputs["picture"]["shape"][:2]
    if height % stride or width % stride:
        near = [max(stride, round(side / stride) * stride) for side in (height, width)]
        raise RecipeError(
            f"pictures are {height}×{width}, and cells of {stride} pixels do not divide them; set "
            f"input: {{size: [{near[0]}, {near[1]}]}}, or {otherwise}",
            where=Place(key="input.size"),
        )
