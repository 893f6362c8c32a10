"""dlspec init: layouts as people have them, each written, loaded and trained for an epoch; and what cannot be."""

import csv
import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shop
from PIL import Image
from real_data import lacking

from dlspec.cli import main
from dlspec.recipe.load import load
from dlspec.runs.init import init
from dlspec.runs.train import train
from dlspec.types import ArgumentError, DataError, UserError

draw = random.Random(0)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DLSPEC_DATA", raising=False)
    return tmp_path


def table(name, header, row, count=60, sep=",", encoding="utf-8"):
    """A table of made-up rows; `row` makes the i-th."""
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    with open(name, "w", newline="", encoding=encoding) as text:
        writer = csv.writer(text, delimiter=sep, lineterminator="\n")
        writer.writerows([*([header] if header else []), *(row(i) for i in range(count))])
    return name


def picture(file, shape=(24, 20, 3), seed=0):
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    Image.fromarray(pixels.squeeze()).save(file)


def number():
    return round(draw.uniform(1, 9), 2)


def trained(result):
    """One epoch of what was written, for real; its scores."""
    run = train(load(result["recipe"], ["train.epochs=1", "train.tensorboard=false"]), out=Path("runs")).run
    scores = json.loads((run / "scores.json").read_text())["scores"]
    assert set(scores) == {"train", "dev"}
    assert all(np.isfinite(scores["train"][name]["value"]) for name in ("accuracy", "rmse") if name in scores["train"])
    return scores


def refused(data, **options):
    """The message, and that nothing was written."""
    before = sorted(Path().iterdir())
    with pytest.raises(UserError) as caught:
        init(data, **options)
    assert sorted(Path().iterdir()) == before
    return str(caught.value)


def test_the_shop_of_the_readme():
    shop.write(Path("shop.csv"))
    result = init("shop.csv")
    assert result["recipe"] == str(Path("shop.yaml").absolute())
    assert result["task"] == "classification" and result["target"] == "returned"
    assert result["data"]["id"] == "customer" and result["data"]["tags"] == ["city"]
    assert result["model"]["name"] == "mlp"
    assert load("shop.yaml").recipe.task.positive == "yes"
    assert [one["key"] for one in result["suggestions"]] == ["data.split.time", "model.dropout"]
    assert "another: --target NAME" in result["doubts"][0]
    text = Path("shop.yaml").read_text()
    assert text.startswith("# A first recipe for shop.csv") and "dlspec init shop.csv\n" in text
    assert "path: shop.csv\n" in text and "65 missing (5%)" in text
    trained(result)


def test_another_target_is_another_task():
    shop.write(Path("shop.csv"), count=100)
    result = init("shop.csv", target="spent")
    assert result["task"] == "regression" and result["goal"] == {"optimize": "rmse"} and not result["doubts"]
    assert "did you mean 'spent'" in refused("shop.csv", target="spend", out="other.yaml")


def test_decimal_commas_old_encodings_and_no_header():
    table(
        "preise.csv",
        ["Größe", "Preis", "Farbe", "kauft"],
        lambda i: [
            f"{number()}".replace(".", ","),
            f"{number()}".replace(".", ","),
            "grün" if i % 2 else "rot",
            "jn"[i % 2],
        ],
        sep=";",
        encoding="latin-1",
    )
    result = init("preise.csv")
    assert result["data"]["encoding"] == "cp1252" and result["data"]["decimal"] == ","
    assert any("cp1252" in one for one in result["doubts"])
    trained(result)
    table("plain.tsv", None, lambda i: [number(), number(), f"{number()}"], sep="\t")
    result = init("plain.tsv")
    assert result["target"] == "column_3" and result["task"] == "regression"
    trained(result)


def test_a_header_with_numbers_in_it():
    table("iris.csv", ["150", "4", "setosa", "kind"], lambda i: [number(), number(), number(), i % 3])
    result = init("iris.csv")
    assert result["data"]["header"] is True and result["target"] == "kind" and result["task"] == "classification"
    trained(result)


