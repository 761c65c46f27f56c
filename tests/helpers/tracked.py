"""What `track` reads of a task's results, in little."""

import hashlib
from pathlib import Path
from typing import Any

from helpers.training import RUN
from lssat.grid import Run
from lssat.tables import write_json

CURVE = """epoch,lr,loss_cls,loss_rec,val_loss_cls,val_auc
0,0.001,0.7,1.2,0.69,
1,0.0005,0.5,1.0,0.6,0.75
"""
START = {"abc": 1_700_000_000.0, "new": 1_800_000_000.0}  # of trainings, by their weights


def record(run: Run = RUN, digest: str = "abc") -> dict[str, Any]:
    """A record.json of a training of two epochs, without the digest of its curve."""
    return {
        "run": run.path, "backbone": run.backbone, "seed": run.seed,
        "configuration": run.configuration.replace("-", "/"),
        "weights_sha256": digest, "device": "cpu", "parameters": 10, "decoder_parameters": 2,
        "seconds": 1.5, "imgs_per_second": 100.0, "best_epoch": 1,
        "git": {"revision": "f" * 40, "dirty": False}, "data": {"train": "1", "val": "2"},
        "params": {"train": {"lr": 0.001, "epochs": 2}, "texture": {"kind": "ldp"}},
        "predicts": {"metric": "auc"},
        "times": {"started": START[digest], "epochs": [START[digest] + 1, START[digest] + 2.5],
                  "ended": START[digest] + 3},
    }  # fmt: skip


def trained(folder: Path, run: Run = RUN, digest: str = "abc") -> Path:
    """Write what a training leaves of a run below a folder; return the run's own."""
    own = folder / "runs" / run.path
    own.mkdir(parents=True, exist_ok=True)
    (own / "curve.csv").write_text(CURVE)
    (own / "weights.safetensors").write_bytes(digest.encode())
    vouched = {"curve_sha256": hashlib.sha256(CURVE.encode()).hexdigest()}
    write_json(own / "record.json", record(run, digest) | vouched)
    return own


def measured(auc: float | None, run: Run = RUN) -> dict[str, Any]:
    """The parts of a metrics.json that tracking reads, of one run."""
    names = {"backbone": run.backbone, "configuration": run.configuration.replace("-", "/")}
    values = {"video/auc": auc, "video/accuracy": 0.6, "video/balanced_accuracy": 0.55}
    told = {"run": run.path, **names, "seed": run.seed, "collapsed": False, "notes": {}}
    row = {**names, "level": "video", "metric": "auc", "runs": [run.path], "baseline": 0.5}
    row |= {"n": 40, "groups": 10, "seeds": [run.seed], "values": [auc], "note": None}
    row |= {"beats_baseline": False, "collapsed": False, "swept": False}
    return {
        **{"task": "ffpp", "kind": "binary", "level": "video", "metric": "auc"},
        **{"confidence": 0.95, "resamples": 100},
        "runs": [{**told, "metrics": {**values, "frame/auc": 0.7, "frame/accuracy": 0.5}}],
        "table": [
            {**row, "mean": auc, "low": 0.7, "high": 0.9},
            {**row, "level": "frame", "mean": 0.7, "low": 0.6, "high": 0.8},
        ],
    }
