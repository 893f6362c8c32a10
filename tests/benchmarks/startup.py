"""What the command line costs before any work: beside Typer applications that do nothing.

`dlspec --help` against a bare Typer application with as many commands; `dlspec train` of a recipe with a typo against
one that also imports pydantic and yaml.  Whole processes, in turn, medians.
Figure: each at most 1.5 times its yardstick.

    python tests/benchmarks/startup.py
"""

from __future__ import annotations

import shutil
import statistics
import sys
from pathlib import Path

from figures import Figures, processes, runs

from dlspec.cli import app

REPEATS = 31
BARE = """
import typer
{imports}
app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

{commands}
app()
"""


def bare(file: Path, imports: str, names: list[str]) -> str:
    """Write a Typer application whose commands do nothing."""
    commands = "\n".join(f"@app.command({name!r})\ndef f{i}() -> None:\n    pass\n" for i, name in enumerate(names))
    file.write_text(BARE.format(imports=imports, commands=commands), encoding="utf-8")
    return str(file)


figures = Figures()
names = [str(one.name) for one in app.registered_commands] + [str(one.name) for one in app.registered_groups]
installed = Path(sys.executable).with_name("dlspec")
dlspec = [str(installed)] if installed.exists() else [shutil.which("dlspec") or "dlspec"]
with runs() as folder:
    typo = folder / "typo.yaml"
    typo.write_text("task: classification\ndata: digits\nmodel: {name: lenet5, activatoin: relu}\n", encoding="utf-8")
    help_only = bare(folder / "bare.py", "", names)
    checking = bare(folder / "bare_checking.py", "import pydantic\nimport yaml", names)
    for what, ours, yardstick, code in (
        (f"--help, {len(names)} commands", [*dlspec, "--help"], [sys.executable, help_only, "--help"], 0),
        ("train typo.yaml", [*dlspec, "train", str(typo)], [sys.executable, checking, names[0]], 2),
    ):
        seconds = processes({"dlspec": ours, "bare": yardstick}, repeats=REPEATS, expected={"dlspec": code, "bare": 0})
        mine, bare_one = (statistics.median(seconds[name]) for name in ("dlspec", "bare"))
        figures.check(
            f"dlspec {what}: {1000 * mine:.0f} ms, a bare Typer application {1000 * bare_one:.0f} ms: "
            f"{mine / bare_one:.2f} times (at most 1.5)",
            mine / bare_one <= 1.5,
        )
figures.leave()
