"""The npy release: crops `{train,val}_set/images/<id>.jpg` and `annotations/<id>_exp.npy`."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from lssat.data.datasets import tree
from lssat.data.datasets.affectnet.codes import Sample
from lssat.data.datasets.genuine_lists import impostor, opening
from lssat.data.media.system_files import hidden
from lssat.tables import DataError, from_npy
from lssat.tables.errors import denied

SUFFIX = "_exp.npy"


def stands(base: Path) -> bool:
    """Say whether a tree has this layout."""
    return any(tree.exists(base / f"{split}_set") for split in ("train", "val"))


def samples(base: Path) -> Iterator[Sample]:
    """Yield a sample for each annotation and each image without one, sorted by id in a split."""
    for split in ("train", "val"):
        what = "a folder of the npy release"
        images, notes = (
            tree.find(base, f"{split}_set/{part}", ("",), "affectnet", what)
            for part in ("images", "annotations")
        )
        pictures = stems(tree.names(images, base), ".jpg")
        codes = stems(tree.names(notes, base), SUFFIX)
        for name in sorted(pictures | codes):
            id, path = f"{split}/{name}", f"{split}_set/images/{name}.jpg"
            absent = "" if name in pictures else "no image"
            code = _code(notes / f"{name}{SUFFIX}") if name in codes else ""
            if not code:
                absent = f"no annotation {name}{SUFFIX}"
            # The release gives no identities.
            yield Sample(id, split, path, code, group=id, absent=absent)


def stems(names: Iterable[str], suffix: str) -> set[str]:
    """Return what stands before the suffix of each name that has it, but for system files."""
    ours = (name for name in names if name.endswith(suffix) and not hidden(name))
    return {name.removesuffix(suffix) for name in ours}


def _code(path: Path) -> str:
    """Read an expression: an array of one text, such as "3"."""
    try:
        return _decoded(opening(path).read_bytes())
    except PermissionError:
        raise denied(path) from None
    except (ValueError, OSError) as error:
        problem = impostor(path) or f"is not a readable annotation ({error})"
        raise DataError(path, problem, "Fetch the annotations again") from None


@lru_cache(maxsize=64)
def _decoded(data: bytes) -> str:
    # A release of 290,000 annotations has a dozen different contents: each is parsed once.
    value = from_npy(data)
    if value.size != 1:
        raise ValueError(f"it holds {value.size:,} values, not one code")
    if not (code := str(value.item())):
        raise ValueError("it holds '', not one code")
    return code
