"""Objects in new pictures, folders of them and videos: as they are found, and to files."""

from __future__ import annotations

import contextlib
import functools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from dlspec.numeric.places import Box, boxes_text
from dlspec.recipe.component import unknown
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs.opened import OpenedRun, open_run
from dlspec.runs.predict import stream
from dlspec.types import ArgumentError, Examples, Prediction
from dlspec.wording import plural

TELLS_AFTER = 5.0
"""seconds between two sentences about how it comes along"""
HELD = 1 << 28
"""bytes of pictures that are held from when the network looks at them until they are drawn on"""


def detect(
    run: str | Path | OpenedRun,
    inputs: Sequence[str],
    *,
    out: Path | None = None,
    crops: Path | None = None,
    margin: float = 0.0,
    coco: Path | None = None,
    yolo: Path | None = None,
    threshold: float | None = None,
    overlap: float | None = None,
    classes: Sequence[str] = (),
    listed: Iterable[str] = (),
    root: str | Path = folders.RUNS,
    watch: Watch | None = None,
) -> Iterator[list[dict[str, Any]]]:
    """Objects in pictures, in the order given, some pictures at a time: what `predict` gives, and where it was written.

    inputs: files, folders, globs, videos; "-" stands for the paths that `listed` gives.  out, crops, yolo: folders of
    annotated pictures, of a picture an object (margin: so many times its sides added to each side), of texts; coco: a
    file of results.  threshold: the confidence from which an object is said; overlap: from which two boxes are of one
    object; classes: the only ones that are said.
    Raises ArgumentError, DataError.
    """
    opened = prepared(run, threshold=threshold, overlap=overlap, classes=classes, root=root)
    return _found(opened, inputs, listed, watch or Watch(), set(classes), (out, crops, coco, yolo), margin)


def prepared(
    run: str | Path | OpenedRun,
    *,
    threshold: float | None,
    overlap: float | None,
    classes: Sequence[str],
    root: str | Path,
) -> OpenedRun:
    """The run, opened, with what is wished for instead of its own.  Raises ArgumentError where it cannot be so."""
    opened = run if isinstance(run, OpenedRun) else open_run(run, root)
    recipe = opened.recipe
    if not recipe.evaluator.finds:
        raise ArgumentError(
            f"'{recipe.task.name}' finds no boxes: detect is for runs of detection and localization; "
            f"dlspec {recipe.task.verb} {opened.folder.parent.name}/{opened.folder.name} … is for this one"
        )
    names = opened.state["task"]["names"]
    for name in classes:
        if name not in names:
            raise ArgumentError(f"--classes: {unknown('class', name, names)}")
    wished = {}
    if overlap is not None:
        wished["overlap"] = overlap
    if threshold is not None:
        opened = opened.with_task(threshold=threshold)
        wished["least"] = threshold
    nms = getattr(recipe.task, "nms", None)
    if overlap is not None and nms is None:
        raise ArgumentError(f"--nms-iou is for several objects a picture; '{recipe.task.name}' finds one at most")
    if wished and nms is not None:
        task = recipe.task.model_copy(update={"nms": nms.model_copy(update=wished)})
        opened = opened.with_recipe(recipe.model_copy(update={"task": task}))
    return opened


def _found(
    opened: OpenedRun,
    inputs: Sequence[str],
    listed: Iterable[str],
    watch: Watch,
    classes: set[str],
    to: tuple[Path | None, Path | None, Path | None, Path | None],
    margin: float,
) -> Iterator[list[dict[str, Any]]]:
    from dlspec.numeric.picture_files import read_twice
    from dlspec.runs.detected import Annotated, CocoResults, Crops, Sink, YoloTexts

    cut = functools.partial(Crops, margin=margin)
    kinds: tuple[Callable[[OpenedRun, Path, Watch], Sink], ...] = (Annotated, cut, CocoResults, YoloTexts)
    sinks = [kind(opened, path, watch) for kind, path in zip(kinds, to, strict=True) if path is not None]

    def chosen(examples: Examples, predictions: Sequence[Prediction], said: list[dict[str, Any]]) -> None:
        for one in said if classes else ():
            one["objects"] = [found for found in one["objects"] if found["class"] in classes]
            one["guess"] = boxes_text(Box.at(found["class"], found["box"]) for found in one["objects"])

    counts: Counter[str] = Counter()
    pictures, first, began, told = 0, 0, None, time.monotonic()
    with contextlib.ExitStack() as closing:
        closing.enter_context(read_twice(HELD if any(to[:2]) else 0))
        for sink in sinks:
            closing.callback(sink.close)
        for some in stream(opened, inputs, listed=listed, watch=watch, listeners=[chosen, *sinks]):
            now = time.monotonic()
            if began is None:  # the network is ready from here on
                began, first = now, len(some)
            pictures += len(some)
            counts.update(one["class"] for said in some for one in said.get("objects", ()))
            if now - told > TELLS_AFTER:
                told = now
                watch.note(
                    f"{plural(pictures, 'picture')}, {(pictures - first) / max(now - began, 1e-9):,.1f} a second"
                )
            yield some
    watch.note(_summary(pictures, counts))


def _summary(pictures: int, counts: Counter[str]) -> str:
    listed = ", ".join(f"{name} ({many:,})" for name, many in counts.most_common(12))
    more = ", …" if len(counts) > 12 else ""
    objects = f"{counts.total():,} object{'s' * (counts.total() != 1)}"
    return f"{pictures:,} picture{'s' * (pictures != 1)}, {objects}{': ' if listed else ''}{listed}{more}"
