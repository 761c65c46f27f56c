"""FaceForensics++ before its reader: folders by name, each list on its own, each compression."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from lssat.data.datasets import ffpp
from lssat.data.doctor.findings import Inventory, Parts, Seen
from lssat.data.doctor.walk import Tree

_COMPRESSIONS = {"raw": {"raw", "c0"}, "c23": {"c23"}, "c40": {"c40"}}  # and their folders
_FAKES = "manipulated_sequences"
_REALS = ("original_sequences/youtube", "original_sequences")  # of the newer and older layout
_OTHERS = ("DeepFakeDetection", "actors")  # no official split


def readings(
    options: Any, configured: bool, tree: Tree, inventory: Inventory
) -> Iterator[tuple[str, bool, Any]]:
    """Yield options for each compression in the tree, with the methods that it has."""
    _name_folders(tree, list(options.methods) if configured else [], inventory)
    requested = ffpp.spelling(options.compression) if configured else ""
    reals = {ffpp.spelling(name) for path in _REALS for name in tree.folders[path]}
    for compression, spellings in _COMPRESSIONS.items():
        wanted = compression == requested
        methods = list(options.methods) if wanted else list(ffpp.METHODS)
        there = [m for m in methods if spellings & tree.folders[f"{_FAKES}/{m}"]]
        for method in methods if wanted else ():
            if method in ffpp.METHODS and method not in there:
                problem = f"there is no folder {compression}, which params.yaml asks for"
                fix = "Fetch it, or take it out of datasets.ffpp.methods"
                inventory.add("error", f"{_FAKES}/{method}", problem, fix)
        if compression in reals:
            given = {"compression": compression, "methods": there}
            asked = wanted or not configured
            yield compression, asked, options.model_copy(update=given)
        elif wanted or there:
            problem = f"there is no folder {compression}: no originals to set beside the fakes"
            level = "error" if wanted or not configured else "note"
            inventory.add(level, _REALS[0], problem, "Fetch the originals at this compression")
    if not reals.intersection(_COMPRESSIONS) and not configured:
        problem = f"there is none of the folders {', '.join(_COMPRESSIONS)}"
        inventory.add("error", _REALS[0], problem, "Give the root of the release")
    if not any(name in tree.files[folder] for folder in ("", "splits") for name in ffpp.LISTS):
        problem = "there are no lists of pairs (splits/train.json, val.json, test.json)"
        fix = "Nothing to do: the authors' own, which ship with this program, are used"
        inventory.add("note", ".", problem, fix)


def _name_folders(tree: Tree, methods: list[str], inventory: Inventory) -> None:
    """Check the names of folders: a misspelt `DeepFakes` would vanish without a word.

    It is an error if no folder has the right name and the method is needed: one of `methods`, or
    any where params.yaml names none.
    """
    lower = {name.lower(): name for name in [*ffpp.METHODS, *_OTHERS]}
    for name in sorted(tree.folders[_FAKES] - set(lower.values())):
        close = get_close_matches(name.lower(), list(lower), n=1, cutoff=0.8)
        if close:
            right = lower[close[0]]
            problem = f"is not a folder of the release; {right} is"
            lost = right not in tree.folders[_FAKES] and right in (methods or ffpp.METHODS)
            level = "error" if lost else "warning"
            inventory.add(level, f"{_FAKES}/{name}", problem, f"Name it {right}")
        else:
            fix = "It is not read"
            inventory.add("warning", f"{_FAKES}/{name}", "is no method of the release", fix)
    if absent := [name for name in ffpp.METHODS if name not in tree.folders[_FAKES]]:
        problem = f"of the five methods there is no {', '.join(absent)}"
        inventory.add("note", _FAKES, problem, "Fetch what the experiment is to use")


def look(options: Any, tree: Tree, inventory: Inventory) -> Seen:
    """Read each list on its own and look for the videos of those that can be read."""
    seen = Seen()
    for split, pairs in _lists(tree, inventory).items():
        wanted = [video for pair in pairs or () for video in ffpp._wanted(pair, options.methods)]
        for subset, name, _ in wanted:
            path = _place(subset, options.compression, name, tree)
            seen.see(path, subset, split, path in tree)
    return seen


def _lists(tree: Tree, inventory: Inventory) -> dict[str, list | None]:
    if not any(name in tree.files[folder] for folder in ("", "splits") for name in ffpp.LISTS):
        return dict(ffpp._lists(tree.root))
    return {split: inventory.attempt(ffpp._pairs, tree.root, split) for split in ffpp.SPLITS}


def _place(subset: str, compression: str, name: str, tree: Tree) -> str:
    """Return where a video or its frames are, or the first place where they could be."""
    prefixes = _REALS if subset == ffpp.REAL else (f"{_FAKES}/{subset}",)
    for spelling in sorted(_COMPRESSIONS[compression]):
        for folder in (f"{prefix}/{spelling}" for prefix in prefixes):
            if f"{name}.mp4" in tree.files[f"{folder}/videos"]:
                return f"{folder}/videos/{name}.mp4"
            if name in tree.folders[f"{folder}/images"]:
                return f"{folder}/images/{name}"
    return f"{prefixes[0]}/{compression}/videos/{name}.mp4"


def official_parts(options: Any, tree: Tree) -> Parts:
    """Return the official counts: the originals', and as many fakes of each method."""
    subsets = [ffpp.REAL, *options.methods]
    return {(subset, split): n for subset in subsets for split, n in ffpp.ORIGINALS.items()}
