"""Tables out of delimited text and Parquet: what is found, told apart and said."""

import csv
import gzip
import io
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from real_data import lacking

from dlspec.data.csv import CSV
from dlspec.types import DataError


@pytest.fixture
def write(tmp_path):
    def writing(content, name="t.csv"):
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
        return str(tmp_path / name)

    return writing


def columns(splits, part="all"):
    rows = splits[part].columns["x"].columns
    return {name: ["" if v is None else v for v in values.tolist()] for name, values in rows.items()}


MIXED = "name,height,born,grade\nAda,1.7,1815-12-10,a\nAlan,,1912-06-23,b\n Grace ,1e0,NA,a\n"


def test_numbers_words_and_missing_are_told_apart(write):
    loaded = CSV(path=write(MIXED), target="grade").load()
    rows = loaded["all"].columns["x"].columns
    assert rows["height"].dtype == np.float64 and np.isnan(rows["height"][1])
    assert rows["name"].dtype == object and rows["name"].tolist() == ["Ada", "Alan", "Grace"]
    assert rows["born"].tolist() == ["1815-12-10", "1912-06-23", None]
    assert list(rows) == ["name", "height", "born"]
    assert loaded["all"].column("y") == ["a", "b", "a"] and loaded["all"].ids == ["2", "3", "4"]
    assert loaded["all"][1].x == {"name": "Alan", "height": None, "born": "1912-06-23"}
    assert loaded.notes == (
        "t.csv: 3 rows, 4 columns, comma-separated, with a header",
        "3 columns to predict from; 'grade' is the target",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a;b;y\n1,5;x;0\n2,5;z;1\n", None),
        ("a\tb\ty\n1.5\tx, z\t0\n2.5\tz\t1\n", "tab-separated"),
        ("a|b|y\n1.5|x,|0\n2.5|z,|1\n", "separated by |"),
        ("a   b y\n 1.5  x 0\n2.5 z\t1\n", "separated by blanks"),
        ('a b y\n1.5 "x w" 0\n2.5 z 1\n', "separated by blanks"),
        ("a,b,y\r\n1.5,x,0\r\n2.5,z,1\r\n", "comma-separated"),
        ("a,b,y\r1.5,x,0\r2.5,z,1\r", "comma-separated"),
        ("\n\na,b,y\n1.5,x,0\n\n2.5,z,1\n,,\n  \n", "comma-separated, with a header, 5 empty rows skipped"),
        ("\ufeffa,b,y\n1.5,x,0\n2.5,z,1", "comma-separated"),
    ],
)
def test_delimiter_is_found(write, text, said):
    decimal = "," if said is None else "."
    loaded = CSV(path=write(text), target="y", decimal=decimal).load()
    assert columns(loaded)["a"] == [1.5, 2.5] and list(columns(loaded)) == ["a", "b"]
    assert loaded["all"].column("y") == [0, 1]
    assert (said or "semicolon-separated") in loaded.notes[0]


def test_rows_are_counted_as_a_spreadsheet_does(write):
    text = '\na,y\n1,x\n\n"2\n3",y\n,\n5,z\n'
    loaded = CSV(path=write(text), target="y", text=("a",)).load()
    assert loaded["all"].ids == ["3", "5", "7"]
    assert columns(loaded)["a"] == ["1", "2\n3", "5"]
    bare = CSV(path=write("1,x\n2,y\n"), target="column_2", header=False).load()
    assert bare["all"].ids == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("1,2\n3,4\n", False),
        ("a,b\n3,4\n", True),
        ("a,2\n3,4\n", False),
        ("a,NA,1\n3,4,2\n", False),
        ("p,x\ne,x\np,y\ne,y\n", False),
        ("kind,colour\np,x\ne,x\n", True),
        (",a\n7,4\n3,5\n", None),
    ],
)
def test_header_is_found(write, text, header):
    reader = CSV(path=write(text), target="last", text=("column_1",) if header is False else ())
    if header is None:
        with pytest.raises(Exception, match="no name to column 1"):
            reader.load()
        return
    assert ("with a header" in reader.load().notes[0]) == header


