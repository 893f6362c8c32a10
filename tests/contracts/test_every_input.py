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


def some(values, places):
    return [values[i] for i in places] if isinstance(values, list) else values[places]


def same(one, other, **tolerance):
    """Arrays, or lists of ragged ones, that are alike."""
    assert type(one) is type(other) and len(one) == len(other)
    for a, b in zip(one, other, strict=True) if isinstance(one, list) else [(one, other)]:
        np.testing.assert_allclose(a, b, **(tolerance or {"rtol": 0}))


def test_state_is_json_and_shapes_are_those_of_the_arrays(one):
    data, state = prepared(one)
    arrays = one.finish(one.encode(data, state), state)
    assert state["shapes"] and set(state["shapes"]) <= set(arrays)
    for name, spec in state["shapes"].items():
        wanted = [side or found for side, found in zip(spec["shape"], arrays[name].shape[1:], strict=True)]
        assert arrays[name].shape == (len(data), *wanted) and arrays[name].dtype == spec["dtype"]
        assert np.isfinite(arrays[name]).all()
        if "sizes" in spec:
            assert (arrays[name] >= 0).all() and (arrays[name] < np.array(spec["sizes"])).all()
        if "vocabulary" in spec:
            assert (arrays[name] >= 0).all() and (arrays[name] < spec["vocabulary"]).all()
    assert all(isinstance(note, str) for note in state["notes"])


def test_encoding_is_pure(one):
    data, state = prepared(one)
    whole = one.encode(data, state)
    again = one.encode(data.take([5, 2]), state)
    for name in state["shapes"]:
        same(again[name], some(whole[name], [5, 2]), rtol=1e-6)
        same(one.encode(data, state)[name], whole[name])
    assert state == prepared(one)[1]


def test_the_default_augmentation_changes_nothing_and_depends_on_the_seed_alone(one):
    data, state = prepared(one)
    batch = one.encode(data, state)
    seeds = np.arange(len(data), dtype=np.uint64)
    whole = {"input": state, "task": {}}
    first, second = (one.augmented(dict(batch), seeds, whole) for _ in range(2))
    for name in state["shapes"]:
        same(first[name], second[name])
        same(first[name], batch[name])


def test_lengths_are_those_of_the_rows_and_padding_is_zero(one):
    data, state = prepared(one)
    batch = one.encode(data, state)
    lengths = one.lengths(batch)
    open_ended = [name for name, spec in state["shapes"].items() if None in spec["shape"]]
    assert (lengths is not None) == bool(open_ended)
    for name in open_ended:
        assert lengths.tolist() == [len(row) for row in batch[name]] and len(set(lengths.tolist())) > 1
        whole = one.finish(batch, state)[name]
        for row, padded, length in zip(batch[name], whole, lengths, strict=True):
            np.testing.assert_array_equal(padded[:length], row)
            assert not padded[length:].any()


def test_an_example_can_be_shown(one):
    data, _ = prepared(one)
    shown = one.show(data[0])
    assert isinstance(shown, Rendering) and shown.content is not None


def test_facts_are_one_value_an_example_and_named(one):
    data, state = prepared(one)
    facts = one.facts(data, state)
    assert facts and all(isinstance(name, str) and name for name in facts)
    few = one.facts(data.take([5, 2]), state)
    assert list(few) == list(facts)
    for name, values in facts.items():
        assert values.shape == (len(data),) and values.dtype.kind in "fO"
        if values.dtype.kind == "f":
            np.testing.assert_allclose(few[name], values[[5, 2]])
        else:
            assert all(value is None or isinstance(value, str) for value in values)
            assert few[name].tolist() == values[[5, 2]].tolist()
    assert one.facts_of is None or one.facts_of >= 1_000


def test_parts_shuffle_on_their_own(one):
    data, state = prepared(one)
    whole = one.encode(data, state)
    for part in one.parts(state):
        straight = one.encode(one.shuffled(data, part, np.arange(len(data)), state), state)
        other = one.encode(one.shuffled(data, part, np.arange(len(data))[::-1], state), state)
        changed = []
        for name in state["shapes"]:
            np.testing.assert_array_equal(straight[name], whole[name])
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
            same(array, whole[name], rtol=1e-6)
