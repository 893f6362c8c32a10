"""relabel.csv: the labels that are doubted, for a person to judge; what was written into it stays."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from dlspec.runs import folder as folders
from dlspec.runs.judged import Judged
from dlspec.runs.labels import Audit
from dlspec.runs.told import told

COLUMNS = ("id", "split", "label", "suggested", "probability", "new", "why")
OF_WORDS = ("word", "token", "file", "line")
"""columns more where a label is that of a word: which, counted from 1, and where it stands"""
WHAT = "what"
"""and one where an example can be read"""
Row = dict[str, Any]


def write_relabel(file: Path, audit: Audit, judged: Judged, split: str, issues: dict[str, Any]) -> None:
    """Write relabel.csv: the suspects and some right answers; what a person wrote into it before stays.

    issues: what `label_issues` says; it is told where the file is.
    """
    from dlspec.data.corrections import Spot, read

    issues["file"] = str(file)
    kept = read(str(file)) if file.is_file() else {}
    part = judged.parts[split]
    labels = dict(zip(part.examples.ids, judged.evaluator.truth(part.examples, judged.state), strict=True))
    place = {name: row for row, name in enumerate(part.examples.ids)}
    rows: list[Row] = []
    for one in audit.suspicions:
        held = {"id": one.id, "split": one.split, "label": one.label, "suggested": one.suggested, "why": "suspect"}
        held["probability"] = "" if one.probability is None else f"{one.probability:.4f}"
        stands = {"word": one.word, "token": one.token, "file": one.file, "line": one.line, WHAT: one.what}
        rows.append({**held, **stands, "new": kept.pop(one.spot, "")})
    for name in issues["right_answers"]:
        held = {"id": name, "split": split, "label": labels[name], "why": "a right answer, drawn by chance"}
        what = told(judged.input, part.examples[place[name]])
        rows.append({**held, "new": kept.pop(Spot(name), ""), WHAT: what})
    rows += [{**spot._asdict(), "new": label, "why": "of an earlier audit"} for spot, label in kept.items()]
    more = [name for name in (*OF_WORDS, WHAT) if any(row.get(name) for row in rows)]
    with folders.writing(file) as text:
        writer = csv.DictWriter(text, [*COLUMNS, *more], extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
