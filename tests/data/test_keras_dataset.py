"""Data sets that are downloaded once: from a server on this machine, from what is kept, and without a network."""

import gzip
import hashlib
import http.server
import io
import os
import pickle
import tarfile
import threading

import numpy as np
import pytest
from contracts.samples import idx

from dlspec.data import keras_dataset
from dlspec.data.download import Remote
from dlspec.data.keras_dataset import KerasDataset
from dlspec.types import DataError

DRAW = np.random.default_rng(0)


def npz():
    held = io.BytesIO()
    arrays = {}
    for part, count in (("train", 40), ("test", 10)):
        arrays[f"x_{part}"] = DRAW.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        arrays[f"y_{part}"] = (np.arange(count) % 10).astype(np.uint8)
    np.savez(held, **arrays)
    return held.getvalue(), arrays


def tar(folder, batches):
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as archive:
        for name, batch in batches.items():
            data = batch if isinstance(batch, bytes) else pickle.dumps(batch, protocol=2)
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return held.getvalue()


def cifar10():
    batches = {}
    for number, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
        data = DRAW.integers(0, 256, (6, 3072), dtype=np.uint8)
        batches[name] = {b"data": data, b"labels": [(number + i) % 2 for i in range(6)]}
    return batches | {"batches.meta": {b"label_names": [b"airplane", b"frog"]}}


def cifar100():
    batches = {
        part: {
            b"data": DRAW.integers(0, 256, (6, 3072), dtype=np.uint8),
            b"fine_labels": [0, 1, 2, 0, 1, 2],
            b"coarse_labels": [0, 0, 1, 0, 0, 1],
        }
        for part in ("train", "test")
    }
    names = {b"fine_label_names": [b"apple", b"pear", b"bear"], b"coarse_label_names": [b"fruit", b"mammal"]}
    return batches | {"meta": names}


@pytest.fixture
def serve(monkeypatch):
    """A server on this machine that gives these files, path → bytes; and the paths that were asked for."""
    files, asked = {}, []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            data = files.get(self.path)
            self.send_response(404 if data is None else 200)
            promised = len(data or b"") + (100 if self.path.startswith("/cut") else 0)
            self.send_header("Content-Length", str(promised))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    base = f"http://127.0.0.1:{server.server_port}"

    def set_up(dataset, *remotes):
        """remotes: path on the server, place in the folder, content."""
        for path, _, data in remotes:
            if data is not None:
                files[path] = data
        known = tuple(Remote(base + path, place) for path, place, _ in remotes)
        monkeypatch.setattr(keras_dataset, "REMOTES", {**keras_dataset.REMOTES, dataset: known})
        return base

    set_up.asked = asked
    yield set_up
    server.shutdown()
    thread.join()
    server.server_close()


def test_downloaded_once_with_one_line(serve, tmp_path, capsys):
    data, arrays = npz()
    base = serve("mnist", ("/mnist.npz", "mnist.npz", data))
    reader = KerasDataset(dataset="mnist", folder=str(tmp_path), split={"dev": 10})
    splits = reader.read()
    out, err = capsys.readouterr()
    assert out == "" and err == f"downloading {base}/mnist.npz to {tmp_path}/mnist.npz\n"
    assert {name: len(part) for name, part in splits.parts.items()} == {"train": 30, "dev": 10, "test": 10}
    assert splits["test"].ids[3] == "test-00003" and splits["test"].column("y") == list(range(10))
    np.testing.assert_array_equal(splits["test"][3].x[..., 0], arrays["x_test"][3])
    assert splits.notes[0] == f"mnist: train 40, test 10 pictures of 28×28, 1 channel, from {tmp_path}/mnist.npz"
    again = reader.read()
    assert serve.asked == ["/mnist.npz"] and capsys.readouterr() == ("", "")
    assert again.fingerprint == splits.fingerprint and os.listdir(tmp_path) == ["mnist.npz"]


