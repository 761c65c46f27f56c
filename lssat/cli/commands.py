"""All commands, in the order of the help."""

# isort: off
from lssat.cli import data, plan, runs, track, explain, reports, dvc, benchmark, use, on_request  # noqa: F401

# isort: on
from lssat.cli.base import app, leave

__all__ = ["app", "leave"]
