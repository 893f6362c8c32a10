"""What `check` leaves on stdout: findings, the gravest first, and the network's layers."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Mapping
from typing import Any

from dlspec.report.terminal import table
from dlspec.wording import plural


def print_checked(result: Mapping[str, Any]) -> None:
    """Every finding with where it is, wrapped to the terminal; with --run the table of layers and what was measured."""
    width = max(40, shutil.get_terminal_size().columns if sys.stdout.isatty() else 110)
    if result["network"]:
        _network(result["network"], width)
    for one in result["findings"]:
        print(f"{one['severity']:<8} {one['where']}")
        indent = " " * 9
        print(textwrap.fill(one["message"], width, initial_indent=indent, subsequent_indent=indent))
    counts = Counter(one["severity"] for one in result["findings"])
    said = [f"{counts[name]} {name}{'s' * (counts[name] > 1)}" for name in ("error", "warning", "note") if counts[name]]
    parts = ", ".join(f"{name} {count:,}" for name, count in (result["examples"] or {}).items())
    print(f"{result['recipe']}: {', '.join(said) or 'nothing found'}" + (f" ({parts})" if parts else ""))


def _network(network: Mapping[str, Any], width: int) -> None:
    if network.get("layers"):
        table(
            ["layer", "kind", "output", "receptive field", "parameters", "multiply-adds"],
            [
                [
                    one["name"],
                    one["kind"],
                    _by(one["output"]),
                    _field(one["receptive_field"]),
                    _whole(one["parameters"]),
                    _whole(one["multiply_adds"]),
                ]
                for one in network["layers"]
            ],
            left=2,
        )
        sizes = {one["name"]: one["arithmetic"] for one in network["layers"] if one["arithmetic"]}
        if sizes:
            print("how sizes come about, (size + padding - window)/stride + 1:")
            longest = max(map(len, sizes))
            print("".join(f"  {name:<{longest}}  {said}\n" for name, said in sizes.items()))
        print(
            f"{plural(network['parameters'], 'parameter')} ({network['trainable']:,} of them trainable), "
            f"{_whole(network['multiply_adds'])} multiply-adds an example (matrix products and convolutions)\n"
        )
    for name, value in network["measured"].items():
        print(textwrap.fill(f"{name}: {value}", width, subsequent_indent=" " * 4))


def _by(shape: Any) -> str:
    return "×".join("?" if side is None else f"{side:,}" for side in shape) or "1"


def _field(field: Any) -> str:
    return field if isinstance(field, str) else "–" if field is None else "×".join(map(str, field))


def _whole(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"
