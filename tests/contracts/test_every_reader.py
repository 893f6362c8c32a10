"""What holds for every reader: stable ids, whole splits, a fingerprint, the same on every reading."""

import numpy as np
import pytest
from contracts.samples import reader

from dlspec.recipe.component import names
from dlspec.types import DataError, Examples

IN_TIME = {"time_series"}
"""readers that divide by time alone, whatever the seed; another file of theirs is not divided"""
KINDS = ("table", "picture", "text", "series", "sound")


@pytest.fixture(params=names("data"))
def one(request, tmp_path):
    return reader(request.param, tmp_path)


def test_splits_are_whole_disjoint_and_the_same_again(one):
    splits = one.read()
    again = one.read()
    assert "train" in splits and "dev" in splits
    ids = [i for part in splits.parts.values() for i in part.ids]
    assert len(set(ids)) == len(ids) and all(isinstance(i, str) and i for i in ids)
    assert {name: part.ids for name, part in splits.parts.items()} == {n: p.ids for n, p in again.parts.items()}
    assert splits.fingerprint and splits.fingerprint == again.fingerprint
    loaded = one.load()
    assert len(ids) == sum(len(part) for part in loaded.parts.values())


def test_examples_are_what_the_contract_says(one):
    assert one.kind in KINDS
    part = one.read()["train"]
    assert isinstance(part, Examples) and part.labelled
    first = part[0]
    assert first.y is not None and first.x is not None
    taken = part.take([2, 0])
    assert taken.ids == [part.ids[2], part.ids[0]]
    assert np.array_equal(taken[1].x, first.x) and np.array_equal(taken[1].y, first.y)
    assert all(isinstance(note, str) for note in one.read().notes)


def test_a_manifest_gives_the_same_splits_and_tells_what_is_gone(one):
    splits = one.read()
    manifest = {i: name for name, part in splits.parts.items() for i in part.ids}
    by_manifest = one.read(manifest)
    assert {n: sorted(p.ids) for n, p in by_manifest.parts.items()} == {
        n: sorted(p.ids) for n, p in splits.parts.items()
    }
    with pytest.raises(DataError, match="no-such-id"):
        one.read({**manifest, "no-such-id": "train"})


def test_truth_may_be_absent_for_prediction(one):
    parts = one.load(truth=False).parts
    assert sum(map(len, parts.values()))


def test_some_of_train_is_set_aside_and_some_of_dev_goes_over(one):
    before = one.read()
    other = one.model_copy(update={"train_dev": 2, "dev_to_train": 1})
    splits = other.read()
    ids = {name: set(part.ids) for name, part in splits.parts.items()}
    assert len(ids["train_dev"]) == 2 and ids["train_dev"] <= set(before["train"].ids)
    assert ids["dev"] < set(before["dev"].ids) and len(ids["dev"]) == len(before["dev"]) - 1
    assert ids["train"] == set(before["train"].ids) - ids["train_dev"] | set(before["dev"].ids) - ids["dev"]
    assert splits.fingerprint == before.fingerprint and "as train_dev" in splits.notes[-1]
    manifest = {i: name for name, part in splits.parts.items() for i in part.ids}
    again = other.read(manifest)
    assert {name: set(part.ids) for name, part in again.parts.items()} == ids
    assert list(splits.parts) == [name for name in ("train", "train_dev", "dev", "test") if name in splits]
    place = {one: row for row, one in enumerate(splits["train"].ids)}
    for row, name in enumerate(again["train"].ids):
        mine, was = again["train"][row], splits["train"][place[name]]
        assert np.array_equal(mine.y, was.y) and np.array_equal(mine.x, was.x)


def test_another_seed_splits_otherwise(one):
    other = one.model_copy(update={"split": one.split.model_copy(update={"seed": 7})})
    assert (other.read()["train"].ids != one.read()["train"].ids) == (one.name not in IN_TIME)


def test_files_and_endings(one, tmp_path):
    if one.files():
        assert all(str(tmp_path) in file for file in one.files())
    if hasattr(one, "path"):
        again = one.at(one.path)
        parts = again.load().parts.keys()
        assert type(again) is type(one) and parts == ({"all"} if one.name in IN_TIME else one.load().parts.keys())
    elif not one.files():
        with pytest.raises(DataError, match=one.name):
            one.at(str(tmp_path / "x"))


def test_what_it_recognizes_makes_a_recipe_that_reads_the_same(one, tmp_path, monkeypatch):
    """`init` asks each reader of files; what it proposes is its own, and as much as it reads itself."""
    from dlspec.recipe.load import load
    from dlspec.runs.init import init

    monkeypatch.chdir(tmp_path)
    if not hasattr(one, "path"):
        assert type(one).recognize(str(tmp_path)) is None
        return
    proposal = type(one).recognize(one.path)
    assert proposal is not None, f"'{one.name}' knows not what it reads itself"
    assert proposal.facts.kind in KINDS and proposal.facts.examples > 0 and proposal.facts.outputs >= 1
    assert proposal.task[0].key == "name" and proposal.seen
    result = init(one.path, out="r.yaml")
    assert result["data"]["name"] == one.name, "another reader claims more of its files"
    written = load("r.yaml").recipe.data
    loaded, read = one.load().parts, written.load().parts
    assert {name: len(part) for name, part in read.items()} == {name: len(part) for name, part in loaded.items()}
    assert result["notes"] and result["model"]["name"]


def test_it_passes_over_what_is_not_its_own(one, tmp_path):
    """On foreign files it says None or what is wrong, and never fails."""
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / "noise.bin").write_bytes(bytes(range(256)) * 4)
    (strange / "notes.md").write_text("# notes")
    (strange / "empty").touch()
    (strange / "odd.npz").write_bytes(b"PK")
    (strange / "odd.csv").write_bytes(b"\xff\xfe")
    for path in (strange, *sorted(strange.iterdir())):
        try:
            assert type(one).recognize(str(path)) is None
        except DataError as error:
            assert str(error)
