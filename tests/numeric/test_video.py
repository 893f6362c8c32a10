"""Videos, frame by frame; those that are cut short."""

import cv2
import numpy as np
import pytest

from dlspec.numeric.video import frames, rate
from dlspec.types import UnreadableError


def written(path, code, count=30):
    """Each frame one grey, 6 lighter than the one before, with a red corner."""
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), 12, (64, 48))
    for i in range(count):
        frame = np.full((48, 64, 3), 6 * (i % 40), np.uint8)
        frame[:24, :32] = (0, 0, 200)
        video.write(frame)
    video.release()
    return path


@pytest.mark.parametrize(("name", "code"), [("a.mp4", "mp4v"), ("a.avi", "MJPG")])
def test_every_frame_in_order_and_in_its_colours(tmp_path, name, code):
    file = written(tmp_path / name, code)
    found = list(frames(str(file)))
    assert len(found) == 30 and found[0].shape == (48, 64, 3) and rate(str(file)) == pytest.approx(12)
    assert [int(one[40, 50].mean()) for one in found] == pytest.approx([6 * i for i in range(30)], abs=6)
    assert found[9][10, 10].tolist() == pytest.approx([200, 0, 0], abs=25)


def test_what_is_cut_short_gives_what_there_is_and_says_so(tmp_path):
    whole = written(tmp_path / "a.avi", "MJPG", 200).read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    found = []
    with pytest.raises(UnreadableError, match=r"cut\.avi.*cut short or broken: \d+ of its 200 frames"):
        for frame in frames(str(tmp_path / "cut.avi")):
            found.append(frame)
    assert 50 < len(found) < 150


def test_what_is_none_is_named(tmp_path):
    whole = written(tmp_path / "a.mp4", "mp4v").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])  # what an mp4 holds, its end says
    (tmp_path / "text.avi").write_text("no video")
    for name in ("cut.mp4", "text.avi"):
        with pytest.raises(UnreadableError, match=f"{name}.*cannot be opened"):
            next(frames(str(tmp_path / name)))
    with pytest.raises(UnreadableError, match="no such file"):
        rate(str(tmp_path / "none.mp4"))
