"""Predictions that any other tool made, read from tables and judged as a run's are; no network is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.data.prediction_table import PredictionTable, read_predictions
from dlspec.evaluators.base import Evaluator
from dlspec.recipe.component import every, find, unknown
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs.judged import Judged, Part, Shown, chosen
from dlspec.runs.opened import OpenedRun
from dlspec.runs.prepare import headline
from dlspec.types import SPLITS, ArgumentError, DataError, Example, Examples, Metric, Rendering, State
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np

MOST_VALUES = 20
"""a column of numbers with no more different values also counts as a tag"""


class Columns:
    """What stands for the input of an example of which only a table is known: its other columns."""

    kind = "table"
    facts_of = None

    def show(self, example: Example) -> Rendering:
        return Rendering("table", dict(example.x))

    def facts(self, examples: Examples, state: State) -> dict[str, Any]:
        """Every other column: numbers as float64, words as they are."""
        import numpy as np

        from dlspec.numeric.rows import Rows

        x, rows = examples.columns["x"], np.asarray(examples.rows, np.int64)
        return {name: values[rows] for name, values in x.columns.items()} if isinstance(x, Rows) else {}


class Texts:
    """What stands for the input of an example of which a sentence is known, and no network that takes it."""

    kind = "text"
    facts_of = None

    def show(self, example: Example) -> Rendering:
        return Rendering("text", " ".join(example.x))

    def facts(self, examples: Examples, state: State) -> dict[str, Any]:
        """How many words there are."""
        import numpy as np

        return {"words": np.array([len(one) for one in examples.column("x")], np.float64)}


def judged_tables(
    files: Sequence[str],
    *,
    watch: Watch,
    run: OpenedRun | None = None,
    wanted: Sequence[str] = (),
    task: str | None = None,
    metric: str | None = None,
    home: Path | None = None,
    truth: str | None = None,
) -> Judged:
    """What these tables say.

    truth: COCO's ground truth, of which the files are results as COCO has them; or a text file, of whose lines the
    one file's are translations.

    run: whose data the predictions are of; what its examples are is then known, and they are checked against it.
    wanted: splits; none means all but test.  task: what was asked, where the columns do not tell.  metric: the one that
    decides.  Raises DataError, ArgumentError.
    """
    if run is not None and task is not None:
        raise ArgumentError("a run knows its task; leave --task out")
    table = _read(files, run, task, wanted, truth)
    for remark in table.notes:
        watch.warn(remark)
    evaluator, state, said = _evaluator(table, run, None if truth else task)
    kept = said.get("metric")  # weighted_error is not among them: what errors cost, the table does not say
    kept = kept if kept in [one.name for one in evaluator.metrics(state)] else None
    decides = _metric(evaluator, state, metric or (None if run else kept), run)
    predictions, remarks = evaluator.received(table.columns, table.ids, state)
    for remark in remarks:
        watch.warn(remark)
    if table.weights is not None:
        watch.note("column 'weight': scores do not weigh")
    have = [name for name in SPLITS if name in set(table.columns["split"])]
    splits = chosen(have, wanted, "this table")
    counts = ", ".join(f"{name} {table.columns['split'].count(name):,}" for name in have)
    watch.note(f"{plural(len(table.ids), 'prediction')}, scored as {evaluator.name} ({counts})")
    whole = _examples(table)
    places = {name: _places(table.columns["split"], name) for name in splits}
    if run is None and have:
        rows = _places(table.columns["split"], "dev" if "dev" in have else have[0])
        state, remarks = evaluator.fitted(whole.take(rows), _taken(predictions, rows), state)
        for remark in remarks:
            watch.note(remark)
    if run is None:
        units = {name: whole.take(rows) for name, rows in places.items()}
    else:
        units = _of_run(run, table, places, evaluator, state, watch)
    parts = {}
    for name, rows in places.items():
        some = predictions if len(rows) == len(table.ids) else _taken(predictions, rows)
        for remark in evaluator.remarks(units[name], state):
            watch.warn(f"{name}: {remark}")
        parts[name] = Part(units[name], some, evaluator.statistics(units[name], some, state))
    entry = run.recipe.input if run is not None else _shown(table)
    return Judged(evaluator, state, decides, parts, entry, home)


def _read(
    files: Sequence[str], run: OpenedRun | None, task: str | None, wanted: Sequence[str], truth: str | None
) -> PredictionTable:
    """Tables, or COCO's results with their truth, or lines of text with theirs; or words with true and said tags."""
    from dlspec.data.aligned_lines import is_lines, read_outputs
    from dlspec.data.coco_results import is_json, read_results
    from dlspec.data.conll_outputs import is_conll, read_tagged

    if truth is not None and run is None and all(map(is_lines, (truth, *files))):
        if task not in (None, "translation"):
            raise ArgumentError(f"--truth holds sentences, which are no truths of {task}; leave --task out")
        return read_outputs(files, truth, wanted[0] if wanted else "dev")
    json = [file for file in files if is_json(file)]
    if truth is None:
        if all(map(is_conll, files)):
            return read_tagged(files, wanted[0] if wanted else "dev")
        if json:
            raise ArgumentError(
                f"{json[0]}: results in JSON are COCO's, which do not hold the truth; give it too: --truth FILE"
            )
        return read_predictions(files)
    if len(json) < len(files):
        other = next(file for file in files if not is_json(file))
        raise ArgumentError(
            f"{other}: --truth goes with results as COCO has them, in JSON, or with lines where it is lines too; "
            "a table has its own truth"
        )
    if run is not None:
        raise ArgumentError("--truth says what is true; leave RUN out")
    if task not in (None, "detection"):
        raise ArgumentError(f"--truth holds boxes, which are no truths of {task}; leave --task out")
    if len(wanted) > 1:
        raise ArgumentError(f"results as COCO has them are of one split; name one, not {', '.join(wanted)}")
    return read_results(files, truth, wanted[0] if wanted else "dev")


