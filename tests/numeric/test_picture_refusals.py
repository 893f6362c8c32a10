"""Files that are no pictures, or too large, or badly named: refused or read, and always shown as plain text."""

import os
import struct
import time
import tracemalloc
import unicodedata
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from unprivileged import folder_of_another, unprivileged

from dlspec.numeric.picture_files import check, header, read
from dlspec.numeric.printable import identity, shown
from dlspec.types import DataError


def refusal(path, **options):
    """What `read`, `header` and `check` say alike, in little time and memory."""
    messages = set()
    for task in (read, header, check):
        with warnings.catch_warnings(record=True) as said, pytest.raises(DataError) as caught:
            warnings.simplefilter("always")
            tracemalloc.start()
            began = time.perf_counter()
            task(path, **options)
        took, (_, most) = time.perf_counter() - began, tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert not said and took < 1 and most < 2_000_000
        [complaint] = caught.value.complaints
        assert complaint.where.file == shown(path)
        messages.add(complaint.message)
    [message] = messages
    return message


READ = "expected a picture: JPEG, PNG, GIF, WebP or BMP"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "this file is empty (0 bytes)"),
        (b"hello, I am text\n", f"this is text ('hello, I am text\\n…'); {READ}"),
        ("größer als ein Bild".encode(), f"this is text ('größer als ein Bild…'); {READ}"),
        (b"<!DOCTYPE html><script>alert(1)</script>", f"this is an SVG, XML or HTML file; {READ}"),
        (b"<script>alert(1)</script>", f"this is text ('<script>alert(1)</sc…'); {READ}"),
        (b"II*\0\x08\0\0\0", f"this is a TIFF file; {READ}"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", f"this is a HEIC picture; {READ}"),
        (b"\0\0\0\x1cftypavif\0\0\0\0", f"this is an AVIF picture; {READ}"),
        (b"%PDF-1.7", f"this is a PDF file; {READ}"),
        (bytes(1000), f"this is something else (it begins with 00 00 00 00); {READ}"),
        (b"\x1b[31mred", f"this is something else (it begins with 1b 5b 33 31); {READ}"),
        (b"\xff\xd8\xff", "the head of this JPEG picture is broken or cut short"),
        (b"\x89PNG\r\n\x1a\n", "the head of this PNG picture is broken or cut short"),
        (b"GIF89a", "the head of this GIF picture is broken or cut short"),
        (b"RIFF\0\0\0\0WEBP", "the head of this WebP picture is broken or cut short"),
        (b"BM", "the head of this BMP picture is broken or cut short"),
    ],
)
def test_what_is_no_picture_is_told(tmp_path, content, said):
    file = tmp_path / "photo.jpg"
    file.write_bytes(content)
    assert refusal(str(file)).startswith(said)


def huge(kind, height, width):
    """The beginning of a file that promises so many pixels."""
    if kind == "png":
        head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        data = zlib.compress(bytes(100))
        body = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
        return b"\x89PNG\r\n\x1a\n" + body + struct.pack(">I", len(data)) + b"IDAT" + data + bytes(4)
    if kind == "jpeg":
        frame = struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0"
        return b"\xff\xd8\xff\xc0" + struct.pack(">H", 2 + len(frame)) + frame + b"\xff\xda\0\x08\1\1\0\0\x3f\0"
    if kind == "gif":
        return (
            b"GIF89a"
            + struct.pack("<HHBBB", width, height, 0, 0, 0)
            + b","
            + struct.pack("<HHHHB", 0, 0, width, height, 0)
            + b"\2\0"
        )
    if kind == "bmp":
        return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 0, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    if kind == "webp, extended":
        sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        return b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + sides
    if kind == "webp, lossless":
        bits = (width - 1) | (height - 1) << 14
        return b"RIFF\x16\0\0\0WEBPVP8L\x05\0\0\0\x2f" + struct.pack("<I", bits) + bytes(8)
    assert kind == "webp, lossy"
    return b"RIFF\x16\0\0\0WEBPVP8 \x0a\0\0\0\x30\1\0\x9d\1\x2a" + struct.pack("<HH", width, height) + bytes(4)


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "bmp", "webp, extended", "webp, lossless", "webp, lossy"])
def test_too_many_pixels_are_refused_by_the_head(tmp_path, kind):
    """Also sizes that Pillow itself would only warn of."""
    file = tmp_path / "large"
    for height, width in ((20_000, 20_000), (9_000, 10_000), (16_000, 10_000), (8_001, 8_000)):
        if not kind.startswith("webp, l") or height < 16_384 > width:
            file.write_bytes(huge(kind, height, width))
            said = f"this picture has {height:,} × {width:,} pixels ({height * width / 1e6:,.0f} million); at most 64"
            assert refusal(str(file)).startswith(said)
    small = tmp_path / "small.png"
    Image.new("RGB", (30, 20)).save(small)
    assert "20 × 30 pixels" in refusal(str(small), most_pixels=599)
    assert read(str(small), most_pixels=600).shape == (20, 30, 3)


