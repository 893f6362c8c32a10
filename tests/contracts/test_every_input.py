"""What holds for every input: fitted on train alone, JSON state, pure encoding that no batch or order changes."""

import json

import numpy as np
import pytest
from contracts.samples import examples

from dlspec.recipe.component import find, names
from dlspec.types import Rendering


@pytest.fixture(params=names("inputs"))
def one(request):
    return find("inputs", request.param)()


def prepared(one):
    data = examples(one.kind, "classification")
    state = json.loads(json.dumps(one.prepare(data)))
    return data, state


def test_state_is_json_and_shapes_are_those_of_the_arrays(one):
    data, state = prepared(one)
    arrays = one.finish(one.encode(data, state), state)
    assert state["shapes"] and set(state["shapes"]) <= set(arrays)
    for name, spec in state["shapes"].items():
        assert arrays[name].shape == (len(data), *spec["shape"]) and arrays[name].dtype == spec["dtype"]
        assert np.isfinite(arrays[name]).all()
        if "sizes" in spec:
            assert (arrays[name] >= 0).all() and (arrays[name] < np.array(spec["sizes"])).all()
    assert all(isinstance(note, str) for note in state["notes"])


def test_encoding_is_pure(one):
    data, state = prepared(one)
    whole = one.encode(data, state)
    again = one.encode(data.take([5, 2]), state)
    for name in state["shapes"]:
        np.testing.assert_allclose(again[name], whole[name][[5, 2]], rtol=1e-6)
        np.testing.assert_array_equal(one.encode(data, state)[name], whole[name])
    assert state == prepared(one)[1]


def test_the_default_augmentation_changes_nothing_and_depends_on_the_seed_alone(one):
    data, state = prepared(one)
    batch = one.encode(data, state)
    seeds = np.arange(len(data), dtype=np.uint64)
    whole = {"input": state, "task": {}}
    first, second = (one.augmented(dict(batch), seeds, whole) for _ in range(2))
    for name in state["shapes"]:
        np.testing.assert_array_equal(first[name], second[name])
        np.testing.assert_array_equal(first[name], batch[name])


def test_an_example_can_be_shown(one):
    data, _ = prepared(one)
    shown = one.show(data[0])
    assert isinstance(shown, Rendering) and shown.content is not None


def test_facts_are_one_value_an_example_and_named(one):
    data, state = prepared(one)
    facts = one.facts(data, state)
    assert facts and all(isinstance(name, str) and name for name in facts)
    some = one.facts(data.take([5, 2]), state)
    assert list(some) == list(facts)
    for name, values in facts.items():
        assert values.shape == (len(data),) and values.dtype.kind in "fO"
        if values.dtype.kind == "f":
            np.testing.assert_allclose(some[name], values[[5, 2]])
        else:
            assert all(value is None or isinstance(value, str) for value in values)
            assert some[name].tolist() == values[[5, 2]].tolist()
    assert one.facts_of is None or one.facts_of >= 1_000


def test_parts_shuffle_on_their_own(one):
    data, state = prepared(one)
    whole = one.encode(data, state)
    for part in one.parts(state):
        same = one.encode(one.shuffled(data, part, np.arange(len(data)), state), state)
        other = one.encode(one.shuffled(data, part, np.arange(len(data))[::-1], state), state)
        changed = []
        for name in state["shapes"]:
            np.testing.assert_array_equal(same[name], whole[name])
            changed.append(not np.array_equal(other[name], whole[name]))
        assert any(changed)
        for name in state["shapes"]:
            np.testing.assert_array_equal(one.encode(data, state)[name], whole[name])


def test_what_a_python_caller_hands_over(one):
    data, state = prepared(one)
    whole = one.encode(data, state)
    handed = [data[i].x for i in range(len(data))]
    outside = one.outside(handed, state)
    assert len(outside) == len(data) and not outside.labelled
    for name, array in one.encode(outside, state).items():
        if name in state["shapes"]:
            np.testing.assert_allclose(array, whole[name], rtol=1e-6)
