"""The page of explained pictures: offline, without a script, every name escaped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlspec.report.html import template


def page(held: Mapping[str, Any]) -> str:
    """The page of what `dlspec.runs.explained` found."""
    return str(template("explained.jinja").render(**held))
