"""TensorBoard over all runs, on this machine alone unless told otherwise."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import shutil
import socket
import sys
import tempfile
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dlspec.runs import folder as folders
from dlspec.runs.interruption import until_stopped, wait_for
from dlspec.types import ArgumentError

HOST, PORT = "127.0.0.1", 6006
LOOK_SECONDS = 5.0
"""how often new runs are looked for"""


@contextlib.contextmanager
def board(root: str | Path = folders.RUNS, *, host: str = HOST, port: int | None = None) -> Iterator[dict[str, str]]:
    """TensorBoard over the runs of a folder, those that are still to come too: its address as `url`, and `logdir`.

    port: left out: 6006, or another one that is free.  It is up inside the `with` block, in a thread of this process.
    Raises ArgumentError where there are no runs, or where it cannot be had at this host and port.
    """
    root = Path(root)
    if not folders.every(root):
        raise ArgumentError(f"there are no runs in {root.absolute()}; train one, or say --runs DIR")
    if not any(_has_curves(run) for run in folders.every(root)):
        raise ArgumentError(
            f"no run in {root.absolute()} has event files: they were trained with train.tensorboard off"
        )
    port = _free(host, port)
    home = Path(tempfile.mkdtemp(prefix="dlspec-board-"))
    over = threading.Event()
    try:
        shown = _mirror(root, home)
        watching = threading.Thread(target=_follow, args=(root, home, over), daemon=True)
        if shown == home:
            watching.start()
        server, ingester = _server(shown, host, port)
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            yield {"url": server.get_url(), "logdir": str(root.absolute())}
        finally:
            over.set()
            server.shutdown()
            server.server_close()
            _end(ingester)
    finally:
        over.set()
        shutil.rmtree(home, ignore_errors=True)


def serve(
    root: str | Path = folders.RUNS,
    *,
    host: str = HOST,
    port: int | None = None,
    ready: Callable[[dict[str, str]], None],
) -> None:
    """The same until Ctrl-C (or SIGTERM) comes; `ready` is told the address once it answers."""
    with until_stopped() as over, board(root, host=host, port=port) as found:
        if not over.is_set():
            ready(found)
        wait_for(over)


def _has_curves(run: Path) -> bool:
    return (run / "tensorboard").is_dir()


def _mirror(root: Path, home: Path) -> Path:
    """A folder of links recipe/time to each run's event files, so that curves have short names.

    Where the system has no links, the runs themselves, by longer names.
    """
    wanted = {home / run.parent.name / run.name: run / "tensorboard" for run in folders.every(root) if _has_curves(run)}
    for link in home.glob("*/*"):
        if link not in wanted:
            link.unlink()
    try:
        for link, target in wanted.items():
            if not link.is_symlink():
                link.parent.mkdir(exist_ok=True)
                link.symlink_to(target.absolute(), target_is_directory=True)
    except OSError:
        return root
    return home


def _follow(root: Path, home: Path, over: threading.Event) -> None:
    """Keep the links in line with the runs."""
    while not over.wait(LOOK_SECONDS):
        with contextlib.suppress(OSError):
            _mirror(root, home)


def _free(host: str, port: int | None) -> int:
    """The port, if it can be had; left out: 6006, or another one.  Raises ArgumentError."""
    for number in [port] if port is not None else [PORT, 0]:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind, protocol) as tried:
                if os.name == "posix":  # a port that was given up a moment ago is free
                    tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                tried.bind(address)
                return int(tried.getsockname()[1])
        except OSError as error:
            where = host if port is None else f"{host}:{port}"
            failed = f"TensorBoard cannot be had at {where}: {error.strerror or error}; give another --port or --host"
    raise ArgumentError(failed)


def _server(logdir: Path, host: str, port: int) -> tuple[Any, Any]:
    """A server that is bound to its port but does not serve yet, and what reads event files for it."""
    # Its own switch for doing without TensorFlow, which takes seconds to load and is not needed to read event files.
    sys.modules.setdefault("tensorboard.compat.notf", types.ModuleType("tensorboard.compat.notf"))
    from tensorboard import default, program

    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    made = program.TensorBoard(default.get_plugins())
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):  # it advertises its reader there
            made.configure(argv=["", f"--logdir={logdir}", f"--host={host}", f"--port={port}", "--reload_interval=5"])
            return made._make_server(), made._ingester
    except (program.TensorBoardServerException, SystemExit) as error:
        _end(getattr(made, "_ingester", None))
        reason = getattr(error, "msg", None) or said.getvalue().strip() or "it has ended itself"
        raise ArgumentError(f"TensorBoard cannot start: {reason.splitlines()[-1]}") from None


def _end(ingester: Any) -> None:
    """The process that reads event files, where TensorBoard has started one, lives as long as its standard input."""
    held = getattr(ingester, "_stdin_handle", None)
    if held is not None:
        held.close()
