"""MLflow, and nothing else knows it."""

import os

# Else MLflow tells its makers of each use, in threads of its own, from the process that trains.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
