"""The one rule for links below a data root: nothing outside is read, and nothing is read twice.

The root itself may be a link. Below it, a link to a file or folder within the root is as good as
what it leads to; one that leaves the root is refused by the readers and by `lssat doctor`. The
digest of a tree follows no link: what lies within is read at its own place.
"""

import os
from pathlib import Path

REMEDY = "Nothing outside of the data root is read: put it there itself, or mount its disk there"


def out(path: str | Path, root: str | Path) -> str:
    """Return where a path leads to if that is outside of the root, else an empty text."""
    end, top = os.path.realpath(path), os.path.realpath(root)
    return "" if end == top or end.startswith(os.path.join(top, "")) else end


def loops(path: str | Path) -> bool:
    """Say whether a link leads to a folder that it lies in."""
    end, place = os.path.realpath(path), os.path.realpath(os.path.dirname(path))
    return place == end or place.startswith(os.path.join(end, ""))
