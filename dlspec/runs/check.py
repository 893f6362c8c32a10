"""What is wrong with a recipe and its data before anything is trained: everything at once, each with the mend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.recipe.load import Loaded, load
from dlspec.report.watch import Watch
from dlspec.types import Complaint, DataError, Finding, UserError

if TYPE_CHECKING:
    from dlspec.recipe.schema import Recipe
    from dlspec.runs.prepare import Prepared

GRAVITY = ("error", "warning", "note")


def check(
    recipe: str | Path, sets: Sequence[str] = (), *, run: bool = False, watch: Watch | None = None
) -> dict[str, Any]:
    """Look at a recipe and its data, and with `run` at its network: `recipe`, `findings`, `examples`, `network`.

    findings: dicts of severity, kind, where, message, the gravest first.  examples: split → how many, null where the
    data cannot be read.  network: what `check_network.examine` measured, null without `run`.
    Without `run` no keras is loaded.  A wrong recipe or data is a finding, and nothing is raised.
    """
    watch = watch or Watch()
    result: dict[str, Any] = {"recipe": str(recipe), "findings": [], "examples": None, "network": None}
    found: list[Finding] = []
    try:
        loaded = load(recipe, sets)
        result["recipe"] = str(loaded.file.absolute())
        with loaded.placing():
            found = _data(loaded, result, run, watch)
    except UserError as error:
        found = [_complained(one, error) for one in error.complaints]
    found.sort(key=lambda one: GRAVITY.index(one.severity))
    result["findings"] = [one._asdict() for one in found]
    return result


class _Notes(Watch):
    """Passes on what is said of the data; warnings are findings here."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def note(self, sentence: str) -> None:
        self.watch.note(sentence)


def _data(loaded: Loaded, result: dict[str, Any], run: bool, watch: Watch) -> list[Finding]:
    from dlspec.runs.prepare import prepare

    recipe = loaded.recipe
    broken = _left_out(recipe)
    try:
        prepared = prepare(recipe, _Notes(watch))
    except DataError as error:
        raise DataError(_with_all_broken(recipe, error, broken)) from None
    result["examples"] = {name: len(part) for name, part in prepared.splits.parts.items()}
    found = [
        Finding(
            "warning",
            "unreadable",
            str(one.where) or "data",
            f"{one.message}; it is left out of the data. Mend it, or take it away",
        )
        for one in broken
    ]
    found += _examples(recipe, prepared, watch)
    if run and not any(one.kind in ("unreadable", "truth_in_input") and one.severity == "error" for one in found):
        from dlspec.runs.check_network import examine

        try:
            with loaded.placing():
                measured, more = examine(loaded, prepared, watch)
        except UserError as error:
            return found + [_complained(one, error) for one in error.complaints]
        result["network"] = measured
        if measured["learns"]:  # the network sees what neighbours do not
            found = [one for one in found if (one.kind, one.where) != ("no_information", "train")]
        elif measured["learns"] is False:
            found = [
                one._replace(severity="warning") if one.kind == "no_information" and one.severity == "note" else one
                for one in found
            ]
        found += more
    return found


def _examples(recipe: Recipe, prepared: Prepared, watch: Watch) -> list[Finding]:
    from dlspec.runs.check_labels import given_away, labels
    from dlspec.runs.check_leaks import leaks, look
    from dlspec.runs.check_splits import classes, sizes

    state, splits = prepared.state, prepared.splits
    found = list(recipe.input.findings(splits["train"], state["input"]))
    found += classes(recipe, state, splits)
    found += sizes(recipe, state, splits)
    watch.note(f"looking at {sum(map(len, splits.parts.values())):,} examples")
    seen, broken = look(recipe, state, splits)
    found += broken
    if not len(seen["train"].examples):
        return found
    found += leaks(recipe, state, splits, seen)
    found += labels(recipe, state, seen)
    return found + given_away(recipe, state, seen["train"].examples)


def _left_out(recipe: Recipe) -> list[Complaint]:
    """What a reader that is not `strict` leaves out of the data: what it says when it is."""
    if getattr(recipe.data, "strict", None) is not False:
        return []
    try:
        recipe.data.model_copy(update={"strict": True}).load()
    except DataError as error:
        return error.complaints
    return []


def _with_all_broken(recipe: Recipe, error: DataError, broken: Sequence[Complaint]) -> list[Complaint]:
    """The complaints of an error that stopped everything, with those of all the other files that cannot be read."""
    from dlspec.data.pictures import without_broken

    complaints = [*error.complaints]
    try:
        parts = recipe.data.read().parts
    except DataError:
        return complaints
    for part in parts.values():
        try:
            without_broken(part, strict=True)
        except DataError as more:
            complaints += more.complaints
    return list({str(one.where) + one.message: one for one in (*complaints, *broken)}.values())


def _complained(one: Complaint, error: UserError) -> Finding:
    return Finding("error", error.kind, str(one.where) or error.kind, one.message)
