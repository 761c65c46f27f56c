"""The runs of one backbone and configuration, which differ in their seed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from lssat import grid


class Design(NamedTuple):
    """The planned runs: it separates the grid's from variants."""

    configurations: Sequence[str] | None = None  # of the grid, as in paths; None: all are
    lambda_cls: float | str | None = None  # of the recipe; None: not known

    def sweeps(self, configuration: str) -> bool:
        """Say whether a configuration is only run as a variant."""
        config = grid.parse(configuration)
        return (
            config.shared != config
            and self.configurations is not None
            and configuration not in self.configurations
        )


class Scored(NamedTuple):
    """The runs of one backbone and configuration: they differ in their seed."""

    backbone: str
    configuration: str
    runs: list[str]

    @property
    def seeds(self) -> list[int]:
        """The seeds, in the order of the runs."""
        return [grid.Run.of(run).seed for run in self.runs]

    @property
    def external(self) -> bool:
        """Whether another program made the scores."""
        return grid.parse(self.configuration).external

    @property
    def labels(self) -> dict[str, Any]:
        """The first columns of the rows about them."""
        text = str(grid.parse(self.configuration))
        return {"backbone": self.backbone, "configuration": text}


def by_seed(runs: list[str]) -> list[Scored]:
    """Gather runs that differ only in their seed, in the order of their first appearance."""
    groups: dict[tuple[str, str], list[str]] = {}
    for run in runs:
        _, backbone, configuration, _ = grid.Run.of(run)
        groups.setdefault((backbone, configuration), []).append(run)
    return [Scored(*key, runs) for key, runs in groups.items()]
