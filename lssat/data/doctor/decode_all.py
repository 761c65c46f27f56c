"""`--deep`: every image decoded in full, every video decoded to its end, under limits."""

import os
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from lssat.data import media
from lssat.data.doctor.findings import Inventory, by_folder
from lssat.data.faces.choose import misfit
from lssat.tables import DataError

TIMEOUT, MEMORY = 600.0, 1024  # seconds and MiB a file, the presets' own

Verdict = tuple[str, str, str]  # severity ("" if sound), reason, detail


class Wanted(NamedTuple):
    """What the step of the faces asks of a file."""

    kind: str  # image | video, whatever the suffix
    plan: media.Plan  # of a video
    box: list[float]  # x, y, width, height of a face in an image, where the lists give one


def decode_all(
    root: Path, kinds: dict[str, Wanted], too_many: Callable[[int], bool], inventory: Inventory
) -> set[str]:
    """Decode files, one process a core, and record failures by folder and reason.

    Args:
        kinds: what is asked of each path, relative to the root.
        too_many: whether this number of failures is more than params.yaml allows.

    A video that gives fewer frames than its header announces is a warning: what it gives is used.

    Returns:
        the paths that failed.
    """
    work = sorted(kinds)
    cores = os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as threads:  # each waits for a process of its own
        parts = threads.map(
            lambda part: _decode(root, part, kinds), [work[n::cores] for n in range(cores)]
        )
        failures = [failure for part in parts for failure in part]
    groups: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    failed = sum(severity == "error" for _, (severity, _, _) in failures)
    worst = "error" if too_many(failed) else "warning"
    for path, (severity, reason, detail) in sorted(failures):
        severity = worst if severity == "error" else severity
        groups[severity, reason][path] = detail
    for (severity, reason), details in sorted(groups.items()):
        for folder, names in by_folder(details).items():
            n = f"{len(names):,} {'file' if len(names) == 1 else 'files'}"
            first = details[f"{folder}/{names[0]}".lstrip("/")]
            problem = f"decoded in full, {n}: {reason} (the first: {first})"
            inventory.add(severity, folder or ".", problem, "Fetch again what is damaged", names)
    return {path for path, (severity, _, _) in failures if severity == "error"}


def _decode(root: Path, paths: list[str], kinds: dict[str, Wanted]) -> list[tuple[str, Verdict]]:
    """Return the files that are not sound."""
    with media.Decoder(TIMEOUT, MEMORY) as decoder:
        checked = [(path, _check(decoder, root / path, kinds[path])) for path in paths]
    return [(path, verdict) for path, verdict in checked if verdict[0]]


def _check(decoder: media.Decoder, path: Path, wanted: Wanted) -> Verdict:
    uses, problem = [], ""
    try:
        for item in decoder.read(path, wanted.kind or media.kind(path), wanted.plan):
            if isinstance(item, media.Use):
                uses.append(item.n_frames)
            elif wanted.box:
                problem = misfit(wanted.box, item[1])
    except media.Unreadable as error:
        return "error", error.reason, error.detail
    except DataError as error:
        return "error", "unreadable", str(error)
    if problem:
        return "error", "no_face", problem
    if uses[-1] < uses[0]:  # what it gave in the end, what it announced
        return "warning", "fewer frames than announced", f"{uses[-1]} of {uses[0]}"
    return "", "", ""
