"""The page on which a person looks through errors and tags them: one file, no request but to its own server."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from dlspec.report.html import template

SCRIPTS = ("sheet_marks.js", "sheet_view.js", "sheet_keys.js")
"""one after the other, they are the page's one script"""


def page(held: Mapping[str, Any]) -> str:
    """The page of what `dlspec.runs.sheet.Sheet.held` says; names are text in it, whatever they hold."""
    style, script = _style(), _script()
    return str(
        template("sheet.jinja")
        .render(
            held=held,
            data=data(held),
            style=Markup(style),
            script=Markup(script),
            policy=policy(served=held["token"] is not None),
        )
        # Names of files may hold bytes that are no UTF-8; they come as lone surrogates, which are shown as "?".
        .encode("utf-8", "replace")
        .decode("utf-8")
    )


def policy(*, served: bool) -> str:
    """The Content-Security-Policy: this very style and script, pictures and answers of the own server alone."""
    own = "'self'" if served else "data:"
    return "; ".join(
        [
            "default-src 'none'",
            f"img-src {own}{' data:' if served else ''}",
            f"connect-src {own}" if served else "connect-src 'none'",
            f"style-src {_digest(_style())}",
            f"script-src {_digest(_script())}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def data(held: Mapping[str, Any]) -> Markup:
    """JSON that can stand in a script element: nothing in it ends the element or begins another."""
    text = json.dumps(held, separators=(",", ":"))
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


@functools.cache
def _style() -> str:
    return str(template("sheet_style.jinja").render())


@functools.cache
def _script() -> str:
    inside = "".join((Path(__file__).parent / name).read_text(encoding="utf-8") for name in SCRIPTS)
    return f'"use strict";\n(() => {{\n{inside}}})();\n'