def _shown(table: PredictionTable) -> Shown:
    """What shows an example of a table: its picture or its text, where it has one, or its columns."""
    if table.texts is not None:
        return Texts()
    if table.pictures is None:
        return Columns()
    cls: Any = find("inputs", "picture")
    shown: Shown = cls()
    return shown


def _evaluator(
    table: PredictionTable, run: OpenedRun | None, task: str | None
) -> tuple[Evaluator, State, dict[str, Any]]:
    """Who says what these predictions are worth, with its state: the run's, what dlspec wrote, or what columns tell."""
    if run is not None:
        return run.recipe.evaluator, run.state["task"], {}
    kinds: Mapping[str, Any] = {cls.model_fields["name"].default: cls for cls in every("evaluators")}
    said = table.made_by[0]
    if said and task is None:
        if any(one.get("state") != said.get("state") for one in table.made_by):
            raise DataError("these tables were written by runs whose classes or scales differ; give them one by one")
        own = kinds[said["evaluator"]]()
        return own, said["state"] if "state" in said else own.recognize(table.columns, asked=True), said
    if task is not None:
        try:
            cls: Any = find("tasks", task)
        except ValueError as error:
            raise ArgumentError(f"--task: {error}") from None
        asked: Evaluator = cls().evaluator
        state = asked.recognize(table.columns, asked=True)
        if state is None:
            raise DataError(f"this table holds no predictions of {task}, which needs {asked.needs}; {_has(table)}")
        return asked, state, {}
    found = [(one, state) for one in (cls() for cls in kinds.values()) if (state := one.recognize(table.columns))]
    if len(found) == 1:
        return *found[0], {}
    needs = "; ".join(f"{name}: {cls.needs}" for name, cls in kinds.items())
    if not found:
        raise DataError(f"what was predicted cannot be told from the columns ({needs}); {_has(table)}")
    raise DataError(f"this table may hold several kinds of prediction ({needs}); say --task")


