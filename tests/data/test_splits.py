"""What the settings of `split` do to examples."""

import random
import subprocess
import sys
import time
from collections import Counter

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dlspec.data.splits import Split
from dlspec.types import DataError, Examples, Splits


def made(n, labels=None, **columns):
    ids = columns.pop("ids", None) or [f"id{i}" for i in range(n)]
    return Splits({"all": Examples(ids, list(range(n)), labels or [0.5] * n, **columns)})


def ids(splits):
    return {name: set(part.ids) for name, part in splits.parts.items()}


def sizes(splits):
    return {name: len(part) for name, part in splits.parts.items()}


def test_default_shares_and_note():
    done = Split().divide(made(1797, [i % 10 for i in range(1797)]))
    assert sizes(done) == {"train": 1257, "dev": 270, "test": 270}
    assert done.notes == ("split 1,797 examples by label: train 1,257, dev 270, test 270 (seed 0)",)


def test_counts_none_and_order_of_the_file():
    done = Split(dev=7, test=0).divide(made(20))
    assert sizes(done) == {"train": 13, "dev": 7}
    assert done["train"].column("x") == sorted(done["train"].column("x"))
    assert sizes(Split(dev=0, test=0).divide(made(20))) == {"train": 20}


def test_the_assignment_is_pinned_for_all_machines():
    done = Split(dev=3, test=3).divide(made(12))
    assert ids(done)["dev"] == {"id11", "id2", "id5"}, "must be the same in ten years"
    code = (
        "from dlspec.data.splits import Split; from dlspec.types import Examples, Splits;"
        "e=Examples([f'id{i}' for i in range(12)],[0]*12,[.5]*12);"
        "print(sorted(Split(dev=3,test=3).divide(Splits({'all':e}))['dev'].ids))"
    )
    for salt in ("1", "2"):
        out = subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": salt}, capture_output=True, text=True)
        assert out.stdout.strip() == "['id11', 'id2', 'id5']", out.stderr


@settings(deadline=None)
@given(
    st.integers(12, 120), st.floats(0.01, 0.4), st.floats(0.01, 0.4), st.integers(0, 99), st.sampled_from([1, 2, 3, 7])
)
def test_whole_disjoint_exact_and_stratified(n, dev, test, seed, classes):
    labels = [f"c{i * i % classes}" for i in range(n)]
    done = Split(dev=dev, test=test, seed=seed).divide(made(n, labels))
    parts = ids(done)
    assert set.union(*parts.values()) == {f"id{i}" for i in range(n)}
    assert sum(map(len, parts.values())) == n
    wanted = {"dev": max(1, int(dev * n + 0.5)), "test": max(1, int(test * n + 0.5))}
    assert {name: len(parts[name]) for name in wanted} == wanted
    counts = Counter(labels)
    if "examples by label:" in done.notes[0]:
        for name, many in wanted.items():
            own = Counter(done[name].column("y"))
            assert all(abs(own[c] - counts[c] * many / n) < 1 for c in counts)
    else:
        assert len(counts) == 1 or min(counts.values()) < 3


@settings(deadline=None)
@given(st.integers(10, 60), st.integers(0, 9), st.randoms(use_true_random=False), st.sampled_from(["", "g", "y", "t"]))
def test_the_order_of_the_file_does_not_matter(n, seed, draw, by):
    labels = [i % 3 for i in range(n)] if by == "y" else None
    groups = [f"g{i % 7}" for i in range(n)]
    moments = [i // 2 for i in range(n)]
    split = Split(seed=seed, group="g" if by == "g" else None, time="t" if by == "t" else None)
    order = list(range(n))
    draw.shuffle(order)

    def of(places):
        return made(
            n,
            [labels[i] for i in places] if labels else None,
            ids=[f"id{i}" for i in places],
            groups=[groups[i] for i in places],
            times=[moments[i] for i in places],
        )

    assert ids(split.divide(of(range(n)))) == ids(split.divide(of(order)))


def test_another_seed_and_added_examples():
    one, other = (ids(Split(seed=s).divide(made(200))) for s in (0, 1))
    assert one["dev"] != other["dev"]
    more = ids(Split(dev=30, test=30).divide(made(202)))
    before = ids(Split(dev=30, test=30).divide(made(200)))
    assert len(before["dev"] ^ more["dev"]) <= 8, "two more examples move few others"


def test_stratify_insists_or_does_not():
    rare = ["a"] * 20 + ["b"] * 2
    assert "by chance (not by label: class 'b' has 2 examples, fewer than 3)" in Split().divide(made(22, rare)).notes[0]
    assert "by chance:" in Split(stratify=False).divide(made(20, [i % 2 for i in range(20)])).notes[0]
    with pytest.raises(DataError, match="class 'b' has 2 examples"):
        Split(stratify=True).divide(made(22, rare))
    with pytest.raises(DataError, match=r"data.split.stratify: .*not classes"):
        Split(stratify=True).divide(made(22))
    with pytest.raises(DataError, match="fewer than 5"):
        Split(stratify=True, folds=5).divide(made(22, rare))
    many = [i % 150 for i in range(900)]
    assert "by chance:" in Split().divide(made(900, many)).notes[0]
    assert "by label:" in Split(stratify=True).divide(made(900, many)).notes[0]


def test_groups_are_never_divided():
    groups = [f"patient {i % 23}" for i in range(300)]
    done = Split(group="patient").divide(made(300, groups=groups))
    seen = [set(part.column("groups")) for part in done.parts.values()]
    assert not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]
    assert done.notes[0].startswith("split 300 examples by group 'patient': train ")
    assert abs(len(done["dev"]) - 45) <= 14 and abs(len(done["test"]) - 45) <= 14
    for fold in range(4):
        part = Split(group="patient", folds=4, fold=fold, test=0).divide(made(300, groups=groups))
        assert not set(part["dev"].column("groups")) & set(part["train"].column("groups"))
    with pytest.raises(DataError, match="2 groups of 'patient' are too few for 3 splits"):
        Split(group="patient").divide(made(30, groups=["a", "b"] * 15))
    with pytest.raises(DataError, match="leave out 'group'"):
        Split(group="patient").divide(made(30))


