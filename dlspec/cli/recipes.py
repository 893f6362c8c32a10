"""dlspec recipes list | show | copy | schema"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dlspec.cli.shared import Debug, Json, RecipeArgument, Set, answer

app = typer.Typer(help="List, show and copy recipes.", no_args_is_help=True)


@app.command("list")
def list_(json: Json = False, debug: Debug = False) -> None:
    """The recipes that come with dlspec, each with what its header says."""
    from dlspec.recipe.load import header_of
    from dlspec.recipe.shipped import shipped, shipped_names

    found = [{"name": name, "header": header_of(shipped() / f"{name}.yaml")} for name in shipped_names()]

    def text() -> None:
        for one in found:
            typer.echo(one["name"])
            for line in one["header"]:
                typer.echo(f"    {line}")

    answer({"recipes": found}, json, text)


@app.command("show")
def show(
    recipe: RecipeArgument,
    set: Set = None,
    filled: Annotated[bool, typer.Option("--filled", help="Check it and write out every default.")] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """A recipe's text; with --filled, every default written out."""
    from dlspec.recipe.load import dump, load
    from dlspec.recipe.shipped import locate

    file = locate(recipe)
    content = (
        dump(load(recipe, set or (), paths_may_be_missing=True).recipe)
        if filled or set
        else file.read_text(encoding="utf-8")
    )
    answer({"file": str(file.absolute()), "text": content}, json, lambda: typer.echo(content, nl=False))


@app.command("copy")
def copy(
    recipe: RecipeArgument,
    to: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; a folder keeps the name.")] = Path("."),
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Copy a recipe to change it; nothing is overwritten."""
    from dlspec.recipe.shipped import locate
    from dlspec.types import ArgumentError

    file = locate(recipe)
    target = to / file.name if to.is_dir() else to
    if target.suffix not in (".yaml", ".yml"):
        raise ArgumentError(f"'{target}' does not end in .yaml, and is no folder")
    try:
        with open(target, "xb") as new:
            new.write(file.read_bytes())
    except FileExistsError:
        raise ArgumentError(f"{target} exists already; give another name") from None
    except OSError as error:
        raise ArgumentError(f"cannot write {target}: {error.strerror}") from None
    answer(
        {"file": str(target.absolute())}, json, lambda: typer.echo(f"{target}: train it with  dlspec train {target}")
    )


@app.command("schema")
def schema(json: Json = False, debug: Debug = False) -> None:
    """The JSON Schema of recipes, for an editor: # yaml-language-server: $schema=recipe.schema.json"""
    from json import dumps

    from dlspec.recipe.schema import Recipe

    found = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Recipe.model_json_schema()}
    answer(found, json, lambda: typer.echo(dumps(found, indent=2, ensure_ascii=False)))
