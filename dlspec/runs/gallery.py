"""Examples as a person looks at them: the worst, samples of train, and these as augmentation changes them."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.recipe.schema import Recipe
from dlspec.report.marks import legend, marked, most_frequent
from dlspec.report.pictures import BUDGET, DRAWN, inlined, small
from dlspec.runs import folder as folders
from dlspec.runs.judged import Shown
from dlspec.strategy import ceilings
from dlspec.types import Arrays, Error, Example, Examples, Figure, Marks, Passage, State, UnreadableError

if TYPE_CHECKING:
    import numpy as np

WORST = {"picture": 200}
"""how many of the worst examples are kept to be shown, by kind of input"""
WORST_OTHERWISE = 50
EXPLAINED, EXPLAINED_BUDGET = 12, 800_000
"""so many of the worst are explained, in so many characters of base64"""
SAMPLES = {"picture": 12}
SAMPLES_OTHERWISE = 5
SAMPLES_BUDGET = 500_000
"""characters of base64 for samples, and for augmented ones"""
AUGMENTED = 6
"""so many examples are shown in so many versions each, the first of them unchanged"""
AUGMENTED_SIDE = 128
"""longest side in pixels of such a picture that places are drawn on: it is shown small, lines must not vanish"""


def keep_worst(
    folder: Path,
    split: str,
    entry: Shown,
    examples: Examples,
    found: ceilings.Found,
    among: Any = None,
    marks: Callable[[int], Any] | None = None,
    beside: Callable[[int], Any] | None = None,
    blame: Mapping[str, str] | None = None,
    explained: Callable[[Examples, Sequence[str]], tuple[list[Any], list[str], str] | None] | None = None,
) -> None:
    """Write worst/<split>.json: the worst examples as a person looks at them.  `found`: the errors of each example.

    among: (N,) bool, those that may be looked at; None: all.  marks, beside: of a row, what the evaluator's methods of
    these names say of it.  blame: by id, who is to blame for the error.
    explained: of the first few, where they have no marks, and the kinds of their errors: pictures that say where the
    answer comes from, what of it each explains, and a legend.
    """
    errors = ceilings.worst(found, WORST.get(entry.kind, WORST_OTHERWISE), among)
    place = {one: row for row, one in enumerate(examples.ids)}
    rows = [place[error.id] for error in errors]
    drawn = None if marks is None else [marks(row) for row in rows]
    seen = shown(entry, [examples[row] for row in rows], marks=drawn)
    if explained is not None and entry.kind == "picture" and (drawn is None or not any(drawn)):
        first = errors[:EXPLAINED]
        maps = explained(examples.take(rows[:EXPLAINED]), [error.kind for error in first])
        if maps is not None:
            drawings, says, said = maps
            pictures = inlined([small(one, DRAWN) for one in drawings], EXPLAINED_BUDGET)
            named = zip(seen, pictures, says, strict=False)
            seen[: len(pictures)] = [{**one, "shows": own, "explains": of, "legend": said} for one, own, of in named]
    together = [_kinds(found[row]) for row in rows]
    items = [
        {**one, **_of_error(error), **({"errors": kinds} if kinds else {}), **read(beside and beside(row))}
        for one, error, kinds, row in zip(seen, errors, together, rows, strict=True)
    ]
    for one in items:
        if blame and one["id"] in blame:
            one["tags"]["to blame"] = blame[one["id"]]
    folders.write_json(folder / "worst" / f"{split}.json", items)


def shown(
    entry: Shown, examples: Sequence[Example], budget: int = BUDGET, marks: Sequence[Any] | None = None
) -> list[dict[str, Any]]:
    """Examples as a person looks at them: a row of a table, a text, or a picture as {"png", "width", "height"}.

    budget: characters of base64 for all pictures together.  marks: what Evaluator.marks says of each; `legend` then
    says what the colours mean.
    """
    items, pictures = [], []
    for example, drawn in zip(examples, marks or [None] * len(examples), strict=True):
        rendering = entry.show(example)
        item: dict[str, Any] = {"id": example.id, "tags": dict(example.tags), "kind_of_input": rendering.kind}
        if rendering.kind == "picture" and drawn is not None:
            pictures.append(small(marked(rendering.content, *drawn), DRAWN))
            item |= {"shows": len(pictures) - 1, "legend": legend(drawn[0], guessed=drawn[1] is not None)}
        elif rendering.kind == "picture":
            pictures.append(small(rendering.content))
            item["shows"] = len(pictures) - 1
        else:
            item["shows"] = rendering.content if rendering.kind in ("table", "text") else None
        items.append(item)
    encoded = inlined(pictures, budget)
    for item in items:
        if item["kind_of_input"] == "picture":
            item["shows"] = encoded[item["shows"]]
    return items


def read(beside: Sequence[Passage] | Figure | None) -> dict[str, Any]:
    """What Evaluator.beside says, as JSON has it: `passages` or `figure`; nothing where it says nothing."""
    if beside is None:
        return {}
    return (
        {"figure": beside._asdict()} if isinstance(beside, Figure) else {"passages": [one._asdict() for one in beside]}
    )


def samples(recipe: Recipe, train: Examples, state: State) -> list[dict[str, Any]]:
    """A few examples of train, evenly spread, with their truth."""
    chosen = _readable(recipe, _spread(train, SAMPLES.get(recipe.input.kind, SAMPLES_OTHERWISE)))
    evaluator, task = recipe.evaluator, state["task"]
    marks = [None if one.y is None else evaluator.marks(one, None, task) for one in chosen]
    seen = shown(recipe.input, list(chosen), SAMPLES_BUDGET, marks)
    if any(one is not None for one in marks):  # what is drawn need not be said: a mask would fill the page
        return seen
    truths = evaluator.truth(chosen, task)
    found = []
    for one, example, truth in zip(seen, chosen, truths, strict=True):
        known = isinstance(truth, str | int | float) and truth != one["shows"]  # of a language model the text itself
        found.append({**one, "truth": truth if known else None, **read(evaluator.beside(example, None, task))})
    return found


def augmented(recipe: Recipe, train: Examples, state: State) -> list[list[dict[str, Any]]]:
    """A few pictures of train as the network sees them, a row each: unchanged, then augmented by several seeds.

    Empty where the recipe does not augment.  Bytes are shown as they are, other numbers stretched from the range of the
    unchanged pictures.  Boxes, points and masks of the truth are drawn where they come to lie; `legend` then says so.
    """
    import numpy as np

    if recipe.input.kind != "picture" or not len(train):
        return []
    chosen = _readable(recipe, _spread(train, AUGMENTED))
    encoded = recipe.input.encode(chosen, state["input"])
    batch = {**encoded, **recipe.task.target(chosen, encoded, state)}
    plain = np.asarray(batch["picture"])
    places = np.arange(len(chosen), dtype=np.uint64)
    versions = [
        recipe.input.augmented(dict(batch), places + np.uint64(len(chosen) * version), state)
        for version in range(1, AUGMENTED)
    ]
    if all(np.array_equal(one["picture"], plain) for one in versions):
        return []
    low, high = (0.0, 255.0) if plain.dtype == np.uint8 else (float(plain.min()), float(plain.max()))
    factor = 255 / (high - low) if high > low else 0.0

    def drawn(of: Arrays, i: int) -> np.ndarray:
        stretched = (np.asarray(of["picture"][i], np.float64) - low) * factor
        picture = stretched.round().clip(0, 255).astype(np.uint8)
        marks = _placed(of, i)
        return picture if marks is None else marked(picture, marks, None, AUGMENTED_SIDE, _clear(batch, i))

    pictures = iter(
        inlined([small(drawn(of, i)) for i in range(len(chosen)) for of in (batch, *versions)], SAMPLES_BUDGET)
    )
    rows = [[next(pictures) for _ in (batch, *versions)] for _ in range(len(chosen))]
    if len(chosen) and (marks := _placed(batch, 0)) is not None:
        rows[0][0]["legend"] = legend(marks, guessed=False)
    return rows


def _placed(batch: Arrays, row: int) -> Marks | None:
    """The truth of one picture as augmentation has left it, in the encoded picture; None where it is no places."""
    import numpy as np

    if not {"boxes", "points", "mask"} & batch.keys():
        return None
    boxes = [("", *one) for one in np.asarray(batch.get("boxes", [[]] * (row + 1))[row]) if not np.isnan(one).any()]
    points = np.asarray(batch.get("points", [[]] * (row + 1))[row])
    named = [(str(k), *one) for k, one in enumerate(points) if not np.isnan(one).any()]
    return Marks(boxes, named, np.asarray(batch["mask"][row]) if "mask" in batch else None)


def _clear(batch: Arrays, row: int) -> int | None:
    """The class that is left clear in all versions of a picture: the most frequent one of it."""
    return most_frequent(batch["mask"][row]) if "mask" in batch else None


def _readable(recipe: Recipe, chosen: Examples) -> Examples:
    """Those that can be shown: of a picture that is broken in its middle, nobody may know yet."""
    good = []
    for place, example in enumerate(chosen):
        with contextlib.suppress(UnreadableError):
            recipe.input.show(example)
            good.append(place)
    return chosen.take(good)


def _kinds(errors: Sequence[Error]) -> str:
    """`missed × 2, duplicate`: the kinds of several errors, the most frequent first; "" of one alone."""
    counts = Counter(error.kind for error in errors)
    return ", ".join(f"{kind} × {n}" if n > 1 else kind for kind, n in counts.most_common()) if len(errors) > 1 else ""


def _of_error(error: Error) -> dict[str, Any]:
    return {"kind": error.kind, "size": error.size, "truth": error.truth, "guess": error.guess}


def _spread(examples: Examples, most: int) -> Examples:
    count = min(most, len(examples))
    return examples.take([i * len(examples) // count for i in range(count)])
