"""AffectNet (Mollahosseini et al. 2017), manually annotated, in its three layouts.

`csv`: uncropped images and two CSV files with a box a row. `npy`: face crops and an annotation
file each. `folders`: face crops below a folder of their class. The release has no test set:
`splits` halves the official validation set.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lssat.data.datasets import tree
from lssat.data.datasets.affectnet import csvs, folders, npy
from lssat.data.datasets.affectnet.codes import CODES, CSV, EXCLUDED, NAMES, NPY, Sample
from lssat.tables import DataError, s3_addresses
from lssat.tables.rows import SampleRow

LAYOUTS: dict[str, tuple[Callable[[Path], bool], Callable[[Path], Iterator[Sample]]]] = {
    "csv": (csvs.stands, csvs.samples),
    "npy": (npy.stands, npy.samples),
    "folders": (folders.stands, folders.samples),
}


def read(options: Any) -> tree.Reading:
    """Read each annotation and look for its image.

    Args:
        options: `classes`: 7 drop Contempt; `layout`.

    Returns:
        Rows of the manifest and rejects (missing, excluded_class; no_face where a row of the CSV
        gives no usable box). Labels: [0] to [7]. Box: of the CSV release only.

    Raises:
        DataError: a folder or list is absent or wrong, an annotation unreadable, a code or the
            folder of a class unknown.
    """
    base = tree.root(options, "affectnet")
    _, samples = LAYOUTS[layout(base, options.layout)]
    images, unknown = tree.Samples("affectnet", "image"), []
    for sample in samples(base):
        excluded = _excluded(sample.code, options.classes)
        if not excluded and sample.code not in CODES and (sample.code or not sample.absent):
            unknown.append(sample)
        elif excluded:
            images.exclude(sample.id, sample.path, excluded)
        else:
            why = sample.absent or sample.no_box
            labels = [CODES[sample.code]] if sample.code else []  # no annotation: rejected
            images.add(
                not why,
                sample.id,
                sample.path,
                labels,
                sample.split,
                [sample.group],
                box=sample.box,
                reason="missing" if sample.absent else "no_face",
                detail=why,
            )
    if unknown:
        _refuse(base, unknown)
    return images.rows, images.rejects


def problems(section: dict, root: Path) -> Iterator[tuple[tuple, str]]:
    """Yield what is wrong with a tree in object storage, where no annotation files are read."""
    if not s3_addresses.address(root):
        return
    try:
        in_use = layout(root, section.get("layout", "auto"))
    except DataError as error:
        yield ("root",), str(error).removesuffix(".")
        return
    if in_use == "npy":
        why = "holds the npy release, whose annotations are not read in object storage"
        yield (
            ("root",),
            f"{s3_addresses.address(root)} {why}; copy it to a disk, and name its folder",
        )


def whole(options: Any, rows: list[SampleRow]) -> int:
    """Return how many samples of the requested classes the release has."""
    table = NPY if any("_set/images/" in row["path"] for row in rows) else CSV
    return sum(official(options.classes, table).values())


def official(classes: int, table: dict[str, dict[str, int]]) -> dict[tuple[str, str], int]:
    """Return the official counts of the first classes, by subset (none) and split."""
    return {
        ("", split): sum(n for code, n in counts.items() if int(code) < classes)
        for split, counts in table.items()
    }


def layout(base: Path, requested: str = "auto") -> str:
    """Return the layout of a tree: the requested one, or the one that is there.

    Raises:
        DataError: there is none, or there are several and none is requested.
    """
    if requested != "auto":
        return requested
    standing = [name for name, (stands, _) in LAYOUTS.items() if stands(base)]
    if len(standing) == 1:
        return standing[0]
    if standing:
        problem = f"holds the layouts {' and '.join(standing)}"
        raise DataError(base, problem, "Say which one: datasets.affectnet.layout in params.yaml")
    problem = (
        "is in none of AffectNet's layouts: csv (Manually_Annotated_Images, training.csv, "
        "validation.csv), npy (train_set, val_set), folders of classes (train, val)"
    )
    known = [csvs.IMAGES, *csvs.FILES.values(), "train_set", "val_set", "train", "val"]
    near = tree.meant(base, known)
    raise DataError(base, problem, f"{near}Set datasets.affectnet.root in params.yaml")


def _excluded(code: str, classes: int) -> str:
    """Say why a code is left out, or "" where it is not."""
    if code in EXCLUDED or (code == "7" and classes == 7):
        return f"expression {code} {NAMES[code]}"
    return ""


def _refuse(base: Path, unknown: list[Sample]) -> None:
    counted = Counter(sample.code for sample in unknown)
    shown = {code: code if code and code.split() == [code] else repr(code) for code in counted}
    counts = ", ".join(f"{shown[code]} ({n:,} times)" for code, n in counted.items())
    some = ", ".join(sample.where or sample.id for sample in unknown[:5])
    problem = f"expression codes that the release does not have: {counts}; first: {some}"
    raise DataError(base, problem, "Codes are 0 to 7, and 8, 9, 10 for what is excluded")
