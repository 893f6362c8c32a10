"""What holds for every reader: stable ids, whole splits, a fingerprint, the same on every reading."""

import numpy as np
import pytest
from contracts.samples import reader

from dlspec.recipe.component import names
from dlspec.types import DataError, Examples

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
    assert np.array_equal(taken[1].x, first.x) and taken[1].y == first.y
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


def test_another_seed_splits_otherwise(one):
    other = one.model_copy(update={"split": one.split.model_copy(update={"seed": 7})})
    assert other.read()["train"].ids != one.read()["train"].ids


def test_files_and_endings(one, tmp_path):
    if one.files():
        assert all(str(tmp_path) in file for file in one.files())
        again = one.at(one.path)
        assert type(again) is type(one) and again.load().parts.keys() == one.load().parts.keys()
    else:
        with pytest.raises(DataError, match=one.name):
            one.at(str(tmp_path / "x"))
