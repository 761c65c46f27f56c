"""The names of MLflow's metrics, of which its pages make charts and columns.

Flat: MLflow splits charts into groups at a slash. Charts stand in the order of their names,
capitals first: `Headline_test` and `Headline_val` are the same in every task and come first.
"""

import itertools
import re
from typing import Any

HEADLINE, CURVE = "Headline_test", "Headline_val"
_LONGEST = 80  # characters of a part of a name, of which MLflow takes 250


def key(name: str) -> str:
    """Return a name as MLflow takes it, whose parts, between slashes, are joined by `_`."""
    parts = [re.sub(r"[^\w. :-]", "_", part)[:_LONGEST] for part in name.split("/")]
    return "_".join(parts)


def keyed(prefix: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return values under MLflow's names; those that it would spell alike are numbered from 2."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        own = key(f"{prefix}{name}")
        numbered = (f"{own} {number}" for number in itertools.count(2))
        spellings = itertools.chain([own], numbered)
        flat[next(spelling for spelling in spellings if spelling not in flat)] = value
    return flat


def model(path: str) -> str:
    """Return the name of a run's model, in which MLflow takes no point and no slash."""
    return re.sub(r"[/:.%\"']", "_", of_run(path))


def of_run(path: str) -> str:
    """Return the name of a run's MLflow run, whose experiment is its task."""
    return " ".join(path.split("/")[1:])
