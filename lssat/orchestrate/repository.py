"""DVC's repository, opened by its Python interface from inside of Snakemake's work."""

import contextlib
import logging
import os
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def opened() -> Iterator[Any]:
    """Open DVC's repository and hold its lock; None where DVC keeps nothing here (no git)."""
    from dvc.exceptions import NotDvcRepoError
    from dvc.repo import Repo
    from dvc.scm import SCMError

    logging.getLogger("dvc").setLevel(logging.ERROR)
    try:
        repo = Repo(".", _wait_for_lock=True)
    except (NotDvcRepoError, SCMError):
        yield None
        return
    with repo, repo.lock:
        yield repo


def stages_of(repo: Any) -> list[Any]:
    """Return the stages of dvc.yaml alone: `unsaved/dvc.yaml` would stop DVC here as well."""
    from dvc.repo.index import Index

    return list(Index.from_file(repo, os.path.join(repo.root_dir, "dvc.yaml")).stages)


def relative(out: Any) -> str:
    """Return the path of an output below the project's folder, which is the current one."""
    return os.path.relpath(out.fs_path)
