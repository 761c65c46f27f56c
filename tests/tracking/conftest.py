"""What the tests of MLflow share."""

from pathlib import Path

import pytest
from helpers import once
from mlflow import MlflowClient


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database: MLflow takes seconds to make its tables."""

    def make(folder: Path) -> None:
        MlflowClient(f"sqlite:///{folder}/mlflow.db").search_experiments()

    return once.made(tmp_path_factory, "fresh", make) / "mlflow.db"
