"""The groups of an attribute: the samples in each, and which can be compared."""

from typing import NamedTuple

import numpy as np

from lssat.evaluation.scores.levels import Level
from lssat.tables.analysis_tables import GroupSize

NOT_ANNOTATED = "not annotated"  # samples that a list does not name: shown, never compared


class Slice(NamedTuple):
    """The test samples by one attribute."""

    name: str
    values: np.ndarray  # (N,) text: each sample's group
    column: int | None = None  # of the task's own labels: constant in its groups

    @classmethod
    def of_label(cls, name: str, labels: np.ndarray, column: int) -> "Slice":
        """Slice by a column of the labels (N, A): `Male` and `not Male`."""
        return cls(name, np.where(labels[:, column] == 1, name, f"not {name}"), column)

    @classmethod
    def of_notes(cls, name: str, values: list[str]) -> "Slice":
        """Slice by a list's annotations; an empty one is none."""
        return cls(name, np.array([value or NOT_ANNOTATED for value in values]))

    @property
    def groups(self) -> list[str]:
        """The groups, sorted; what is not annotated comes last."""
        return sorted(set(self.values.tolist()), key=lambda name: (name == NOT_ANNOTATED, name))


def facts(chosen: Slice, level: Level, min_n: int) -> list[GroupSize]:
    """Describe each group: whether it is compared or, in a note, why not."""
    described = []
    for name in chosen.groups:
        mask = chosen.values == name
        n, note = int(mask.sum()), None
        if n < min_n:
            note = f"{n} samples, fewer than slices.min_n ({min_n})"
        positives = int(level.labels[mask].sum()) if level.kind == "binary" else None
        clusters = len({level.groups[at] for at in np.flatnonzero(mask)})
        size = GroupSize(
            group=str(name),
            n=n,
            clusters=clusters,
            positives=positives,
            compared=note is None and name != NOT_ANNOTATED,
            note=note,
        )
        described.append(size)
    return described
