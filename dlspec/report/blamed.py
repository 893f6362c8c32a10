"""Who is to blame for wrong sentences, as a person reads it in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def print_blame(result: Mapping[str, Any]) -> None:
    """Search and model with their shares, what to do, and scores by facts of the source."""
    from dlspec.report.terminal import number, share, table

    found = result.get("blame")
    if not found:
        return
    table(
        ["to blame", "wrong sentences", "share", "95 % interval"],
        [
            [name, f"{of['count']:,}", share(of["share"]), f"{share(of['low'])} to {share(of['high'])}"]
            for name, of in (("the search", found["search"]), ("the model", found["model"]))
        ],
        title=f"search or model, by the scores of truth and guess ({found['compared']:,} compared)",
    )
    print("to do: " + "\n       ".join(found["do"]) + "\n")
    if found["by"]:
        table(
            ["of the source", "from", "to", "examples", result["metric"], "the search's share"],
            [
                [
                    one["fact"],
                    f"{one['from']:.3g}",
                    f"{one['to']:.3g}",
                    f"{one['examples']:,}",
                    number(one["value"]),
                    share(one["search"]),
                ]
                for one in found["by"]
            ],
            title=f"by what the source is ({result['metric']} is of each group as a whole, and no mean of others)",
        )
