"""Rows that steps gather before they are a table: the columns of `schemas`, typed."""

from typing import NotRequired, TypedDict


class FileRow(TypedDict):
    """What is known of a file whose faces are to be cropped."""

    id: str
    path: str
    media: str
    box: list[float]


class SampleRow(FileRow):
    """A row of MANIFEST."""

    dataset: str
    labels: list[int]
    subset: str
    split: str
    groups: list[str]
    group: str


class RejectRow(TypedDict):
    """A row of REJECTS; a reader's also says what the sample counts as (`listed`)."""

    dataset: str
    id: str
    path: str
    step: str
    reason: str
    detail: str
    labels: NotRequired[list[int]]
    split: NotRequired[str]
    subset: NotRequired[str]