def test_header_given(write):
    path = write("7,8\n1,2\n3,4\n")
    assert list(columns(CSV(path=path, target="8", header=True).load())) == ["7"]
    words = write("a,b\nc,d\n", "w.csv")
    assert columns(CSV(path=words, target="last", header=False).load())["column_1"] == ["a", "c"]


def test_an_unnamed_index_is_left_out(write):
    loaded = CSV(path=write(",a,y\n0,5,x\n1,6,z\n"), target="y").load()
    assert list(columns(loaded)) == ["a"] and "column 1 has no name and counts the rows: left out" in loaded.notes[0]


def test_targets_are_words_whole_numbers_or_numbers(write):
    for cells, expected in (
        (["1", "2.0", "-3"], [1, 2, -3]),
        (["1", "2.5", "3"], [1.0, 2.5, 3.0]),
        (["no", "yes", "1"], ["no", "yes", "1"]),
    ):
        path = write("a,y\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells)))
        y = CSV(path=path, target="y").load()["all"].column("y")
        assert y == expected and [type(one) for one in y] == [type(one) for one in expected]
    assert CSV(path=path, target="last").load()["all"].column("y") == expected
    coded = write("a,y\n1,01\n2,02\n")
    assert CSV(path=coded, target="y", text=("y",)).load()["all"].column("y") == ["01", "02"]


def test_roles_of_columns(write):
    text = "who,site,day,w,side,junk,a,y\n" + "".join(
        f"p{i},s{i % 4},2024-01-{i + 1:02d},{i / 2},{'lr'[i % 2]},9,{i},{i % 2}\n" for i in range(20)
    )
    path = write(text)
    reader = CSV(
        path=path, target="y", id="who", weight="w", tags=("side", "junk"), drop=("junk",), split={"group": "site"}
    )
    loaded = reader.load()
    assert list(columns(loaded)) == ["day", "side", "a"]
    one = loaded["all"][3]
    assert (one.id, one.group, one.weight, one.y) == ("p3", "s3", 1.5, 1)
    assert one.tags == {"side": "r", "junk": "9"}
    assert loaded.notes[1] == (
        "3 columns to predict from; 'y' is the target; 'who' is the id; 'w' is the weight; 'site' is the group; "
        "column 'junk' dropped"
    )
    done = reader.read()
    assert not set(done["train"].column("groups")) & set(done["test"].column("groups"))
    late = CSV(path=path, target="y", id="who", split={"time": "day", "test": 2, "dev": 3}).read()
    assert late["test"].ids == ["p18", "p19"] and late["dev"].ids == ["p15", "p16", "p17"]
    assert "day" in columns(late, "train")


@pytest.mark.parametrize(
    "days",
    [
        ["2024-01-03", "2024-01-02", "2023-12-31"],
        ["2024/1/3", "2024/1/2", "2023/12/31"],
        ["2024-03", "2024-02", "2023-12"],
        ["2024-01-01 10:00", "2024-01-01 09:59:59", "2023-01-01T23:00:00Z"],
        ["10", "9", "-2"],
        ["03/01/2024", "02/01/2024", "31/12/2023"],
        ["1.3.2024 10:00", "1.2.2024 11:00", "12.31.2023 09:00"],
    ],
)
def test_times_are_ordered_as_times(write, days):
    path = write("t,a,y\n" + "".join(f"{day},{i},x\n" for i, day in enumerate(days)))
    done = CSV(path=path, target="y", split={"time": "t", "dev": 1, "test": 1}).read()
    assert {name: part.ids for name, part in done.parts.items()} == {"train": ["4"], "dev": ["3"], "test": ["2"]}


def test_dates_whose_day_is_not_known_hinder_splitting_alone(write):
    table = "t,a,y\n31/12/2023,1,x\n01/02/2024,2,z\n02/02/2024,3,x\n"
    reader = CSV(path=write(table), target="y", split={"time": "t", "dev": 1, "test": 1})
    assert "'t': dates are taken to begin with the day, as '31/12/2023' does" in reader.read().notes
    new = reader.at(write("t,a,y\n01/02/2024,2,z\n", "new.csv"))
    assert columns(new.load(truth=False)) == columns(new.load()) == {"t": ["01/02/2024"], "a": [2.0]}
    with pytest.raises(
        DataError, match=r"whether '01/02/2024' begins with the day or the month, no date of them tells"
    ):
        CSV(path=new.path, target="y", split={"time": "t", "dev": 0, "test": 0}).read()


def test_files_for_each_split_share_their_types(write):
    train, test = write("a,b,y\n1,x,0\n2,y,1\n3,x,0\n", "train.csv"), write("y,b,a\n1,7,4\n0,8,5\n", "test.csv")
    reader = CSV(path={"train": train, "test": test}, target="y", split={"dev": 1})
    done = reader.read()
    assert {name: part.ids for name, part in done.parts.items() if name == "test"} == {"test": ["test:2", "test:3"]}
    assert set(done["train"].ids) | set(done["dev"].ids) == {"train:2", "train:3", "train:4"}
    assert done["test"].column("x") == [{"a": 4.0, "b": "7"}, {"a": 5.0, "b": "8"}], "words in one file, words in all"
    assert done["test"].column("y") == [1, 0]
    assert reader.files() == [train, test]
    assert CSV.model_validate(reader.model_dump()) == reader


def test_new_data_needs_no_truth(write):
    reader = CSV(
        path=write(MIXED),
        target="grade",
        id="name",
        weight="weight",
        tags=("born",),
        drop=("born",),
        split={"group": "born"},
    )
    new = reader.at(write("height\n2\n3\n", "new.csv")).load(truth=False)
    assert new["all"].columns["y"] is None and columns(new) == {"height": [2.0, 3.0]}
    judged = reader.at(write("height,grade\n2,a\n3,b\n", "judged.csv"))
    assert judged.load()["all"].column("y") == ["a", "b"] and columns(judged.load()) == {"height": [2.0, 3.0]}
    some = CSV(path=write("a,grade\n1,x\n2,\n", "s.csv"), target="grade").load(truth=False)
    assert some["all"].column("y") == ["x", None] and columns(some) == {"a": [1.0, 2.0]}
    last = CSV(path=write("1,2\n3,4\n", "l.csv"), target="last").load(truth=False)
    assert last["all"].columns["y"] is None and list(columns(last)) == ["column_1", "column_2"]


def test_rows_without_target_may_be_left_out(write):
    loaded = CSV(path=write("a,y\n1,x\n2,\n3,z\n"), target="y", drop_missing_target=True).load()
    assert loaded["all"].ids == ["2", "4"] and loaded["all"].column("y") == ["x", "z"]
    assert "1 row without a target left out" in loaded.notes


def test_words_that_look_like_numbers(write):
    path = write("zip,a,y\n01234,1,x\n99999,-,z\n")
    assert columns(CSV(path=path, target="y").load())["zip"] == [1234.0, 99999.0]
    assert columns(CSV(path=path, target="y", text=("zip",)).load())["zip"] == ["01234", "99999"]
    mixed = write("a,y\n1,x\n2,x\n3+,z\n", "m.csv")
    assert columns(CSV(path=mixed, target="y").load())["a"] == ["1", "2", "3+"]


def test_encodings_and_gzip(write):
    text = "städte,y\nKöln,1\nZürich,0\n"
    for name, data, encoding in (
        ("l.csv", text.encode("latin-1"), "latin-1"),
        ("u16.csv", text.encode("utf-16"), "utf-8"),
        ("z.csv.gz", gzip.compress(text.encode()), "utf-8"),
        ("z.tsv.gz", gzip.compress(text.replace(",", "\t").encode()), "utf-8"),
        ("packed.txt", gzip.compress(text.encode()), "utf-8"),
    ):
        loaded = CSV(path=write(data, name), target="y", encoding=encoding).load()
        assert columns(loaded) == {"städte": ["Köln", "Zürich"]}, name


def test_parquet(tmp_path):
    import datetime

    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table(
        {
            "i": pa.array([1, None, 3], pa.int32()),
            "f": pa.array([0.5, 1.5, None], pa.float32()),
            "b": pa.array([True, False, None]),
            "s": pa.array(["x", " NA ", "1"]),
            "l": pa.array(["x", "y", None], pa.large_string()),
            "k": pa.array(["u", "v", "u"]).dictionary_encode(),
            "d": pa.array([datetime.date(2024, 3, 1), None, datetime.date(2024, 3, 2)]),
            "t": pa.array(
                [datetime.datetime(2024, 3, 1, 5), datetime.datetime(2024, 3, 1, 4), None], pa.timestamp("s")
            ),
            "n": pa.nulls(3),
            "y": pa.array([1, 0, 1], pa.int8()),
        }
    )
    file = tmp_path / "t.parquet"
    parquet.write_table(table, file)
    loaded = CSV(path=str(file), target="y").load()
    x = loaded["all"].columns["x"].columns
    assert {name: values.dtype for name, values in x.items() if values.dtype != object} == dict.fromkeys(
        "ifn", np.float64
    )
    assert columns(loaded) | {"i": 0, "f": 0, "n": 0} == {
        "i": 0,
        "f": 0,
        "n": 0,
        "b": ["true", "false", ""],
        "s": ["x", "", "1"],
        "l": ["x", "y", ""],
        "k": ["u", "v", "u"],
        "d": ["2024-03-01", "", "2024-03-02"],
        "t": ["2024-03-01 05:00:00", "2024-03-01 04:00:00", ""],
    }
    assert loaded["all"].ids == ["1", "2", "3"] and loaded["all"].column("y") == [1, 0, 1]
    assert loaded.notes[0] == "t.parquet: 3 rows, 10 columns, Parquet"
    keys = pa.table({"k": [10**17, 10**17 + 1], "a": [1, 2], "y": ["u", "v"]})
    parquet.write_table(keys, tmp_path / "k.parquet")
    named = CSV(path=str(tmp_path / "k.parquet"), target="y", id="k", tags=("a",)).load()["all"]
    assert named.ids == ["100000000000000000", "100000000000000001"] and named[1].tags == {"a": "2"}
    timed = CSV(path=str(file), target="y", drop=("t",), split={"time": "f", "dev": 0, "test": 1})
    with pytest.raises(Exception, match=r"'f' orders the examples .* missing in row 3"):
        timed.read()


CELL = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=6)
INNER = st.sampled_from(["", " ", ",", '"', '""', "\n", ";", "\t", ", ", "|", "'"])
WORD = st.builds(lambda a, b, c: f"w{a}{b}{c}w", CELL, INNER, CELL)
NUMBER = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**9), 10**9)


