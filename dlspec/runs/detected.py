"""Where detected objects go: pictures with them drawn, crops, results as COCO has them, texts as YOLO has them."""

from __future__ import annotations

import abc
import contextlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from dlspec.numeric.picture_paths import processors
from dlspec.report.annotated import Drawn
from dlspec.report.watch import Watch
from dlspec.runs import folder as folders
from dlspec.runs.naming import Names
from dlspec.runs.opened import OpenedRun
from dlspec.types import ArgumentError, DataError, Example, Examples, Prediction

WAITING = 64
"""pictures that may wait to be written; then the network waits for them"""
LOSSY = (".jpg", ".jpeg", ".jpe")
QUALITY = 92
"""of JPEG files that are written"""
DECIMALS, OF_SHARES = 2, 6
"""of pixels and of shares of a picture, in texts"""

Objects = Sequence[dict[str, Any]]
"""of one picture: class, confidence, box"""


class Sink(abc.ABC):
    """Hears of pictures and the objects in them; what it writes it adds to what is said of the picture.

    A picture that has gone since it was looked at is a warning, and the others go on.
    """

    watch: Watch

    def __call__(self, examples: Examples, predictions: Sequence[Prediction], said: list[dict[str, Any]]) -> None:
        for example, one in zip(examples, said, strict=True):
            with self.forgiving():
                self.take(example, one)

    @contextlib.contextmanager
    def forgiving(self) -> Iterator[None]:
        try:
            yield
        except DataError as error:
            self.watch.warn(f"not written: {error}")

    @abc.abstractmethod
    def take(self, example: Example, said: dict[str, Any]) -> None:
        """Hear of one picture; `said` is its object, which holds `objects`."""

    @abc.abstractmethod
    def close(self) -> None:
        """All has been said: what is not written yet is to be written now."""


class PictureSink(Sink):
    """Works on the pictures themselves, in threads, while the network goes on."""

    def __init__(self, opened: OpenedRun, home: Path, watch: Watch) -> None:
        self.opened, self.home, self.names, self.watch = opened, empty(home), Names(), watch
        self.pool = ThreadPoolExecutor(processors(), "dlspec-detected")
        self.waiting: list[Future[None]] = []

    def later(self, work: Any, *of: Any) -> None:
        """Raises what went wrong in what was to be done before."""
        self.waiting.append(self.pool.submit(work, *of))
        while self.waiting and (len(self.waiting) > WAITING or self.waiting[0].done()):
            with self.forgiving():
                self.waiting.pop(0).result()

    def picture(self, example: Example) -> np.ndarray:
        """As it came, uint8."""
        picture: np.ndarray = self.opened.recipe.input.show(example).content
        return picture

    def close(self) -> None:
        for one in self.waiting:
            with self.forgiving():
                one.result()
        self.pool.shutdown()


