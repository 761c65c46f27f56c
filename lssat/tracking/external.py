"""Scores of other programs in MLflow: a run each, marked, with the metrics of its test.

Nothing is known of how they were made, so there are no parameters of a recipe, no curve and no
weights. A run is known by its path and by the sha256 of the file of its scores.
"""

import math
import time
from collections.abc import Mapping
from typing import Any

from lssat import grid
from lssat.tracking import entry, names

MARK = "lssat.external"  # the file
_SHA256 = "lssat.external_sha256"  # set last: the run is complete


def run_of(client: Any, experiment_id: str, run: Mapping[str, Any]) -> Any:
    """Return the MLflow run of another program's scores, made where it is not there.

    Args:
        run: what metrics.json says of the run: `run`, and `external` with `file` and `sha256`.
    """
    source = run["external"]
    logged = entry.runs(client, experiment_id, run["run"])
    same = next((one for one in logged if one.data.tags.get(_SHA256) == source["sha256"]), None)
    entry.sweep(client, [one for one in logged if one is not same])
    return same or client.get_run(_create(client, experiment_id, run["run"], source))


def _create(client: Any, experiment_id: str, path: str, source: Mapping[str, str]) -> str:
    from mlflow.entities import Metric, Param

    run, now = grid.Run.of(path), entry.millis(time.time())
    tags = {entry.NAME: path, "lssat.task": run.task, MARK: source["file"]}
    tags["mlflow.note.content"] = (
        f"Scores of another program, read from `{source['file']}` (docs/rivals.md).\n\n"
        "Its row beside those of runs: `lssat show`"
    )
    created = client.create_run(experiment_id, now, tags, names.of_run(path))
    facts = {"backbone": run.backbone, "configuration": run.configuration, "seed": run.seed}
    facts |= {"file": source["file"], "file_sha256": source["sha256"]}
    unknown = Metric(names.HEADLINE, math.nan, now, 0)  # as in trained runs, to be the first
    params = [Param(name, str(value)) for name, value in facts.items()]
    client.log_batch(created.info.run_id, [unknown], params)
    client.set_terminated(created.info.run_id, "FINISHED", now)
    client.set_tag(created.info.run_id, _SHA256, source["sha256"])
    return str(created.info.run_id)
