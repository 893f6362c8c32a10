"""Loading keras once: quietly, with the threads and the seed that were asked for."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dlspec.types import ArgumentError

BACKENDS = ("tensorflow", "jax")
_UNUSED_BY_US = ("sklearn", "pandas", "torch", "torchvision", "IPython", "matplotlib")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what C++ libraries print on stderr while they load; show it after all if loading fails."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:
            os.dup2(saved, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)


@contextlib.contextmanager
def _without_optional_packages() -> Iterator[None]:
    """Keras imports scikit-learn and pandas where it finds them, for wrappers that dlspec does not use: 1.5 s here."""
    hidden = [name for name in _UNUSED_BY_US if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)


def check_backend() -> None:
    """Raises ArgumentError where KERAS_BACKEND names a backend that dlspec does not run on, or that is not there."""
    name = os.environ.get("KERAS_BACKEND", "tensorflow")
    if name not in BACKENDS:
        raise ArgumentError(f"KERAS_BACKEND is '{name}'; dlspec runs on {' or '.join(BACKENDS)}")
    if name not in sys.modules and importlib.util.find_spec(name) is None:
        raise ArgumentError(f"KERAS_BACKEND is '{name}', which is not installed; pip install {name}, or unset it")


def threads_in_force() -> int:
    """Threads that one operation may use, as the backend has settled it."""
    if "tensorflow" in sys.modules and os.environ.get("KERAS_BACKEND") == "tensorflow":
        import tensorflow as tf

        return tf.config.threading.get_intra_op_parallelism_threads() or processors()
    return processors()


def on_gpu() -> bool:
    """Whether TensorFlow sees a GPU."""
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def processors(quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """How many processors this process may use: those it is bound to, and no more than a container's share of time.

    More threads than that wait for each other: a container that may use two of 64 processors is stopped whenever 64
    threads have used up its share.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        most, period = quota.read_text(encoding="ascii").split()
        return min(bound, max(1, -(-int(most) // int(period))))  # "max" is no number
    return bound


def load_keras(*, threads: int | None = None, seed: int | None = None) -> Any:
    """The keras module, on the backend that KERAS_BACKEND names (TensorFlow where it names none).

    threads: processor threads for TensorFlow; left out: as many as processors may be used.  Settled by the first call
    of a process.
    seed: seeds Python, NumPy and the backend, and makes operations deterministic.
    """
    check_backend()
    if "keras" not in sys.modules:
        with _quiet(), _without_optional_packages():
            import keras

            import dlspec.layers  # noqa: F401

            if keras.backend.backend() == "tensorflow":
                import tensorflow as tf

                # Left alone, TensorFlow knows of those it is bound to, and nothing of a container's share.
                if threads is None and processors() < processors(Path(os.devnull)):
                    threads = processors()
                if threads is not None:
                    tf.config.threading.set_intra_op_parallelism_threads(threads)
                    tf.config.threading.set_inter_op_parallelism_threads(threads)
                tf.get_logger().setLevel("ERROR")
                tf.constant(0)  # starts the runtime, with what it prints
    import keras

    if seed is not None:
        keras.utils.set_random_seed(seed)
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            tf.config.experimental.enable_op_determinism()
    return keras


def forget_networks() -> None:
    """Let go of what the backend keeps of networks that are gone, between trainings of one process.

    TensorFlow keeps whatever a function with a gradient of its own has traced for good, and with it the whole graph:
    Keras' optimizers have one in every step, some activations too.
    """
    import keras

    if keras.backend.backend() == "tensorflow":
        from tensorflow.python.framework import ops

        kept = getattr(ops.gradient_registry, "_registry", {})
        for name in [name for name in kept if name.startswith("CustomGradient-")]:
            del kept[name]
    keras.utils.clear_session()
