"""All commands, in the order of the help."""

# isort: off
from lssat.cli import data, plan, runs, track, explain, reports, saved, benchmark, use, sensitivity

# isort: on
from lssat.cli.base import app, leave

__all__ = [
    "app",
    "benchmark",
    "data",
    "explain",
    "leave",
    "plan",
    "reports",
    "runs",
    "saved",
    "sensitivity",
    "track",
    "use",
]
