"""`lssat init --small`: any preset as a run of minutes, to see that all fits before the long one.

The same tasks, configurations and steps on the user's own data, with few samples (`limit`), tiny
crops and one tiny backbone, for one epoch and one seed. Its numbers say nothing.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from lssat.grid import BESIDE
from lssat.params.edits import Edit, edited, last
from lssat.params.sections import Beside

VALUES = {
    "benchmark": {
        "backbones": "[vit_micro]",
        "seeds": "[0]",
        "baselines": "[]",
        "clip_tasks": "[]",
        "clip_backbones": "[]",
        **{key: dict.fromkeys(Beside.model_fields, "[]") for key in BESIDE},
        "external": "[]",
    },
    "faces": {"size": "80"},
    "audit": {"near_limit": "1.0"},
    "train": {
        "weights": "scratch",
        "epochs": "1",
        "pretrain_epochs": "1",
        "batch_size": "8",
        "accumulate": "1",
        "layer_decay": "1.0",
        "warmup_epochs": "0",
        "threads": "1",
        "precision": "32-true",
    },
    "evaluate": {"resamples": "200"},
    "robustness": {"strengths": "[3]", "samples": "20"},
    "explain": {"samples": "8", "steps": "4", "points": "40", "errors": "4"},
    "tracking": {"experiment": "lssat-small"},
    "report": {
        "title": "A small trial run",
        "note": "Few samples, one epoch, a tiny backbone. Does all fit? The numbers mean nothing.",
    },
}
# Of each data set; `limit` is added. A clip that has no face is no reason to stop a trial.
_VIDEOS = {"shards": "1", "rejects_limit": "0.2", "frames": "2", "every": "null", "clips": "0"}
_IMAGES = {"shards": "1", "rejects_limit": "0.2"}
LIMIT = {"videos": 5, "images": 10}  # groups of each split and class


def small(text: str) -> str:
    """Return the text of a params.yaml made small; comments say what the preset has."""
    document: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    edits = list(_values(text, document, VALUES))
    for key, section in document.value:
        if key.value == "datasets":
            for _, dataset in section.value:
                edits += _dataset(text, dataset)
    return edited(text, edits)


def _dataset(text: str, section: Any) -> Iterator[Edit]:
    keys = {key.value for key, _ in section.value}
    videos = "frames" in keys
    yield from _values(text, section, _VIDEOS if videos else _IMAGES)
    first = section.value[0][0]
    groups = LIMIT["videos" if videos else "images"]
    place, indent = first.start_mark.index, " " * first.start_mark.column
    yield place, place, f"limit: {groups}   # small: groups of each split and class\n{indent}"


def _values(text: str, mapping: Any, wanted: dict[str, Any]) -> Iterator[Edit]:
    """Yield edits of the keys that are there and have another value."""
    for key, value in mapping.value:
        new = wanted.get(key.value)
        if isinstance(new, dict):
            yield from _values(text, value, new)
        elif new is not None:
            start, final = key.end_mark.index + 1, last(value)
            end = final.end_mark.index
            old = text[start:end].strip()
            if old == new:
                continue
            if "\n" in old:  # a block: its own comments go with it
                end = text.index("\n", end)
                yield start, end, f" {new}   # small"
            else:
                rest = text[end : text.index("\n", end)].strip().removeprefix("#").strip()
                more = f" {rest}" if rest else ""
                yield start, text.index("\n", end), f" {new}   # small; the preset: {old}{more}"