def test_time_puts_the_latest_last():
    moments = [(7 * i) % 40 for i in range(40)]
    done = Split(time="day", dev=5, test=8).divide(made(40, [i % 2 for i in range(40)], times=moments))
    assert set(done["test"].column("times")) == set(range(32, 40))
    assert set(done["dev"].column("times")) == set(range(27, 32))
    assert done.notes == ("split 40 examples by time 'day': train 27, dev 5, test 8",)


@pytest.mark.parametrize("fold_is", ["dev", "test"])
def test_folds_partition(fold_is):
    data = made(53, [i % 3 for i in range(53)])
    runs = [Split(folds=5, fold=f, fold_is=fold_is, dev=0.1, test=0.2).divide(data) for f in range(5)]
    folds = [ids(run)[fold_is] for run in runs]
    union = set.union(*folds)
    assert sum(map(len, folds)) == len(union)
    if fold_is == "dev":
        assert len({frozenset(ids(run)["test"]) for run in runs}) == 1 and len(runs[0]["test"]) == 11
        assert len(union) == 42 and {len(f) for f in folds} == {8, 9}
    else:
        assert len(union) == 53 and {len(f) for f in folds} == {10, 11}
        assert all(len(run["dev"]) == 5 for run in runs)
    for run in runs:
        assert sum(sizes(run).values()) == 53 and len(set.union(*ids(run).values())) == 53
    assert "(fold 1 of 5 is " + fold_is + ", seed 0)" in runs[1].notes[0]


def given_parts(train=100, dev=0, test=0, groups=False):
    parts = {}
    for name, n in (("train", train), ("dev", dev), ("test", test)):
        if n:
            own = [f"g{i % 9}" for i in range(n)] if groups else None
            parts[name] = Examples(
                [f"{name}:{i}" for i in range(n)], list(range(n)), [i % 4 for i in range(n)], groups=own
            )
    return Splits(parts)


def test_parts_that_the_data_gives_stay():
    whole = Split().divide(given_parts(100, 20, 30))
    assert sizes(whole) == {"train": 100, "dev": 20, "test": 30}
    cut = Split(dev=0.2).divide(given_parts(100, 0, 30))
    assert sizes(cut) == {"train": 80, "dev": 20, "test": 30} and ids(cut)["test"] == {f"test:{i}" for i in range(30)}
    assert cut.notes == ("cut dev off train's 100 examples by label: train 80, dev 20, test 30 (seed 0)",)
    assert sizes(Split().divide(given_parts(100, 10))) == {"train": 100, "dev": 10}
    assert sizes(Split().divide(given_parts(100))) == {"train": 85, "dev": 15}
    assert sizes(Split(dev=0).divide(given_parts(100, 0, 5))) == {"train": 100, "test": 5}
    folded = [ids(Split(folds=4, fold=f).divide(given_parts(100, 0, 5)))["dev"] for f in range(4)]
    assert set.union(*folds_of(folded)) == {f"train:{i}" for i in range(100)}
    note = Split(group="g").divide(given_parts(100, 0, 9, groups=True)).notes[0]
    assert "8 groups stand in train and in test as given" in note
    with pytest.raises(DataError, match="test 5 alone"):
        Split().divide(given_parts(0, 0, 5))
    with pytest.raises(DataError, match="folds cannot make test"):
        Split(folds=3, fold_is="test").divide(given_parts(100, 0, 5))
    with pytest.raises(DataError, match="folds cannot make dev"):
        Split(folds=3).divide(given_parts(100, 10))


