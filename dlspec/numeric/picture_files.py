"""Picture files (JPEG, PNG, BMP, GIF, WebP) as bytes of grey or of red, green and blue; broken ones are named."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from PIL import BmpImagePlugin, GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from dlspec.numeric.opencv import cv2
from dlspec.numeric.picture_formats import HEAD, format_of, looks_whole, orientation, webp_size, what_else
from dlspec.numeric.printable import shown
from dlspec.types import Place, UnreadableError

MOST_PIXELS = 64_000_000
"""pictures of more pixels are refused before they are decoded"""


class _Jpeg(JpegImagePlugin.JpegImageFile):
    """Without the look into EXIF for dots per inch, which warns of every broken entry there."""

    def getexif(self) -> Image.Exif:
        return Image.Exif()


_PLUGINS: dict[str, Any] = {
    "JPEG": _Jpeg,
    "PNG": PngImagePlugin.PngImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
}
_TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels, 2).swapaxes(0, 1),
    8: np.rot90,
}

# The size is checked here, with a bound of our own; Pillow's warnings would only say it again, without the file.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", message="Invalid APNG", category=UserWarning)


class Header(NamedTuple):
    """What a picture's head says of the array that `read` makes of it."""

    height: int
    width: int
    channels: int
    format: str


class _Held:
    """Pictures that have been read once and are to be read once more, of so many bytes at most."""

    def __init__(self, most: int) -> None:
        self.most, self.bytes, self.pictures, self.lock = most, 0, dict[str, np.ndarray](), threading.Lock()

    def taken(self, path: str) -> np.ndarray | None:
        with self.lock:
            found = self.pictures.pop(path, None)
            self.bytes -= 0 if found is None else found.nbytes
            return found

    def keep(self, path: str, pixels: np.ndarray) -> None:
        with self.lock:
            if path not in self.pictures and self.bytes + pixels.nbytes <= self.most:
                self.pictures[path] = pixels
                self.bytes += pixels.nbytes


_held: _Held | None = None


@contextlib.contextmanager
def read_twice(most: int) -> Iterator[None]:
    """Within, what `read` gives is kept for the next that reads the same path, and is that one's alone then.

    most: bytes that are kept; what is beyond that is read from its file again.
    """
    global _held
    before, _held = _held, _Held(most)
    try:
        yield
    finally:
        _held = before


def read(path: str, *, most_pixels: int = MOST_PIXELS) -> np.ndarray:
    """The picture as uint8 (H, W, 1) where the file is grey, (H, W, 3) red, green, blue otherwise.

    Turned as its EXIF orientation says.  Transparency is laid over white.  Palettes, GIF and CMYK become RGB; 16 bits
    become the upper 8, as PNG readers do; of an animation, the first frame.  Colour profiles are not applied.
    Raises UnreadableError that names the file where it cannot be read, is no such picture, is broken or cut short, or
    has more than `most_pixels` pixels (then nothing is decoded).
    """
    held = _held
    pixels = held.taken(path) if held else None
    if pixels is None:
        pixels = _read(path, most_pixels)
        if held:
            held.keep(path, pixels)
    return pixels


def _read(path: str, most_pixels: int) -> np.ndarray:
    with _file(path) as file:
        try:
            data = file.read()
        except OSError as error:
            raise _refused(path, f"cannot be read: {error.strerror}") from None
    image = _opened(path, io.BytesIO(data), data[:HEAD], most_pixels)
    turn = orientation(image.info.get("exif", b""))
    pixels = _quickly(image, data)
    if pixels is None:
        try:
            pixels = _plain(image)
        except Exception as error:  # over broken bytes Pillow raises errors of nearly every kind
            message = f"this {format_of(data)} picture is broken or cut short ({_reason(error)})"
            raise _refused(path, message) from None
    pixels = pixels if turn == 1 else np.ascontiguousarray(_TURNS[turn](pixels))
    return pixels[..., None] if pixels.ndim == 2 else pixels


def size(path: str) -> tuple[int, int]:
    """Height and width, from the head of the file alone.  Raises UnreadableError as `header` does."""
    return header(path)[:2]


