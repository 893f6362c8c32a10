"""Small pictures with boxes in each format on disk: train and test, one picture without any box."""

import json

import numpy as np
from PIL import Image

CLASSES = ("ant", "bee", "cat")
WIDTH, HEIGHT = 20, 10
PARTS = {"train": 24, "test": 6}


def scenes():
    """Part, name of the picture, and its boxes as class and corners."""
    for part, count in PARTS.items():
        for i in range(count):
            yield part, f"{part}{i}.png", [(i % 3, i % 4, 1, 8 + i % 5, 9)] if i % 8 else []


def picture(file, seed):
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file)


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def xml(boxes, name="x.png", size=(WIDTH, HEIGHT)):
    """boxes: class, corners, and more elements as text."""
    objects = [
        f"<object>\n<name>{label}</name>{''.join(more)}\n<bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax>"
        f"<ymax>{y1}</ymax></bndbox>\n</object>"
        for label, x0, y0, x1, y1, *more in boxes
    ]
    sized = f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>"
    return "\n".join([f"<annotation>\n<filename>{name}</filename>\n{sized}", *objects, "</annotation>"])


def voc(folder):
    lists = {part: [] for part in PARTS}
    for seed, (part, name, boxes) in enumerate(scenes()):
        picture(folder / "JPEGImages" / name, seed)
        stem = name.removesuffix(".png")
        write(folder / "Annotations" / f"{stem}.xml", xml([(CLASSES[one[0]], *one[1:]) for one in boxes], name))
        lists[part].append(stem)
    for part, names in lists.items():
        write(folder / "ImageSets/Main" / f"{part}.txt", "\n".join(names) + "\n")
    return str(folder)


def coco(folder):
    whole = coco_of([])
    for seed, (_, name, boxes) in enumerate(scenes()):
        picture(folder / "images" / name, seed)
        whole["images"].append({"id": seed, "file_name": name, "width": WIDTH, "height": HEIGHT})
        for label, x0, y0, x1, y1 in boxes:
            own = {"id": len(whole["annotations"]), "image_id": seed, "category_id": 7 + label}
            whole["annotations"].append({**own, "bbox": [x0, y0, x1 - x0, y1 - y0]})
    write(folder / "boxes.json", json.dumps(whole))
    return str(folder / "boxes.json")


def coco_of(images, annotations=(), names=CLASSES):
    categories = [{"id": 7 + i, "name": one} for i, one in enumerate(names)]
    return {"images": list(images), "annotations": list(annotations), "categories": categories}


def yolo(folder):
    for seed, (part, name, boxes) in enumerate(scenes()):
        picture(folder / "images" / part / name, seed)
        if boxes:
            lines = [shares(*one) for one in boxes]
            write(folder / "labels" / part / name.replace(".png", ".txt"), "\n".join(lines) + "\n")
    write(folder / "data.yaml", f"train: images/train\ntest: images/test\nnames: [{', '.join(CLASSES)}]\n")
    return str(folder / "data.yaml")


def shares(label, x0, y0, x1, y1):
    """A line of YOLO's."""
    middle = (x0 + x1) / 2 / WIDTH, (y0 + y1) / 2 / HEIGHT
    return " ".join(map(str, (label, *middle, (x1 - x0) / WIDTH, (y1 - y0) / HEIGHT)))
