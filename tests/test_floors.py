"""A module imports only from floors below its own; light modules never import torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "lssat"
FLOORS = [
    {
        "tables",
        "texture",
        "metrics",
        "statistics",
        "grid",
        "digest",
        "yaml12",
        "environment",
        "labels",
        "machine",
        "choices",
        "phash",
        "archive",
        "notation",
        "sampling",
        "heat",
        "literal",
        "private",
        "spelling",
        "listed",
        "links",
        "memory",
    },
    {
        "params",
        "media",
        "backbones",
        "checkpoint",
        "texture_torch",
        "shards",
        "augment",
        "perturb",
        "ahead",
    },
    {
        *(
            "datasets",
            "sample",
            "faces",
            "texture_cache",
            "splits",
            "audit",
            "ssat",
            "tasks",
            "loader",
        ),
        *("tracking", "parents", "store", "scores", "reconstruction", "explain"),
        "init",
        "small",
        "costs",
        "trained",
        "build",
    },
    {
        "train",
        "apply",
        "verify",
        "rejected",
        "compare",
        "predict",
        "evaluate",
        "examine",
        "robustness",
        "sensitivity",
        "speed",
        "slices",
        "report",
        "show",
        "orchestrate",
        "preflight",
        "doctor",
    },
    {"cli"},
]
# Within a floor: leaves that their neighbours may use. tables holds the errors; loader
# reads for reconstruction and for the build of models; texture codes are pure.
NEIGHBOURS = {
    "listed": {"tables"},
    "digest": {"tables", "links", "memory"},
    "yaml12": {"tables"},
    "grid": {"tables", "labels", "notation"},
    "archive": {"tables"},
    "choices": {"grid"},
    "machine": {"tables"},
    "reconstruction": {"loader", "ssat"},
    "evaluate": {"predict"},
    "robustness": {"predict"},
    "examine": {"predict"},
    "sensitivity": {"predict"},
    "costs": {"ssat"},
    "build": {"loader", "ssat"},
    "tracking": {"parents", "store"},
    "init": {"small"},
    "explain": {"ssat"},
    "orchestrate": {"show"},
    "apply": {"predict"},
    "compare": {"report"},
    "doctor": {"preflight"},
}
LIGHT = [
    "doctor",
    "params",
    "preflight",
    "tables",
    "datasets",
    "metrics",
    "report",
    "slices",
    "cli",
    "digest",
    "grid",
    "machine",
    "private",
    "splits",
    "init",
    "trained",
    "verify",
    "compare",
]


def room(name: str) -> str:
    return name.split(".")[1] if name.startswith("lssat.") else ""


def imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "lssat":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(room(node.module))
        elif isinstance(node, ast.Import):
            found |= {room(alias.name) for alias in node.names}
    return found - {""}


def floor(name: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if name in rooms)


FILES = [
    file
    for file in sorted(PACKAGE.rglob("*.py"))
    if file.relative_to(PACKAGE).as_posix() not in ("__init__.py", "__main__.py")
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_imports_only_from_floors_below(file: Path) -> None:
    own = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for other in imports(file) - {own}:
        below = floor(other) < floor(own)
        assert below or other in NEIGHBOURS.get(own, set()), f"{own} imports {other}"


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
