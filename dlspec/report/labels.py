"""Labels that are likely wrong, and scores by corrected ones, as a person reads them in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlspec.report.terminal import between, brief, number, share, table

SHOWN = 10


def print_issues(issues: Mapping[str, Any]) -> None:
    """What an audit of labels has found, within `error-analysis`."""
    if issues["suspects"]:
        some = issues["suspects"][:SHOWN]
        total = sum(one["suspects"] for one in issues["splits"].values())
        words, seen = (any(one.get(key) for one in some) for key in ("word", "what"))
        table(
            ["example", *(["word"] * words), "split", "label", "suggested", "probability", *(["what it is"] * seen)],
            [
                [
                    one["id"],
                    *([str(one["word"])] * words),
                    *(one["split"], one["label"], one["suggested"], number(one["probability"])),
                    *([brief(one["what"], 36 if words else 46, around=f"[{one['token']}]")] * seen),
                ]
                for one in some
            ],
            left=6 + words,
            title=f"labels that are likely wrong, the most doubtful {len(some)} of {total:,}",
        )
        table(
            ["", "labels", "likely wrong", "share", "95 % interval"],
            [
                [
                    name,
                    f"{one['examples']:,}",
                    f"{one['suspects']:,}",
                    share(one["share"]),
                    f"{share(one['low'])} to {share(one['high'])}",
                ]
                for name, one in issues["splits"].items()
            ],
        )
    for sentence in issues["verdict"]:
        print(sentence)
    if issues["file"] and issues["suspects"]:
        given = issues["folds"] is None  # another tool's predictions, over data that dlspec does not read
        print(
            f"to correct them, write the right label into the column `new` of {issues['file']}\n"
            f"(it lists {len(issues['right_answers'])} right answers, too: their labels may be wrong as well), "
            + ("and take them over into your data" if given else "then: dlspec error-analysis RUN --relabel FILE")
        )


def print_relabelled(result: Mapping[str, Any]) -> None:
    """What `error-analysis --relabel` leaves on stdout: scores by the old and by the new labels, side by side."""
    print(f"\nrun: {result['run']}")
    for split, scores in result["scores"].items():
        n = next(iter(scores.values()))["old"]["n"]
        table(
            [f"{split} ({n:,})", "old labels", "95 % interval", "new labels", "95 % interval"],
            [
                [
                    name,
                    number(one["old"]["value"]),
                    between(one["old"]),
                    number(one["new"]["value"]),
                    between(one["new"]),
                ]
                for name, one in scores.items()
            ],
        )
    for sentence in result["findings"]:
        print(sentence)
