"""What each stage of a chain would buy, were it perfect: on a terminal, and on the page of a folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlspec.report.terminal import number, table


def print_chain(chain: Mapping[str, Any], metric: str, split: str) -> None:
    """A row a stage: the metric with it alone perfect, and with all up to it; then the verdict."""
    table(_head(metric), _rows(chain), title=f"{split}: what perfection would buy")
    print(chain["verdict"]["says"])


def view(held: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the page takes of chain.json: of each split the verdict and a row a stage; None where there is none."""
    if not held:
        return None
    return {
        split: {
            "says": one["verdict"]["says"],
            "head": _head(one["metric"]),
            "rows": _rows(one),
            "runs": [stage["run"] for stage in one["components"]],
        }
        for split, one in held.items()
    }


def _head(metric: str) -> list[str]:
    return ["stage", f"{metric} if perfect", "gain, 95 % interval", "with all before it"]


def _rows(chain: Mapping[str, Any]) -> list[list[str]]:
    return [
        [one["stage"], number(one["alone"]), _gain(one["gain"]), number(one["together"])] for one in chain["components"]
    ]


def _gain(gain: Mapping[str, Any]) -> str:
    if gain["low"] is None:
        return "" if gain["value"] is None else f"{gain['value']:+.4f}"
    return f"{gain['value']:+.4f} ({gain['low']:+.4f} to {gain['high']:+.4f})"
