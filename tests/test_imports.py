"""Which room may import which, and that nothing heavy is imported before it works."""

import ast
from pathlib import Path

import pytest

import dlspec

PACKAGE = Path(dlspec.__file__).parent
EVERYONE = {"types", "wording", "proposals", "remedies", "recipe.component"}
ROOMS_BELOW_RUNS = {
    "data", "inputs", "tasks", "evaluators", "models.base", "strategy", "report", "recipe", "tuning", "layers",
    "numeric", "decode",
}  # fmt: skip
ALLOWED = {
    "types": {"complaints"},
    "complaints": set(),
    "proposals": set(),
    "remedies": set(),
    "wording": set(),
    "cli": {"runs", "tuning", "report", "recipe"},
    "runs": ROOMS_BELOW_RUNS,
    "tuning": ROOMS_BELOW_RUNS | {"runs"},
    "tasks": {"models.base", "inputs", "evaluators", "losses", "decode", "numeric"},
    "evaluators": {"numeric"},
    "models": {"layers"},
    "layers": set(),
    "losses": set(),
    "inputs": {"numeric"},
    "data": {"numeric"},
    "strategy": set(),
    "numeric": set(),
    "report": {"numeric"},
    "decode": {"numeric"},
    "recipe": set(),
}
HEAVY = {
    "keras",
    "tensorflow",
    "jax",
    "torch",
    "sklearn",
    "scipy",
    "pyarrow",
    "pandas",
    "optuna",
    "matplotlib",
    "tensorboard",
}
LIGHT_ROOMS = {"cli", "recipe", "data", "inputs", "tasks", "models", "evaluators", "types", "proposals"}
FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(file):
    return file.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(file, *, top_alone=False):
    """(module, name) of every import, but those for type checkers alone."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    checking = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    nodes = tree.body if top_alone else ast.walk(tree)
    for node in nodes:
        if id(node) in checking:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield from ((node.module, alias.name) for alias in node.names)


def test_there_are_files_in_every_room():
    assert {room_of(f) for f in FILES} >= set(ALLOWED) - {"tuning"}


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_rooms_import_only_what_they_may(file):
    room = room_of(file)
    if room == "__init__":
        return
    for module, name in imports(file):
        if module.split(".")[0] != "dlspec":
            continue
        target = module.removeprefix("dlspec").removeprefix(".")
        target = (
            f"{target}.{name}".strip(".")
            if name and (PACKAGE / target.replace(".", "/") / f"{name}.py").exists()
            else target
        )
        allowed = ALLOWED[room] | EVERYONE | {room}
        fits = any(target == one or target.startswith(f"{one}.") for one in allowed)
        assert fits or not target, f"{file.relative_to(PACKAGE)} imports dlspec.{target}"


@pytest.mark.parametrize(
    "file", [f for f in FILES if room_of(f) in LIGHT_ROOMS], ids=lambda f: str(f.relative_to(PACKAGE))
)
def test_nothing_heavy_at_the_top(file):
    found = {module.split(".")[0] for module, _ in imports(file, top_alone=True)} & HEAVY
    assert not found, f"{file.relative_to(PACKAGE)} imports {found} before it works"


@pytest.mark.parametrize("room", ["recipe", "cli", "strategy", "numeric", "evaluators"])
def test_rooms_that_know_no_networks(room):
    for file in (PACKAGE / room).rglob("*.py"):
        assert not {m.split(".")[0] for m, _ in imports(file)} & {"keras", "tensorflow", "jax"}, file
