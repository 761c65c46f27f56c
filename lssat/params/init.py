"""`lssat init`: a params.yaml for a user's own trees, made of a preset with its comments kept.

The preset is edited as text, at the places where the YAML parser says that a value stands, so
that every other byte of it, comments and alignment included, stays as it is.
"""

import itertools
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from lssat import grid, params
from lssat.grid.releases import CROSS, RELEASES, TASKS
from lssat.params import trial as small
from lssat.params.edits import Edit, edited, last
from lssat.tables import DataError, s3_addresses, write_text

Root = str | Path  # an address is a text: a path would make one slash of two
PRESETS = Path("presets")
_PLAIN = re.compile(r"(?=.*[A-Za-z])[\w.-]*(/[\w.-]+)+/?", re.ASCII)  # no reader takes it for else


def write(
    preset: str, given: Mapping[str, Root], out: Path, force: bool = False, trial: bool = False
) -> tuple[params.Params, str]:
    """Write a preset to `out` with the given roots; tasks without a root are left out.

    Args:
        preset: name of a file of presets/, without `.yaml`. `sample` draws its own trees and
            takes no roots; the others need at least one.
        given: data set -> folder, or address in object storage. Those that are only tested on
            are added to `benchmark.cross`, read as that of the task with its classes is (`_home`).
        out: the params.yaml; one that is there is replaced if it equals a preset, else only
            with `force`, and kept under another name.
        trial: made small, as a run of minutes (`lssat.params.trial`).

    Returns:
        What was written, as `params.load` reads it, and a word on what stood there before.

    Raises:
        DataError: no such preset or folder, `out` would be lost, or the result is not valid.
    """
    roots = {name: _expanded(root) for name, root in given.items()}
    text = _preset(preset)
    _check_roots(preset, roots, text)
    before = _before(out, force)
    if roots:
        text = edit(text, roots)
    text = small.small(text) if trial else text
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / out.name
        draft.write_text(text, encoding="utf-8")
        loaded = params.load(draft)
    if before is not None and before.kept:
        shutil.copy2(out, before.kept)
    write_text(out, text)
    return loaded, before.word if before else ""


def told(preset: str, out: Path, written: params.Params, before: str = "") -> str:
    """Say what was written, what stood there before, and what to run next."""
    benchmark = written.benchmark
    known = list(yaml.safe_load(_preset(preset))["datasets"])
    dropped = [name for name in known if getattr(written.datasets, name) is None]
    without = " ".join(f"--{name}" for name in dropped)
    tasks, runs = ", ".join(benchmark.tasks), len(written.runs())
    also = f"; tested on {', '.join(benchmark.cross)} too" if benchmark.cross else ""
    lines = [f"{out}: preset {preset}, tasks {tasks}{also}: {runs} runs"]
    if before:
        lines.append(before)
    if dropped:
        lines.append(f"left out, for want of {without}: {', '.join(dropped)}")
    named = "" if out == Path("params.yaml") else f" --params {out}"
    if any(section and section.limit for _, section in written.datasets):
        lines.append("few samples of each data set, a trial; without --small it is the long run")
    lines += ["next:", f"  lssat doctor{named}   # looks the data over before anything runs"]
    lines += [f"  lssat plan{named}     # how long, how much disk, is all there?"]
    return "\n".join([*lines, "  make           # runs everything"])


def names() -> list[str]:
    """Return the names of the presets.

    Raises:
        DataError: the current folder is not the project's.
    """
    stems = sorted(path.stem for path in PRESETS.glob("*.yaml"))
    if not stems:
        problem = f"there are no presets in this folder ({Path.cwd()})"
        raise DataError(PRESETS, problem, "Run this in the project's folder, beside its Snakefile")
    return stems


def edit(text: str, roots: Mapping[str, Root]) -> str:
    """Return the text of a params.yaml with these roots and only these data sets."""
    document = yaml.compose(text, Loader=yaml.SafeLoader)
    edits: list[Edit] = []
    sections = _child(document, "datasets")[1]
    added = {name: root for name, root in roots.items() if name in CROSS}
    if added:
        edits += _added(text, document, sections, added)
    for key, section in sections.value:
        if key.value in roots:
            value = _child(section, "root")[1]
            edits.append((*_span(value), _scalar(str(roots[key.value]))))
        else:
            start = text.rindex("\n", 0, key.start_mark.index) + 1
            end = text.index("\n", last(section).end_mark.index) + 1
            edits.append((start, end, ""))
    edits += _only(_child(document, "benchmark")[1], roots)
    edits += _sliced(text, document, roots)
    return edited(text, edits)


def _only(benchmark: Any, roots: Mapping[str, Root]) -> Iterator[Edit]:
    """Leave the tasks with a root in the grid, and in the variants: empty without any."""
    beside = (section for key, section in benchmark.value if key.value in grid.BESIDE)
    for section in (benchmark, *beside):
        tasks = _child(section, "tasks")[1]
        kept = [task.value for task in tasks.value if task.value in roots]
        if len(kept) < len(tasks.value):
            yield *_span(tasks), f"[{', '.join(kept)}]"
        if section is not benchmark and tasks.value and not kept:
            for key, value in section.value:
                if key.value != "tasks":
                    yield *_span(value), "[]"


