"""Streams that are closed, full, or cannot show every letter: no traceback, and the right exit code."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the shell's redirections")
FULL = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")


def run(arguments, redirections="", **environment):
    code = "from dlspec.cli import main; main()"
    return subprocess.run(
        ["sh", "-c", f'exec "$0" -c "{code}" {arguments} {redirections}', sys.executable],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=60,
    )


@pytest.mark.parametrize(
    ("arguments", "redirections", "code"),
    [
        ("recipes list", ">&-", 0),
        ("recipes list", "<&-", 0),
        ("recipes list --json", ">&- 2>&- <&-", 0),
        ("recipes show no_such", "2>&-", 2),
        pytest.param("recipes list", "> /dev/full", 2, marks=FULL),
        pytest.param("recipes list --json", "> /dev/full", 2, marks=FULL),
        pytest.param("recipes show no_such --json", "> /dev/full", 2, marks=FULL),
        pytest.param("recipes show no_such", "2> /dev/full", 2, marks=FULL),
    ],
)
def test_closed_and_full_streams(arguments, redirections, code):
    found = run(arguments, redirections)
    assert found.returncode == code
    assert "Traceback" not in found.stderr and "its own fault" not in found.stderr
    if redirections == "> /dev/full":
        assert "cannot write" in found.stderr


def test_a_closed_stream_is_no_file_that_is_opened_later(tmp_path):
    copy = tmp_path / "mine.yaml"
    found = run(f"recipes copy digits_lenet5 {copy}", ">&-")
    assert found.returncode == 0
    assert "train it with" not in copy.read_text() and copy.read_text().startswith("#")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "utf-8"])
def test_letters_that_cannot_be_shown_become_question_marks(encoding, tmp_path):
    recipe = tmp_path / "größe→.yaml"
    recipe.write_text("task: classification\n# → ≥ ✓\n", encoding="utf-8")
    code = "from dlspec.cli import main; main()"
    found = subprocess.run(
        [sys.executable, "-c", code, "recipes", "show", str(recipe)],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        timeout=60,
    )
    assert found.returncode == 0 and found.stdout.startswith(b"task: classification")
    assert found.stdout.decode(encoding, "replace").endswith("# → ≥ ✓\n" if encoding == "utf-8" else "\n")