@settings(deadline=None, max_examples=150)
@given(st.data(), st.integers(1, 12), st.sampled_from(",;\t|"), st.booleans())
def test_written_tables_are_read_back_equal(data, n, delimiter, quoted):
    words = data.draw(st.lists(WORD, min_size=n, max_size=n))
    numbers = data.draw(st.lists(NUMBER | st.none(), min_size=n, max_size=n))
    y = data.draw(st.lists(WORD, min_size=n, max_size=n))
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)
    writer.writerow(["words", "numbers", "more, words", "target"])
    for word, number, label in zip(words, numbers, y, strict=True):
        writer.writerow([word, "" if number is None else repr(number), f"{word}+", label])
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        Path(file.name).write_bytes(text.getvalue().encode())
        loaded = CSV(path=file.name, target="target", delimiter=delimiter)
        for reader in (loaded, loaded.model_copy(update={"header": True})):
            x = reader.load()["all"].columns["x"].columns
            assert x["words"].tolist() == words
            assert x["more, words"].tolist() == [f"{word}+" for word in words]
            expected = [np.nan if number is None else float(number) for number in numbers]
            assert np.array_equal(x["numbers"], expected, equal_nan=True)
        assert loaded.load()["all"].column("y") == y


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.integers(-99, 99), min_size=3, max_size=3), min_size=2, max_size=30), st.sampled_from(",;\t| ")
)
def test_delimiters_of_number_tables_are_found(rows, delimiter):
    with tempfile.NamedTemporaryFile(suffix=".txt") as file:
        Path(file.name).write_text("\n".join(delimiter.join(map(str, row)) for row in rows))
        loaded = CSV(path=file.name, target="last").load()
    assert [list(row.values()) for row in loaded["all"].column("x")] == [row[:2] for row in rows]
    assert loaded["all"].column("y") == [row[2] for row in rows]


