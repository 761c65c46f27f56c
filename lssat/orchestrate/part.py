"""A part of the grid, by task, backbone, configuration and seed: which files make it."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from lssat import grid, params
from lssat.params.base import nearest
from lssat.tables import DataError
from lssat.tables.project import Project


class Part(NamedTuple):
    """What a part of the grid is made of."""

    runs: list[grid.Run]
    tasks: list[str]  # those all of whose runs are in it: they are evaluated as well

    @property
    def targets(self) -> list[str]:
        """The files that Snakemake is asked for."""
        here = Project()
        files = [here.runs.run(run.path).record for run in self.runs]
        for results in map(here.results.task, self.tasks):
            files += [results.metrics, results.robustness]
        return [str(file) for file in files]


def part(
    values: params.Params,
    tasks: Sequence[str],
    backbones: Sequence[str],
    configurations: Sequence[str],
    seeds: Sequence[int],
) -> Part:
    """Choose runs of the grid; an empty list chooses all.

    Raises:
        DataError: a name that the grid lacks, all in one message, or no run that has all of them.
    """
    every = values.named()
    slugs = [name.replace("/", "-") for name in configurations]
    asked = dict(task=tasks, backbone=backbones, configuration=slugs, seed=seeds)
    problems = []
    for key, names in asked.items():
        known = list(dict.fromkeys(getattr(run, key) for run in every))
        for name in names:
            if name not in known:
                listed = nearest(str(name), [*map(str, known)])
                problems.append(f"--{key} {name}: not in the grid of params.yaml{listed}")
    if problems:
        raise DataError.of("lssat run", problems)
    runs = [run for run in every if all(_chosen(run, key, names) for key, names in asked.items())]
    if not runs:
        problem = "no run of the grid has all that was asked for"
        raise DataError("lssat run", problem, "Leave an option out; `lssat status` shows the grid")
    whole = [task for task in values.benchmark.tasks if _count(runs, task) == _count(every, task)]
    return Part(runs, whole)


def _chosen(run: grid.Run, key: str, names: Collection) -> bool:
    return not names or getattr(run, key) in names


def _count(runs: list[grid.Run], task: str) -> int:
    return sum(run.task == task for run in runs)


def told(values: params.Params, chosen: Part) -> str:
    """Say what a part made, and how to get the rest."""
    number = len(chosen.runs)
    lines = [f"{number} run{'' if number == 1 else 's'} of {len(values.named())}: below runs/"]
    if chosen.tasks:
        lines.append(f"evaluated: {', '.join(chosen.tasks)}; `lssat show` prints the table")
    else:
        task = chosen.runs[0].task
        lines.append(f"not evaluated: that needs all runs of a task (`lssat run --task {task}`)")
    return "\n".join([*lines, "the report needs them all: `lssat run`"])
