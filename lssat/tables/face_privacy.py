"""Where faces may be shown: in the report, which travels, or on this machine's own page alone."""

import os
from collections.abc import Mapping
from typing import Any

from lssat.tables.project import Project

SAMPLE = str(Project().sample.root)  # of faces that may be passed on
LOCAL = str(Project().results.gallery)


def drawn(root: str, trees: list[str]) -> bool:
    """Say whether a raw tree is one of the built-in sample, drawn by us.

    Args:
        root: of the data set, as params.yaml gives it.
        trees: `sample.trees`.
    """
    name = os.path.basename(os.path.relpath(root))
    return os.path.relpath(root) == f"{SAMPLE}/{name}" and name in trees


def place(task: str, params: dict[str, Any]) -> str:
    """Return where the faces of a task's data set are shown: `report`, `local` or `nowhere`.

    Args:
        params: sections `report`, `sample` and `datasets`, as plain values. What is not known to
            be the sample is not in the report.
    """
    asked = params.get("report", {}).get("faces", "sample")
    if asked == "none":
        return "nowhere"
    return "report" if asked == "sample" and sample(task, params) else "local"


def sample(task: str, params: Mapping[str, Any]) -> bool:
    """Say whether a task's data are known to be the built-in sample's.

    Args:
        params: as for `place`.
    """
    root = (params.get("datasets", {}).get(task) or {}).get("root", "")
    return bool(root) and drawn(root, params.get("sample", {}).get("trees", []))


def absent(place: str) -> str:
    """Say why the report holds no face of a data set; empty where it may hold some."""
    return {
        "report": "",
        "local": f"Faces of this data set are no part of the report: {LOCAL} shows them, on the "
        "machine that made it.",
        "nowhere": "No face is shown: params.yaml says report.faces: none.",
    }[place]
