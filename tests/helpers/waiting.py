"""Waiting for another process: until something is so, however busy the machine is."""

import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 900  # seconds; only a failure takes them


def until(is_so: Callable[[], object], what: str) -> None:
    """Wait until something is so; fail, with what was waited for, where it never is."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, f"in {PATIENCE} s: never {what}"
        time.sleep(0.02)


def ended(pid: int) -> bool:
    """Is a process no more, or only an entry that nobody has asked about yet?"""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
