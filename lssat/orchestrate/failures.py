"""What a failed run says last: each failed step's own message, short, with its log."""

import re
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from lssat.orchestrate.events import Words
from lssat.tables import refused

HEADING = "What failed:"
ELSEWHERE = "its log is in the storage, if it got as far as that"
_TRACEBACK = "Traceback (most recent call last):"
_SHOWN = 5  # failed steps
_PAGE = 4096  # bytes
_LINES = 12  # of one step's message


class FailedJob(Protocol):
    """What is read of a job of Snakemake's."""

    rule: Any
    wildcards: Any  # their values
    log: Any  # its log, if it has one: paths, which know whether they lie in a storage


def tell(
    jobs: Sequence[FailedJob], stopped: int | None, words: Mapping[str, Words] | None = None
) -> None:
    """Print, for each failed job of Snakemake, the message at the end of its log.

    Args:
        jobs: those that failed.
        stopped: the signal that ended the run; then the steps have not failed by themselves.
        words: what is known of jobs beside their logs, by these.
    """
    if stopped:
        name = signal.Signals(stopped).name
        print(f"{HEADING} stopped by {name}. Run the same command again to go on.", file=sys.stderr)
        return
    lines = [HEADING]
    for job in jobs[:_SHOWN]:
        said = _message(job, (words or {}).get(_log(job), Words()))
        lines += [f"  {_title(job)}: {_log(job)}", *(f"    {line}" for line in said)]
    if len(jobs) > _SHOWN:
        lines.append(f"  and {len(jobs) - _SHOWN} more")
    print("\n".join(lines), file=sys.stderr, flush=True)


def _title(job: FailedJob) -> str:
    values = " ".join(str(value) for value in job.wildcards)
    return f"{job.rule} {values}".rstrip()


def _log(job: FailedJob) -> str:
    if not job.log:
        return "no log"
    return str(job.log[0].storage_object.query if _elsewhere(job) else job.log[0])


def _elsewhere(job: FailedJob) -> bool:
    """Say whether a job's log lies in a storage of Snakemake's."""
    return bool(job.log) and getattr(job.log[0], "is_storage", False)


def _message(job: FailedJob, words: Words) -> list[str]:
    """Return what a cluster says of a job, and the last words of its log."""
    if _elsewhere(job):
        return [ELSEWHERE]
    return last_words(_log(job), words)


def last_words(log: str, words: Words) -> list[str]:
    """Return what is known of a job that failed: a message of ours, or how a traceback ends.

    Args:
        log: its path.
        words: what is known beside it.
    """
    file, said = Path(log), [words.said] if words.said else []
    if words.silent and file.is_file():
        return [*said, f"it wrote no log in this run: {log} is an earlier one's", *_refused(file)]
    text = ""
    if file.is_file():
        text = file.read_text(encoding="utf-8", errors="backslashreplace").rstrip()
    return said + (message(text) or ["ended without a word", *_refused(file)])


def _refused(log: Path) -> list[str]:
    """Say why nothing can be written beside a log, if that is so: a disk or a quota is full."""
    try:
        with tempfile.TemporaryFile(dir=log.parent) as file:
            file.write(b"\0" * _PAGE)
    except FileNotFoundError:
        return []  # there is no folder for logs: nothing has begun
    except OSError as error:
        told = refused(error)
        return [str(told or f"{log.parent}: {error.strerror}")]
    return []


def message(text: str) -> list[str]:
    """Return what a log says last.

    After a traceback that is its exception; otherwise the last paragraph: lines that belong
    together since the following ones are indented.
    """
    lines = text.split("\n") if text else []
    start = len(lines) - 1
    while start > 0 and re.match(r"\s", lines[start]):
        start -= 1
    last = lines[max(start, 0) :]
    if _TRACEBACK in text:
        last = ["An error in the program itself; the log has the traceback:", *last]
    return last[-_LINES:]
