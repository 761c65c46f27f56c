"""What `track` reads of a task's results, in little."""

from typing import Any

from helpers.training import RUN


def measured(auc: float | None) -> dict[str, Any]:
    """The parts of a metrics.json that tracking reads."""
    names = {"backbone": "vit_micro", "configuration": "MRGB/RLDP/CRGB"}
    values = {"video/auc": auc, "video/accuracy": 0.6, "video/balanced_accuracy": 0.55}
    run = {"run": RUN.path, **names, "seed": 0, "collapsed": False, "notes": {}}
    row = {**names, "level": "video", "metric": "auc", "runs": [RUN.path], "baseline": 0.5}
    row |= {"n": 40, "groups": 10, "seeds": [0], "values": [auc], "note": None}
    row |= {"beats_baseline": False, "collapsed": False, "swept": False}
    return {
        **{"task": "ffpp", "kind": "binary", "level": "video", "metric": "auc"},
        **{"confidence": 0.95, "resamples": 100},
        "runs": [{**run, "metrics": {**values, "frame/auc": 0.7, "frame/accuracy": 0.5}}],
        "table": [
            {**row, "mean": auc, "low": 0.7, "high": 0.9},
            {**row, "level": "frame", "mean": 0.7, "low": 0.6, "high": 0.8},
        ],
    }
