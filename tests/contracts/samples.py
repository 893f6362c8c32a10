"""Small data of every kind, for tests that hold every component on disk to its contract."""

import gzip
import struct

import numpy as np
from contracts import boxed

from dlspec.numeric.masks import Mask
from dlspec.numeric.places import Box, Point
from dlspec.numeric.rows import Rows
from dlspec.recipe.component import find
from dlspec.types import Examples

CLASSES = ("ant", "bee", "cat")
WORDS = ["the", "a", "good", "bad", "film", "was", "is", "never", "ever", "seen", "by", "anyone", "who", "cares"]
SMALL = {
    "alexnet": {"width": 0.125, "units": 32},
    "vgg": {"depth": 11, "filters": 8, "units": 32},
    "mobilenet": {"width": 0.25},
    "inception": {"width": 0.125},
    "efficientnet": {"width": 0.25},
    "transformer": {"layers": 1, "width": 16, "heads": 2, "feed_forward": 16, "tied": "target"},
    "transformer_decoder": {"layers": 1, "width": 16, "heads": 2, "feed_forward": 16},
    "transformer_encoder": {"layers": 1, "width": 16, "heads": 2, "feed_forward": 16},
    "unet": {"filters": 8},
    "yolo": {"strides": (4,), "width": 8, "backbone": {"name": "darknet", "filters": 4}},
}
"""settings of architectures that are large as they are"""


def things(kind, count=12, seed=0):
    """`x` of a kind: rows with a gap and a category, texts, series of two channels, or small grey pictures."""
    random = np.random.default_rng(seed)
    if kind == "table":
        number = random.normal(size=count)
        number[1] = np.nan
        colour = np.array([("red", "blue", None)[i % 3] for i in range(count)], object)
        return Rows({"height": number, "weight": random.normal(size=count), "colour": colour})
    if kind == "text":
        words = ["ant", "bee", "cat", "it's", "sits", "flies", "high", "low", "naïve", "."]
        return [" ".join(random.choice(words, 2 + (3 * i) % 7)) for i in range(count)]
    if kind == "series":
        return random.normal(size=(count, 16, 2)).cumsum(axis=1)
    assert kind == "picture", f"make a sample of the kind '{kind}' here"
    return random.integers(0, 256, (count, 36, 36, 1), dtype=np.uint8)


def task(name):
    """A task with the settings that it cannot do without."""
    heads = {"animal": "classification", "size": "regression", "seen": "multi_label", "tame": "classification"}
    settings = {"multi_task": {"heads": heads}}
    return find("tasks", name)(**settings.get(name, {}))


def examples(kind, task, count=12, seed=0):
    """Labelled examples of a kind, with the truths that a task asks for."""
    random = np.random.default_rng(seed)
    truths = {
        "classification": [CLASSES[i % 3] for i in range(count)],
        "regression": [float(i % 5) + 0.25 * i for i in range(count)],
        "localization": [(Box(CLASSES[i % 3], i, 2 * i, i + 8.5, 2 * i + 9),) if i % 4 else () for i in range(count)],
        "multi_label": [("ant;bee", "cat", "none", "bee")[i % 4] if i % 4 != 2 else None for i in range(count)],
    }
    truths["detection"] = [
        tuple(Box(CLASSES[(i + k) % 3], 5 * k + i, 2 * i, 5 * k + i + 9, 2 * i + 7.5) for k in range(i % 4))
        for i in range(count)
    ]
    eyes = [(Point("left", i + 1.5, 3), Point("right", i + 4, 2 * i + 5.25)) for i in range(count)]
    truths["landmarks"] = [one[: 1 + (i % 4 > 0)] for i, one in enumerate(eyes)]
    masks = random.integers(0, 3, (count, 12, 12)).astype(np.uint8).repeat(3, axis=1).repeat(3, axis=2)
    masks[:, :4, :5] = 255
    truths["segmentation"] = [Mask(mask, CLASSES) for mask in masks]
    truths["forecasting"] = 3 * random.normal(size=(count, 3, 1)).cumsum(axis=1)
    truths["language_model"] = things(kind, count, seed)
    several = zip(*(truths[one] for one in ("classification", "regression", "multi_label")), strict=True)
    names = ("animal", "size", "seen")
    truths["multi_task"] = [
        {**dict(zip(names, values, strict=True)), "tame": None if i % 5 == 2 else i % 3 == 0}
        for i, values in enumerate(several)
    ]
    mirrored = kind == "text" and [" ".join(reversed(one.split())) for one in things(kind, count, seed)]
    truths["translation"] = mirrored or [f"thing {i % 5}" for i in range(count)]
    x = things(kind, count, seed)
    if task == "tagging":
        x = [tuple(one.split()) for one in x]
        tags = {"ant": "B-insect", "bee": "B-insect", "cat": "B-beast", "high": "I-insect", "low": "I-beast"}
        truths["tagging"] = [tuple(tags.get(word, "O") for word in one) for one in x]
    assert task in truths, f"make truths for the task '{task}' here"
    sides = {"side": ["left" if i % 2 else "right" for i in range(count)]}
    return Examples([f"e{i}" for i in range(count)], x, truths[task], tags=sides)


