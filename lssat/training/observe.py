"""Who looks on while a run trains. An observer is told; what it does with it is its own affair.

Its methods return at once and raise nothing: training is neither slowed nor changed by it.
"""

from pathlib import Path
from typing import Any, NamedTuple, Protocol


class Begun(NamedTuple):
    """What is known of a training when its first epoch begins, or when it goes on.

    Times are seconds since 1970. `curve` and `times` are of the epochs before a state that the
    run goes on from.
    """

    started: float  # its first epoch, also where it was stopped since
    params: dict[str, dict[str, Any]]  # sections, as they stand in record.json
    data: dict[str, str]  # split -> sha256
    metric: str  # the task's headline
    device: str
    lock: Path  # held by the process that trains, as long as it does
    curve: list[dict[str, Any]]
    times: list[float]  # at which each epoch ended


class Observer(Protocol):
    """Looks on, in the process of rank 0 alone."""

    def begin(self, begun: Begun) -> None:
        """Hear that training begins, or goes on."""

    def epoch(self, row: dict[str, Any], at: float) -> None:
        """Hear of an epoch: its row of the curve, and when it ended."""


class Nobody:
    """Looks on and does nothing."""

    def begin(self, begun: Begun) -> None:
        """Nothing."""

    def epoch(self, row: dict[str, Any], at: float) -> None:
        """Nothing."""
