"""A folder of your own: `<root>/<split>/<class>/<file>`, or a CSV that lists files below it.

docs/own-data.md explains it to users. The columns of a list are `path`, then `label` or, for a
multi-label task, one column an attribute (0 or 1), and if wanted `split`, `group` and the box
`x`, `y`, `width`, `height` (pixels). A sample's id is its path, unchanged.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lssat.data.datasets import lists, tree
from lssat.data.media.system_files import hidden
from lssat.grid import Task
from lssat.params import HEADLINES, Own
from lssat.tables import DataError
from lssat.tables.spelling import key

SPLITS = ("train", "val", "test")
_BOX = ("x", "y", "width", "height")


class Sample(NamedTuple):
    """One file as the folders or the list name it."""

    path: str
    labels: list[str]  # its class, or a value of each attribute; none: the class is left out
    split: str  # "" where the list has no such column: the splits step chooses
    group: str
    box: list[float]
    line: int | None  # of the list
    name: str = ""  # of its class in the data set, where params.yaml calls it otherwise
    subset: str = ""  # that name, where several become one class


def read(dataset: str, options: Own) -> tree.Reading:
    """Read the folders or the list and look for each file.

    Args:
        dataset: the section's name.

    Returns:
        Rows of the manifest and rejects (missing).

    Raises:
        DataError: the root, the list or a split is absent, a row is wrong, a path leaves the
            root, or the labels are not those of such a task.
    """
    base = tree.root(options, dataset)
    samples, classes = _listed(dataset, options, base)
    _check_splits(base, options, samples)
    names = ["0", "1"] if options.kind == "multilabel" else classes
    codes = {name: code for code, name in enumerate(names)}
    read_samples = tree.Samples(dataset, options.media)
    for sample in samples:
        path = sample.path
        if not sample.labels:
            detail = f"{sample.name}: not in datasets.{dataset}.labels"
            read_samples.exclude(path, path, detail)
            continue
        labels = [codes[label] for label in sample.labels]
        read_samples.add(
            _there(base, sample),
            path,
            path,
            labels,
            sample.split,
            [sample.group],
            subset=sample.subset,
            box=sample.box,
        )
    return read_samples.rows, read_samples.rejects


def task(dataset: str, options: Own) -> Task:
    """Return the task; the names of its classes come from the folders or the list."""
    _, classes = _listed(dataset, options, tree.root(options, dataset))
    metric = options.metric or HEADLINES[options.kind][0]
    title = options.title or dataset
    return Task(dataset, options.kind, metric, options.media, title, tuple(classes))


def _listed(dataset: str, options: Own, base: Path) -> tuple[list[Sample], list[str]]:
    """Return the samples and the names of the classes or attributes, in their order."""
    if options.csv is None:
        samples, file = list(_folders(dataset, options, base)), base
    else:
        name = tree.below(options.csv, Path("params.yaml"), base=base)
        file = tree.find(base, name, ("",), dataset, f"the list of datasets.{dataset}.csv")
        header, attributes = _header(file, options)
        samples = list(_rows(base, file, header, attributes, options))
        if not samples:
            raise DataError(file, "holds no row but its header", "Write a row for each file")
        if options.kind == "multilabel":
            names = options.labels or {}
            return samples, [names.get(name, name) for name in attributes]
    samples = list(_called(file, dataset, options, samples))
    return samples, _classes(file, dataset, options, samples)


def _folders(dataset: str, options: Own, base: Path) -> Iterator[Sample]:
    for split in ("test",) if options.test_only else SPLITS:
        place = tree.find(base, split, ("",), dataset, "the folder of a split")
        for name in sorted(tree.names(place, base)):
            if hidden(name):
                continue
            if not (place / name).is_dir():
                problem = "is not in the folder of a class"
                raise DataError(place / name, problem, f"Put it in {split}/<class>/, or elsewhere")
            for file in sorted(tree.names(place / name, base)):
                path = f"{split}/{name}/{file}"
                if hidden(file):
                    continue
                if (base / path).is_dir():
                    fix = "Put its files in the folder of the class, or name a list in csv"
                    raise DataError(base / path, "is a folder in the folder of a class", fix)
                yield Sample(path, [name], split, path, [], None)


def _header(file: Path, options: Own) -> tuple[list[str], list[str]]:
    """Return all columns of the list, and those of the labels, after they were checked."""
    line, first, header = lists.header(file, own=True)
    boxed = _BOX if options.faces == "box" else ()
    others = ("path", "split", "group", *boxed)
    attributes = ["label"]
    if options.kind == "multilabel":
        attributes = _columns(options, [name for name in header if name not in others])
    problems = [f"has no column {n}" for n in ("path", *attributes, *boxed) if n not in header]
    if options.kind != "multilabel":
        strange = [name for name in header if name not in (*others, "label")]
        problems += [f"has an unknown column {name!r}" for name in strange]
    if len(attributes) < (2 if options.kind == "multilabel" else 1):
        problems.append("has less than two columns of attributes")
    problems += [f"names {name!r} twice" for name in set(header) if header.count(name) > 1]
    problems += [f"has blanks around {name!r}" for name in header if name != name.strip()]
    if len(header) == 1:
        problems += [f"is separated by {name}" for name in lists.delimiters(first)]
    if problems:
        wanted = f"Its columns are {', '.join(('path', *attributes, *boxed))}"
        what = f"{'; '.join(problems)} (it begins with {first[:60]!r})"
        fix = f"{wanted}, and if wanted split and group, after commas"
        raise DataError(file, what, fix, line)
    return header, attributes


def _columns(options: Own, there: list[str]) -> list[str]:
    """Return the columns of the attributes that are used, in their order."""
    if options.labels is None:
        return options.classes or there
    called = {new: old for old, new in options.labels.items()}
    return [called[name] for name in options.classes or sorted(called) if name in called]


def _called(file: Path, dataset: str, options: Own, samples: list[Sample]) -> Iterator[Sample]:
    """Yield samples with the class that `labels` calls theirs, or with none.

    Raises:
        DataError: no sample has one of the classes that it names.
    """
    names = options.labels
    if names is None:
        yield from samples
        return
    there = {sample.labels[0] for sample in samples}
    for name in names:
        if name not in there:
            problem = f"has no sample of {name!r}, which datasets.{dataset}.labels names"
            fix = f"Correct it there ({tree.near(name, sorted(there))}), or leave it out"
            raise DataError(file, problem, fix)
    many = Counter(names.values())
    for sample in samples:
        (name,) = sample.labels
        new = names.get(name)
        part = name if new is not None and many[new] > 1 else ""
        yield sample._replace(labels=[new] if new is not None else [], name=name, subset=part)


def left_out(dataset: str, options: Own) -> list[str]:
    """Say which classes or attributes `labels` leaves out, with the samples of each class."""
    if options.labels is None:
        return []
    base = tree.root(options, dataset)
    if options.kind == "multilabel":
        file = base / str(options.csv)
        _, _, header = lists.header(file, own=True)
        more = [n for n in header if n not in (*options.labels, "path", "split", "group", *_BOX)]
        return [f"attributes that labels leaves out: {', '.join(more)}"] if more else []
    samples, _ = _listed(dataset, options, base)
    counts = Counter(sample.name for sample in samples if not sample.labels)
    some = ", ".join(f"{name} ({n:,} samples)" for name, n in sorted(counts.items()))
    return [f"classes that labels leaves out: {some}"] if counts else []


def _rows(
    base: Path, file: Path, header: list[str], attributes: list[str], options: Own
) -> Iterator[Sample]:
    for line, values in lists.csv(file, header, own=True):
        row = dict(zip(header, values, strict=True))
        path = tree.below(row["path"], file, line, base)
        labels = [row[name] for name in attributes]
        for name, value in zip(attributes, labels, strict=True):
            if not value.strip():
                label = "label" if name == "label" else f"label of {name}"
                fix = "Write it, or leave the row out"
                raise DataError(file, f"the {label} is empty", fix, line)
            if options.kind == "multilabel" and value not in ("0", "1"):
                raise DataError(file, f"{name} is {value!r}, not 0 or 1", "Correct it", line)
        split = row.get("split", "test" if options.test_only else "")
        if "split" in row and split not in SPLITS:
            names = ", ".join(SPLITS)
            near = key(split.strip())
            meant = f" ({near}?)" if near in SPLITS else ""
            raise DataError(file, f"the split is {split!r}", f"Write one of {names}{meant}", line)
        if row.get("group") == "":
            raise DataError(file, "the group is empty", "Name it, or leave the column out", line)
        box = [_number(file, line, name, row[name]) for name in _BOX if name in row]
        if box and min(box[2:]) <= 0:
            problem = f"the box is {box[2]:g} x {box[3]:g} pixels"
            raise DataError(file, problem, "Write a width and height above 0", line)
        yield Sample(path, labels, split, row.get("group", path), box, line)


def _number(file: Path, line: int, name: str, text: str) -> float:
    value = lists.number(text)
    if value is None or abs(value) >= 1e6:
        raise DataError(file, f"{name} is {text!r}, not a number of pixels", "Correct it", line)
    return value


def _classes(file: Path, dataset: str, options: Own, samples: list[Sample]) -> list[str]:
    """Return the names of the classes: those of params.yaml, or all that are found, sorted.

    The order of `labels` means nothing: steps get it as JSON, whose keys are sorted.
    """
    by_class = defaultdict(list)
    for sample in filter(lambda one: one.labels, samples):
        by_class[sample.labels[0]].append(sample)
    known = options.classes or sorted(set((options.labels or {}).values()) or by_class)
    if strange := {name: by_class[name] for name in by_class if name not in known}:
        raise _unknown(file, dataset, known, strange)
    if options.kind == "multiclass" and len(known) > 1:
        return known
    if options.kind == "binary" and len(known) == 2 and options.positive in known:
        return sorted(known, key=lambda name: name == options.positive)
    key, names = f"datasets.{dataset}", ", ".join(known) or "none"
    many = (
        "at least two" if options.kind == "multiclass" else f"two, one of them {options.positive!r}"
    )
    problem = f"has {len(known)} classes ({names}); a {options.kind} task has {many}"
    raise DataError(file, problem, f"Correct the labels, or {key}.kind and positive")


def _unknown(file: Path, dataset: str, known: list[str], strange: dict) -> DataError:
    counts = ", ".join(f"{name!r} ({len(rows):,} times)" for name, rows in strange.items())
    first = next(iter(strange.values()))[0]
    problem = f"classes that are not in datasets.{dataset}.classes: {counts}; first: {first.path}"
    fix = f"Correct them ({tree.near(next(iter(strange)), known)}), or add them there"
    return DataError(file, problem, fix, first.line)


def _check_splits(base: Path, options: Own, samples: list[Sample]) -> None:
    splits = {sample.split for sample in samples}
    wanted = {"test"} if options.test_only else {*SPLITS}
    if splits not in (wanted, {""}):
        names = "only test" if options.test_only else "all of train, val and test"
        problem = f"has samples in {', '.join(sorted(splits)) or 'no split'}, it needs {names}"
        fix = "Move some there; a list without the column split is split by us"
        raise DataError(base / (options.csv or ""), problem, fix)


def _there(base: Path, sample: Sample) -> bool:
    """Say whether a file is there.

    Raises:
        DataError: it is a link that leaves the root.
    """
    path = base / sample.path
    if not tree.exists(path):
        return False
    end = os.path.realpath(path)
    if sample.line is not None and not end.startswith(os.path.realpath(base) + os.sep):
        problem = f"leaves the data root, to {end}"
        raise DataError(base / sample.path, problem, "Put the file itself there")
    return True