def test_missing_targets_and_words_among_numbers():
    table(
        "a.csv",
        ["size", "hue", "label"],
        lambda i: ["n.a." if i % 9 == 0 else number(), number(), ["x", "y", ""][i % 3]],
    )
    result = init("a.csv")
    assert result["data"]["drop_missing_target"] is True and result["data"]["missing"][-1] == "n.a."
    assert any("20 of 60 rows have no target" in line for line in Path("a.yaml").read_text().splitlines())
    trained(result)


def test_a_column_that_is_almost_numbers_is_left_out_and_said():
    table("a.csv", ["size", "hue", "y"], lambda i: ["oops" if i == 7 else number() + i / 1000, number(), number()])
    result = init("a.csv")
    assert result["data"]["drop"] == ["size"] and "'oops'" in result["doubts"][0] and "row 9" in result["doubts"][0]
    trained(result)


def test_patients_that_come_again_are_not_divided_and_rare_classes_are_not_judged_by_accuracy():
    table("a.csv", ["patient_id", "size", "hue", "ill"], lambda i: [i // 4, number(), number(), int(i % 11 == 0)], 120)
    result = init("a.csv")
    assert result["data"]["split"]["group"] == "patient_id" and result["goal"]["optimize"] == "f1"
    splits = load("a.yaml").recipe.data.read()
    held = [set(part.column("groups")) for part in splits.parts.values()]
    assert len(held) == 3 and not held[0] & held[1] and not held[1] & held[2]
    trained(result)


def test_rows_in_the_order_of_a_date_are_divided_by_it():
    table("a.csv", ["day", "wind", "rain"], lambda i: [f"2024-{1 + i // 28:02d}-{1 + i % 28:02d}", number(), number()])
    result = init("a.csv")
    assert result["data"]["split"]["time"] == "day"
    trained(result)


def test_codes_keep_their_zeros_and_weights_are_taken_by_their_whole_name():
    table(
        "a.csv",
        ["zip", "sample_weight", "weight", "label"],
        lambda i: [f"{i % 7:05d}", number(), number(), ["001", "010"][i % 2]],
    )
    result = init("a.csv")
    assert result["data"]["text"] == ["zip", "label"] and result["data"]["weight"] == "sample_weight"
    prepared = load("a.yaml").recipe
    assert prepared.task.positive == "010" and {*prepared.data.read()["train"].column("y")} == {"001", "010"}
    trained(result)


NAMES = ["it's", "a: b", "#x", "yes", "null", '"q"', "1e3", "- z", "é\u2028", "{a}"]


def test_names_that_yaml_would_read_otherwise(here):
    folder = here / "a b: c #d"
    folder.mkdir()
    table(folder / "yes.csv", NAMES, lambda i: [*(number() for _ in NAMES[1:]), ["true", "false"][i % 2]])
    result = init(str(folder / "yes.csv"), target=NAMES[-1])
    recipe = load(result["recipe"]).recipe
    assert (
        recipe.data.target == "{a}" and recipe.data.path == str(folder / "yes.csv") and recipe.task.positive == "true"
    )
    assert "path: 'a b: c #d/yes.csv'\n" in Path(result["recipe"]).read_text()
    trained(result)


def test_a_file_a_split_and_a_test_without_truth():
    for part, count in (("train", 60), ("val", 20), ("test", 20)):
        table(f"parts/{part}.csv", ["size", "hue", "label"], lambda i: [number(), number(), "xy"[i % 2]], count)
    for data in ("parts", "parts/test.csv"):
        result = init(data)
        assert {part: Path(file).name for part, file in result["data"]["path"].items()} == {
            "train": "train.csv",
            "dev": "val.csv",
            "test": "test.csv",
        }
        assert "split" not in result["data"]
    assert set(trained(result)) == {"train", "dev"}
    table("k/train.csv", ["size", "hue", "label"], lambda i: [number(), number(), "xy"[i % 2]])
    table("k/test.csv", ["size", "hue"], lambda i: [number(), number()])
    table("k/sample_submission.csv", ["id", "label"], lambda i: [i, "x"])
    result = init("k")
    assert result["data"]["path"].endswith("train.csv") and result["data"]["split"] == {"dev": 0.2, "test": 0.2}
    assert "has no column 'label'" in result["doubts"][0] and "sample_submission.csv" in result["doubts"][1]


def test_a_folder_a_class():
    for i in range(30):
        picture(f"pets/{['cat: #1', 'dög', '007'][i % 3]}/{i}.png", (20 + i % 5, 20, 3), i)
    result = init("pets")
    assert result["input"] == {"size": [34, 31], "channels": 3, "augment": {"shift": 0.1}}
    assert "'007' may be others" in Path("pets.yaml").read_text()  # so no flip
    trained(result)


def test_folders_of_train_validation_and_test_with_grey_pictures_among_them():
    for part, count in (("train", 20), ("validation", 8), ("test", 6)):
        for i in range(count):
            picture(f"pets/{part}/{['cat', 'dog'][i % 2]}/{i}.png", (30, 30, 1) if i % 4 == 0 else (30, 30, 3), i)
    result = init("pets")
    assert "split" not in result["data"] and result["input"]["channels"] == 3
    assert [one["key"] for one in result["suggestions"]] == ["input.augment.flip"]
    trained(result)


def test_a_table_that_names_pictures():
    for i in range(40):
        picture(f"scans/img/{i}.png", seed=i)
    table(
        "scans/labels.csv", ["picture", "patient", "side"], lambda i: [f"{i}.png", i // 3, ["left", "right"][i % 2]], 40
    )
    result = init("scans")
    assert result["data"]["name"] == "image_table" and result["data"]["file"] == "picture"
    assert result["data"]["folder"].endswith("img") and result["data"]["split"]["group"] == "patient"
    assert "flip" not in json.dumps(result["suggestions"])
    trained(result)


def test_file_names_that_begin_alike_may_name_patients():
    for i in range(40):
        picture(f"scans/{['ill', 'well'][i % 2]}/p{i // 3}_{i}.png", seed=i)
    [suggested] = [one for one in init("scans")["suggestions"] if one["key"] == "data.group_pattern"]
    groups = (
        load("scans.yaml", [f"data.group_pattern={suggested['value']}"])
        .recipe.data.load()
        .parts["all"]
        .column("groups")
    )
    assert sorted(set(groups)) == sorted(f"p{i}" for i in range(14))


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes are Linux's")
def test_names_that_are_no_utf8():
    for i in range(12):
        picture(f"tmp/{'ab'[i % 2]}/{i}.png", seed=i)
    os.rename(b"tmp", b"caf\xe9")
    result = init(os.fsdecode(b"caf\xe9"), out="cafe.yaml")
    assert load("cafe.yaml").recipe.data.path == os.path.abspath(os.fsdecode(b"caf\xe9"))
    assert json.loads(json.dumps(result)) and "caf\\xe9" in Path("cafe.yaml").read_text(encoding="utf-8")
    trained(result)


def test_arrays_by_other_names():
    random_ = np.random.default_rng(0)
    np.savez("a.npz", X_train=random_.normal(size=(60, 4)), y_train=random_.normal(size=60),
             X_test=random_.normal(size=(20, 4)), y_test=random_.normal(size=20))  # fmt: skip
    result = init("a.npz")
    assert result["task"] == "regression" and result["data"]["x"] == "X" and result["data"]["holds"] == "table"
    trained(result)
    np.save("x.npy", random_.integers(0, 256, (60, 20, 20), dtype=np.uint8))
    np.save("labels.npy", np.arange(60) % 3)
    result = init("x.npy")
    assert result["data"]["labels"].endswith("labels.npy") and result["input"]["size"] == [32, 32]
    trained(result)


def test_a_column_of_sentences_is_a_table_of_texts(here):
    table("texts.csv", ["text", "label"], lambda i: [f"{i} " + "a sentence of some length " * 4, "xy"[i % 2]])
    result = init("texts.csv")
    assert (result["task"], result["data"]["name"]) == ("classification", "text_table")
    trained(result)


def test_what_cannot_be_says_why_and_how_to_mend_it(here):
    Path("empty").mkdir()
    assert "has nothing. What is known: arrays" in refused("empty")
    table("one.csv", ["a", "label"], lambda i: [1, "x"], 1)
    assert "1 row: too few" in refused("one.csv")
    table("many.csv", ["a", "label"], lambda i: [number(), f"name {i % 500}"], 1000)
    assert "500 different words in 1,000 examples" in refused("many.csv")
    table("same.csv", ["a", "y"], lambda i: [number(), 1])
    assert "the target 'y' is '1' in all 60 examples" in refused("same.csv")
    table("none.csv", ["a", "y"], lambda i: [number(), ""])
    assert "'y' is missing in every row" in refused("none.csv")
    Path("prose.txt").write_text("Once upon a time there was a fox.\nThe end.\n")
    assert "there is one column" in refused("prose.txt")
    Path("noise.csv").write_bytes(bytes(range(256)) * 9)
    assert "binary data" in refused("noise.csv")
    Path("sheet.xlsx").write_bytes(b"PK\x03\x04rest")
    assert "save it as CSV" in refused("sheet.xlsx")
    Path("notes.pdf").write_bytes(b"%PDF-1.7")
    assert "no file that a reader knows" in refused("notes.pdf")
    Path("blank.csv").touch()
    assert "empty" in refused("blank.csv")
    for i in range(6):
        picture(f"single/cat/{i}.png")
        picture(f"test_only/test/{'ab'[i % 2]}/{i}.png")
    assert "all 6 pictures lie in one folder, 'cat'" in refused("single")
    assert "no train" in refused("test_only")
    table("lost.csv", ["file", "label"], lambda i: [f"lost {i}.jpg", "xy"[i % 2]])
    assert "its pictures are not to be found" in refused("lost.csv")
    table("tables/a.csv", ["a", "b"], lambda i: [1, 2])
    table("tables/b.csv", ["a", "b"], lambda i: [1, 2])
    assert "2 tables lie in this folder" in refused("tables")
    np.savez("z.npz", a=np.zeros(3))
    assert "which arrays are the examples" in refused("z.npz")
    assert "did you mean 'empty'?" in refused("emtpy")


def test_nothing_is_overwritten_and_paths_are_as_near_as_can_be(here, capsys, monkeypatch):
    shop.write(Path("shop.csv"), count=60)
    init("shop.csv")
    assert "exists already, and nothing is overwritten" in refused("shop.csv")
    assert "does not end in .yaml" in refused("shop.csv", out="r.txt")
    assert "there is no folder" in refused("shop.csv", out="gone/r.yaml")
    Path("deep/er/and/deeper").mkdir(parents=True)
    assert "path: ../../shop.csv\n" in Path(init("shop.csv", out="deep/er")["recipe"]).read_text()
    far = Path(init("shop.csv", out="deep/er/and/deeper")["recipe"])
    assert f"path: {here / 'shop.csv'}\n" in far.read_text()
    monkeypatch.setenv("DLSPEC_DATA", str(here / "data"))
    shutil.move("shop.csv", Path("data").mkdir() or "data/shop.csv")
    assert "path: shop.csv\n" in Path(init("shop.csv", out="deep")["recipe"]).read_text()
    with pytest.raises(ArgumentError, match="--target names a column"):
        for i in range(12):
            picture(f"pets/{'ab'[i % 2]}/{i}.png", seed=i)
        init("pets", target="x")


def test_on_the_command_line(capsys):
    shop.write(Path("shop.csv"), count=60)
    with pytest.raises(SystemExit) as ended:
        main(["init", "shop.csv", "--out", "-"])
    said = capsys.readouterr()
    assert ended.value.code == 0 and not Path("shop.yaml").exists()
    Path("copy.yaml").write_text(said.out)
    assert load("copy.yaml").recipe.data.target == "returned"
    with pytest.raises(SystemExit):
        main(["init", "shop.csv", "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert answer["recipe"].endswith("shop.yaml") and answer["text"] == said.out.replace(" --out -", "")
    assert {"task", "data", "model", "notes", "doubts", "suggestions"} <= set(answer)
    with pytest.raises(SystemExit) as ended:
        main(["init", "shop.csv", "--json"])
    assert ended.value.code == 2 and "exists already" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_every_suggestion_can_be_taken():
    """Each comment that is a setting, without its #, makes a recipe that loads."""
    shop.write(Path("shop.csv"), count=100)
    table("codes.csv", ["ticket_class", "fare", "kind", "y"], lambda i: [i % 3, number(), f"k{i % 35}", number()])
    for i in range(40):
        picture(f"scans/{['ill', 'well'][i % 2]}/p{i // 3}_{i}.png", seed=i)
    taken = 0
    for data in ("shop.csv", "codes.csv", "scans"):
        lines = Path(init(data)["recipe"]).read_text().splitlines()
        for place, line in enumerate(lines):
            if re.match(r" *#\w+: ", line):
                Path("tried.yaml").write_text(
                    "\n".join([*lines[:place], line.replace("#", "", 1), *lines[place + 1 :]])
                )
                load("tried.yaml")
                taken += 1
    assert taken >= 7


def test_it_is_quick_for_it_loads_no_keras():
    shop.write(Path("shop.csv"), count=60)
    code = (
        "import sys; from dlspec.runs.init import init; init('shop.csv'); "
        "assert not {'keras', 'tensorflow', 'jax'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)


DATA = os.environ.get("DLSPEC_DATA", "")
TABLES = {
    "titanic_train.csv": ("classification", "Survived"),
    "california_housing.csv": ("regression", "median_house_value"),
    "winequality-white.csv": ("regression", "column_12"),
    "penguins.csv": ("classification", "species"),
    "sklearn_iris.csv": ("classification", "virginica"),
}


@pytest.mark.skipif(not DATA, reason=lacking("what init is tried on"))
@pytest.mark.parametrize("name", [*(f"tabular/{one}" for one in TABLES), "sign_digits", "orl_faces", "mnist"])
def test_data_as_it_is_found(name, monkeypatch):
    monkeypatch.setenv("DLSPEC_DATA", DATA)
    result = init(name)
    if name.startswith("tabular"):
        assert (result["task"], result["target"]) == TABLES[Path(name).name]
    assert load(result["recipe"]).recipe.data.path == os.path.join(os.path.abspath(DATA), name)


def test_readers_errors_are_told_with_their_place():
    table("ragged.csv", ["a", "b", "y"], lambda i: [1, 2, 3, 4] if i == 5 else [1, 2, 3])
    with pytest.raises(DataError, match=r"ragged.csv: row 7 has 4 cells"):
        init("ragged.csv")


def test_steps_are_those_of_train_as_it_is_given(here):
    """Of 120 rows that come divided 100 are learned from; of batches of so many tokens nobody knows the steps."""
    row = lambda i: [f"{i} " + "a sentence of some length " * 4, "xy"[i % 2]]  # noqa: E731
    for part, count in (("train", 100), ("dev", 10), ("test", 10)):
        table(f"parts/{part}.csv", ["text", "label"], row, count)
    assert "# at most; some 9 steps each" in Path(init("parts")["recipe"]).read_text()  # of 12, and 4 are left
    table("whole.csv", ["text", "label"], row, 100)
    written = Path(init("whole.csv")["recipe"]).read_text()  # 60 are left beside dev and test, in steps of 7
    assert "some 9 steps each" in written and "batch_size: 7 " in written
    words = [f"word{i} is number {i}" for i in range(100)]
    Path("a.en").write_text("\n".join(words))
    Path("a.de").write_text("\n".join(one.replace("is number", "ist Nummer") for one in words))
    written = Path(init("a.en", target="de")["recipe"]).read_text()
    assert "tokens: 1800" in written and "steps each" not in written


def test_what_is_said_of_architectures_for_a_series_is_not_of_words_alone(here):
    table("t.csv", ["day", "warm"], lambda i: [f"2020-{1 + i // 28:02d}-{1 + i % 28:02d}", number()], 330)
    written = Path(init("t.csv")["recipe"]).read_text().replace("\n# ", " ")
    assert "neighbouring words, or steps of a series" in written and "vectors of words, or of steps" in written