def _has(table: PredictionTable) -> str:
    names = [name for name in (*table.columns, *table.tags, *table.numbers) if name != "split"]
    return f"it has id, {', '.join(names[:20])}"


def _metric(evaluator: Evaluator, state: State, name: str | None, run: OpenedRun | None) -> Metric:
    metrics = evaluator.metrics(state)
    if name is None:
        return headline(run.recipe, run.state) if run is not None else metrics[0]
    known = [metric.name for metric in metrics]
    if name not in known:
        raise ArgumentError(f"--metric: {unknown('metric', name, known)}")
    return metrics[known.index(name)]


def _examples(table: PredictionTable) -> Examples:
    """Every row as an example: words and few-valued numbers as tags, all other columns as what it is."""
    import numpy as np

    from dlspec.numeric.picture_paths import PictureFiles
    from dlspec.numeric.rows import Rows

    words: dict[str, np.ndarray] = {name: _words(values) for name, values in table.tags.items()}
    tags = dict(table.tags)
    for name, values in table.numbers.items():
        different = np.unique(values[~np.isnan(values)])
        if len(different) <= MOST_VALUES:
            text = {value: f"{value:g}" for value in different.tolist()}
            tags[name] = [text.get(value, "") for value in values.tolist()]
    rows: Any = Rows({**words, **table.numbers}) if words or table.numbers else [{}] * len(table.ids)
    if table.pictures is not None:
        rows = PictureFiles("", table.pictures)
    elif table.texts is not None:
        rows = table.texts
    return Examples(table.ids, rows, table.columns["truth"], tags=tags, groups=table.groups, weights=table.weights)


def _words(values: Sequence[str]) -> np.ndarray:
    import numpy as np

    result = np.empty(len(values), object)
    result[:] = [one or None for one in values]
    return result


def _places(splits: Sequence[str], wanted: str) -> list[int]:
    return [row for row, name in enumerate(splits) if name == wanted]


def _taken(predictions: Any, rows: Sequence[int]) -> Any:
    return predictions[rows] if hasattr(predictions, "dtype") else [predictions[row] for row in rows]


def _of_run(
    run: OpenedRun,
    table: PredictionTable,
    places: Mapping[str, Sequence[int]],
    evaluator: Evaluator,
    state: State,
    watch: Watch,
) -> dict[str, Examples]:
    """The run's own examples of these rows.  Raises DataError where ids or truths are not those of the run's data."""
    trained_on = folders.read_json(run.folder / "machine.json", {}).get("data_fingerprint")
    made_on = {one["fingerprint"] for one in table.made_by if one.get("fingerprint")}
    if made_on - {trained_on}:
        raise DataError(
            f"these predictions are of another version of the data (fingerprint {', '.join(sorted(made_on))}) than the "
            f"run ({trained_on}); leave RUN out to look at them on their own"
        )
    splits = run.splits(watch)
    found = {}
    for name, rows in places.items():
        if name not in splits:
            raise DataError(f"the run has no split {name}, and this table has {plural(len(rows), 'prediction')} of it")
        part = splits[name]
        place = {one: at for at, one in enumerate(part.ids)}
        strange = [table.ids[row] for row in rows if table.ids[row] not in place]
        if strange:
            raise DataError(
                f"{len(strange):,} of {len(rows):,} ids are not in the run's {name} ({', '.join(strange[:3])}): these "
                "are predictions of other data, or of another version of it; leave RUN out to look at them on their own"
            )
        examples = part.take([place[table.ids[row]] for row in rows])
        given = evaluator.truth(_examples(table).take(rows), state)
        other = [one for one, a, b in zip(examples.ids, given, evaluator.truth(examples, state), strict=True) if a != b]
        if other:
            raise DataError(
                f"{len(other):,} of {len(rows):,} truths are not those of the run's {name} ({', '.join(other[:3])}): "
                "these are predictions of another version of the data"
            )
        if len(rows) < len(part):
            watch.warn(f"{len(part) - len(rows):,} of the run's {len(part):,} examples of {name} have no prediction")
        found[name] = examples
    return found
