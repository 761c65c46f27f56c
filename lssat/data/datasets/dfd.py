"""DeepFakeDetection (Dufour and Gully 2019), released in the tree of FaceForensics++: only tests.

28 actors in 16 scenes: originals `<actor>__<scene>`, fakes `<target>_<source>__<scene>__<hash>`.
There is no official split, and any split by actor would lose the fakes between its parts: as the
field does, models trained elsewhere are tested on all of it.
"""

import re
from typing import Any

from lssat.data.datasets import ffpp, tree
from lssat.data.media.system_files import hidden
from lssat.tables import DataError

SUBSETS = {
    "actors": ("original_sequences", re.compile(r"(\d+)__.+")),
    "DeepFakeDetection": ("manipulated_sequences", re.compile(r"(\d+)_(\d+)__.+__\w{8}")),
}

OFFICIAL = {("actors", "test"): 363, ("DeepFakeDetection", "test"): 3_068}


def read(options: Any) -> tree.Reading:
    """List the originals and the fakes in the tree: there is no official list.

    Args:
        options: `compression`; the root is that of FaceForensics++.

    Returns:
        Rows of the manifest, every one of the split test, and no rejects. Labels: [0] real,
        [1] fake. Groups: the actors; the cluster is the actor that the video shows.

    Raises:
        DataError: a root or folder is absent, or a video is not named as in the release.
    """
    base = tree.root(options, "dfd")
    prefixes = {subset: [f"{folder}/{subset}"] for subset, (folder, _) in SUBSETS.items()}
    media, folders = ffpp.places(base, prefixes, options.compression, "dfd")
    suffix, samples = ffpp.suffix_of(media), tree.Samples("dfd", media)
    for label, (subset, (_, pattern)) in enumerate(SUBSETS.items()):
        folder = folders[subset]
        for file in sorted(tree.names(base / folder, base)):
            if hidden(file) or not file.endswith(suffix):
                continue
            name = file.removesuffix(suffix)
            match = pattern.fullmatch(name)
            if match is None:
                problem = f"is not named as the release names its videos ({pattern.pattern})"
                raise DataError(base / folder / file, problem, "Name it so, or take it away")
            id = f"{subset}/{ffpp.spelling(options.compression)}/{name}"
            path, actors = f"{folder}/{file}", match.groups()
            samples.add(True, id, path, [label], "test", actors, subset=subset)
    return samples.rows, samples.rejects