def folds_of(folds):
    assert sum(map(len, folds)) == 100
    return folds


@pytest.mark.parametrize(
    ("n", "settings_", "message"),
    [
        (2, {}, "there are 2 examples; the split asks for 1 for dev and 1 for test, which leaves none for train"),
        (600, {"dev": 400, "test": 300}, "600 examples; the split asks for 400 for dev and 300 for test"),
        (3, {"folds": 5, "test": 0}, "3 examples cannot make 5 folds"),
        (1, {"dev": 0, "test": 1}, "1 example; the split asks for 1 for test"),
    ],
)
def test_what_cannot_be_divided(n, settings_, message):
    with pytest.raises(DataError, match="data.split.*" + message):
        Split(**settings_).divide(made(n))


@pytest.mark.parametrize(
    ("values", "place", "message"),
    [
        ({"dev": 1.5}, ("dev",), "expected a share (0.15), a number of examples (300), or 0 for none, got 1.5"),
        ({"dev": -1}, ("dev",), "got -1"),
        ({"test": "some"}, ("test",), "got 'some'"),
        ({"test": True}, ("test",), "got true"),
        ({"dev": 0.9}, (), "dev 0.9 and test 0.15 leave nothing for train"),
        ({"group": "a", "time": "b"}, ("time",), "group and time cannot both hold"),
        ({"stratify": True, "time": "b"}, ("time",), "stratify and time"),
        ({"time": "b", "folds": 3}, ("folds",), "a network that saw later examples"),
        ({"fold": 2}, ("fold",), "give folds"),
        ({"folds": 3, "fold": 3}, ("fold",), "fold is 0 to 2, got 3"),
        ({"folds": 1}, ("folds",), "greater than or equal to 2"),
        ({"fold_is": "test"}, ("fold_is",), "with folds alone"),
        ({"shuffel": 1}, ("shuffel",), "unknown key 'shuffel'"),
    ],
)
def test_settings_that_do_not_fit(values, place, message):
    with pytest.raises(ValidationError) as caught:
        Split.model_validate(values)
    [error] = caught.value.errors()
    assert error["loc"] == place and message in error["msg"]


def test_every_default_written_out_is_accepted_again():
    assert Split.model_validate(Split().model_dump()) == Split()


def test_a_manifest_divides_as_before():
    data = made(50)
    before = Split(seed=3).divide(data)
    manifest = {i: name for name, part in before.parts.items() for i in part.ids}
    again = Split(seed=8).divide(data, manifest)
    assert ids(again) == ids(before) and list(again.parts) == ["train", "dev", "test"]
    more = made(53, ids=[f"id{i}" for i in (50, 51, *range(50), 52)])
    later = Split().divide(more, manifest)
    assert ids(later) == ids(before) and later.notes[-1].endswith("; 3 new examples are left out")
    with pytest.raises(DataError, match=r"4 of the 50 examples .* are gone \(ids id.*\): the data has changed"):
        Split().divide(made(46), manifest)
    parts = Split().divide(given_parts(20, 0, 5), {"train:1": "train", "train:2": "train_dev", "test:0": "test"})
    assert ids(parts) == {"train": {"train:1"}, "train_dev": {"train:2"}, "test": {"test:0"}}


def test_fingerprint_is_given_and_does_not_depend_on_the_split():
    data = made(30)
    assert Split(seed=1).divide(data).fingerprint == Split(seed=2).divide(data).fingerprint != ""


@settings(deadline=None, max_examples=30)
@given(st.integers(10, 200), st.integers(3, 20), st.integers(0, 50))
def test_groups_and_labels_together(n, groups, seed):
    assume(n >= 2 * groups)
    own = [f"g{i % groups}" for i in range(n)]
    done = Split(group="g", seed=seed).divide(made(n, [i % 2 for i in range(n)], groups=own))
    where = {}
    for name, part in done.parts.items():
        for group in part.column("groups"):
            assert where.setdefault(group, name) == name
    assert set(done.parts) == {"train", "dev", "test"} and sum(sizes(done).values()) == n


def test_a_hundred_thousand_are_divided_at_once():
    draw = random.Random(0)
    data = made(100_000, [draw.randrange(10) for _ in range(100_000)])
    data = Splits(data.parts, fingerprint="known")
    start = time.perf_counter()
    Split().divide(data)
    assert time.perf_counter() - start < 1.5  # some 0.2 s; the machine may be busy
