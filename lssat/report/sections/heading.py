"""Title and note of a page: the user's own words, or what follows from what was run."""

from collections.abc import Mapping
from typing import Any

from lssat.report.kit import words
from lssat.tables import face_privacy

NOTE = (
    "The sample proves that the machinery works. Its numbers mean nothing: the labels are painted "
    "onto the faces."
)


def title(params: Mapping[str, Any], tasks: Mapping[str, str]) -> str:
    """Return the title: params.yaml's, else the data that were run on.

    Args:
        params: sections `report`, `sample` and `datasets`, as plain values.
        tasks: name -> title of each task of the page.
    """
    asked = params["report"].get("title")
    if asked is not None:
        return asked
    ours = _ours(params, tasks)
    if len(ours) == len(tasks):
        return "lssat on its built-in sample"
    named = [f"{text}, built-in sample" if text in ours else text for text in tasks.values()]
    return f"lssat: {'; '.join(named)}"


def note(params: Mapping[str, Any], tasks: Mapping[str, str]) -> str:
    """Return what stands on top of the page: params.yaml's, else what the sample is, if it ran."""
    asked = params["report"].get("note")
    if asked is not None:
        return asked
    ours = _ours(params, tasks)
    if not ours or len(ours) == len(tasks):
        return NOTE if ours else ""
    return f"Of the built-in sample: {words.listing(ours)}. {NOTE}"


def _ours(params: Mapping[str, Any], tasks: Mapping[str, str]) -> list[str]:
    return [text for name, text in tasks.items() if face_privacy.sample(name, params)]
