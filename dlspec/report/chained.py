"""What each stage of a chain would buy, were it perfect: on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlspec.report.terminal import number, table


def print_chain(chain: Mapping[str, Any], metric: str, split: str) -> None:
    """A row a stage: the metric with it alone perfect, and with all up to it; then the verdict."""
    rows = [
        [one["stage"], number(one["alone"]), _gain(one["gain"]), number(one["together"])] for one in chain["components"]
    ]
    head = ["stage", f"{metric} if perfect", "gain, 95 % interval", "with all before it"]
    table(head, rows, title=f"{split}: what perfection would buy")
    print(chain["verdict"]["says"])


def _gain(gain: Mapping[str, Any]) -> str:
    if gain["low"] is None:
        return "" if gain["value"] is None else f"{gain['value']:+.4f}"
    return f"{gain['value']:+.4f} ({gain['low']:+.4f} to {gain['high']:+.4f})"
