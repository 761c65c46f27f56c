"""`lssat sync`: Snakemake takes the files that DVC put there for what they are."""

import os
import subprocess
import sys
from pathlib import Path

from lssat import params
from lssat.orchestrate.run import check_project
from lssat.tracking import runs as tracking


def sync() -> int:
    """Let Snakemake take the files that DVC put there for what they are.

    Returns:
        0; or 1, with nothing touched, when DVC finds something that is not up to date.

    Raises:
        DataError: this is not a project's folder.
    """
    check_project()
    status = subprocess.run(["dvc", "status", "--quiet"], check=False)
    if status.returncode:
        print(
            "dvc status: something is not up to date (see `dvc status`), so nothing was touched. "
            "Run `dvc pull` or `dvc checkout` first, or `dvc repro` to compute what is missing.",
            file=sys.stderr,
        )
        return 1
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]
    touch = [*command, "--touch", "--forceall", "--quiet", "all", "--", "shared"]
    touched = subprocess.run(touch, env=os.environ | {"LSSAT_SYNC": "1"}, check=False)
    if touched.returncode:
        return touched.returncode
    # The gallery of faces is on no remote: it is made here, of the crops that are. MLflow's runs
    # are not either: where it lacks those that the results name, they are logged here.
    again = _unknown_to_mlflow()
    forced = ["--forcerun", *again] if again else []
    return subprocess.run([*command, "--quiet", "all", *forced], check=False).returncode


def _unknown_to_mlflow() -> list[str]:
    values = params.load("params.yaml")
    files = [Path("results/mlflow") / f"{task}.json" for task in values.benchmark.tasks]
    there = [file for file in files if file.exists()]
    return [str(file) for file in tracking.lacking(there, Path("mlflow.db"), values.tracking.uri)]