def header(path: str, *, most_pixels: int = MOST_PIXELS) -> Header:
    """Height, width and channels as `read` would give them, from the head of the file alone.

    Raises UnreadableError as `read` does, but for broken pixels.
    """
    with _file(path) as file:
        return _described(_opened(path, file, file.read(HEAD), most_pixels))


def check(path: str, *, most_pixels: int = MOST_PIXELS) -> Header:
    """The header of a picture that is probably whole: its head is right, and it ends as such a file ends.

    A file that ends otherwise is decoded to be sure.  Raises UnreadableError as `read` does; damage in the middle of a
    file that has a proper end is found by `read` alone.
    """
    with _file(path) as file:
        head = file.read(HEAD)
        found = _described(_opened(path, file, head, most_pixels))
        length = file.seek(0, os.SEEK_END)
        file.seek(max(0, length - HEAD))
        tail = file.read()
    if not looks_whole(found.format, head, tail, length):
        read(path, most_pixels=most_pixels)
    return found


def _file(path: str) -> BinaryIO:
    try:
        # open() would wait for a named pipe.
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            raise _refused(path, "this is a folder, not a picture" if stat.S_ISDIR(mode) else "this is no regular file")
        return open(path, "rb")
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror}") from None


def _opened(path: str, file: BinaryIO, head: bytes, most_pixels: int) -> Any:
    """Pillow's image, its head read and its pixels not.  The plugins are asked directly: `Image.open` would warn."""
    name = format_of(head)
    if name is None:
        raise _refused(path, what_else(head))
    if name == "WebP":  # Pillow makes room for the pixels when it opens one
        _bounded(path, *webp_size(head), most_pixels)
    file.seek(0)
    try:
        image = _PLUGINS[name](file)
        width, height = image.size
    except Exception as error:  # as in `load`
        raise _refused(path, f"the head of this {name} picture is broken or cut short ({_reason(error)})") from None
    _bounded(path, height, width, most_pixels)
    return image


def _bounded(path: str, height: int, width: int, most_pixels: int) -> None:
    if height * width > most_pixels:
        raise _refused(
            path,
            f"this picture has {height:,} × {width:,} pixels ({height * width / 1e6:,.0f} million); "
            f"at most {most_pixels / 1e6:,.0f} million are read; make it smaller",
        )


def _described(image: Any) -> Header:
    width, height = image.size
    if orientation(image.info.get("exif", b"")) >= 5:
        height, width = width, height
    # A GIF is colours out of a palette; where those happen to be 0 to 255 in order, Pillow calls it grey.
    grey = image.format != "GIF" and (image.mode in ("1", "L", "LA") or image.mode.startswith("I"))
    return Header(height, width, 1 if grey else 3, "WebP" if image.format == "WEBP" else image.format)


def _quickly(image: Any, data: bytes) -> np.ndarray | None:
    """The pixels of a whole JPEG of grey or of red, green and blue: OpenCV decodes it to the same bits as Pillow.

    It gives the array at once, where Pillow's pixels must be copied out of four bytes each.  None for any other file,
    and where OpenCV finds it broken: Pillow then says why.
    """
    if (
        image.format != "JPEG"
        or image.mode not in ("L", "RGB")
        or not looks_whole("JPEG", b"", data[-HEAD:], len(data))
    ):
        return None
    colour = cv2.IMREAD_GRAYSCALE if image.mode == "L" else cv2.IMREAD_COLOR_RGB
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), colour | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None


def _plain(image: Any) -> np.ndarray:
    """The pixels (H, W) of grey, (H, W, 3) of anything else."""
    mode = "L" if _described(image).channels == 1 else "RGB"
    image.load()
    if image.mode.startswith("I"):
        return (np.asarray(image) >> 8).astype(np.uint8)
    if image.mode in ("LA", "RGBA") or "transparency" in image.info:
        colours = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", colours.size, "white"), colours)
    return np.asarray(image if image.mode == mode else image.convert(mode))


def _reason(error: Exception) -> str:
    return shown(str(error))[:100].rstrip(".") or type(error).__name__


def _refused(path: str, message: str) -> UnreadableError:
    return UnreadableError(message, where=Place(shown(path)))
