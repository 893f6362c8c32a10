"""Sheets that no training made: pictures of noise, or rows, all of them errors, with names that mean harm."""

import contextlib
import http.client
import json
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

from dlspec.evaluators.classes import Classes
from dlspec.inputs.picture import Picture
from dlspec.runs.judged import Judged, Part
from dlspec.runs.predictions import Columns
from dlspec.runs.sheet import Sheet
from dlspec.runs.sheet_made import made
from dlspec.runs.sheet_server import TOKEN
from dlspec.types import Examples

HARM = "</script><script>document.title='harm'</script>"
QUOTED = '"><img src=x onerror="document.title=\'harm\'">'
CLASSES = [HARM, QUOTED, "cat", "dog", "fox"]


def sheet(
    home: Path | None,
    count: int = 30,
    *,
    side: int = 64,
    rows: bool = False,
    files: Path | None = None,
    eyeball: int | None = 0,
    seed: int = 0,
) -> Sheet:
    """So many errors of dev, the first the worst; of every ten examples one more is right.

    eyeball: how many examples may be looked at, 0 all.  files: where pictures are put, as PNGs.
    """
    random = np.random.default_rng(seed)
    total = count + count // 10
    truth = random.integers(0, 5, total)
    guess = np.where(np.arange(total) < count, (truth + random.integers(1, 5, total)) % 5, truth)
    scores = np.full((total, 5), 0.01)
    scores[np.arange(total), guess] = np.linspace(0.97, 0.55, total)
    scores /= scores.sum(axis=1, keepdims=True)
    names = [f"{HARM} {i}.png" for i in range(total)]
    if rows:
        x = [{HARM: QUOTED, "spent": float(i), "city": None} for i in range(total)]
    else:
        coarse = random.integers(0, 256, (min(total, 200), 8, 8, 3), np.uint8)
        pictures = coarse.repeat(side // 8, axis=1).repeat(side // 8, axis=2)
        x = [pictures[i % len(pictures)] for i in range(total)]
        if files is not None:
            files.mkdir()
            for i, picture in enumerate(x):
                Image.fromarray(picture).save(files / f"{i}.png")
            x = [str(files / f"{i}.png") for i in range(total)]
    examples = Examples(names, x, [CLASSES[i] for i in truth], tags={HARM: [QUOTED] * total})
    evaluator = Classes()
    state = {"classes": CLASSES, "positive": None, "threshold": None}
    statistics = evaluator.statistics(examples, scores, state)
    metric = evaluator.metrics(state)[0]
    part = Part(examples, scores, statistics)
    judged = Judged(evaluator, state, metric, {"dev": part}, Columns() if rows else Picture(), home)
    return made(
        judged, "dev", name="shapes/20261122-233408", command=["dlspec", "error-analysis", "shapes"], eyeball=eyeball
    )


class Client:
    """A browser's side of one server, without a browser."""

    def __init__(self, address):
        parts = urlsplit(address)
        self.port, self.token = parts.port, parts.path.strip("/")
        self.own = {"Host": f"127.0.0.1:{self.port}"}
        self.asks = {**self.own, TOKEN: self.token, "Origin": f"http://127.0.0.1:{self.port}"}

    def send(self, method, path, headers, body=None):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.putrequest(method, path, skip_host=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers

    def get(self, path="", headers=None):
        return self.send("GET", f"/{self.token}/{path}", self.own if headers is None else headers)

    def post(self, said, headers=None, path="note"):
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        headers = {**(self.asks if headers is None else headers), "Content-Length": str(len(body))}
        status, answer, _ = self.send("POST", f"/{self.token}/{path}", headers, body)
        return status, json.loads(answer)


class Scripts(HTMLParser):
    """What stands in script elements, as a browser would see them."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.inside = [], None
        self.tags = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = tag
        if tag == "script":
            self.elements.append([dict(attributes), ""])

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside == "script":
            self.elements[-1][1] += data