class Annotated(PictureSink):
    """Pictures with what was found drawn on them; the frames of a video become a video again."""

    def __init__(self, opened: OpenedRun, home: Path, watch: Watch) -> None:
        super().__init__(opened, home, watch)
        self.draw = Drawn(opened.state["task"]["names"])
        self.videos: dict[str, Any] = {}

    def take(self, example: Example, said: dict[str, Any]) -> None:
        if example.group:
            said["drawn"] = self._frame(example, said["objects"])
            return
        name = self.names(example.id, _ending(example.id))
        self.later(self._draw, example, said["objects"], self.home / name)
        said["drawn"] = str(self.home / name)

    def _draw(self, example: Example, objects: Objects, file: Path) -> None:
        save(self._drawn(example, objects), file)

    def _drawn(self, example: Example, objects: Objects) -> np.ndarray:
        return self.draw(self.picture(example), [(one["class"], one["confidence"], one["box"]) for one in objects])

    def _frame(self, example: Example, objects: Objects) -> str:
        """In order, and at once: the frames of a video follow each other."""
        from dlspec.numeric.opencv import cv2
        from dlspec.numeric.video import rate

        drawn = self._drawn(example, objects)
        if example.group not in self.videos:
            for other in self.videos.values():
                other[0].release()
            file = self.home / self.names(example.group, ".mp4")
            code = cv2.VideoWriter.fourcc(*"mp4v")
            writer = cv2.VideoWriter(str(file), code, rate(example.group), (drawn.shape[1], drawn.shape[0]))
            if not writer.isOpened():
                raise ArgumentError(f"this OpenCV cannot write a video to {file}; detect without --out")
            self.videos[example.group] = writer, file
        writer, file = self.videos[example.group]
        writer.write(cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
        return str(file)

    def close(self) -> None:
        super().close()
        for writer, _ in self.videos.values():
            writer.release()


class Crops(PictureSink):
    """Each object a picture of its own, in a folder a class: CLASS/PICTURE.png, CLASS/PICTURE-2.png, …

    margin: so many times its sides are added to each side of the box.
    """

    def __init__(self, opened: OpenedRun, home: Path, watch: Watch, margin: float = 0.0) -> None:
        super().__init__(opened, home, watch)
        self.margin = margin

    def take(self, example: Example, said: dict[str, Any]) -> None:
        whole: list[tuple[Sequence[float], Path]] = []
        for one in said["objects"]:
            file = self.home / _folder(one["class"]) / self.names(example.id, _ending(example.id))
            whole.append((one["box"], file))
            one["crop"] = str(file)
        if whole:
            self.later(self._cut, example, whole)

    def _cut(self, example: Example, whole: Sequence[tuple[Sequence[float], Path]]) -> None:
        picture = self.picture(example)
        for box, file in whole:
            save(cropped(picture, wider(box, self.margin)), file)


class CocoResults(Sink):
    """A JSON list of results as COCO has them: image_id, category_id, bbox (x, y, width, height), score.

    image_id is the number that the file's name is, as in COCO (`000000000139.jpg` → 139), else the name; category_id
    counts the run's classes from 1, and `category` says which it is.
    """

    def __init__(self, opened: OpenedRun, file: Path, watch: Watch) -> None:
        if file.exists():
            raise ArgumentError(f"{file} exists already, and nothing is overwritten; give another name to --coco")
        self.file, self.watch = file, watch
        self.places = {name: i for i, name in enumerate(opened.state["task"]["names"], 1)}
        self.rows: list[dict[str, Any]] = []

    def take(self, example: Example, said: dict[str, Any]) -> None:
        path = PurePath(example.id)
        name: int | str = int(path.stem) if re.fullmatch(r"\d{1,18}", path.stem) else path.name
        for one in said["objects"]:
            x0, y0, x1, y1 = one["box"]
            bbox = [round(value, DECIMALS) for value in (x0, y0, x1 - x0, y1 - y0)]
            row = {"image_id": name, "category_id": self.places.get(one["class"], 0), "category": one["class"]}
            self.rows.append({**row, "bbox": bbox, "score": round(one["confidence"], 5)})

    def close(self) -> None:
        folders.write_text(self.file, json.dumps(self.rows))


class YoloTexts(Sink):
    """A text a picture, a line an object: class index, middle, width and height in shares of the picture, confidence.

    classes.txt names the classes in their order.
    """

    def __init__(self, opened: OpenedRun, home: Path, watch: Watch) -> None:
        self.home, self.names, self.opened, self.watch = empty(home), Names(), opened, watch
        self.places = {name: i for i, name in enumerate(opened.state["task"]["names"])}

    def take(self, example: Example, said: dict[str, Any]) -> None:
        height, width = _size(self.opened, example)
        lines = []
        for one in said["objects"]:
            x0, y0, x1, y1 = one["box"]
            shares = ((x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height)
            numbers = " ".join(f"{value:.{OF_SHARES}f}" for value in (*shares, one["confidence"]))
            lines.append(f"{self.places.get(one['class'], -1)} {numbers}\n")
        folders.write_text(self.home / self.names(example.id, ".txt"), "".join(lines))

    def close(self) -> None:
        folders.write_text(self.home / "classes.txt", "".join(f"{name}\n" for name in self.places))


def wider(box: Sequence[float], margin: float) -> list[float]:
    """A box with so many times its sides added at each of them."""
    x0, y0, x1, y1 = box
    across, down = margin * (x1 - x0), margin * (y1 - y0)
    return [x0 - across, y0 - down, x1 + across, y1 + down]


def cropped(picture: np.ndarray, box: Sequence[float]) -> np.ndarray:
    """What is in a box, whole pixels around it, at least one."""
    height, width = picture.shape[:2]
    x0, y0 = min(max(0, int(np.floor(box[0]))), width - 1), min(max(0, int(np.floor(box[1]))), height - 1)
    x1, y1 = max(x0 + 1, min(width, int(np.ceil(box[2])))), max(y0 + 1, min(height, int(np.ceil(box[3]))))
    return picture[y0:y1, x0:x1]


def save(picture: np.ndarray, file: Path) -> None:
    """A uint8 picture (H, W, 1 or 3), as the file's ending says."""
    from dlspec.numeric.opencv import cv2

    colours = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR) if picture.shape[2:] == (3,) else picture
    settings = [cv2.IMWRITE_JPEG_QUALITY, QUALITY] if file.suffix in LOSSY else []
    # Whole or not at all, as everywhere; but not waited for until it is on the disk: there may be very many.
    file.parent.mkdir(parents=True, exist_ok=True)
    part = f"{file}.part"
    with open(part, "wb") as new:
        new.write(cv2.imencode(file.suffix, colours, settings)[1].tobytes())
    os.replace(part, file)


def empty(home: Path) -> Path:
    """A folder that is there and empty.  Raises ArgumentError where it cannot be."""
    try:
        if home.exists() and (not home.is_dir() or any(home.iterdir())):
            raise ArgumentError(f"{home} exists already, and nothing is overwritten; give another name")
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentError(f"cannot write {home}: {error.strerror}") from None
    return home


def _size(opened: OpenedRun, example: Example) -> tuple[int, int]:
    from dlspec.numeric.picture_files import size

    return size(example.x) if isinstance(example.x, str) else np.shape(example.x)[:2]


def _ending(id: str) -> str:
    """Pictures that lose by being stored stay so; all else is kept exactly."""
    return PurePath(id).suffix.lower() if PurePath(id).suffix.lower() in LOSSY else ".png"


def _folder(name: str) -> str:
    """A class as the name of a folder."""
    return re.sub(r"[^\w. -]", "_", name).strip(". ") or "_"
