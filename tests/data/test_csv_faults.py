"""Faulty tables: each is refused with the file, the row where there is one, and how to mend it."""

import gzip
import os
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from real_data import lacking

from dlspec.data.csv import CSV
from dlspec.types import DataError

GOOD = "a,b,y\n" + "".join(f"{i},{i * i},{'uv'[i % 2]}\n" for i in range(12))


def refused(tmp_path, content, name="bad.csv", truth=True, **settings):
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError) as caught:
        CSV(path=str(file), **{"target": "y", **settings}).load(truth=truth)
    [complaint] = caught.value.complaints
    assert complaint.where.file == str(file)
    assert "\n" not in complaint.message and "Arrow" not in complaint.message
    return complaint.where.line, complaint.message


CASES = {
    "empty": ("", {}, None, "this file is empty"),
    "blank": ("\n \n\n", {}, None, "this file is empty"),
    "header only": ("a,b,y\n", {}, None, "a header and no rows"),
    "header only, no newline": ("a,b,y", {}, None, "a header and no rows"),
    "header and blank rows": ("a,b,y\n,,\n\n", {}, None, "a header and no rows"),
    "ragged": (
        "a,b,y\n1,2,u\n3,4\n5,6,v,7\n\n8,9,u\n3,4,5,6\n",
        {},
        None,
        "rows 3, 4 and 7 have 4 or 2 cells where the first row has 3 (3 in all); row 3 is: 3,4",
    ),
    "one ragged row": ("a,b,y\n1,2,u\n3,4\n", {}, None, "row 3 has 2 cells where the first row has 3"),
    "many ragged rows": ("a,b,y\n1,2,u\n" + "3,4\n" * 40, {}, None, "rows 3, 4, 5, 6, 7 and 35 more have 2 cells"),
    "unclosed quote": ('a,b,y\n1,2,u\n3,"4,v\n5,6,u\n', {}, None, "is a quote not closed?"),
    "unclosed quote at the end": (
        'a,b,y\n1,2,u\n3,4,"v\n5,6,u\n',
        {},
        None,
        "a quote that opens in row 3 is never closed",
    ),
    "missing target": (
        "a,b,y\n1,2,u\n3,4,\n5,6,NA\n7,8,v\n",
        {},
        3,
        "the target 'y' is missing in rows 3 and 4 (2 in all); fill them in, or set data.drop_missing_target: true",
    ),
    "NaN target": ("a,b,y\n1,2,1.5\n3,4,nan\n", {}, 3, "the target 'y' is missing in row 3 (1 in all)"),
    "no target at all": ("a,b,y\n1,2,\n3,4,\n", {}, 2, "the target 'y' is missing in rows 2 and 3 (2 in all)"),
    "nothing left": ("a,b,y\n1,2,\n3,4,\n", {"drop_missing_target": True}, 2, "missing in rows 2 and 3"),
    "unknown target": (
        GOOD,
        {"target": "Y_"},
        None,
        "there is no column 'Y_' (data.target); did you mean 'y'? columns: a, b, y",
    ),
    "no target named": (
        GOOD,
        {"target": None},
        None,
        "which column is to be predicted? set data.target; columns: a, b, y",
    ),
    "unknown drop": (GOOD, {"drop": ("bb",)}, None, "there is no column 'bb' (data.drop); did you mean 'b'?"),
    "unknown tag": (GOOD, {"tags": ("zzz",)}, None, "there is no column 'zzz' (data.tags); columns: a, b, y"),
    "unknown id": (GOOD, {"id": "idd"}, None, "(data.id)"),
    "unknown group": (GOOD, {"split": {"group": "c"}}, None, "(data.split.group)"),
    "unknown time": (GOOD, {"split": {"time": "c"}}, None, "(data.split.time)"),
    "no feature": (GOOD, {"drop": ("a", "b")}, None, "no column is left to predict from"),
    "nameless column": ("a,,y\n1,x,u\n3,x,v\n", {"header": True}, None, "the header (row 1) gives no name to column 2"),
    "two nameless": ("a,,,y\n1,x,2,u\n", {"header": True}, None, "gives no name to columns 2 and 3"),
    "name twice": ("a,b,a,y\n1,x,2,u\n3,w,4,v\n", {}, None, "column 'a' more than once"),
    "numbers but one": (
        "a,y\n" + "".join(f"{i},u\n" for i in range(20)) + "12o,v\n",
        {},
        22,
        "column 'a' holds numbers, but not in row 22: value '12o'; mend them, add what stands for a missing value to "
        "data.missing, or list 'a' under data.text",
    ),
    "a missing marker of its own": (
        "a,y\n" + "".join(f"{i},u\n" for i in range(30)) + "n.d.,v\n1,u\nn.d.,u\n",
        {},
        32,
        "column 'a' holds numbers, but not in rows 32 and 34: value 'n.d.'",
    ),
    "target numbers but one": (
        "a,y\n" + "".join(f"u,{i}\n" for i in range(20)) + "v,x1\n",
        {},
        22,
        "column 'y' holds numbers",
    ),
    "a header taken for data": (
        "a,7,y\n" + "".join(f"{i},{i},{i}\n" for i in range(20)),
        {"target": "last"},
        1,
        "column 'column_1' holds numbers, but not in row 1: value 'a'; mend them, set data.header: true if row 1 is",
    ),
    "decimal comma": ("a;y\n1,5;u\n2,5;v\n", {}, 2, "a decimal comma ('1,5' in row 2); set data.decimal: ','"),
    "infinite": (
        "a,y\n1,u\ninf,v\n2,u\n3,u\n4,u\n5,u\n6,u\n7,u\n8,u\n9,u\n10,u\n",
        {},
        3,
        "column 'a' holds numbers, but not in row 3: value 'inf'",
    ),
    "too large": ("a,y\n1,u\n1e999,v\n", {}, 3, "column 'a' is infinite in row 3"),
    "id twice": (
        "k,a,y\nA,1,u\nB,2,v\nA,3,u\n",
        {"id": "k"},
        2,
        "column 'k' is the id, and 'A' stands in rows 2 and 4",
    ),
    "id missing": ("k,a,y\nA,1,u\n,2,v\n", {"id": "k"}, 3, "column 'k' is missing in row 3"),
    "group missing": ("k,a,y\nA,1,u\nNA,2,v\n", {"split": {"group": "k"}}, 3, "column 'k' is missing in row 3"),
    "weight below 0": ("w,a,y\n1,1,u\n-2,2,v\n", {"weight": "w"}, 3, "the weight 'w' is missing or below 0 in row 3"),
    "weight missing": ("w,a,y\n1,1,u\n,2,v\n", {"weight": "w"}, 3, "the weight 'w' is missing or below 0 in row 3"),
    "weight words": ("w,a,y\nx,1,u\nz,2,v\n", {"weight": "w"}, None, "the weight 'w' holds words"),
    "no date": (
        "t,a,y\n2024-01-01,1,u\n31.1.24,2,v\n",
        {"split": {"time": "t"}},
        3,
        "'31.1.24' in row 3 is no date",
    ),
    "date missing": ("t,a,y\n2024-01-01,1,u\n,2,v\n", {"split": {"time": "t"}}, 3, "is missing in row 3"),
    "not UTF-8": (
        "a,y\n1,u\n2,Zürich\n".encode("latin-1"),
        {},
        3,
        "byte 0xfc is not UTF-8; set data.encoding (latin-1",
    ),
    "another encoding": ("a,y\n1,ü\n".encode(), {"encoding": "ascii"}, 2, "byte 0xc3 is not ascii"),
    "junk": (bytes(range(256)) * 40, {}, None, "this is binary data, not delimited text"),
    "zeros": (b"a,y\n1,\x00\n", {}, None, "this is binary data"),
    "random junk": (random.Random(0).randbytes(5000), {}, None, "this is binary data"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(90), {}, None, "this is binary data"),
    "Excel": (b"PK\x03\x04" + bytes(100), {}, None, "this is an Excel or zip file, not delimited text; save it as CSV"),
    "Parquet by another name": (b"PAR1" + bytes(100), {}, None, "let its name end in .parquet"),
    "broken gzip": (gzip.compress(GOOD.encode())[:-12], {}, None, "this gzip file is broken"),
}


