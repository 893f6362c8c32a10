"""A file of another kind: what this run reads is told, not what any run could read."""

import pytest

from dlspec.recipe.load import check_text
from dlspec.runs.reading import reader_for
from dlspec.types import ArgumentError

RECIPES = {
    "text": "task: classification\ndata: {name: text_table, path: a.csv, target: y}\nmodel: bag_of_embeddings\n",
    "table": "task: classification\ndata: {name: csv, path: a.csv, target: y}\nmodel: linear\n",
    "series": "task: forecasting\ndata: {name: time_series, path: a.csv, time: t, target: y, horizon: 1, window: 2}\n"
    "model: linear\n",
    "picture": "task: classification\ndata: {name: image_folder, path: .}\nmodel: linear\n",
    "digits": "task: classification\ndata: digits\nmodel: linear\n",
}


@pytest.mark.parametrize(
    ("kind", "reads", "not_read", "mend"),
    [
        ("text", ".csv, .tsv, .txt", ".png", "plain text"),
        ("table", ".csv, .tsv, .txt, .parquet", ".png", "CSV"),
        ("series", ".csv, .tsv", ".jpg", "trained on"),
        ("picture", ".jpg", ".parquet", "as a picture"),
        ("digits", ".jpg", ".json", "as a picture"),
    ],
)
def test_what_this_run_reads(tmp_path, kind, reads, not_read, mend):
    (tmp_path / "a.csv").write_text("t,text,y\n2020-01-01,a,1\n")
    (tmp_path / "letter.docx").write_bytes(b"PK\x03\x04")
    recipe = check_text(RECIPES[kind], tmp_path / "r.yaml").recipe
    with pytest.raises(ArgumentError, match=r"letter\.docx' is no file of") as found:
        reader_for(str(tmp_path / "letter.docx"), recipe)
    said = str(found.value)
    assert reads in said and mend in said and not_read not in said


def test_a_folder_where_a_run_reads_files(tmp_path):
    (tmp_path / "a.csv").write_text("text,y\na,1\n")
    recipe = check_text(RECIPES["text"], tmp_path / "r.yaml").recipe
    with pytest.raises(ArgumentError, match=r"is a folder, which this run does not read; this run reads \.csv"):
        reader_for(str(tmp_path), recipe)