def test_what_is_no_file(tmp_path):
    (tmp_path / "folder.jpg").mkdir()
    assert refusal(str(tmp_path / "folder.jpg")) == "this is a folder, not a picture"
    assert refusal(str(tmp_path / "none.jpg")) == "cannot be read: No such file or directory"
    (tmp_path / "link.jpg").symlink_to("none.jpg")
    assert refusal(str(tmp_path / "link.jpg")) == "cannot be read: No such file or directory"
    (tmp_path / "self.jpg").symlink_to("self.jpg")
    assert refusal(str(tmp_path / "self.jpg")).startswith("cannot be read: Too many levels of symbolic links")
    os.mkfifo(tmp_path / "pipe.jpg")
    assert refusal(str(tmp_path / "pipe.jpg")) == "this is no regular file"


def test_a_file_that_may_not_be_read():
    with folder_of_another() as home:
        file = home / "secret.png"
        Image.new("RGB", (3, 2)).save(file)
        read(str(file))
        file.chmod(0)
        with unprivileged():
            assert refusal(str(file)) == "cannot be read: Permission denied"


def test_a_refused_permission_is_told(tmp_path, monkeypatch):
    file = tmp_path / "secret.png"
    Image.new("RGB", (3, 2)).save(file)

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(DataError, match=r"secret\.png: cannot be read: Permission denied"):
        read(str(file))


NAMES = [
    (b"caf\xe9.png", "caf\\xe9.png"),
    (b"<script>alert(1)</script>.png".replace(b"/", b":"), "<script>alert(1)<:script>.png"),
    (b"two\nlines.png", "two\\nlines.png"),
    (b"\x1b[31mred.png", "\\x1b[31mred.png"),
    ("right\u202egnp.exe.png".encode(), "right\\u202egnp.exe.png"),
    ("größe 東京 👩‍🔬.png".encode(), "größe 東京 👩‍🔬.png"),
]


@pytest.mark.parametrize(("name", "text"), NAMES)
def test_names_of_every_kind(tmp_path, name, text):
    path = os.fsdecode(os.path.join(os.fsencode(tmp_path), name))
    Image.new("RGB", (3, 2), (1, 2, 3)).save(os.fsencode(path))
    assert read(path).shape == (2, 3, 3)
    with open(path, "wb") as file:
        file.write(b"no picture")
    with pytest.raises(DataError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{tmp_path}/{text}: this is text")
    str(caught.value).encode()


@given(st.one_of(st.binary(max_size=12), st.text(max_size=12).map(lambda text: text.encode("utf-8", "ignore"))))
def test_names_shown_are_printable_text(raw):
    text = shown(os.fsdecode(raw))
    text.encode()
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text)


@given(*[st.lists(st.sampled_from([b"\\", b"x", b"e", b"9", b"\xe9", b"\n", b"n", "é".encode()]), max_size=6)] * 2)
def test_ids_of_two_names_are_two(one, two):
    one, two = (os.fsdecode(b"".join(parts)) for parts in (one, two))
    assert (identity(one) == identity(two)) == (one == two)
    assert identity(unicodedata.normalize("NFD", one)) == identity(one)


def test_pixels_are_not_shared_with_anything(tmp_path):
    file = tmp_path / "a.png"
    Image.new("RGB", (3, 2), (1, 2, 3)).save(file)
    first = read(str(file)).copy()
    np.testing.assert_array_equal(read(str(file)), first)
