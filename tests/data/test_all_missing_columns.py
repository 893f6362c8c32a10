"""Columns that settings name and that the file has not are told all at once, each with its setting."""

import pytest

from dlspec.data.conll import Conll
from dlspec.data.csv import CSV
from dlspec.data.text_table import TextTable
from dlspec.data.time_series import TimeSeries
from dlspec.types import DataError

TABLE = "review,label,shop\na good book,1,x\na bad book,0,y\n"
SERIES = "date,city,sales\n" + "".join(f"2024-01-{day:02d},Rome,{day}\n" for day in range(1, 29))
TAGGED = "Rome B-place\nis O\n\nbig O\n"


@pytest.mark.parametrize(
    ("reader", "text", "settings", "keys"),
    [
        (TextTable, TABLE, {"column": "txt", "target": "lable", "tags": ("shp",)}, ["target", "column", "tags"]),
        (CSV, TABLE, {"target": "lable", "id": "number", "tags": ("shp",)}, ["target", "id", "tags"]),
        (TimeSeries, SERIES, {"time": "dat", "target": "sale", "series": "town"}, ["time", "target", "series"]),
        (Conll, TAGGED, {"word": 7, "tag": 9}, ["word", "tag"]),
    ],
)
def test_all_at_once(tmp_path, reader, text, settings, keys):
    file = tmp_path / "data.txt"
    file.write_text(text)
    with pytest.raises(DataError) as caught:
        reader(path=str(file), **settings).load()
    complaints = caught.value.complaints
    assert sorted(str(one.message).split("(data.")[1].split(")")[0] for one in complaints) == sorted(keys)
    assert {one.where.file for one in complaints} == {str(file)}


def test_one_alone_and_new_files_without_what_is_not_needed(tmp_path):
    file = tmp_path / "data.csv"
    file.write_text(TABLE)
    with pytest.raises(DataError, match=r"there is no column 'lable' \(data.target\); did you mean 'label'") as caught:
        TextTable(path=str(file), target="lable").load()
    assert len(caught.value.complaints) == 1
    new = TextTable(path=str(file), target="answer", column="review", tags=("shp",)).at(str(file)).load(truth=False)
    assert len(new["all"]) == 2
