"""Digests that say when a step must run again: of the code it uses, and of a raw tree.

A digest of code is taken over syntax trees without docstrings, so that an edited comment or a
`git checkout` redoes nothing and an edited formula redoes what depends on it.
"""

import ast
import hashlib
import os
import sqlite3
from contextlib import closing
from functools import lru_cache
from pathlib import Path

from lssat.tables import DataError, sha256

PACKAGE = Path(__file__).parent

# The modules in which the work of each rule begins; what they import is found in their source.
ENTRY = {
    "sample": ["sample"],
    "manifest": ["datasets"],
    "faces": ["faces"],
    "texture": ["texture_cache"],
    "splits": ["splits"],
    "train": ["train"],
    "evaluate": ["evaluate"],
    "track": ["tracking"],
    "report": ["report"],
}
# The values of params.yaml reach each rule as they are, defaults included, and are recorded
# there: an edit of their reader alone changes no result.
_NOT_FOLLOWED = {"params", "cli", "digest"}

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_SHIPPED = {".j2", ".css", ".js", ".json"}


@lru_cache
def _module(name: str) -> tuple[str, frozenset[str]]:
    """Return the digest of one module (dotted, below the package) and the modules it imports."""
    path = PACKAGE.joinpath(*name.split("."))
    package = path.is_dir()
    tree = ast.parse((path / "__init__.py" if package else path.with_suffix(".py")).read_bytes())
    found = set()
    if package:  # a package's step uses all of its modules
        found |= {f"{name}.{file.stem}" for file in path.glob("*.py") if file.stem != "__init__"}
        found |= {f"{name}.{file.parent.name}" for file in path.glob("*/__init__.py")}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            if node.module == "lssat":
                found |= {alias.name for alias in node.names}
            elif node.module.startswith("lssat."):
                found.add(node.module.removeprefix("lssat."))
                found |= {f"{node.module}.{alias.name}"[6:] for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name[6:] for alias in node.names if alias.name.startswith("lssat.")}
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    parts = [ast.dump(tree).encode()]
    if package:  # templates and styles
        others = sorted(file for file in path.rglob("*") if file.suffix in _SHIPPED)
        parts += [file.read_bytes() for file in others]
    return hashlib.sha256(b"\0".join(parts)).hexdigest(), frozenset(filter(_exists, found))


def _exists(name: str) -> bool:
    path = PACKAGE.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def modules(rule: str) -> list[str]:
    """List the modules of the package that a rule's step uses, directly or through others."""
    todo, seen = list(ENTRY[rule]), set()
    while todo:
        name = todo.pop()
        if name not in seen and name.split(".")[0] not in _NOT_FOLLOWED:
            seen.add(name)
            todo += _module(name)[1]
    return sorted(seen)


def code(rule: str) -> str:
    """Return the digest (16 hexadecimal digits) of the code that a rule's step uses."""
    parts = [f"{name}:{_module(name)[0]}" for name in modules(rule)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def tree(root: str | Path, memory: str | Path) -> str:
    """Return the digest of a raw tree: of each file's relative path and content.

    The contents' hashes are remembered in `memory` (SQLite) by size, time and inode, so that
    only new and touched files are read again, and a bare touch changes nothing.

    Returns:
        16 hexadecimal digits; "absent" if there is no such folder.

    Raises:
        DataError: a folder or file cannot be read.
    """
    root = Path(root)
    if not root.is_dir():
        return "absent"
    memory = Path(memory)
    memory.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(memory, timeout=60)) as base, base:
        base.execute("CREATE TABLE IF NOT EXISTS files (path PRIMARY KEY, stamp, digest)")
        known = {
            path: (stamp, digest)
            for path, stamp, digest in base.execute(
                "SELECT path, stamp, digest FROM files WHERE path >= ? AND path < ?",
                (f"{root.resolve()}/", f"{root.resolve()}0"),  # "0" follows "/"
            )
        }
        new, lines = [], []
        for path, stat in sorted(_files(root.resolve())):
            stamp = f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ino}"
            old = known.get(path)
            if old is None or old[0] != stamp:
                old = (stamp, _content(path))
                new.append((path, *old))
            lines.append(f"{os.path.relpath(path, root.resolve())}\0{old[1]}")
        base.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", new)
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()[:16]


def _files(folder: str | Path):
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir():
                    yield from _files(entry.path)
                elif entry.is_file():
                    yield entry.path, entry.stat()
    except PermissionError:
        raise _denied(folder) from None


def _content(path: str) -> str:
    try:
        return sha256(path)
    except PermissionError:
        raise _denied(path) from None


def _denied(path: str | Path) -> DataError:
    owner = os.stat(path).st_uid
    return DataError(path, f"cannot be read (owner: uid {owner})", "Ask the owner for permission")
