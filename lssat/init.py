"""`lssat init`: a params.yaml for a user's own trees, made of a preset with its comments kept.

The preset is edited as text, at the places where the YAML parser says that a value stands, so
that every other byte of it, comments and alignment included, stays as it is.
"""

import re
import tempfile
from pathlib import Path
from typing import Any

import yaml

from lssat import params
from lssat.tables import DataError, atomic

PRESETS = Path("presets")
_PLAIN = re.compile(r"(?=.*[A-Za-z])[\w.-]*(/[\w.-]+)+/?", re.ASCII)  # no reader takes it for else


def write(preset: str, roots: dict[str, Path], out: Path, force: bool = False) -> params.Params:
    """Write a preset to `out` with the given roots; tasks without a root are left out.

    Args:
        preset: name of a file of presets/, without `.yaml`. `sample` draws its own trees and
            takes no roots; the others need at least one.
        roots: data set -> folder.
        out: the params.yaml; one that is there is replaced if it equals a preset, else only
            with `force`.

    Returns:
        What was written, as `params.load` reads it.

    Raises:
        DataError: no such preset or folder, `out` would be lost, or the result is not valid.
    """
    text = _preset(preset)
    _check_roots(preset, roots, text)
    _keep(out, force)
    if roots:
        text = edit(text, {name: root.expanduser() for name, root in roots.items()})
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / out.name
        draft.write_text(text, encoding="utf-8")
        loaded = params.load(draft)
    with atomic(out, "w") as file:
        file.write(text)
    return loaded


def told(preset: str, out: Path, written: params.Params) -> str:
    """Say what was written and what to run next."""
    grid = written.benchmark
    known = list(yaml.safe_load(_preset(preset))["datasets"])
    dropped = [name for name in known if getattr(written.datasets, name) is None]
    without = " ".join(f"--{name}" for name in dropped)
    lines = [f"{out}: preset {preset}, tasks {', '.join(grid.tasks)}: {len(grid.runs())} runs"]
    if dropped:
        lines.append(f"left out, for want of {without}: {', '.join(dropped)}")
    named = "" if out == Path("params.yaml") else f" --params {out}"
    lines += ["next:", f"  lssat doctor{named}   # looks the data over before anything runs"]
    return "\n".join([*lines, "  make           # runs everything"])


def names() -> list[str]:
    """Return the names of the presets.

    Raises:
        DataError: the current folder is not the project's.
    """
    found = sorted(path.stem for path in PRESETS.glob("*.yaml"))
    if not found:
        problem = f"there are no presets in this folder ({Path.cwd()})"
        raise DataError(PRESETS, problem, "Run this in the project's folder, beside its Snakefile")
    return found


def edit(text: str, roots: dict[str, Path]) -> str:
    """Return the text of a params.yaml with these roots and only these data sets."""
    document = yaml.compose(text, Loader=yaml.SafeLoader)
    edits = []
    sections = _child(document, "datasets")[1]
    for key, section in sections.value:
        if key.value in roots:
            value = _child(section, "root")[1]
            edits.append((*_span(value), _scalar(str(roots[key.value]))))
        else:
            start = text.rindex("\n", 0, key.start_mark.index) + 1
            end = text.index("\n", _last(section).end_mark.index) + 1
            edits.append((start, end, ""))
    tasks = _child(_child(document, "benchmark")[1], "tasks")[1]
    kept = [task.value for task in tasks.value if task.value in roots]
    if len(kept) < len(tasks.value):
        edits.append((*_span(tasks), f"[{', '.join(kept)}]"))
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _preset(name: str) -> str:
    known = names()
    if name not in known:
        raise DataError(PRESETS, f"has no preset {name!r}", f"Choose of {', '.join(known)}")
    return (PRESETS / f"{name}.yaml").read_text(encoding="utf-8")


def _check_roots(preset: str, roots: dict[str, Path], text: str) -> None:
    file = PRESETS / f"{preset}.yaml"
    known = list(yaml.safe_load(text)["datasets"])
    options = " ".join(f"--{name} DIR" for name in known)
    if preset == "sample" and roots:
        fix = "Leave the folders out, or choose another preset for data of your own"
        raise DataError(file, "draws its own data sets and takes no folders", fix)
    if preset != "sample" and not roots:
        fix = f"Give at least one of {options}"
        raise DataError(file, "needs the folder of a data set, and none was given", fix)
    for name, root in roots.items():
        if name not in known:
            raise DataError(file, f"has no data set {name}", f"It has {', '.join(known)}")
        if not root.expanduser().is_dir():
            raise DataError(root, f"is not a folder (--{name})", "Give the root of the raw tree")


def _keep(out: Path, force: bool) -> None:
    if not out.exists() or force:
        return
    if out.read_bytes() not in {path.read_bytes() for path in PRESETS.glob("*.yaml")}:
        problem = "is there already and differs from every preset"
        raise DataError(out, problem, "Add --force to replace it, or --out for another file")


def _child(mapping: Any, name: str) -> tuple[yaml.Node, yaml.Node]:
    return next(pair for pair in mapping.value if pair[0].value == name)


def _span(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.index, node.end_mark.index


def _last(node: yaml.Node) -> yaml.Node:
    """Return the last scalar below a node: a block's own end lies after the comments below it."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style:
        node = node.value[-1][1] if isinstance(node, yaml.MappingNode) else node.value[-1]
    return node


def _scalar(value: str) -> str:
    """Return a text as a scalar that every YAML reader takes for this text."""
    return value if _PLAIN.fullmatch(value) else "'" + value.replace("'", "''") + "'"
