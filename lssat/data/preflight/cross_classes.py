"""Tests across data sets: the runs must have an answer for each class that is tested.

Classes of data sets of one's own are read from their folders or lists; a tree that is not there
yet, or on another machine, is left to the steps.
"""

from collections.abc import Iterator

from lssat import params
from lssat.data import datasets
from lssat.grid.releases import RELEASES
from lssat.params.base import Problem, nearest
from lssat.tables import DataError
from lssat.tables.s3_addresses import place


def problems(values: params.Params) -> Iterator[Problem]:
    """Yield what is wrong with the classes of the data sets in `benchmark.cross`.

    Args:
        values: of a params.yaml that is valid.
    """
    for name, home in values.benchmark.cross.items():
        sections = {dataset: getattr(values.datasets, dataset) for dataset in (name, home)}
        if not all(d in RELEASES or place(s.root).is_dir() for d, s in sections.items()):
            continue
        labels = getattr(sections[name], "labels", None)
        where = ("datasets", name, *(["labels"] if labels else []))
        try:
            trained = datasets.task(home, sections[home])
            trained.answers(datasets.task(name, sections[name]))
        except DataError as error:
            yield where, f"{error}".removesuffix(".")
        except ValueError as error:
            if not labels:
                fix = f"write datasets.{name}.labels: {{its name: the name in {home}}}"
                yield where, f"{error}; {fix}, the others are then left out"
            for key, new in (labels or {}).items():
                if new not in trained.classes:
                    hint = nearest(new, list(trained.classes))
                    yield (*where, key), f"{new!r} is no class of {home}{hint}"
