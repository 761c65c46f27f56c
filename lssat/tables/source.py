"""Digests of the code that each rule's step uses, which say when a step must run again.

A digest is taken over syntax trees without docstrings, so that an edited comment or a
`git checkout` redoes nothing and an edited formula redoes what depends on it. Names of modules do
not count either: each is known by what it holds, so that a moved or renamed module redoes nothing.
"""

import ast
import contextlib
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeGuard

from lssat.tables.atomic import write_text
from lssat.tables.errors import DataError
from lssat.tables.project import Project

PACKAGE = Path(__file__).parent.parent
WRITTEN = Project().code

# The modules in which the work of each rule begins; what they import is found in their source.
ENTRY = {
    "sample": ["data.sample"],
    "manifest": ["data.datasets"],
    "faces": ["data.faces"],
    "texture": ["data.texture"],
    "shards": ["data.shard_list"],
    "splits": ["data.splits"],
    "formats": ["data.formats"],
    "audit": ["data.audit.leaks"],
    "lookalikes": ["data.audit.lookalikes"],
    "audit_cross": ["data.audit.across"],
    "train": ["training.train"],
    "external": ["data.external"],
    "evaluate": ["evaluation.evaluate"],
    "cross": ["evaluation.evaluate"],
    "robustness": ["evaluation.robustness"],
    "format_probe": ["evaluation.format_probe"],
    "slices": ["evaluation.slices"],
    "slices_listed": ["evaluation.slices"],
    "explain": ["evaluation.explain"],
    "gallery": ["report.gallery"],
    "speed": ["evaluation.speed"],
    "variant": ["evaluation.sensitivity.recropped"],
    "sensitivity": ["evaluation.sensitivity"],
    "track": ["tracking.runs"],
    "track_cross": ["tracking.runs"],
    "track_slices": ["tracking.runs"],
    "report": ["report"],
    "track_report": ["tracking.runs"],
}
# The values of params.yaml reach each rule as they are, defaults included, and are recorded
# there: an edit of their reader alone changes no result. Nor does one of where files lie, which
# Snakemake and DVC see for themselves.
_NOT_FOLLOWED = ("params", "cli", "tables.source", "tables.digest", "tables.project")
_SHIPPED = {".j2", ".css", ".js", ".json"}
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class _Bound(NamedTuple):
    """What a name of a module stands for: another module, or an object of one."""

    module: str  # dotted, below the package
    object: str | None


class _Source:
    """One module: its syntax tree as text, and the modules that it uses."""

    def __init__(self, name: str):
        path = PACKAGE.joinpath(*name.split("."))
        package = path.is_dir()
        file = path / "__init__.py" if package else path.with_suffix(".py")
        others = [other for other in path.iterdir() if other.suffix in _SHIPPED] if package else []
        self.shipped = sorted(other.read_bytes() for other in others)
        tree = _undocumented(_parsed(file.read_bytes()))
        self._bound = dict(_bindings(tree))
        self._dump = ast.dump(_Marked(self._bound).visit(tree))
        self.uses = {bound.module for bound in self._bound.values()}

    def digest(self, known_as: dict[str, str]) -> str:
        """Return the digest of the module, with what others are known as in place of names."""
        names = {
            name: f"@{known_as.get(bound.module, '')}:{bound.object or ''}"
            for name, bound in self._bound.items()
        }
        text = _MARK.sub(lambda mark: names[mark[1]], self._dump)
        return _hash("\n".join([text, *sorted(names.values())]).encode(), *self.shipped)


