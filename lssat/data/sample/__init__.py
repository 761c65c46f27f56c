"""The built-in sample: real faces from a dependency, drawn into three small official trees.

It proves that the machinery works, and nothing about the science: its forgeries, attributes and
expressions are crude on purpose, so that a small ViT from scratch learns them in seconds.
"""

from pathlib import Path
from types import ModuleType

from lssat.tables import DataError, sha256, together, whole_folder, write_json

TREES = ("ffpp", "celeba", "affectnet")


def write(
    tree: str, folder: Path, inventory: Path, seed: int, annotations: Path | None = None
) -> None:
    """Draw a tree in its official layout, byte for byte the same for the same seed.

    Args:
        tree: ffpp (FaceForensics++), celeba or affectnet.
        folder: its root; an earlier tree there is replaced when the new one is whole.
        inventory: JSON, relative path -> sha256 of every file of the tree.
        annotations: CSV of how the people look, for slices; default: beside the inventory.

    Raises:
        DataError: `tree` is unknown, `folder` holds something that is not the sample's, or the
            disk is full: what stood there before is unchanged.
    """
    folder, inventory = Path(folder), Path(inventory)
    module = _module(tree)
    from lssat.data.sample import people  # as in _module

    _check_ours(folder, module.TOP, tree)
    with together():
        with whole_folder(folder) as drawn:
            module.draw(drawn, seed)
            files = sorted(path for path in drawn.rglob("*") if path.is_file())
            digests = {path.relative_to(drawn).as_posix(): sha256(path) for path in files}
        people.write(annotations or inventory.with_suffix(".csv"), *module.people(seed))
        write_json(inventory, digests)


def _module(tree: str) -> ModuleType:
    # imported here: the command line names the trees without loading PyAV and scipy
    from lssat.data.sample import affectnet, celeba, ffpp

    modules = dict(zip(TREES, (ffpp, celeba, affectnet), strict=True))
    if tree not in modules:
        raise DataError("sample", f"unknown tree {tree!r}", f"Choose of {', '.join(TREES)}")
    return modules[tree]


def _check_ours(folder: Path, top: tuple[str, ...], tree: str) -> None:
    if not folder.exists():
        return
    strange = sorted(path.name for path in folder.iterdir() if path.name not in top)
    if strange:
        raise DataError(
            folder,
            f"holds {strange[0]!r}, which is not part of the sample {tree}",
            "Give an empty folder; nothing was removed",
        )
