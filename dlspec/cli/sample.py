"""dlspec sample RUN"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dlspec.cli.shared import Debug, Json, RunArgument, Runs, answer


def sample(
    run: RunArgument,
    text: Annotated[
        str, typer.Option("--text", metavar="TEXT", help="What it goes on with; left out: a text of its own.")
    ] = "",
    length: Annotated[
        int, typer.Option("--length", metavar="N", help="Tokens that are drawn: of a character model, characters.")
    ] = 500,
    temperature: Annotated[
        float, typer.Option("--temperature", help="Below 1 what is probable is drawn more often; 0: nothing else.")
    ] = 1.0,
    top_k: Annotated[
        int | None, typer.Option("--top-k", metavar="K", help="Draw among the K most probable tokens alone.")
    ] = None,
    top_p: Annotated[
        float | None,
        typer.Option("--top-p", metavar="P", help="Draw among the fewest whose probabilities reach P (nucleus)."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, another text.")] = 0,
    count: Annotated[int, typer.Option("--count", metavar="N", help="How many texts, one after the other.")] = 1,
    runs: Runs = Path("runs"),
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Let a language model go on with a text, as it is drawn."""
    from dlspec.runs.sample import sample as make

    before = 0

    def tell(number: int, piece: str) -> None:
        nonlocal before
        parted = "\n\n" + "─" * 20 + "\n" if number > before else ""
        before = number
        answer({}, False, lambda: print(parted + piece, end="", flush=True))

    result = make(
        run,
        text=text,
        length=length,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        seed=seed,
        count=count,
        root=runs,
        tell=None if json else tell,
    )
    answer(result, json, print)
