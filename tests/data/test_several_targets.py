"""Tables with several columns to predict, and rows in which a target is missing on purpose."""

import pytest

from dlspec.data.csv import CSV
from dlspec.data.digits import Digits
from dlspec.types import DataError


def table(folder, rows, header="x,a,b,size"):
    file = folder / "t.csv"
    file.write_text("\n".join([header, *rows]) + "\n")
    return str(file)


def test_several_columns_are_a_mapping_and_no_features(tmp_path):
    path = table(tmp_path, ["1,0,yes,2.5", "2,,no,", "3,1,,1", "4,,,"])
    with pytest.raises(DataError, match=r"the target 'a', 'b', 'size' is missing in row 5 \(1 in all\); fill them in"):
        CSV(path=path, target=("a", "b", "size")).load()
    splits = CSV(path=path, target=("a", "b", "size"), drop_missing_target=True).load()
    examples = splits["all"]
    assert [one.y for one in examples] == [
        {"a": 0, "b": "yes", "size": 2.5},
        {"a": None, "b": "no", "size": None},
        {"a": 1, "b": None, "size": 1.0},
    ]
    assert list(examples.columns["x"].columns) == ["x"]
    assert any("'a' is a target; 'b' is a target; 'size' is a target" in note for note in splits.notes)
    kept = CSV(path=path, target=("a", "b", "size"), keep_missing_target=True).load()
    assert kept["all"][3].y == {"a": None, "b": None, "size": None}
    assert any("1 row without a target kept" in note for note in kept.notes)


def test_an_empty_cell_may_say_something(tmp_path):
    path = table(tmp_path, ["1,cat;dog", "2,", "3,dog"], "x,labels")
    with pytest.raises(DataError, match="keep_missing_target: true where an empty cell says that no label is true"):
        CSV(path=path, target="labels").load()
    kept = CSV(path=path, target="labels", keep_missing_target=True).load()
    assert [one.y for one in kept["all"]] == ["cat;dog", None, "dog"]


def test_new_data_may_lack_some_of_them(tmp_path):
    whole = CSV(path=table(tmp_path, ["1,0,1,2"]), target=("a", "b"))
    (tmp_path / "new").mkdir()
    reader = whole.at(table(tmp_path / "new", ["1,0", "2,1"], "x,b"))
    assert list(reader.load(truth=False)["all"].columns["x"].columns) == ["x"]
    with pytest.raises(DataError, match=r"there is no column 'a' \(data.target\[0\]\)"):
        reader.load()


def test_settings_that_contradict_each_other(tmp_path):
    path = table(tmp_path, ["1,0,1,2"])
    with pytest.raises(ValueError, match="exclude each other"):
        CSV(path=path, target="a", drop_missing_target=True, keep_missing_target=True)
    with pytest.raises(ValueError, match=r"column 'a' cannot be both target\[0\] and target\[1\]"):
        CSV(path=path, target=("a", "a"))
    with pytest.raises(ValueError, match=r"column 'a' cannot be both target\[0\] and id"):
        CSV(path=path, target=("a", "b"), id="a")
    with pytest.raises(ValueError, match="column 'b' is a target and is dropped"):
        CSV(path=path, target=("a", "b"), drop=("b",))
    with pytest.raises(ValueError, match="target lists no column"):
        CSV(path=path, target=())


def test_attributes_of_digits_some_of_them_missing_in_train_alone():
    plain = Digits().read()
    asked = Digits(attributes=("digit", "parity", "looped"), missing=0.5).read()
    counts = dict.fromkeys(("digit", "parity", "looped"), 0)
    for split in ("train", "dev", "test"):
        assert asked[split].ids == Digits(attributes=("digit",)).read()[split].ids
        digits = dict(zip([one for part in plain.parts.values() for one in part.ids],
                          [y for part in plain.parts.values() for y in part.column("y")], strict=True))  # fmt: skip
        for example in asked[split]:
            digit = digits[example.id]
            true = {"digit": digit, "parity": "odd" if digit % 2 else "even", "looped": int(digit in (0, 6, 8, 9))}
            for name, value in example.y.items():
                assert value in (true[name], None) if split == "train" else value == true[name]
                counts[name] += value is None
    train = len(asked["train"])
    assert all(0.45 * train < one < 0.55 * train for one in counts.values())
    assert len(set(counts.values())) > 1, "each is drawn on its own"