def test_kept_where_keras_keeps_it(serve, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    serve("mnist", ("/mnist.npz", "mnist.npz", npz()[0]))
    KerasDataset(dataset="mnist").load()
    assert (tmp_path / "home" / "datasets" / "mnist.npz").exists()
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(DataError):  # the server is asked anew, and this path it does not know
        serve("mnist", ("/other.npz", "mnist.npz", None))
        KerasDataset(dataset="mnist").load()
    assert serve.asked[-1] == "/other.npz" and os.listdir(tmp_path / ".keras" / "datasets") == []


def test_without_network(tmp_path, monkeypatch):
    gone = Remote("http://127.0.0.1:9/mnist.npz", "mnist.npz")
    monkeypatch.setattr(keras_dataset, "REMOTES", {"mnist": (gone,)})
    reader = KerasDataset(dataset="mnist", folder=str(tmp_path))
    with pytest.raises(DataError) as caught:
        reader.load()
    said = str(caught.value)
    assert said.startswith(
        f"{tmp_path}/mnist.npz: is not here, and http://127.0.0.1:9/mnist.npz could not be fetched ("
    )
    assert "Connection refused" in said and said.endswith("fetch it by hand and put it there")
    assert os.listdir(tmp_path) == []
    (tmp_path / "mnist.npz").write_bytes(npz()[0])
    assert len(reader.load()["train"]) == 40


@pytest.mark.parametrize(
    ("path", "sha256", "reason"),
    [
        ("/none.npz", None, "HTTP Error 404"),
        ("/cut.npz", None, "of .* bytes came"),
        ("/good.npz", hashlib.sha256(b"another").hexdigest(), "its SHA-256 is"),
    ],
)
def test_what_came_incomplete_is_not_kept(serve, tmp_path, monkeypatch, path, sha256, reason):
    base = serve("mnist", (path, "mnist.npz", None if "none" in path else npz()[0]))
    monkeypatch.setattr(keras_dataset, "REMOTES", {"mnist": (Remote(base + path, "mnist.npz", sha256),)})
    with pytest.raises(DataError, match=reason):
        KerasDataset(dataset="mnist", folder=str(tmp_path)).load()
    assert os.listdir(tmp_path) == []


def test_a_folder_that_may_not_be_written(serve, tmp_path):
    serve("mnist", ("/mnist.npz", "no/mnist.npz", npz()[0]))
    (tmp_path / "no").write_text("a file stands here")
    with pytest.raises(DataError, match=r"could not be fetched .*File exists"):
        KerasDataset(dataset="mnist", folder=str(tmp_path)).load()


def test_fashion_mnist(serve, tmp_path):
    remotes = []
    for part, count in (("train", 20), ("t10k", 10)):
        for kind, array in (
            ("images-idx3", DRAW.integers(0, 256, (count, 28, 28), dtype=np.uint8)),
            ("labels-idx1", (np.arange(count) % 10).astype(np.uint8)),
        ):
            name = f"{part}-{kind}-ubyte.gz"
            remotes.append((f"/{name}", f"fashion-mnist/{name}", idx(array)))
    serve("fashion_mnist", *remotes)
    splits = KerasDataset(dataset="fashion_mnist", folder=str(tmp_path)).load()
    assert (
        splits["test"].column("y")[:2] == ["T-shirt/top", "Trouser"] and splits["test"].column("y")[9] == "Ankle boot"
    )
    assert splits["train"].columns["x"].shape == (20, 28, 28, 1) and len(serve.asked) == 4
    labels = tmp_path / "fashion-mnist" / "t10k-labels-idx1-ubyte.gz"
    labels.write_bytes(gzip.compress(gzip.decompress(labels.read_bytes())[:-1] + b"\x0b"))
    with pytest.raises(DataError, match="its labels are not a number from 0 to 9 for each picture"):
        KerasDataset(dataset="fashion_mnist", folder=str(tmp_path)).load()


def test_cifar10(serve, tmp_path):
    batches = cifar10()
    serve("cifar10", ("/cifar.tar.gz", "cifar-10-python.tar.gz", tar("cifar-10-batches-py", batches)))
    splits = KerasDataset(dataset="cifar10", folder=str(tmp_path)).load()
    assert len(splits["train"]) == 30 and splits["train"].column("y")[:7] == ["airplane", "frog"] * 3 + ["frog"]
    first = splits["train"][0].x
    assert first.shape == (32, 32, 3)
    np.testing.assert_array_equal(first[..., 1].ravel(), batches["data_batch_1"][b"data"][0, 1024:2048])
    unpacked = tmp_path / "own" / "cifar-10-batches-py-target" / "cifar-10-batches-py"
    unpacked.mkdir(parents=True)
    for name, batch in batches.items():
        (unpacked / name).write_bytes(pickle.dumps(batch))
    kept = KerasDataset(dataset="cifar10", folder=str(tmp_path / "own")).load()
    np.testing.assert_array_equal(kept["test"].columns["x"], splits["test"].columns["x"])
    assert len(serve.asked) == 1


def test_cifar100(serve, tmp_path):
    serve("cifar100", ("/c.tar.gz", "cifar-100-python.tar.gz", tar("cifar-100-python", cifar100())))
    splits = KerasDataset(dataset="cifar100", folder=str(tmp_path)).load()
    assert splits["test"].column("y")[:3] == ["apple", "pear", "bear"]
    assert splits["test"].tag("superclass")[:3] == ["fruit", "fruit", "mammal"]


class Harmful:
    def __reduce__(self):
        return (os.mkdir, ("harm",))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data_batch_2": {b"data": Harmful()}}, "mkdir, which a batch of pictures does not need"),
        ({"data_batch_2": b"junk"}, "'data_batch_2' in it is broken"),
        ({"data_batch_2": {b"data": np.zeros((6, 5), np.uint8)}}, "its pictures are not rows of 3,072 bytes"),
        ({"data_batch_2": {b"labels": []}}, "its pictures are not rows of 3,072 bytes"),
        ({"test_batch": None}, "holds no test_batch; delete it to fetch it again"),
        ({"batches.meta": {b"label_names": [b"one"]}}, "its labels are not a number from 0 to 0"),
    ],
)
def test_a_batch_that_is_none(tmp_path, monkeypatch, change, said):
    monkeypatch.chdir(tmp_path)
    batches = {name: batch for name, batch in (cifar10() | change).items() if batch is not None}
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(tar("cifar-10-batches-py", batches))
    with pytest.raises(DataError, match=said):
        KerasDataset(dataset="cifar10", folder=str(tmp_path)).load()
    assert os.listdir(tmp_path) == ["cifar-10-python.tar.gz"]


def test_an_archive_that_was_cut_short(tmp_path):
    whole = tar("cifar-10-batches-py", cifar10())
    for length in (0, 10, len(whole) // 2, len(whole) * 3 // 4):
        (tmp_path / "cifar-10-python.tar.gz").write_bytes(whole[:length])
        with pytest.raises(DataError, match="delete it to fetch it again"):
            KerasDataset(dataset="cifar10", folder=str(tmp_path)).load()