def _sliced(text: str, document: Any, roots: Mapping[str, Root]) -> Iterator[Edit]:
    """Yield edits that leave out the slices of tasks without a root."""
    for _, named in _child(document, "slices")[1].value:
        if isinstance(named, yaml.MappingNode):
            kept = [pair for pair in named.value if pair[0].value in roots]
            if len(kept) < len(named.value):
                parts = [text[k.start_mark.index : v.end_mark.index] for k, v in kept]
                yield (*_span(named), "{" + ", ".join(parts) + "}")


def _added(text: str, document: Any, sections: Any, roots: Mapping[str, Root]) -> list[Edit]:
    """Name data sets in benchmark.cross; sections are that of their task, as far as it fits.

    The lines are copied with their comments.
    """
    cross = _child(_child(document, "benchmark")[1], "cross")[1]
    parts, homes = [], {name: _home(name) for name in roots}
    for name, root in roots.items():
        home = _child(sections, homes[name])[1]
        known = params.SECTIONS[name].model_fields
        lines = [f"  {name}:", f"    root: {_scalar(str(root))}"]
        for key, _ in home.value:
            if key.value in known and key.value != "root":
                start = key.start_mark.index
                lines.append("    " + text[start : text.index("\n", start)])
        release, there = RELEASES[name], {key.value for key, _ in home.value}
        for key, (_, default) in release.options.items():
            if default is ... and key not in there:  # of no other release: to be edited
                lines.append(f"    {key}: {json.dumps(release.bare[key])}")
        parts.append("\n".join([*lines, ""]))
    end = text.index("\n", last(sections).end_mark.index) + 1
    pairs = ", ".join(f"{name}: {home}" for name, home in homes.items())
    return [(*_span(cross), f"{{{pairs}}}"), (end, end, "".join(parts))]


def _home(name: str) -> str:
    """Return the task whose runs are tested on a release: the first with its classes."""
    tested = CROSS[name]
    alike = (task for task in TASKS.values() if task.kind == tested.kind)
    return next(task.name for task in alike if set(tested.classes) <= set(task.classes))


def _preset(name: str) -> str:
    known = names()
    if name not in known:
        raise DataError(PRESETS, f"has no preset {name!r}", f"Choose of {', '.join(known)}")
    return (PRESETS / f"{name}.yaml").read_text(encoding="utf-8")


def _check_roots(preset: str, roots: Mapping[str, Root], text: str) -> None:
    file = PRESETS / f"{preset}.yaml"
    known = [*yaml.safe_load(text)["datasets"], *CROSS]
    options = " ".join(f"--{name} DIR" for name in known)
    if preset == "sample" and roots:
        fix = "Leave the folders out, or choose another preset for data of your own"
        raise DataError(file, "draws its own data sets and takes no folders", fix)
    if preset != "sample" and not roots:
        fix = f"Give at least one of {options}"
        raise DataError(file, "needs the folder of a data set, and none was given", fix)
    for name in roots:
        if name in CROSS and (home := _home(name)) not in roots:
            problem = f"{name} is tested with the runs of {home}, whose folder was not given"
            raise DataError(file, problem, f"Add --{home} DIR")
    for name in roots:
        if name not in known:
            raise DataError(file, f"has no data set {name}", f"It has {', '.join(known)}")
    for name, root in roots.items():
        if isinstance(root, str) and (problem := s3_addresses.problem(root)):
            raise DataError(f"init: --{name}", problem, "Nothing was written")
    paths = {name: root for name, root in roots.items() if isinstance(root, Path)}
    absent = [f"--{name} {path}" for name, path in paths.items() if not path.is_dir()]
    if absent:
        many = "is not a folder" if len(absent) == 1 else "are not folders"
        fix = "Give the root of each raw tree; nothing was written"
        raise DataError("init", f"{', '.join(absent)} {many}", fix)


def _expanded(root: Root) -> Root:
    return str(root) if s3_addresses.away(root) else Path(root).expanduser()


class _Before(NamedTuple):
    """What stood where a params.yaml is written: a word on it, and where it is kept."""

    word: str
    kept: Path | None = None


def _before(out: Path, force: bool) -> _Before | None:
    if out.parent.exists() and PRESETS.exists() and out.parent.samefile(PRESETS):
        raise DataError(out, "is among the presets, which stay as they are", "Name another --out")
    if not out.exists():
        return None
    here = out.read_bytes()
    for path in sorted(PRESETS.glob("*.yaml")):
        if path.read_bytes() == here:
            return _Before(f"it replaced the unedited {path}, which is still there")
    kept = next(backup for n in itertools.count(1) if not (backup := _backup(out, n)).exists())
    if force:
        return _Before(f"what stood there is kept as {kept}", kept)
    fix = f"Add --force to replace it (it is then kept as {kept}), or --out for another file"
    raise DataError(out, "is there already and differs from every preset", fix)


def _backup(out: Path, number: int) -> Path:
    return out.with_name(f"{out.name}.bak{'' if number == 1 else number}")


def _child(mapping: Any, name: str) -> tuple[yaml.Node, yaml.Node]:
    return next(pair for pair in mapping.value if pair[0].value == name)


def _span(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.index, last(node).end_mark.index


def _scalar(value: str) -> str:
    """Return a text as a scalar that every YAML reader takes for this text."""
    return value if _PLAIN.fullmatch(value) else "'" + value.replace("'", "''") + "'"
