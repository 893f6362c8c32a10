"""Pictures with boxes written as COCO, YOLO or Pascal VOC: annotations, and which picture goes where."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dlspec.numeric.places import Box

CALLED = {"train": "train", "dev": "val", "test": "test"}
"""what parts are called here, and in these formats"""
DIGITS = 4
"""decimals of a pixel"""
FINE = 8
"""decimals of a share of the picture's side: some thousandths of a pixel's tenth, however large the picture"""


class Item(NamedTuple):
    """A picture to be written."""

    name: str
    """its path below the folder of its part's pictures, with forward slashes"""
    source: str
    size: tuple[int, int, int]
    """width, height, channels"""
    boxes: Sequence[Box]


class Written(NamedTuple):
    """Where pictures are to be copied to (source → path below the folder), the file that is the data, and remarks."""

    pictures: Mapping[str, str]
    data: str
    notes: Sequence[str] = ()


Parts = Mapping[str, Sequence[Item]]
"""part (`all`, or train, dev, test) → pictures"""


def coco(folder: Path, parts: Parts, names: Sequence[str]) -> Written:
    """annotations/instances_train.json and images/train/…; without parts annotations/instances.json and images/…"""
    copies: dict[str, str] = {}
    codes = {name: code for code, name in enumerate(names, 1)}
    categories = [{"id": code, "name": name} for name, code in codes.items()]
    (folder / "annotations").mkdir()
    for part, items in parts.items():
        images, annotations = [], list[dict[str, Any]]()
        for i, item in enumerate(items, 1):
            width, height, _ = item.size
            images.append({"id": i, "file_name": item.name, "width": width, "height": height})
            copies[item.source] = _below("images", part, item.name)
            for box in item.boxes:
                numbers = [box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0]
                own: dict[str, Any] = {"id": len(annotations) + 1, "image_id": i, "category_id": codes[box.name]}
                own |= {"bbox": [round(one, DIGITS) for one in numbers], "area": round(numbers[2] * numbers[3], DIGITS)}
                annotations.append({**own, "iscrowd": int(box.crowd)})
        # A line an annotation: what is wrong with one can be found by hand.
        lists = {"images": images, "annotations": annotations, "categories": categories}
        rows = {key: ",\n".join(json.dumps(one, ensure_ascii=False) for one in own) for key, own in lists.items()}
        text = ",\n".join(f'"{key}": [\n{own}\n]' for key, own in rows.items())
        (folder / "annotations" / _named("instances", part)).write_text(f"{{{text}}}\n", encoding="utf-8")
    return Written(copies, "")


def yolo(folder: Path, parts: Parts, names: Sequence[str]) -> Written:
    """data.yaml, images/train/… and labels/train/…; without parts data.yaml gives all as train and as val."""
    import yaml

    copies: dict[str, str] = {}
    codes = {name: code for code, name in enumerate(names)}
    crowds = 0
    for part, items in parts.items():
        for item in items:
            copies[item.source] = _below("images", part, item.name)
            crowds += sum(box.crowd for box in item.boxes)
            lines = [_shares(codes[box.name], box, item.size) for box in item.boxes if not box.crowd]
            file = folder / _below("labels", part, os.path.splitext(item.name)[0] + ".txt")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    homes = {"train": "images", "val": "images"}
    if "all" not in parts:
        homes = {CALLED[part]: f"images/{CALLED[part]}" for part in parts}
    whole = {**homes, "names": dict(enumerate(names))}
    (folder / "data.yaml").write_text(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True), encoding="utf-8")
    notes = []
    if crowds:
        notes.append(f"{crowds:,} boxes of crowds, or hard to tell, are left out: YOLO's format has no word for them")
    if "val" not in homes:
        notes.append("there is no val in data.yaml, which other tools want: name one there, or divide train")
    return Written(copies, "data.yaml", notes)