def _bindings(tree: ast.Module) -> Iterator[tuple[str, _Bound]]:
    """Yield each name that stands for a module of the package, or for an object of one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and _ours(node.module):
            base = (node.module or "").removeprefix("lssat").removeprefix(".")
            for alias in node.names:
                inner = f"{base}.{alias.name}" if base else alias.name
                bound = _Bound(inner, None) if _exists(inner) else _Bound(base, alias.name)
                yield alias.asname or alias.name, bound
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if _ours(alias.name):
                    yield alias.asname or alias.name, _Bound(alias.name[6:], None)
        elif isinstance(node, ast.Constant) and _is_module(node.value):
            # of a process of its own: `python -m lssat.data.media.worker`
            yield node.value, _Bound(node.value[6:], None)
        elif isinstance(node, ast.JoinedStr) and (room := _prefix(node)):
            # imported by name: `import_module(f"lssat.texture.kinds.{kind}")`
            for inner in sorted(path.stem for path in PACKAGE.joinpath(*room.split(".")).iterdir()):
                if inner != "__init__" and _exists(f"{room}.{inner}"):
                    yield f"{room}.{inner}", _Bound(f"{room}.{inner}", None)


def _prefix(text: ast.JoinedStr) -> str | None:
    """Return the package that an f-string begins with, dotted and below ours; else None."""
    first = text.values[0] if text.values else None
    if not (isinstance(first, ast.Constant) and str(first.value).startswith("lssat.")):
        return None
    room = str(first.value)[6:].removesuffix(".")
    return room if PACKAGE.joinpath(*room.split(".")).is_dir() else None


class _Marked(ast.NodeTransformer):
    """Leaves out imports from the package and marks each name that they bound."""

    def __init__(self, bound: dict[str, _Bound]):
        self.bound = bound

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        return None if _ours(node.module) else node

    def visit_Import(self, node: ast.Import) -> ast.AST | None:
        node.names = [alias for alias in node.names if not _ours(alias.name)]
        return node if node.names else None

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = f"<<{node.id}>>" if node.id in self.bound else node.id
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if _is_module(node.value):
            node.value = f"<<{node.value}>>"
        return node


_DOTTED = re.compile(r"lssat(\.\w+)+")
_MARK = re.compile(r"<<([\w.]+)>>")


def _undocumented(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return tree


def _ours(module: str | None) -> bool:
    return module is not None and (module == "lssat" or module.startswith("lssat."))


def _is_module(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and bool(_DOTTED.fullmatch(value)) and _exists(value[6:])


def _parsed(code: bytes) -> ast.Module:
    try:
        return ast.parse(code)
    except SystemError:  # CPython 3.11 at times, if a finaliser parses in the midst (gh-106905)
        return ast.parse(code)


def _exists(name: str) -> bool:
    path = PACKAGE.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


@cache
def _source(name: str) -> _Source:
    return _Source(name)


@cache
def _held(name: str) -> str:
    """Return the digest of a module by itself: what other modules know it as."""
    return "" if _is_left_out(name) else _source(name).digest({})


@cache
def _digest(name: str) -> str:
    """Return the digest of a module, with each that it uses known by what that holds."""
    source = _source(name)
    return source.digest({used: _held(used) for used in source.uses})


def _hash(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _is_left_out(name: str) -> bool:
    return any(name == left or name.startswith(f"{left}.") for left in _NOT_FOLLOWED)


def forget() -> None:
    """Forget what was read, since files have changed."""
    for remembered in (_source, _held, _digest, _kept):
        remembered.cache_clear()


def modules(rule: str) -> list[str]:
    """List the modules of the package that a rule's step uses, directly or through others."""
    return _used(ENTRY[rule])


def _used(entry: list[str]) -> list[str]:
    todo, seen = list(entry), set()
    while todo:
        name = todo.pop()
        if name and name not in seen and not _is_left_out(name):
            seen.add(name)
            # To import a module is to run the packages that it lies in.
            todo += [*_source(name).uses, name.rpartition(".")[0]]
    return sorted(seen)


def digest(rule: str) -> str:
    """Return the digest (16 hexadecimal digits) of the code that a rule's step uses."""
    return of_modules(ENTRY[rule])


def of_modules(entry: list[str]) -> str:
    """Return the digest of some modules and of those that they use.

    Syntax trees of the whole package take more than a second, at the start of each step and of
    each Snakemake. Digests are kept beside the package's bytecode until any of its files changes.
    """
    kept, key = _kept(), " ".join(entry)
    if key not in kept.digests:
        kept.digests[key] = _of_modules(entry)
        with contextlib.suppress(DataError):  # a package that this user may only read
            write_text(kept.file, json.dumps(kept._asdict(), default=str))
    return kept.digests[key]


class _Kept(NamedTuple):
    """Digests of the package as it is now, and the file in which they outlive the process."""

    file: Path
    package: str  # digest of the bytes of its files, and of the Python that read them
    digests: dict[str, str]


@cache
def _kept() -> _Kept:
    ends = {".py", *_SHIPPED}
    files = sorted(
        f for f in PACKAGE.rglob("*") if f.suffix in ends and "__pycache__" not in f.parts
    )
    contents = (part for f in files for part in (bytes(f.relative_to(PACKAGE)), f.read_bytes()))
    package = _hash(sys.version.encode(), *contents)
    file = PACKAGE / "__pycache__" / "digests.json"
    try:
        earlier = json.loads(file.read_bytes())
        if earlier["package"] == package:
            return _Kept(file, package, dict(earlier["digests"]))
    except (OSError, ValueError, LookupError, TypeError):
        pass  # none yet, or not one of ours
    return _Kept(file, package, {})


def _of_modules(entry: list[str]) -> str:
    begins = [_digest(name) for name in entry]
    empty = _hash(ast.dump(ast.Module([], [])).encode())
    used = {_digest(name) for name in _used(entry)} - {
        empty
    }  # packages that only say what they are
    return _hash("\n".join([*begins, *sorted(used)]).encode())[:16]


def write(folder: Path = WRITTEN) -> None:
    """Write the digest of each rule's code to a file of its own, where it is another."""
    for rule in changed(folder):
        write_text(folder / f"{rule}.txt", f"{digest(rule)}\n")


def changed(folder: Path = WRITTEN) -> list[str]:
    """List the rules whose code is not what was written, or of which nothing was."""
    files = {rule: folder / f"{rule}.txt" for rule in ENTRY}
    return [
        rule
        for rule, file in files.items()
        if not file.exists() or file.read_text() != f"{digest(rule)}\n"
    ]
