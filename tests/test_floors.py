"""A room imports only from floors below its own; light modules never import torch."""

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT

from lssat.tables import source

PACKAGE = ROOT / "lssat"
FLOORS = [  # from the ground up
    {"tables", "texture", "metrics"},
    {"grid"},
    {"params", "models"},
    {"data"},
    {"training"},
    {"evaluation"},
    {"report"},
    {"use", "tracking"},
    {"orchestrate"},
    {"cli"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
# Rooms, and what the commands for people and the Snakefile import: quick, and without a GPU.
LIGHT = [
    *("tables", "metrics", "grid", "params", "report", "report.page", "cli", "tracking.runs"),
    *("data.datasets", "data.doctor", "data.preflight", "data.splits", "evaluation.slices"),
    *("use.compare", "use.show", "use.verify", "orchestrate.hooks", "orchestrate.sync"),
    *("orchestrate.plan.place", "orchestrate.plan.terminal"),
]
FILES = [file for file in sorted(PACKAGE.rglob("*.py")) if file.parent != PACKAGE]


def imports(file: Path) -> set[str]:
    """Return the modules of the package (dotted, below it) that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "lssat":
            inner = (node.module or "").removeprefix("lssat").removeprefix(".")
            names = [f"{inner}.{alias.name}".removeprefix(".") for alias in node.names]
            found |= {name if source._exists(name) else inner for name in names}
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            found |= {name.removeprefix("lssat.") for name in names if name.startswith("lssat.")}
    return found


def test_the_listing_holds_the_rooms_and_nothing_else() -> None:
    shown = {path.name for path in PACKAGE.iterdir()} - {"__pycache__"}
    assert shown == {"__init__.py", "__main__.py", "py.typed", *FLOOR}
    for room in FLOOR:
        text = (PACKAGE / room / "__init__.py").read_text()
        assert ast.get_docstring(ast.parse(text)), f"{room} does not say what it is"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_a_room_imports_only_from_floors_below(file: Path) -> None:
    own = file.relative_to(PACKAGE).parts[0]
    for other in imports(file):
        room = other.split(".")[0]
        assert room == own or FLOOR[room] < FLOOR[own], f"{own} imports {other}"


def test_no_circle_among_modules() -> None:
    """Inside a room, too: what is imported for types alone does not count."""
    graph = {}
    for file in FILES:
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        graph[name] = imports(file) - {name}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


@pytest.mark.parametrize("name", LIGHT)
def test_light_modules_do_not_import_torch(name: str) -> None:
    code = f"import sys, lssat.{name}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_package_never_imports_snakemake() -> None:
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "snakemake" for name in names), file
