"""What is refused to others is refused to root as well, for the time of a test."""

import contextlib
import os
import tempfile
from pathlib import Path

NOBODY = 65534
"""the user that owns no file"""


@contextlib.contextmanager
def folder_of_another():
    """A folder that everybody may enter, whatever the folders above those of pytest allow."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextlib.contextmanager
def unprivileged():
    """Whoever runs the tests; root, which may read every file, is nobody in between."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
