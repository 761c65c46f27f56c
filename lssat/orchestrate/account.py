"""What Snakemake and DVC need of the user's account, known before they are started.

Both end in a traceback of their own without it: Snakemake keeps a cache in the home, both ask for
the user's name. In a container, of a user that it does not know, there is often neither.
"""

import getpass
import os
from pathlib import Path

from lssat.tables import DataError

_CACHE = "XDG_CACHE_HOME"  # where it is set, in place of the home
_WAY = f"export {_CACHE}=$PWD/.cache"


def check() -> None:
    """Raise a DataError where Snakemake has no folder for its cache, or the user no name."""
    _check_name()
    if (home := os.path.expanduser("~")) == "~":
        problem = f"is not set, and uid {os.geteuid()} has no home in /etc/passwd"
        raise DataError("HOME", problem, "Set it to a folder that you can write: export HOME=$PWD")
    own = os.path.isabs(asked := os.environ.get(_CACHE, ""))
    name, cache = (_CACHE, Path(asked)) if own else ("HOME", Path(home) / ".cache")
    own_folder = cache / "snakemake"  # which may lead to another disk, or be root's of a `sudo`
    # os.path's: Path.exists raises where a folder on the way is another user's, as /root is
    there = next(each for each in (own_folder, *own_folder.parents) if os.path.exists(each))
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK, effective_ids=True)):
        problem = f"{cache}, for Snakemake's cache, cannot be made: {there} cannot be written"
        raise DataError(name, problem, f"Name a folder that can: {_WAY}")


def _check_name() -> None:
    try:
        getpass.getuser()
    except (KeyError, OSError):
        problem = f"is not set, and uid {os.geteuid()} has no name in /etc/passwd"
        fix = "Give it one, for Snakemake and DVC: export USER=me"
        raise DataError("USER", problem, fix) from None
