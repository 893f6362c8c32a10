"""Picture files are read right, or refused by name: every format, mode and kind of damage."""

import io
import os
import struct
import tempfile
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from dlspec.numeric.picture_files import check, header, read, read_twice, size
from dlspec.numeric.printable import shown
from dlspec.types import DataError

COLOURS = np.random.default_rng(0).integers(0, 256, (7, 5, 4), dtype=np.uint8)
RGB = Image.fromarray(COLOURS[..., :3])
GREY = Image.fromarray(COLOURS[..., 0])
SMOOTH = Image.fromarray(np.add.outer(np.arange(0, 120, 2), np.arange(0, 120, 3)).astype(np.uint8)).convert("RGB")


def packed(image, kind, **options):
    held = io.BytesIO()
    image.save(held, kind, **options)
    return held.getvalue()


def refused(path):
    """The one complaint that both `read` and, where it can know, `check` make; `check` may not be the harsher one."""
    with pytest.raises(DataError) as caught:
        read(path)
    [complaint] = caught.value.complaints
    assert complaint.where.file == shown(path) and "\n" not in str(complaint)
    str(complaint).encode()
    with pytest.raises(DataError):
        check(path)
    return complaint.message


def whole(path):
    """The pixels, which have the shape that the head promises."""
    pixels, head = read(path), header(path)
    assert pixels.dtype == np.uint8 and pixels.shape == head[:3] == check(path)[:3]
    assert size(path) == pixels.shape[:2]
    return pixels


@pytest.fixture
def write(tmp_path):
    def writer(data, name="picture.jpg"):
        file = tmp_path / name
        file.write_bytes(data if isinstance(data, bytes) else packed(*data))
        return str(file)

    return writer


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_lossless_formats_give_the_pixels_back(write, kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    if kind == "TIFF":
        assert "this is a TIFF file; expected a picture: JPEG" in refused(write((RGB, kind)))
        return
    np.testing.assert_array_equal(whole(write(packed(RGB, kind, **options))), COLOURS[..., :3])
    if kind != "WEBP":
        np.testing.assert_array_equal(whole(write((GREY, kind))), COLOURS[..., :1])


def test_jpeg_and_gif(write):
    near = whole(write(packed(SMOOTH, "JPEG", quality=95)))
    assert np.abs(near.astype(int) - np.asarray(SMOOTH)).max() <= 4
    assert whole(write((SMOOTH.convert("L"), "JPEG"))).shape == (60, 40, 1)
    quantized = SMOOTH.quantize(64)
    np.testing.assert_array_equal(whole(write((quantized, "GIF"))), np.asarray(quantized.convert("RGB")))
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
    for grey in (GREY, ramp):
        np.testing.assert_array_equal(whole(write((grey, "GIF"))), np.asarray(grey.convert("RGB")))


@pytest.mark.parametrize(
    "options",
    [
        {"quality": 30, "subsampling": "4:2:0"},
        {"quality": 95, "subsampling": "4:2:2"},
        {"quality": 100, "subsampling": "4:4:4"},
        {"progressive": True, "optimize": True},
        {"restart_marker_rows": 1},
        {"keep_rgb": True},
    ],
)
@pytest.mark.parametrize("image", [SMOOTH, RGB, SMOOTH.convert("L"), SMOOTH.crop((3, 5, 20, 22))])
def test_jpeg_gives_the_same_bits_as_pillow(write, image, options):
    if image.mode == "L":
        options = {key: value for key, value in options.items() if key not in ("subsampling", "keep_rgb")}
    data = packed(image, "JPEG", **options)
    pixels = np.asarray(Image.open(io.BytesIO(data)))
    np.testing.assert_array_equal(whole(write(data)), pixels if pixels.ndim == 3 else pixels[..., None])
    trailed = whole(write(data + b"\0" * 100))  # as some cameras do; Pillow decodes it
    np.testing.assert_array_equal(trailed, pixels if pixels.ndim == 3 else pixels[..., None])


def test_palettes_and_single_bits(write):
    palette = RGB.quantize(16)
    for kind in ("PNG", "BMP"):
        np.testing.assert_array_equal(whole(write((palette, kind))), np.asarray(palette.convert("RGB")))
        bits = whole(write((GREY.convert("1"), kind)))
        assert bits.shape[2] in (1, 3) and set(np.unique(bits)) <= {0, 255}


def test_cmyk_becomes_rgb(write):
    image = Image.new("CMYK", (40, 30), (0, 255, 255, 0))
    pixels = whole(write(packed(image, "JPEG", quality=100)))
    assert pixels.shape == (30, 40, 3)
    assert np.abs(pixels.astype(int) - [255, 0, 0]).max() <= 3


def test_transparency_lies_over_white(write):
    # 128/255 of red over white: green and blue 255 · 127/255 = 127.
    red = Image.new("RGBA", (3, 2), (255, 0, 0, 128))
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True})):
        np.testing.assert_array_equal(whole(write(packed(red, kind, **options)))[0, 0], [255, 127, 127])
    assert whole(write((Image.new("LA", (3, 2), (0, 128)), "PNG")))[0, 0].tolist() == [127]
    clear = Image.new("RGBA", (3, 2), (9, 9, 9, 0))
    assert (whole(write((clear, "PNG"))) == 255).all()


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_transparent_colour_lies_over_white(write, kind):
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 200, 100, 50])
    palette.putdata([0, 1])
    pixels = whole(write(packed(palette, kind, transparency=1)))
    assert pixels.tolist() == [[[10, 20, 30], [255, 255, 255]]]
    if kind == "PNG":
        grey = Image.fromarray(np.array([[7, 9]], np.uint8))
        assert whole(write(packed(grey, kind, transparency=9))).tolist() == [[[7], [255]]]
        colour = Image.fromarray(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8))
        assert whole(write(packed(colour, kind, transparency=(4, 5, 6)))).tolist() == [[[1, 2, 3], [255, 255, 255]]]


