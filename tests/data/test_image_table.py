"""Tables that name pictures: where the files are, what is missing, what is broken, what else a row says."""

import gzip

import pytest
from PIL import Image
from pydantic import ValidationError

from dlspec.data.image_table import ImageTable
from dlspec.numeric.picture_files import read
from dlspec.types import DataError

ROWS = "file,label,patient,side,worth\n" + "".join(
    f"shots/{i:02d}.png,{'uv'[i % 2]},p{i // 3},{'lr'[i % 3 == 0]},{1 + i % 2}\n" for i in range(12)
)


@pytest.fixture
def table(tmp_path):
    """Writes a table beside twelve pictures, and gives a reader of it."""
    (tmp_path / "shots").mkdir()
    for i in range(12):
        Image.new("RGB", (5, 4), (20 * i, 0, 0)).save(tmp_path / "shots" / f"{i:02d}.png")

    def reader(content=ROWS, name="list.csv", **settings):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return ImageTable(path=str(tmp_path / name), **{"target": "label", **settings})

    return reader


def refusal(reader):
    with pytest.raises(DataError) as caught:
        reader.load()
    return caught.value.complaints


def test_a_row_a_picture(table, tmp_path):
    splits = table(tags=("side",), weight="worth").load()
    whole = splits["all"]
    assert whole.ids == [f"shots/{i:02d}.png" for i in range(12)]
    assert whole.column("x") == [str(tmp_path / one) for one in whole.ids]
    assert whole.column("y") == list("uv" * 6) and whole.tag("side")[:4] == ["r", "l", "l", "r"]
    assert whole[3].weight == 2.0 and read(whole[3].x)[0, 0].tolist() == [60, 0, 0]
    assert splits.notes[0].startswith("list.csv: 12 rows, 5 columns")


def test_groups_and_times_divide_as_for_any_table(table):
    splits = table(split={"group": "patient", "dev": 3, "test": 3}).read()
    groups = {name: set(part.column("groups")) for name, part in splits.parts.items()}
    assert sum(map(len, groups.values())) == 4 == len(set.union(*groups.values()))
    late = table(split={"time": "worth", "dev": 3, "test": 3}).read()
    assert set(late["train"].column("times")) == {1.0} and set(late["test"].column("times")) == {2.0}


def test_values_to_predict(table):
    splits = table(target="worth").load()
    assert splits["all"].column("y") == [1, 2] * 6


def test_where_the_pictures_are(table, tmp_path):
    names = "".join(f"{i:02d}.png,{'uv'[i % 2]}\n" for i in range(12))
    below = table("file,label\n" + names, folder=str(tmp_path / "shots"))
    assert below.load()["all"][1].x == str(tmp_path / "shots" / "01.png") and below.load()["all"][1].id == "01.png"
    absolute = "".join(f"{tmp_path}/shots/{i:02d}.png,u\n" for i in range(12))
    assert table("file,label\n" + absolute, "elsewhere/list.csv").load()["all"][2].x == str(tmp_path / "shots/02.png")
    tabs = ROWS.replace(",", "\t").replace("file", "picture", 1)
    packed = table(gzip.compress(tabs.encode()), "list.tsv.gz", file="picture")
    assert len(packed.load()["all"]) == 12


def test_parquet(table, tmp_path):
    import pyarrow
    import pyarrow.parquet

    columns = {"file": [f"shots/{i:02d}.png" for i in range(12)], "label": list("uv" * 6)}
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "list.parquet")
    reader = ImageTable(path=str(tmp_path / "list.parquet"), target="label")
    assert reader.load()["all"].ids == columns["file"]


def test_a_table_for_each_part(table, tmp_path):
    lines = ROWS.splitlines(keepends=True)
    table("".join(lines[:9]), "train.csv")
    moved = "".join([lines[0], *(line.replace("shots/", "../shots/") for line in lines[9:])])
    table(moved, "more/test.csv")
    files = {"train": str(tmp_path / "train.csv"), "test": str(tmp_path / "more/test.csv")}
    splits = ImageTable(path=files, target="label", split={"dev": 2}).read()
    assert {name: len(part) for name, part in splits.parts.items()} == {"train": 6, "dev": 2, "test": 4}
    assert splits["test"].ids[0] == "test:../shots/08.png" and read(splits["test"][0].x).shape == (4, 5, 3)


