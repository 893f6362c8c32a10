"""A folder with every odd and broken picture that people have, from training to the report."""

import json
import os
import sys

import numpy as np
import pytest
from PIL import Image
from small_training import Heard

from dlspec.recipe.load import load
from dlspec.runs.analyze import analyze
from dlspec.runs.evaluate import evaluate
from dlspec.runs.train import train

RECIPE = """
task: classification
data: {name: image_folder, path: zoo, split: {dev: 0.3, test: 0.1}}
input: {size: [32, 32], channels: 3, augment: {shift: 0.1}}
model: lenet5
train: {epochs: 1, batch_size: 8, seed: 2}
"""
SCRIPT = "<script>document.title='gone'<⁄script>.png"  # a slash as people write it in names
NO_UTF8 = b"caf\xe9.png"


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    home = tmp_path_factory.mktemp("zoo")
    draws = np.random.default_rng(1)

    def colours(height=40, width=50):
        return Image.fromarray(draws.integers(0, 256, (height, width, 3), dtype=np.uint8))

    for name in ("one", "two"):
        folder = home / "zoo" / name
        folder.mkdir(parents=True)
        for i in range(12):
            colours().save(folder / f"{i}{SCRIPT}")
        colours().convert("L").save(folder / "grey.png")
        colours().convert("RGBA").save(folder / "clear.png")
        colours().convert("CMYK").save(folder / "print.jpg")
        Image.fromarray(draws.integers(0, 65_536, (30, 30), dtype=np.uint16)).save(folder / "sixteen.png")
        exif = Image.Exif()
        exif[0x0112] = 6
        colours().save(folder / "turned.jpg", exif=exif)
        colours().save(folder / "moves.gif", save_all=True, append_images=[colours(), colours()])
        colours(1, 1).save(folder / "dot.png")
        colours().save(folder / SCRIPT)
        colours().save(folder / "web.webp")
        colours().save(folder / "plain.bmp")
        # Broken.
        whole = (folder / "turned.jpg").read_bytes()
        (folder / "short.jpg").write_bytes(whole[: len(whole) // 2])
        (folder / "empty.jpg").touch()
        (folder / "words.jpg").write_text("Dear Sir, please find attached")
        Image.new("1", (20_000, 20_000)).save(folder / "huge.png")
        colours().save(folder / "hole.png")
        content = bytearray((folder / "hole.png").read_bytes())
        content[len(content) // 2 : len(content) // 2 + 50] = bytes(50)
        (folder / "hole.png").write_bytes(content)
    if sys.platform == "linux":
        colours().save(home / "x.png")
        os.rename(home / "x.png", os.path.join(os.fsencode(home), b"zoo", b"one", NO_UTF8))
    (home / "recipe.yaml").write_text(RECIPE)
    return home


def test_from_training_to_the_report(zoo):
    hearing = Heard()
    trained = train(load(zoo / "recipe.yaml"), out=zoo / "runs", watch=hearing)
    said = "\n".join(hearing.said)
    for folder in ("one", "two"):
        for file, what in (
            ("short.jpg", "broken or cut short"),
            ("empty.jpg", "empty"),
            ("words.jpg", "text"),
            ("huge.png", "20,000 × 20,000"),
        ):
            assert f"{folder}/{file}" in said and what in said
    # Damage in a file's middle shows when it is decoded; what is in test, nobody has looked at yet.
    parts = {row.split(",")[-1] for row in (trained.run / "manifest.csv").read_text().splitlines()}
    assert len(parts) > 1
    evaluate(trained.run, splits=["dev", "test"], watch=hearing)
    said = "\n".join(hearing.said)
    assert "one/hole.png" in said and "two/hole.png" in said
    counts = json.loads((trained.run / "scores.json").read_text())["scores"]
    readable = 2 * (12 + 10) + (sys.platform == "linux")
    assert sum(counts[split]["accuracy"]["n"] for split in ("train", "dev", "test")) == readable
    for split in ("dev", "test"):
        analyze(trained.run, split=split)
    page = (trained.run / "report.html").read_text()
    assert "<script>document" not in page and "&lt;script&gt;document" in page
    if sys.platform == "linux":
        ids = [row.split(",")[0] for row in (trained.run / "manifest.csv").read_text().splitlines()]
        assert any("caf\\xe9.png" in one for one in ids)


def test_all_that_is_read_is_read_right(zoo):
    """Against Pillow: the first frame, turned, over white, as colours."""
    from dlspec.numeric.picture_files import read

    def pillow(name):
        with Image.open(zoo / "zoo" / "one" / name) as image:
            return np.asarray(image.convert("RGB"))

    folder = str(zoo / "zoo" / "one")
    for name in ("print.jpg", "moves.gif", "web.webp", "plain.bmp", "dot.png", SCRIPT):
        np.testing.assert_array_equal(read(f"{folder}/{name}"), pillow(name), err_msg=name)
    np.testing.assert_array_equal(read(f"{folder}/turned.jpg"), np.rot90(pillow("turned.jpg"), -1))
    assert read(f"{folder}/grey.png").shape == (40, 50, 1) and read(f"{folder}/sixteen.png").dtype == np.uint8