def voc(folder: Path, parts: Parts, names: Sequence[str]) -> Written:
    """Annotations/1.xml, JPEGImages/1.jpg and ImageSets/Main/train.txt; no lists where there are no parts."""
    copies: dict[str, str] = {}
    flat = _apart([item.name.replace("/", "_") for items in parts.values() for item in items])
    called = iter(flat)
    (folder / "Annotations").mkdir()
    for part, items in parts.items():
        stems = []
        for item in items:
            name = next(called)
            stem = os.path.splitext(name)[0]
            stems.append(stem)
            copies[item.source] = f"JPEGImages/{name}"
            (folder / "Annotations" / f"{stem}.xml").write_bytes(_xml(name, item))
        if part != "all":
            (folder / "ImageSets" / "Main").mkdir(parents=True, exist_ok=True)
            lines = "".join(f"{stem}\n" for stem in stems)
            (folder / "ImageSets" / "Main" / f"{CALLED[part]}.txt").write_text(lines, encoding="utf-8")
    return Written(copies, "")


WRITERS: Mapping[str, Callable[[Path, Parts, Sequence[str]], Written]] = {"coco": coco, "yolo": yolo, "voc": voc}


def named(paths: Sequence[str]) -> list[str]:
    """What pictures are called below the folder that they share; two of a name but for the ending are told apart."""
    base = os.path.commonpath([os.path.dirname(one) for one in paths]) if paths else ""
    return _apart([os.path.relpath(one, base).replace(os.sep, "/") for one in paths])


def _apart(names: Sequence[str]) -> list[str]:
    """Names that differ before their ending, too, in capitals or not: a.png beside a.jpg becomes a_png.png."""
    taken: set[str] = set()
    found = []
    for name in names:
        stem, ending = os.path.splitext(name)
        tried = stem
        count = 1
        while tried.lower() in taken:
            tried = f"{stem}_{ending[1:]}" if count == 1 else f"{stem}_{ending[1:]}_{count}"
            count += 1
        taken.add(tried.lower())
        found.append(tried + ending)
    return found


def _below(head: str, part: str, name: str) -> str:
    return f"{head}/{name}" if part == "all" else f"{head}/{CALLED[part]}/{name}"


def _named(head: str, part: str) -> str:
    return f"{head}.json" if part == "all" else f"{head}_{CALLED[part]}.json"


def _shares(code: int, box: Box, size: tuple[int, int, int]) -> str:
    width, height, _ = size
    numbers = (box.x0 + box.x1) / 2 / width, (box.y0 + box.y1) / 2 / height, box.x1 - box.x0, box.y1 - box.y0
    shares = (*numbers[:2], numbers[2] / width, numbers[3] / height)
    return " ".join([str(code), *(f"{one:.{FINE}f}" for one in shares)])


def _xml(name: str, item: Item) -> bytes:
    from xml.etree import ElementTree

    width, height, channels = item.size
    tree: dict[str, Any] = {
        "folder": "JPEGImages",
        "filename": name,
        "size": {"width": width, "height": height, "depth": channels},
        "segmented": 0,
    }
    root = ElementTree.Element("annotation")
    _fill(root, tree)
    for box in item.boxes:
        corners = zip(("xmin", "ymin", "xmax", "ymax"), map(_number, box.corners), strict=True)
        own = {"name": box.name, "pose": "Unspecified", "truncated": 0, "difficult": int(box.crowd)}
        _fill(ElementTree.SubElement(root, "object"), {**own, "bndbox": dict(corners)})
    ElementTree.indent(root, "\t")
    return bytes(ElementTree.tostring(root, encoding="utf-8")) + b"\n"


def _fill(root: Any, tree: Mapping[str, Any]) -> None:
    from xml.etree import ElementTree

    for key, value in tree.items():
        one = ElementTree.SubElement(root, key)
        if isinstance(value, Mapping):
            _fill(one, value)
        else:
            one.text = str(value)


def _number(value: float) -> str:
    return f"{value:.{DIGITS}f}".rstrip("0").rstrip(".")
