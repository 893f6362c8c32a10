"""Where a study is kept: a file of its own, or a server that several machines share; told of without its password."""

from __future__ import annotations

import contextlib
import copy
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dlspec.types import ArgumentError

BEAT_SECONDS = 5
"""how often a worker says to a server that it is alive"""
DEAD_SECONDS = 30
"""after so long without a word, a worker is taken to be dead"""
BUSY_SECONDS = 120
"""how long to wait for another process that writes to the file"""
EXTRAS = {"postgresql": "'dlspec[postgresql]'", "mysql": "'dlspec[mysql]'", "mariadb": "'dlspec[mysql]'"}
"""what brings the driver of a database"""
ANSWER_SECONDS = 10
"""how long to wait for a server to answer at all"""
OPENINGS = 20
"""times that an empty server is opened while other machines that came at the same moment make the tables there"""


def of_folder(home: Path) -> str:
    """The address of the file in a study's folder."""
    return f"sqlite:///{home.absolute().as_posix()}/study.db"


def is_file(url: str) -> bool:
    return url.startswith("sqlite:")


def hidden(url: str) -> str:
    """An address without the password in it."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError as NoUrl

    try:
        return make_url(url).render_as_string(hide_password=True)
    except (NoUrl, ValueError):
        return "the address that was given"


@contextmanager
def telling(url: str) -> Iterator[None]:
    """What fails within because of the storage is said in a line, without the password.  Raises ArgumentError."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (StorageInternalError, SQLAlchemyError) as error:
        cause = error.__cause__ if isinstance(error, StorageInternalError) and error.__cause__ else error
        said = str(getattr(cause, "orig", None) or cause).strip().splitlines()[0]
        raise ArgumentError(f"the storage {hidden(url)} does not answer: {without_password(said, url)}") from None


def without_password(text: str, url: str) -> str:
    from sqlalchemy.engine import make_url

    password = make_url(url).password
    return text.replace(str(password), "***") if password else text


def opened(url: str) -> Any:
    """Optuna's storage at an address.  Raises ArgumentError where it does not answer."""
    from optuna.storages import RDBStorage
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError as NoUrl
    from sqlalchemy.exc import IntegrityError, SQLAlchemyError

    from dlspec.tuning.samplers import experiments

    try:
        address = make_url(url)
        backend = address.get_backend_name()
    except (NoUrl, ValueError):
        message = "--storage takes an address such as postgresql://user@host/database or mysql://user@host/database"
        raise ArgumentError(message) from None
    if address.drivername in ("mysql", "mariadb"):
        address = address.set(drivername=f"{backend}+pymysql")  # which needs no compiler
    whole = address.render_as_string(hide_password=False)
    kwargs: dict[str, Any] = {"engine_kwargs": {"connect_args": {"timeout": BUSY_SECONDS}}}
    if not is_file(url):
        kwargs = {"engine_kwargs": {"pool_pre_ping": True}, "heartbeat_interval": BEAT_SECONDS}
        kwargs["grace_period"] = DEAD_SECONDS
        if backend in ("postgresql", "mysql", "mariadb"):
            kwargs["engine_kwargs"]["connect_args"] = {"connect_timeout": ANSWER_SECONDS}
    openings = 0
    with telling(url), experiments():
        while True:
            storage = RDBStorage.__new__(RDBStorage)
            try:
                RDBStorage.__init__(storage, whole, **copy.deepcopy(kwargs))
                return storage
            except ImportError as error:
                package = f"the Python package for {backend}" if error.name is None else f"the package {error.name}"
                wanted = EXTRAS.get(backend, error.name or "it")
                message = f"{hidden(url)} needs {package}, which is not installed: pip install {wanted}"
                raise ArgumentError(message) from None
            except SQLAlchemyError as error:
                close(storage)
                openings += 1
                met = isinstance(error, IntegrityError) or "already exists" in str(error)
                if not met or openings == OPENINGS:
                    raise
            time.sleep(random.uniform(0.05, 0.3))


def close(storage: Any) -> None:
    """Let go of the connections of a storage."""
    storage.remove_session()
    storage.engine.dispose()


def names(url: str) -> list[str]:
    """The studies that are kept at an address.  Raises ArgumentError."""
    storage = opened(url)
    try:
        with telling(url):
            return [one.study_name for one in storage.get_all_studies()]
    finally:
        close(storage)


def attributes(url: str, name: str) -> dict[str, Any]:
    """What is noted of a study.  Raises ArgumentError."""
    storage = opened(url)
    try:
        with telling(url):
            found: dict[str, Any] = storage.get_study_user_attrs(storage.get_study_id_from_name(name))
            return found
    finally:
        close(storage)


class Pulse:
    """Tells a storage every few seconds that whoever works on a trial (its id) is alive.

    A worker that was silent for long (a laptop that slept) may have been taken for dead, and its trial be another's by
    now, in the same run directory: then `lost` is called, before anything more is written.
    """

    def __init__(self, storage: Any, trial: int, lost: Callable[[], None]) -> None:
        self.storage, self.trial, self.lost = storage, trial, lost
        self.over, self.turn = threading.Event(), threading.Lock()
        self.heard = time.time()  # a clock that goes on while a machine sleeps

    def check(self, *, anyhow: bool = False) -> None:
        """Whether the trial is still ours, where there was no beat for long, or anyhow."""
        if anyhow or time.time() - self.heard > DEAD_SECONDS:
            with self.turn:
                if self.storage.get_trial(self.trial).state.is_finished():
                    self.lost()

    def beat(self) -> None:
        """Say so every few seconds, until it is over; a server that is away for a moment is asked again."""
        from optuna.exceptions import StorageInternalError
        from sqlalchemy.exc import SQLAlchemyError

        while not self.over.wait(BEAT_SECONDS):
            with contextlib.suppress(StorageInternalError, SQLAlchemyError):
                self.check()
                self.storage.record_heartbeat(self.trial)
                self.heard = time.time()


@contextmanager
def beating(storage: Any, trial: int, lost: Callable[[], None]) -> Iterator[Callable[..., None]]:
    """Within, a server is told that a trial is worked on.  Gives Pulse.check, which does nothing for a file."""
    if storage.get_heartbeat_interval() is None:
        yield lambda **_: None
        return
    pulse = Pulse(storage, trial, lost)
    storage.record_heartbeat(trial)
    thread = threading.Thread(target=pulse.beat, daemon=True)
    thread.start()
    try:
        yield pulse.check
    finally:
        pulse.over.set()
        thread.join()