def idx(array):
    codes = {np.dtype("uint8"): 8}
    head = struct.pack(">HBB", 0, codes[array.dtype], array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(head + array.tobytes())


def reader(name, folder):
    """A reader over a few examples of its own format, written into the folder."""
    cls = find("data", name)
    random = np.random.default_rng(0)
    if name == "csv":
        lines = [f"{i},{'xy'[i % 2]},{random.normal():.3f},{CLASSES[i % 3]}" for i in range(30)]
        (folder / "rows.csv").write_text("\n".join(["id,letter,size,animal", *lines]) + "\n")
        return cls(path=str(folder / "rows.csv"), target="animal")
    if name == "text_table":
        lines = [f"{' '.join(random.choice(WORDS, 5 + i % 7))} .\t{CLASSES[i % 3]}" for i in range(30)]
        (folder / "reviews.tsv").write_text("\n".join(["review\tanimal", *lines]) + "\n")
        return cls(path=str(folder / "reviews.tsv"), target="animal")
    if name == "text_pairs":
        for language, words in (("en", ["a", "dog", "runs", "home", "big"]), ("de", ["ein", "Hund", "läuft", "heim"])):
            lines = [" ".join(random.choice(words, 3 + i % 5)) + "." for i in range(30)]
            (folder / f"pairs.{language}").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return cls(path=str(folder / "pairs.en"), target=str(folder / "pairs.de"))
    if name == "conll":
        words = ["Ann\tB-person", "sleeps\tO", "in\tO", "New\tB-place", "York\tI-place", ".\tO"]
        sentences = ["\n".join([f"w{i}\t{('O', 'B-place')[i % 3 > 1]}", *words[: 3 + i % 4]]) for i in range(30)]
        (folder / "sentences.conll").write_text("\n\n".join(sentences))
        return cls(path=str(folder / "sentences.conll"))
    if name == "time_series":
        days = np.datetime64("2020-02-20") + np.arange(120)
        level = np.sin(np.arange(120)) + random.normal(size=120)
        lines = [f"{day},{one:.3f}" for day, one in zip(days, level, strict=True)]
        (folder / "series.csv").write_text("\n".join(["date,level", *lines]) + "\n")
        return cls(path=str(folder / "series.csv"), window=14, horizon=3)  # as init proposes
    if name == "text_file":
        chapters = [" ".join(random.choice(WORDS, 500)) + "." for _ in range(24)]
        prose = "\n\n".join(f"CHAPTER {i}\n\n{one}" for i, one in enumerate(chapters))
        (folder / "novel.txt").write_text("\n".join(prose[at : at + 70] for at in range(0, len(prose), 70)))
        return cls(path=str(folder / "novel.txt"))
    if name == "arrays":
        np.savez(folder / "a.npz", x=random.integers(0, 256, (30, 9, 9), dtype=np.uint8), y=np.arange(30) % 3)
        return cls(path=str(folder / "a.npz"))
    if name == "idx":
        for part, count in (("train", 30), ("t10k", 10)):
            pictures = random.integers(0, 256, (count, 9, 9), dtype=np.uint8)
            (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(idx(pictures))
            (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(idx((np.arange(count) % 3).astype("uint8")))
        return cls(path=str(folder))
    if name == "image_folder":
        photos(folder / "photos", random)
        return cls(path=str(folder / "photos"))
    if name == "image_table":
        files = photos(folder / "photos", random)
        lines = [f"{file.relative_to(folder)},{file.parent.name},{i % 7}" for i, file in enumerate(files)]
        (folder / "photos.csv").write_text("\n".join(["file,animal,size", *lines]) + "\n")
        return cls(path=str(folder / "photos.csv"), target="animal", tags=("size",))
    if name == "box_table":
        names = photos(folder / "photos", random)
        lines = [f"{f.relative_to(folder)},{i % 3},1,{4 + i % 5},8,{CLASSES[i % 3]}" for i, f in enumerate(names)]
        lines[3] = f"{names[3].relative_to(folder)},,,,,"
        (folder / "boxes.csv").write_text("\n".join(["file,xmin,ymin,xmax,ymax,class", *lines]) + "\n")
        return cls(path=str(folder / "boxes.csv"))
    if name == "point_table":
        names = photos(folder / "photos", random)
        lines = [f"{f.relative_to(folder)},{i % 9},2,{8 - i % 9},{i % 5}" for i, f in enumerate(names)]
        (folder / "points.csv").write_text("\n".join(["file,nose_x,nose_y,tail_x,tail_y", *lines]) + "\n")
        return cls(path=str(folder / "points.csv"))
    if name in ("voc", "coco", "yolo"):
        return cls(path=getattr(boxed, name)(folder / "boxed"))
    if name == "mask_folder":
        masked(folder / "scenes", random)
        return cls(path=str(folder / "scenes"))
    if name == "mix":
        for part, count in (("web", 20), ("phone", 30)):
            lines = [f"{'xy'[i % 2]},{random.normal():.3f},{CLASSES[i % 3]}" for i in range(count)]
            (folder / f"{part}.csv").write_text("\n".join(["letter,size,animal", *lines]) + "\n")
        tables = {
            part: {"name": "csv", "path": str(folder / f"{part}.csv"), "target": "animal"} for part in ("web", "phone")
        }
        tables["web"]["split"] = {"dev": 0, "test": 0}
        return cls(sources={part: {"data": table} for part, table in tables.items()})
    if name == "keras_dataset":
        made = {
            f"{kind}_{part}": random.integers(0, high, (count, *shape), dtype=np.uint8)
            for part, count in (("train", 30), ("test", 10))
            for kind, high, shape in (("x", 256, (28, 28)), ("y", 10, ()))
        }
        np.savez(folder / "mnist.npz", **made)
        return cls(dataset="mnist", folder=str(folder))
    return cls()


def masked(folder, random):
    """20 small pictures with masks of two classes."""
    from PIL import Image

    for kind, shape, most in (("pictures", (9, 9, 3), 256), ("masks", (9, 9), 2)):
        (folder / kind).mkdir(parents=True)
        for i in range(20):
            Image.fromarray(random.integers(0, most, shape, dtype=np.uint8)).save(folder / kind / f"{i}.png")


def photos(folder, random):
    """30 small pictures in two class folders."""
    from PIL import Image

    files = []
    for i in range(30):
        file = folder / CLASSES[i % 2] / f"{i}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (9, 9, 3), dtype=np.uint8)).save(file)
        files.append(file)
    return files
