"""Masks as files, arrays, packed bytes and texts."""

import numpy as np
import pytest
from PIL import Image

from dlspec.numeric.masks import IGNORED, Mask, PackedMasks, from_text, mask_of, near_edges, to_text
from dlspec.types import DataError, UnreadableError

random = np.random.default_rng(0)


def test_texts_and_back():
    assert to_text(np.array([[0, 0, 0], [0, 1, 0]])) == "2x3:0*4,1,0"
    for shape in ((2, 3), (1, 1), (13, 40)):
        mask = random.choice([0, 1, 2, 255], shape).astype(np.uint8)
        assert np.array_equal(from_text(to_text(mask)), mask)
    for wrong in ("2x3:0*5", "cat", "2x3:a*6", "2:0*2", ""):
        with pytest.raises(ValueError):
            from_text(wrong)


def test_packed_masks_are_what_they_were():
    masks = [random.integers(0, 9, shape).astype(np.uint8) for shape in ((5, 4), (1, 7), (30, 2))]
    packed = PackedMasks(masks)
    assert len(packed) == 3 and all(np.array_equal(a, b) for a, b in zip(packed, masks, strict=True))
    assert np.array_equal(packed[1:][0], masks[1])


@pytest.mark.parametrize("kind", ["grey", "palette", "colours"])
def test_files_of_every_kind_are_the_same_mask(tmp_path, kind):
    wanted = random.choice([0, 1, IGNORED], (9, 11)).astype(np.uint8)
    file = tmp_path / "mask.png"
    if kind == "colours":
        colours = np.zeros((256, 3), np.uint8)
        colours[1], colours[IGNORED] = (200, 30, 0), (255, 255, 255)
        Image.fromarray(colours[wanted]).save(file)
        mask = Mask(str(file), ("ground", "cat"), ((0, 0, 0), (200, 30, 0)), ((255, 255, 255),))
    else:
        image = Image.fromarray(wanted)
        if kind == "palette":
            image = Image.frombytes("P", image.size, wanted.tobytes())
            image.putpalette([i for k in range(256) for i in (k, 255 - k, 7)])
        image.save(file)
        mask = Mask(str(file), ("ground", "cat"))
    assert np.array_equal(mask.read(), wanted) and np.array_equal(mask_of(mask), wanted)


def test_other_values_than_indices():
    values = np.array([[10, 20], [20, 99]])
    mask = Mask(values, ("a", "b"), (10, 20), (99,))
    assert mask.read().tolist() == [[0, 1], [1, 255]]
    assert mask == Mask(values.copy(), ("a", "b"), (10, 20), (99,)) and mask != Mask(values, ("b", "a"), (10, 20))


def test_values_that_stand_for_nothing(tmp_path):
    with pytest.raises(DataError, match="3 pixels have values that stand for no class: 3, 7; known are a, b"):
        Mask(np.array([[0, 3], [7, 7]]), ("a", "b")).read()
    Image.fromarray(np.full((2, 2, 3), (9, 8, 7), np.uint8)).save(tmp_path / "m.png")
    mask = Mask(str(tmp_path / "m.png"), ("a", "b"), ((0, 0, 0), (1, 1, 1)))
    with pytest.raises(DataError, match=r"m\.png.*no class: \[9, 8, 7\]"):
        mask.read()
    (tmp_path / "n.png").write_bytes(b"no picture")
    with pytest.raises(UnreadableError, match=r"n\.png.*cannot be read"):
        Mask(str(tmp_path / "n.png"), ("a",)).read()
    with pytest.raises(DataError, match="got shape"):
        Mask(np.zeros((2, 2, 3)), ("a",)).read()


def test_near_edges():
    mask = np.zeros((7, 7), np.uint8)
    mask[3:, :] = 1
    assert near_edges(mask, 1)[:, 0].tolist() == [False, False, True, True, False, False, False]
    assert near_edges(mask, 2)[:, 0].tolist() == [False, True, True, True, True, False, False]
    assert not near_edges(mask, 0).any()