@pytest.mark.parametrize(
    ("values", "place", "message"),
    [
        ({"delimiter": "ab"}, ("delimiter",), "expected one character, `tab` or `blanks`, got 'ab'"),
        ({"encoding": "utf-9"}, ("encoding",), "unknown encoding 'utf-9'"),
        ({"target": "a", "id": "a"}, (), "column 'a' cannot be both target and id"),
        ({"target": "a", "drop": ("a",)}, (), "is the target and is dropped"),
        ({"target": "a", "split": {"time": "a"}}, (), "both target and split.time"),
        ({"taget": "a"}, ("taget",), "did you mean 'target'"),
    ],
)
def test_settings_that_do_not_fit(write, values, place, message):
    with pytest.raises(ValidationError) as caught:
        CSV.model_validate({"path": write("a,b\n1,2\n"), **values})
    [error] = caught.value.errors()
    assert error["loc"] == place and message in error["msg"]


def test_paths_are_blamed_one_by_one(write):
    good = write("a,b\n1,2\n")
    for path, place, message in (
        (good + "x", ("path", "file"), "did you mean 't.csv'"),
        ({"train": good, "tset": good}, ("path", "files", "tset"), "did you mean 'test'"),
        ({"train": good + "x"}, ("path", "files", "train"), "there is no"),
        ({"test": good}, ("path", "files", "train"), "Field required"),
        (3, ("path", "file"), "valid string"),
    ):
        with pytest.raises(ValidationError) as caught:
            CSV.model_validate({"path": path})
        [error] = caught.value.errors()
        assert error["loc"] == place and message in error["msg"]


