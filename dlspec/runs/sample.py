"""Text that a run makes up, token by token, as it is drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from dlspec.decode.sampling import Sampling
from dlspec.runs import folder as folders
from dlspec.runs.opened import OpenedRun, open_run
from dlspec.tasks.base import Task
from dlspec.types import ArgumentError

LENGTH = 500
"""tokens that are drawn, where nobody says"""
SHORT, COOL = 300, 0.8
"""tokens and temperature of a text that is shown beside errors"""


def sample(
    run: str | Path | OpenedRun,
    *,
    text: str = "",
    length: int = LENGTH,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int = 0,
    count: int = 1,
    root: str | Path = folders.RUNS,
    tell: Callable[[int, str], None] | None = None,
) -> dict[str, Any]:
    """Let a run go on with a text, `count` times; the n-th depends on seed and n alone.

    text: what it goes on with; nothing: a text of its own.  length: tokens, as the run's input cuts them.
    temperature, top_k, top_p: see dlspec.decode.sampling; temperature 0 takes the most probable token each time.
    tell: hears the number of the text, from 0, and each piece of it as soon as it is drawn, the begin first.

    Returns what `sample --json` prints.  Raises ArgumentError where a number cannot be, the run makes no text, or its
    vocabulary lacks what the text holds.
    """
    _check(length, temperature, top_k, top_p, seed, count)
    opened = run if isinstance(run, OpenedRun) else open_run(run, root)
    recipe, how, texts = opened.recipe, Sampling(temperature, top_k, top_p), []
    for number in range(count):
        pieces = recipe.task.continued(
            recipe.model, opened.network, text, opened.state, how, length=length, seed=[seed, number]
        )
        said = [text]
        if tell is not None:
            tell(number, text)
        for piece in pieces:
            said.append(piece)
            if tell is not None:
                tell(number, piece)
        texts.append("".join(said))
    settings = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": seed, "length": length}
    return {"run": str(opened.folder), "text": text, **settings, "texts": texts}


def made_up(opened: OpenedRun | None) -> dict[str, Any] | None:
    """A short text of a run's own, as `sample` gives it, to be looked at; None where it makes none."""
    if opened is None or type(opened.recipe.task).continued is Task.continued:
        return None
    return sample(opened, length=SHORT, temperature=COOL)


def _check(length: int, temperature: float, top_k: int | None, top_p: float | None, seed: int, count: int) -> None:
    """Raises ArgumentError that names the option."""
    within = f"above 0 and at most 1, got {top_p}"
    for fits, says in (
        (0 <= temperature < float("inf"), f"--temperature is above 0, or 0 for the most probable, got {temperature:g}"),
        (top_k is None or top_k >= 1, f"--top-k is how many tokens may be drawn, 1 or more, got {top_k}"),
        (top_p is None or 0 < top_p <= 1, f"--top-p is a sum of probabilities, {within}"),
        (length >= 1, f"--length is how many tokens are drawn, 1 or more, got {length}"),
        (count >= 1, f"--count is how many texts are made, 1 or more, got {count}"),
        (seed >= 0, f"--seed is 0 or more, got {seed}"),
    ):
        if not fits:
            raise ArgumentError(says)
