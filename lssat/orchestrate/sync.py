"""`lssat sync`: Snakemake takes the files that DVC put there for what they are."""

import json
import os
import subprocess
import sys

from lssat import params
from lssat.orchestrate import account, guard, lock
from lssat.orchestrate.run import check_project
from lssat.tables import DataError, source
from lssat.tables.project import Project
from lssat.tracking import runs as tracking

_OF_CODE = " If only the code has changed, and no result: `lssat sync --code`."


def sync(code: bool = False) -> int:
    """Let Snakemake take the files that DVC put there for what they are.

    Args:
        code: take them for results of the code as it is now, too: it has changed since, in a way
            that changes no result.

    Returns:
        0; or 1, with nothing touched, when DVC finds something that is not up to date.

    Raises:
        DataError: this is not a project's folder, a run is at work in it, or DVC cannot say.
    """
    check_project()
    lock.refuse_beside_another()
    account.check()
    print("Asking DVC whether all is up to date.", flush=True)
    if stale := _stale(code):
        print(
            f"dvc status: something is not up to date ({_few(stale)}), so nothing was touched. "
            "Run `dvc pull` or `dvc checkout` first, or `dvc repro` to compute what is missing."
            + ("" if code else _OF_CODE),
            file=sys.stderr,
        )
        return 1
    if code:
        _tell()
        guard.put()  # the run below finds it, and saves what it vouches for
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]
    touch = [*command, "--touch", "--forceall", "--quiet", "all", "--", "shared"]
    touched = subprocess.run(touch, env=os.environ | {"LSSAT_SYNC": "1"}, check=False)
    if touched.returncode:
        return touched.returncode
    # The gallery of faces is on no remote: it is made here, of the crops that are. MLflow's runs
    # are not either: where it lacks those that the results name, they are logged here.
    again = _unknown_to_mlflow()
    forced = ["--forcerun", *again] if again else []
    code_ = subprocess.run([*command, "--quiet", "all", *forced], check=False).returncode
    if not code_:
        print("Snakemake takes what is there for up to date, as DVC does.")
    return code_


def _stale(code: bool) -> list[str]:
    """List DVC's stages that are not up to date."""
    command = [sys.executable, "-m", "dvc", "status", "--json"]
    answer = subprocess.run(command, check=False, stdout=subprocess.PIPE)
    if answer.returncode:
        problem = f"cannot say what is up to date (exit code {answer.returncode}, as it says above)"
        raise DataError("dvc status", f"{problem}; nothing was touched", "Mend what it names")
    stages: dict[str, list] = json.loads(answer.stdout or "{}")
    return [name for name, changes in stages.items() if not (code and _of_code_alone(changes))]


def _of_code_alone(changes: list) -> bool:
    """Say whether a stage's changes are those of the code and of nothing else.

    What a stage does, and which parameters it watches, is said by dvc.yaml, which is code too.
    """
    deps: dict[str, str | dict[str, str]] = {}
    for change in changes:
        by_kind = change if isinstance(change, dict) else {change: {}}
        if not by_kind.keys() <= {"changed command", "changed deps"}:
            return False
        deps |= by_kind.get("changed deps", {})
    return all(
        place == "lssat" or place.startswith(f"{source.WRITTEN}/") or _newly_watched(place, change)
        for place, change in deps.items()
    )


def _newly_watched(place: str, change: str | dict[str, str]) -> bool:
    kinds = change.values() if isinstance(change, dict) else [change]
    return place == str(Project().params) and set(kinds) == {"new"}


def _tell() -> None:
    whose = ", ".join(source.changed()) or "no step"
    print(f"The code of {whose} has changed. What is on disk counts as made by it.", flush=True)


def _unknown_to_mlflow() -> list[str]:
    here = Project()
    values = params.load(here.params)
    files = [here.results.mlflow(task) for task in values.benchmark.tasks]
    there = [file for file in files if file.exists()]
    return [str(file) for file in tracking.lacking(there, here.database, values.tracking.uri)]


def _few(names: list[str], most: int = 6) -> str:
    """List names, the first of them where there are many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
