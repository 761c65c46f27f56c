"""The program that imports what steps need, once, and forks a process for each of them."""

import importlib
import sys

from lssat.cli import main as work
from lssat.cli.base import quick_imports
from lssat.orchestrate import fork_server

# What steps import, in the order in which one that trains does; then what others do.
_IMPORTED = (
    *("lssat.cli.commands", "lssat.training.train", "codecarbon", "codecarbon.external.ram"),
    *("torch._dynamo", "torch.utils.flop_counter", "lssat.evaluation.evaluate"),
    *("lssat.evaluation.robustness", "lssat.evaluation.explain", "lssat.report"),
    *("lssat.tracking.live", "lssat.tracking.runs", "mlflow.tracking"),
    "mlflow.system_metrics.system_metrics_monitor",
    "mlflow.store.tracking.sqlalchemy_store",  # of a local database
)


def _import() -> None:
    with quick_imports():
        for name in _IMPORTED:
            importlib.import_module(name)


def main() -> None:
    """Serve at the socket whose path is the first argument, until stdin ends."""
    fork_server.serve(sys.argv[1], _import, work)
