"""Decoding in a process of its own: a file that hangs, crashes or swells costs only itself.

The process serves file after file, since starting one takes a third of a second, and is replaced
after a failure. Frames come through a pipe, about a millisecond for one of 720p.
"""

import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lssat.data.media.copies import Copies
from lssat.data.media.frame_choice import Plan, Use
from lssat.data.media.unreadable import Unreadable
from lssat.tables import DataError

_START = 120.0  # seconds; imports from a cold disk
_PIPE = 2**20  # bytes, the most that Linux grants to everyone


class Decoder:
    """`read` and `read_again` of `lssat.data.media.video`, under limits.

    Beside their reasons there are `timeout` and `decoder_crash` (a crash, or out of memory).
    What lies in object storage is fetched first (`copies`), outside of the limits.

    Args:
        timeout: seconds that may be spent waiting for the frames of one file.
        memory: MiB that decoding one file may take, beside what the process needs itself.
    """

    def __init__(self, timeout: float, memory: int):
        self.timeout, self.memory = timeout, memory
        self.copies = Copies()
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "Decoder":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self.copies.close()

    def read(self, path: str | Path, media: str, plan: Plan) -> Iterator[Use | tuple]:
        """See `video.read`."""
        return self._ask(path, media, {"plan": plan._asdict()})

    def read_again(self, path: str | Path, media: str, wanted: list[int]) -> Iterator[tuple]:
        """See `video.read_again`."""
        return self._ask(path, media, {"wanted": wanted})

    def times(self, path: str | Path) -> list[float | None]:
        """See `video.times`."""
        (shown_at,) = self._ask(path, "video", {"times": True})
        return shown_at

    def _ask(self, path: str | Path, media: str, request: dict[str, Any]) -> Iterator:
        request = {**request, "path": str(self.copies.of(path, media)), "media": media}
        left, whole = self.timeout, False
        try:
            process = self._running()
            process.stdin.write(json.dumps(request).encode() + b"\n")
            while not whole:
                started = time.monotonic()
                head, payload = _receive(process.stdout.fileno(), started + left)
                left -= time.monotonic() - started
                whole = head["kind"] in ("end", "rejected", "error")
                if (item := _item(head, payload)) is not None:
                    yield item
        except TimeoutError:
            raise Unreadable("timeout", f"not decoded in {self.timeout:g} s") from None
        except MemoryError:
            limit = f"its limit of {self.memory:,} MiB"
            raise Unreadable("decoder_crash", f"the decoder asked for more than {limit}") from None
        except (EOFError, BrokenPipeError):
            raise Unreadable("decoder_crash", f"the decoder ended: {self._ending()}") from None
        finally:
            if not whole:
                self._stop()

    def _running(self) -> Any:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lssat.data.media.worker", str(self.memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                env={**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"},
            )
            pipe = self._process.stdout.fileno()  # type: ignore[union-attr]
            with contextlib.suppress(OSError):  # the system's limit is lower: only slower
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
            try:
                _receive(pipe, time.monotonic() + _START)
            except (EOFError, TimeoutError):
                raise ChildProcessError("the decoder's process does not start") from None
        return self._process

    def _ending(self) -> str:
        code = self._process.wait() if self._process else 0
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            with self._process:  # closes the pipes and waits
                self._process = None


def _item(head: dict[str, Any], payload: np.ndarray) -> Use | tuple[int, np.ndarray] | list | None:
    kind = head["kind"]
    if kind == "use":
        return Use(head["n_frames"], head["frames"], head["clips"])
    if kind == "times":
        return head["times"]
    if kind == "frame":
        return head["index"], payload.reshape(head["shape"])
    if kind == "rejected":
        raise Unreadable(head["reason"], head["detail"])
    if kind == "memory":
        raise MemoryError
    if kind == "error":
        error = DataError("", "", "")
        error.args = (head["text"],)
        raise error
    return None  # the end


def _receive(pipe: int, deadline: float) -> tuple[dict[str, Any], np.ndarray]:
    length = int.from_bytes(_exactly(pipe, 4, deadline).tobytes(), "little")
    head = json.loads(_exactly(pipe, length, deadline).tobytes())
    return head, _exactly(pipe, head["bytes"], deadline)


def _exactly(pipe: int, count: int, deadline: float) -> np.ndarray:
    """Read uint8 (count,) or raise EOFError, TimeoutError."""
    data = np.empty(count, np.uint8)
    view = memoryview(data)  # type: ignore[arg-type]
    while view:
        if not select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise TimeoutError
        got = os.readv(pipe, [view])
        if not got:
            raise EOFError
        view = view[got:]
    return data
