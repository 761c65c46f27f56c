"""AffectNet (Mollahosseini et al. 2017), the release of face crops with npy annotations.

`{train,val}_set/images/<id>.jpg` and `{train,val}_set/annotations/<id>_exp.npy`. The release
has no test set: `splits` halves the official validation set.
"""

from collections import Counter
from pathlib import Path

import numpy as np

from lssat.datasets import tree
from lssat.labels import EMOTIONS
from lssat.tables import DataError, reject

EXCLUDED = {"8": "None", "9": "Uncertain", "10": "No-Face"}
SPLITS = ("train", "val")

_CODES = {str(code): code for code in range(len(EMOTIONS))}
_SUFFIX = "_exp.npy"


def read(options) -> tuple[list[dict], list[dict]]:
    """Read each annotation and look for its image.

    Args:
        options: `params.Affectnet`; 7 classes drop Contempt.

    Returns:
        Rows of the manifest and rejects (missing, excluded_class). Labels: [0] to [7].

    Raises:
        DataError: a folder is absent, an annotation unreadable, or a code unknown.
    """
    base = tree.root(options, "affectnet")
    rows, rejects, unknown = [], [], []
    for split in SPLITS:
        for id, code, path, absent in _samples(base, split):
            if absent:
                rejects.append(reject("affectnet", id, path, "manifest", "missing", absent))
            elif code in EXCLUDED or (code == "7" and options.classes == 7):
                name = EXCLUDED.get(code) or EMOTIONS[7]
                detail = f"expression {code} {name}"
                rejects.append(reject("affectnet", id, path, "manifest", "excluded_class", detail))
            elif code not in _CODES:
                unknown.append((code, id))
            else:
                who = {"groups": [id], "group": id}  # the release tells no identities
                labels = [_CODES[code]]
                rows.append(tree.row("affectnet", id, path, "image", labels, split, **who))
    if unknown:
        _refuse(base, unknown)
    return rows, rejects


def _samples(base: Path, split: str):
    """Yield (id, code, path of the image, what is absent), sorted by id."""
    what = "a folder of the npy release"
    images, notes = (
        tree.find(base, f"{split}_set/{part}", ("",), "affectnet", what)
        for part in ("images", "annotations")
    )
    pictures = {name[:-4] for name in tree.names(images, base) if name.endswith(".jpg")}
    codes = {
        name.removesuffix(_SUFFIX) for name in tree.names(notes, base) if name.endswith(_SUFFIX)
    }
    for name in sorted(pictures | codes):
        path = f"{split}_set/images/{name}.jpg"
        if name not in codes:
            yield f"{split}/{name}", "", path, f"no annotation {name}{_SUFFIX}"
        else:
            absent = "" if name in pictures else "no image"
            yield f"{split}/{name}", _code(notes / f"{name}{_SUFFIX}"), path, absent


def _code(path: Path) -> str:
    """Read an expression: an array of one text, such as "3"."""
    try:
        value = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        problem = f"is not a readable annotation ({error})"
        raise DataError(path, problem, "Fetch the annotations again") from None
    if value.size != 1:
        raise DataError(path, f"holds {value.size} values, not one", "Fetch it again")
    return str(value.item())


def _refuse(base: Path, unknown: list[tuple[str, str]]) -> None:
    counts = ", ".join(
        f"{code} ({n:,} times)" for code, n in Counter(c for c, _ in unknown).items()
    )
    some = ", ".join(id for _, id in unknown[:5])
    problem = f"expression codes that the release does not have: {counts}; first: {some}"
    raise DataError(base, problem, "Codes are 0 to 7, and 8, 9, 10 for what is excluded")
