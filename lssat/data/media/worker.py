"""The process in which media are decoded, under a limit of memory: `python -m` this, see `decoder`.

It reads requests from stdin, one JSON object a line, and answers on stdout with messages: four
bytes, the length of a JSON object, the object, and as many bytes as its key `bytes` says.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from typing import IO, Any

import av  # noqa: F401  # before the limit, which counts from here on

from lssat.data.media.frame_choice import Plan, Use
from lssat.data.media.unreadable import Unreadable
from lssat.data.media.video import read, read_again, times
from lssat.tables import DataError

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def main() -> None:
    """Serve requests until stdin ends."""
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a library prints is no message
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    memory = int(sys.argv[1])
    _limit(memory)
    _send(out, {"kind": "ready"})
    for line in sys.stdin.buffer:
        try:
            for head, payload in _answer(json.loads(line), memory):
                _send(out, head, payload)
        except MemoryError:  # what is left of this process is not to be trusted
            _send(out, {"kind": "memory"})
            return


def _limit(mebibytes: int) -> None:
    """Limit the address space to its present size plus the limit; write no core files."""
    with open("/proc/self/statm") as file:
        taken = int(file.read().split()[0]) * resource.getpagesize()
    most = taken + mebibytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(request: dict[str, Any], memory: int) -> Iterator[tuple[dict[str, Any], Any]]:
    path, media = request["path"], request["media"]
    try:
        if request.get("times"):
            yield {"kind": "times", "times": times(path, memory)}, b""
            items: Iterator = iter(())
        elif "wanted" in request:
            items = read_again(path, media, request["wanted"], memory)
        else:
            items = read(path, media, Plan(**request["plan"]), memory)
        for item in items:
            if isinstance(item, Use):
                yield {"kind": "use", **item._asdict()}, b""
            else:
                index, frame = item
                yield {"kind": "frame", "index": index, "shape": frame.shape}, frame
        yield {"kind": "end"}, b""
    except Unreadable as error:
        yield {"kind": "rejected", "reason": error.reason, "detail": error.detail}, b""
    except DataError as error:
        yield {"kind": "error", "text": str(error)}, b""
    except MemoryError:
        raise
    except Exception as error:  # a fault of a library costs this file, and is named
        problem = f"{type(error).__name__}: {error}"
        yield {"kind": "rejected", "reason": "decoder_crash", "detail": problem}, b""


def _send(out: IO[bytes], head: dict[str, Any], payload: Any = b"") -> None:
    data = memoryview(payload).cast("B")
    text = json.dumps({**head, "bytes": len(data)}).encode()
    for part in (len(text).to_bytes(4, "little") + text, data):
        while part:
            part = part[out.write(part) :]


if __name__ == "__main__":
    main()
