"""Digests of large raw trees, taken by a process of its own while Snakemake builds its graph.

A look at half a million files takes seconds of a core even where nothing was touched, and so does
the graph; the two need nothing of each other.
"""

import atexit
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lssat.tables import digest, s3_addresses

_LARGE = 10_000_000  # bytes of a memory: about 80,000 files; of fewer the process costs more
_CODE = (
    "import sys; from lssat.tables import digest_ahead;digest_ahead.tell(sys.argv[1], sys.argv[2:])"
)


class Ahead:
    """The digests of some trees (`digest.tree`), if they are known to be large taken ahead.

    Args:
        roots: of trees that nobody changes meanwhile.
        memory: what is remembered of them (`digest.tree`).
    """

    def __init__(self, roots: Sequence[str], memory: str | Path):
        self._memory, self._known = memory, dict[str, str]()
        self._roots = [root for root in dict.fromkeys(roots) if not s3_addresses.away(root)]
        self._process: subprocess.Popen[str] | None = None
        if self._roots and os.path.isfile(memory) and os.path.getsize(memory) > _LARGE:
            command = [sys.executable, "-c", _CODE, os.fspath(memory), *self._roots]
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            atexit.register(self._process.kill)  # nobody has asked

    def of(self, root: str) -> str:
        """Return the digest of a tree; one that was not taken ahead is taken now.

        Raises:
            DataError: as `digest.tree`.
        """
        if self._process is not None:
            said = self._process.communicate()[0].splitlines()
            if self._process.returncode == 0:
                self._known = dict(zip(self._roots, said, strict=True))
            self._process = None  # what stopped it is said by the look that follows
        if root not in self._known:
            self._known[root] = digest.tree(root, self._memory)
        return self._known[root]


def tell(memory: str, roots: Sequence[str]) -> None:
    """Print the digest of each tree, in the process that `Ahead` starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # it ends with Snakemake, without a word
    found = []
    for root in roots:
        try:
            found.append(digest.tree(root, memory))
        except Exception:  # said by whoever asked, who looks again
            sys.exit(1)
    print("\n".join(found))