@pytest.mark.parametrize("case", CASES)
def test_faults(tmp_path, case):
    content, settings, line, message = CASES[case]
    where, said = refused(tmp_path, content, **settings)
    assert message in said
    assert where == line


def test_ragged_rows_are_all_counted_whatever_comes_between(tmp_path):
    rows = [f"{i},{i},u" if i % 10 else f"{i}" for i in range(5000)]
    _, said = refused(tmp_path, "a,b,y\n" + "\n".join(rows))
    assert said.startswith("rows 2, 12, 22, 32, 42 and 495 more have 1 cell") and "(500 in all)" in said


def test_files_that_are_none(tmp_path):
    assert "ends in .gz but is no gzip file" in refused(tmp_path, GOOD, name="t.csv.gz")[1]
    assert "no Parquet file" in refused(tmp_path, b"junk" * 50, name="t.parquet")[1]
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match=r"folder\.csv: this is a folder; give a file"):
        CSV(path=str(tmp_path / "folder.csv"), target="y").load()
    good = tmp_path / "good.csv"
    good.write_text(GOOD)
    with pytest.raises(DataError, match=r"gone\.csv: cannot be read: No such file"):
        CSV(path=str(good), target="y").at(str(tmp_path / "gone.csv")).load()


def test_parquet_faults(tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    def refuse(table, message):
        parquet.write_table(table, tmp_path / "t.parquet")
        with pytest.raises(DataError, match=message) as caught:
            CSV(path=str(tmp_path / "t.parquet"), target="y").load()
        assert caught.value.complaints[0].where.file == str(tmp_path / "t.parquet")

    refuse(pa.table({"a": [[1], [2]], "y": [1, 2]}), "column 'a' is of type list<element: int64>")
    refuse(pa.table({"a": pa.array([], pa.int64()), "y": pa.array([], pa.int64())}), "has no rows")
    refuse(pa.table({"a": [1.0, float("inf")], "y": [1, 2]}), "column 'a' is infinite in row 2")
    refuse(pa.table({"a": [1.0, 2.0], "y": [1, None]}), "the target 'y' is missing in row 2")
    whole = (tmp_path / "t.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[:-20])
    with pytest.raises(DataError, match="broken one"):
        CSV(path=str(tmp_path / "cut.parquet"), target="y").load()


def test_new_data_for_judging_needs_its_target(tmp_path):
    (tmp_path / "good.csv").write_text(GOOD)
    (tmp_path / "new.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"new\.csv: there is no column 'y' .data.target.; columns: a, b"):
        CSV(path=str(tmp_path / "good.csv"), target="y").at(str(tmp_path / "new.csv")).load()


def test_files_for_each_split_name_the_file_and_row_at_fault(tmp_path):
    train, test = tmp_path / "train.csv", tmp_path / "test.csv"
    train.write_text(GOOD)

    def refuse(content, **settings):
        test.write_text(content)
        with pytest.raises(DataError) as caught:
            CSV(path={"train": str(train), "test": str(test)}, target="y", **settings).load()
        [complaint] = caught.value.complaints
        assert complaint.where.file == str(test)
        return complaint.where.line, complaint.message

    assert refuse("a,y,c\n1,u,3\n") == (None, f"other columns than {train}: column b missing, column c too many")
    assert refuse("a,b,y\n1,2,u\n3,4,\n")[0] == 3
    assert refuse("a,b,y\n1,2,u\nx,4,u\n")[0] == 3, "numbers in train make a word in test a mistake"
    assert refuse("a,b\n1,2\n") == (None, f"other columns than {train}: column y missing")


def test_what_is_missing_can_be_said(tmp_path):
    content, *_ = CASES["a missing marker of its own"]
    file = tmp_path / "t.csv"
    file.write_text(content)
    loaded = CSV(path=str(file), target="y", missing=("", "n.d.")).load()
    assert [row["a"] for row in loaded["all"].column("x")[-3:]] == [None, 1.0, None]


@pytest.mark.skipif(not os.environ.get("DLSPEC_DATA"), reason=lacking("tabular"))
@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("sklearn_iris.csv", "column 'column_3' holds numbers, but not in row 1: value 'setosa'"),
        ("sklearn_wine_data.csv", r"rows 2, 3, 4, 5, 6 and 173 more have 14 cells where the first row has 5 \(178 in"),
        ("sklearn_breast_cancer.csv", "569 in all"),
    ],
)
def test_tables_whose_first_line_is_counts(file, message):
    path = Path(os.environ["DLSPEC_DATA"]) / "tabular" / file
    with pytest.raises(DataError, match=message):
        CSV(path=str(path), target="last").load()


@settings(deadline=None, max_examples=200)
@given(
    st.text("ab1,;\"\n\r\t .|-'é\ufeff", max_size=60)
    | st.lists(st.sampled_from(["a", "b,", "1,2\n", '"x"', '"x,\n"', ",", "\n", "4", " "]), max_size=30).map("".join),
    st.sampled_from([None, True, False]),
)
def test_any_text_is_read_or_refused(text, header):
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        Path(file.name).write_bytes(text.encode())
        try:
            loaded = CSV(path=file.name, target="last", header=header, drop_missing_target=True).load()
        except DataError as error:
            assert error.complaints[0].where.file == file.name
        else:
            part = loaded["all"]
            assert len(part) and len(set(part.ids)) == len(part.ids) and None not in part.column("y")


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(data):
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        Path(file.name).write_bytes(data)
        try:
            CSV(path=file.name, target="last").load()
        except DataError as error:
            assert error.complaints[0].where.file == file.name


def test_a_comma_between_thousands_is_told_from_a_decimal_comma(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("a,y\n" + "".join(f'"{n:,}",x\n' for n in range(37, 3000, 37)))
    with pytest.raises(DataError, match="between thousands"):
        CSV(path=str(file), target="y").load()
    file.write_text("a;y\n" + "".join(f"{n},{n % 7}5;x\n" for n in range(40)))
    with pytest.raises(DataError, match="seems to hold numbers with a decimal comma"):
        CSV(path=str(file), target="y").load()


def test_a_very_long_cell_is_cut_in_the_message(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("a,y\n" + "".join(f"{n},x\n" for n in range(40)) + "z" * 200_000 + ",x\n")
    with pytest.raises(DataError) as caught:
        CSV(path=str(file), target="y").load()
    assert len(str(caught.value)) < 2000
