"""All commands, in the order of the help."""

from lssat.cli import data, plan, runs, track, explain, results, use, sensitivity  # isort: skip
from lssat.cli.base import app, leave

__all__ = [
    "app",
    "data",
    "explain",
    "leave",
    "plan",
    "results",
    "runs",
    "sensitivity",
    "track",
    "use",
]
