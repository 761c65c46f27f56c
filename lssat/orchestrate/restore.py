"""A step asks DVC's run cache before it works.

Snakemake redoes everything below a step that ran, whatever its bytes. A step whose inputs,
parameters and code are those of an earlier run takes its outputs from DVC's cache instead: a
manifest that is made again, or a parameter that is set there and back, retrains nothing; nor does
a clone that has the run cache of another (`dvc fetch --run-cache`), whose outputs come from the
remote.
"""

import configparser
import os
from pathlib import Path
from typing import Any

from lssat.orchestrate.repository import opened, relative, stages_of
from lssat.tables import sha256
from lssat.tables.project import Project

PARAMS = "LSSAT_PARAMS_SHA256"  # of the params.yaml that the run's Snakemake has read


def worth_asking() -> bool:
    """Say, without DVC, whether a run cache may hold anything; a fresh clone has none."""
    given = configparser.ConfigParser(strict=False, allow_no_value=True)
    try:
        read = given.read([".dvc/config", ".dvc/config.local"])
        moved = given.has_option("cache", "dir")
    except configparser.Error:
        return True
    return bool(read) and (moved or Path(".dvc/cache/runs").is_dir())


def restore(outputs: list[str]) -> bool:
    """Take the outputs of a step from DVC's cache, if it holds those of just this work.

    Args:
        outputs: paths of one step, relative to the project's folder.

    Returns:
        whether they were taken; if not, nothing has changed.
    """
    from dvc.stage.cache import RunCacheNotFoundError

    if os.environ.get(PARAMS) != sha256(Project().params):
        return False  # edited since Snakemake started: DVC would look for other results
    with opened() as repo:
        stage = _stage(repo, outputs[0]) if repo else None
        if stage is None:
            return False
        try:
            # What another machine has made may lie in the remote alone.
            repo.stage_cache.restore(stage, pull=bool(repo.config["core"].get("remote")))
        except RunCacheNotFoundError:
            return False
    if not all(Path(output).exists() for output in outputs):
        return False
    for output in outputs:  # made now, for Snakemake: later than its inputs
        os.utime(output)
    return True


def _stage(repo: Any, path: str) -> Any:
    for stage in stages_of(repo):
        for out in stage.outs:
            place = relative(out)
            if path == place or path.startswith(f"{place}/"):
                return stage
    return None
