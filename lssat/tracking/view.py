"""How MLflow's pages show an experiment: the columns of its table, and its first charts.

A view that is shared is a tag of the experiment, in the form in which MLflow's pages keep their
state; a link names it. What a page does not know it leaves out.
"""

import json
from typing import Any

from lssat.tracking import names

_NAME = "lssat"
TAG = f"mlflow.sharedViewState.{_NAME}"
# Widths in pixels. At 1440 the columns up to the variant stand between the panels of MLflow's page.
_FIRST = {"attributes.`Run Name`": 115, "runDateAndNestInfo": 135}  # always there
_COLUMNS = {
    f"metrics.`{names.HEADLINE}`": 110,
    "params.`backbone`": 110,
    "params.`configuration`": 140,
    "params.`seed`": 60,
    "params.`variant`": 75,
    "metrics.`test_baseline`": 110,
    f"metrics.`{names.CURVE}`": 115,
    "metrics.`run_seconds`": 100,
}
_SECTION = f"{_NAME}-model"


def shared() -> str:
    """Return the tag's value: a flat table, the best run first, and three charts before others."""
    widths = _FIRST | _COLUMNS
    state = {
        "selectedColumns": list(_COLUMNS),
        "columnOrder": list(widths),
        "columnWidths": widths,
        "orderByKey": f"metrics.`{names.HEADLINE}`",
        "orderByAsc": False,
        "runsHiddenMode": "FIRST_20_RUNS",  # twenty are drawn
        "compareRunSections": [
            # Reordered: what follows ours stands behind it.
            _section(_SECTION, "Model metrics", columns=2, isReordered=True),
            _section(f"{_NAME}-system", "System metrics"),
        ],
        "compareRunCharts": [
            _chart("BAR", metricKey=names.HEADLINE, displayName=names.HEADLINE),
            _chart("LINE", metricKey=names.CURVE, displayName=names.CURVE, **_LINE),
            _chart(
                "PARALLEL",
                selectedParams=["backbone", "masked", "reconstructed", "classified"],
                selectedMetrics=[names.HEADLINE],
                showAllRuns=False,
            ),
        ],
    }
    return json.dumps(state)


_LINE = {
    "selectedMetricKeys": [names.CURVE],
    "xAxisKey": "step",
    "xAxisScaleType": "linear",
    "scaleType": "linear",
    "range": {},
    "lineSmoothness": 0,
    "selectedXAxisMetricKey": "",
    "useGlobalXaxisKey": True,
    "useGlobalLineSmoothing": True,
    "ignoreOutliers": False,
}


def _section(uuid: str, name: str, **more: Any) -> dict[str, Any]:
    own = {"display": True, "isReordered": False, "deleted": False, "isGenerated": True}
    return {"uuid": uuid, "name": name} | own | more


def _chart(kind: str, **more: Any) -> dict[str, Any]:
    own = {"uuid": f"{_NAME}-{kind.lower()}", "type": kind, "metricSectionId": _SECTION}
    return own | {"runsCountToCompare": 20, "deleted": False, "isGenerated": False} | more


def link(experiment_id: str, charts: bool = False) -> str:
    """Return the address of the view, from any page of MLflow's: its table, or its charts."""
    # Pages open as those for language models until a browser has been told otherwise.
    known = f"workflowType=machine_learning&viewStateShareKey={_NAME}"
    mode = "&compareRunsMode=CHART" if charts else ""
    return f"#/experiments/{experiment_id}/runs?{known}{mode}"