def test_every_missing_picture_is_named_with_its_row(table, tmp_path):
    changed = ROWS.replace("shots/02.png", "shots/2.png").replace("shots/09.png", "<b>.png")
    complaints = refusal(table(changed))
    assert [(one.where.file, one.where.line) for one in complaints] == [
        (str(tmp_path / "list.csv"), r) for r in (4, 11)
    ]
    assert complaints[0].message == f"there is no picture 'shots/2.png'; looked at {tmp_path}/shots/2.png"
    assert "there is no picture '<b>.png'" in complaints[1].message
    many = "file,label\n" + "".join(f"none{i}.png,u\n" for i in range(50))
    complaints = refusal(table(many))
    assert len(complaints) == 21 and complaints[-1].message.startswith("30 more pictures are not there; data.folder")
    [one] = refusal(table(ROWS.replace("shots/05.png", "")))
    assert one.where.line == 7 and "column 'file' is missing in row 7; every example needs one" in one.message


def test_a_picture_stands_once_unless_rows_have_ids(table):
    [one] = refusal(table(ROWS.replace("shots/07.png", "shots/03.png")))
    assert one.where.line == 5 and "the picture 'shots/03.png' stands in rows 5 and 9; keep one row" in one.message
    rows = ROWS.replace("shots/07.png", "shots/03.png").splitlines()
    numbered = "\n".join([f"n,{rows[0]}", *(f"k{i},{row}" for i, row in enumerate(rows[1:]))])
    assert table(numbered, id="n").load()["all"].ids[7] == "k7"


def test_broken_pictures_are_left_out_or_refused(table, tmp_path):
    (tmp_path / "shots" / "04.png").write_bytes(b"")
    splits = table().load()
    assert len(splits["all"]) == 11 and "shots/04.png" not in splits["all"].ids
    assert (
        f"1 picture of 12 cannot be read and left out: {tmp_path}/shots/04.png: this file is empty" in splits.notes[-1]
    )
    [one] = refusal(table(strict=True))
    assert one.where.file == str(tmp_path / "shots" / "04.png")


def test_columns_that_are_not_there_or_do_two_things(table):
    [one] = refusal(table(file="fiel"))
    assert "there is no column 'fiel' (data.file); did you mean 'file'?" in one.message
    [one] = refusal(table(target="lable"))
    assert "there is no column 'lable' (data.target); did you mean 'label'?" in one.message
    with pytest.raises(ValidationError, match="column 'file' cannot be both file and target"):
        table(target="file")


def test_rows_without_a_label(table):
    gaps = ROWS.replace("shots/03.png,v", "shots/03.png,")
    [one] = refusal(table(gaps))
    assert one.where.line == 5 and "the target 'label' is missing in row 5" in one.message
    splits = table(gaps, drop_missing_target=True).load()
    assert len(splits["all"]) == 11 and "1 row without a target left out" in splits.notes


def test_new_tables_need_no_truth_and_may_name_what_is_broken(table, tmp_path):
    (tmp_path / "shots" / "04.png").write_bytes(b"")
    reader = table(tags=("side",), weight="worth", folder=str(tmp_path / "shots"), file="file", id="patient")
    table("file\n04.png\n01.png\ngone.png\n", "new/list.csv")
    new = reader.at(str(tmp_path / "new" / "list.csv")).load(truth=False)["all"]
    assert new.ids == ["04.png", "01.png", "gone.png"] and not new.labelled
    assert new[1].x == str(tmp_path / "shots" / "01.png")
    Image.new("L", (3, 3)).save(tmp_path / "new" / "01.png")
    table("file,label\n01.png,u\n", "new/list.csv")
    judged = reader.at(str(tmp_path / "new" / "list.csv")).load()["all"]
    assert judged[0].x == str(tmp_path / "new" / "01.png") and judged[0].y == "u", "pictures beside the new table"
