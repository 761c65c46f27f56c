"""The files and folders that params.yaml names: there, and of a form that is read."""

import os
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from lssat import grid
from lssat.data import datasets, external
from lssat.data.preflight.named_models import WORDS, choices, trained
from lssat.grid.releases import RELEASES, TASKS
from lssat.params.base import Get, Problem, texts
from lssat.tables import DataError, s3, s3_addresses, spelling
from lssat.tables.project import Project

HERE = Project()
SAMPLE = str(HERE.sample.root)
_PICKLED = {".pth", ".pt", ".bin", ".ckpt", ".pkl", ".pickle", ".tar", ".pyth", ".th"}


def problems(get: Get) -> Iterator[Problem]:
    """Yield what is wrong, as far as the parts of params.yaml can be read.

    Args:
        get: gives the raw value of a key, or None.
    """
    sections = get("datasets")
    for name, section in sections.items() if isinstance(sections, dict) else ():
        if not isinstance(section, dict) or not isinstance(root := section.get("root"), str):
            continue
        if s3_addresses.away(root):
            try:
                s3.outline(root)  # so that it is there
            except DataError as error:
                yield ("datasets", str(name), "root"), str(error).removesuffix(".")
                continue
        else:
            yield from _root(get, str(name), Path(root))
        yield from _of_release(section, str(name), s3_addresses.place(root))
        yield from _list(section, str(name), s3_addresses.place(root))
    lists = get("slices", "lists")
    for task, file in lists.items() if isinstance(lists, dict) else ():
        if isinstance(file, str) and not _drawn(get, file.removesuffix(".csv")):
            yield from _there(("slices", "lists", str(task)), Path(file), "a CSV of annotations")
    yield from _external(get)
    yield from _weights(get)


def _external(get: Get) -> Iterator[Problem]:
    """Yield what is wrong with tables of other programs, as far as it is known before the splits.

    Those that their step has taken up, unchanged since, are not read again.
    """
    entries = get("benchmark", "external")
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        try:
            file, data = Path(entry["file"]), HERE.data(entry["task"])
            predictions = data.external.scores(entry["name"], entry["seed"])
        except (KeyError, TypeError, ValueError):
            continue  # said where the entry stands
        where = ("benchmark", "external", number, "file")
        if problems := [*_there(where, file, "a table of scores, CSV or Parquet")]:
            yield from problems
        elif not _newer(predictions, file):
            task = _release_task(get, entry["task"])
            try:
                if data.splits.summary.exists():
                    external.check(file, data.splits)
                elif task is not None:
                    external.read(file, task)
            except DataError as error:
                yield where, str(error).removesuffix(".")


def _release_task(get: Get, name: str) -> grid.Task | None:
    """Return the task of a release; None of data of one's own, whose lists say it."""
    task, classes = TASKS.get(name), get("datasets", name, "classes")
    if task is None:
        return None
    return task._replace(classes=task.classes[: classes if isinstance(classes, int) else None])


def _newer(output: Path, source: Path) -> bool:
    return output.exists() and output.stat().st_mtime_ns > source.stat().st_mtime_ns


def _drawn(get: Get, path: str) -> bool:
    """Say whether this is a tree of the built-in sample, which is drawn if it is absent."""
    relative = os.path.relpath(path)
    return os.path.dirname(relative) == SAMPLE and (
        os.path.basename(relative) in texts(get("sample", "trees"))
    )


def _root(get: Get, name: str, root: Path) -> Iterator[Problem]:
    # With a manifest, as after `dvc pull`, the tree may be on another machine.
    done = HERE.data(name).manifest.exists()
    if root.is_dir() or done or _drawn(get, str(root)):
        return
    where = ("datasets", name, "root")
    if os.path.dirname(os.path.relpath(root)) == SAMPLE:
        yield where, f"{root} is drawn only where sample.trees names {root.name}; add it there"
    elif root.exists():
        yield where, f"{root} is a file; name the folder of the raw tree"
    else:
        yield where, f"{root} does not exist{_close(root)}; name the folder of the raw tree"


def _of_release(section: dict, name: str, root: Path) -> Iterator[Problem]:
    problems = getattr(datasets.reader(name), "problems", None) if name in RELEASES else None
    for key, text in problems(section, root) if problems else ():
        yield ("datasets", name, *key), text


def _list(section: dict, name: str, root: Path) -> Iterator[Problem]:
    file = section.get("csv")
    if isinstance(file, str) and name not in RELEASES and root.is_dir():
        where = ("datasets", name, "csv")
        yield from _there(where, root / file, "the list of the samples")
        if s3_addresses.address(root / file):  # an empty file stands for it
            known = ", ".join(s3_addresses.LISTS)
            yield where, f"{file} is no list that is read in object storage; name it as {known}"


def _there(where: tuple, file: Path, what: str) -> Iterator[Problem]:
    if file.is_dir():
        yield where, f"{file} is a folder; name {what}"
    elif not file.is_file():
        yield where, f"{file} does not exist{_close(file)}; name {what}"


def _weights(get: Get) -> Iterator[Problem]:
    for choice in choices(get):
        where, weights, file = choice.where, choice.weights, Path(choice.weights)
        if weights in WORDS or trained(get, choice):
            continue
        if not file.suffix and len(file.parts) == 1 and not file.exists():
            close = get_close_matches(weights, WORDS, n=1, cutoff=0.5)
            meant = f"; did you mean {close[0]}?" if close else ""
            forms = f"{', '.join(WORDS)} or the path of a .safetensors file"
            yield where, f"unknown {weights!r}{meant}; write {forms}"
        elif file.suffix.lower() in _PICKLED:
            danger = "is pickled, which can run code and is never opened"
            yield where, f"{weights} {danger}; {_convert(file)}"
        else:
            yield from _there(where, file, "a .safetensors file")


def _convert(file: Path) -> str:
    read = f"torch.load({str(file)!r}, weights_only=True)"
    new = str(file.with_suffix(".safetensors"))
    return f"write {new}, made once by safetensors.torch.save_file({read}, {new!r})"


def _close(path: Path) -> str:
    """Return the most similar names in the folder that the path names."""
    folder = next(parent for parent in path.parents if parent.is_dir() or parent == parent.parent)
    missing = path.relative_to(folder).parts[0] if folder != path.parent else path.name
    try:
        close = get_close_matches(missing, sorted(os.listdir(folder)), n=2, cutoff=0.6)
    except OSError:  # a folder that is closed
        close = []
    if not close and (near := spelling.nearest(path)):
        return f"; is it {near}?"
    return f"; {folder} has {' and '.join(close)}" if close else ""