def test_a_large_table_is_read_at_once(tmp_path):
    values = np.random.default_rng(0).normal(size=(100_000, 11)).round(5)
    file = tmp_path / "large.csv"
    lines = [",".join(f"c{i}" for i in range(11)), *(",".join(map(repr, row)) for row in values.tolist())]
    file.write_text("\n".join(lines))
    start = time.perf_counter()
    loaded = CSV(path=str(file), target="c10").load()
    assert time.perf_counter() - start < 2  # some 0.2 s; the machine may be busy
    x = np.stack([*loaded["all"].columns["x"].columns.values()], axis=1)
    assert np.array_equal(x, values[:, :10]) and loaded["all"].column("y") == values[:, 10].tolist()


REAL = {
    "titanic_train.csv": ("Survived", 891, {"Name", "Sex", "Ticket", "Cabin", "Embarked"}, 866, "with a header"),
    "california_housing.csv": ("median_house_value", 20640, {"ocean_proximity"}, 207, "with a header"),
    "penguins.csv": ("species", 344, {"island", "sex"}, 19, "with a header"),
    "mpg.csv": ("mpg", 398, {"origin", "name"}, 6, "with a header"),
    "winequality-red.csv": ("last", 1599, set(), 0, "no header: columns are called column_1 to column_12"),
    "winequality-white.csv": ("last", 4898, set(), 0, "no header"),
    "pima-indians-diabetes.csv": ("column_9", 768, set(), 0, "no header"),
}


@pytest.mark.skipif(not os.environ.get("DLSPEC_DATA"), reason=lacking("tabular"))
@pytest.mark.parametrize("file", REAL)
def test_real_tables(file):
    target, n, words, missing, said = REAL[file]
    path = Path(os.environ["DLSPEC_DATA"]) / "tabular" / file
    loaded = CSV(path=str(path), target=target).load()
    x = loaded["all"].columns["x"].columns
    assert len(loaded["all"]) == n and said in loaded.notes[0]
    assert {name for name, values in x.items() if values.dtype == object} == words
    gaps = sum(
        sum(v is None for v in values) if values.dtype == object else np.isnan(values).sum() for values in x.values()
    )
    assert gaps == missing
    plain = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    assert len(plain) == n + (said == "with a header")
    assert len(x) == len(plain[0]) - 1