def test_sixteen_bits_become_the_upper_eight(write):
    wide = np.array([[0, 257, 257 * 128, 65535], [255, 256, 511, 65279]], np.uint16)
    pixels = whole(write((Image.fromarray(wide), "PNG")))
    assert pixels[..., 0].tolist() == [[0, 1, 128, 255], [0, 1, 1, 254]]
    # Sixteen bits of red, green and blue, written by hand, as Pillow writes none.
    rows = np.array([[[0, 65535, 257 * 9]]], ">u2").tobytes()
    pixels = whole(write(png((1, 1), b"\0" + rows, depth=16, colours=2)))
    assert pixels.tolist() == [[[0, 255, 9]]]


def png(by, rows, depth=8, colours=2):
    """A PNG by hand: height and width, filtered rows."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = by
    head = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_an_animation_the_first_frame(write, kind):
    frames = [Image.new("RGB", (6, 4), colour) for colour in ((250, 0, 0), (0, 250, 0), (0, 0, 250))]
    options = {"lossless": True} if kind == "WEBP" else {}
    pixels = whole(write(packed(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, **options)))
    assert (pixels == [250, 0, 0]).all() and pixels.shape == (4, 6, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF", "WEBP"])
def test_one_pixel(write, kind):
    assert (
        whole(write((Image.new("RGB", (1, 1), (255, 255, 255)), kind))).tolist() == [[[255, 255, 255]]] or kind == "GIF"
    )
    assert header(write((Image.new("RGB", (1, 1)), kind)))[:2] == (1, 1)


def exif(value, order="<", before=b""):
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, value, 0)
    count = len(before) // 12 + 1
    return b"Exif\0\0" + mark + struct.pack(order + "IH", 8, count) + before + entry + b"\0\0\0\0"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("kind", "order"), [("JPEG", "<"), ("JPEG", ">"), ("PNG", "<"), ("WEBP", ">")])
def test_exif_orientation_is_applied(write, kind, order, orientation):
    options = {"lossless": True} if kind == "WEBP" else {}
    data = packed(RGB, kind, exif=exif(orientation, order), **options)
    pixels = whole(write(data))
    np.testing.assert_array_equal(pixels, np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data)))))
    assert pixels.shape[:2] == ((5, 7) if orientation >= 5 else (7, 5))


@pytest.mark.parametrize(
    "broken",
    [
        b"Exif\0\0",
        b"Exif\0\0II*\0",
        b"Exif\0\0nonsense and more of it",
        b"Exif\0\0II*\0\xff\xff\xff\x7f",
        exif(6)[:-8],
        exif(0),
        exif(9),
        exif(6).replace(b"\x12\x01\x03\0", b"\x12\x01\x05\0"),
    ],
)
def test_a_broken_exif_block_changes_nothing(write, broken):
    pixels = whole(write(packed(RGB, "JPEG", exif=broken)))
    np.testing.assert_array_equal(pixels, whole(write((RGB, "JPEG"))))


def test_another_broken_exif_entry_does_not_hide_the_orientation(write):
    broken = struct.pack("<HHII", 0x010F, 2, 0xFFFFFF, 0xFFFFFFF0)
    assert whole(write(packed(RGB, "JPEG", exif=exif(6, before=broken)))).shape == (5, 7, 3)


WHOLE = {
    "jpeg": packed(SMOOTH, "JPEG", quality=60),
    "progressive": packed(SMOOTH, "JPEG", quality=60, progressive=True, exif=exif(6)),
    "png": packed(RGB, "PNG"),
    "palette": packed(RGB.quantize(8), "PNG", transparency=1),
    "gif": packed(SMOOTH.quantize(16), "GIF"),
    "webp": packed(SMOOTH, "WEBP", quality=50),
    "lossless": packed(RGB, "WEBP", lossless=True),
    "bmp": packed(RGB, "BMP"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_every_shortened_file_is_refused_or_whole(write, name):
    """`check` knows of every cut that `read` stumbles over; whatever is cut off the first half is refused."""
    data, failed = WHOLE[name], 0
    right = read(write(data))
    for length in {*range(0, len(data), max(1, len(data) // 60)), *range(len(data) - 30, len(data))}:
        path = write(data[:length])
        try:
            pixels = read(path)
        except DataError as error:
            failed += 1
            assert error.complaints[0].where.file == path
            with pytest.raises(DataError):
                check(path)
        else:
            assert length > len(data) / 2, f"{length} of {len(data)} bytes were taken for a picture"
            assert pixels.shape == right.shape == check(path)[:3]
    assert failed > 30


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_damaged_bytes_give_a_picture_or_a_refusal(name, data):
    changed = bytearray(WHOLE[name])
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(changed) - 1))
        changed[place] = data.draw(st.integers(0, 255))
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(changed)
        file.flush()
        try:
            pixels = read(file.name, most_pixels=10_000_000)
        except DataError as error:
            assert error.complaints[0].message and error.complaints[0].where.file == file.name
        else:
            assert pixels.dtype == np.uint8
            assert header(file.name, most_pixels=10_000_000)[:3] == pixels.shape


def test_what_is_read_twice_comes_from_its_file_once(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    for name in "ab":
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    first, other = str(tmp_path / "a.png"), str(tmp_path / "b.png")
    with read_twice(pixels.nbytes):
        assert np.array_equal(read(first), pixels)
        read(other)  # there is no room for it beside the first
        for file in (first, other):
            os.unlink(file)
        assert np.array_equal(read(first), pixels)
        for file in (first, other):
            with pytest.raises(DataError, match="No such file"):
                read(file)
    Image.fromarray(255 - pixels).save(first)
    assert np.array_equal(read(first), 255 - pixels)
