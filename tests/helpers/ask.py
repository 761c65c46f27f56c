"""Let the process of helpers/forked.py be a program, and wait for its end.

    python -IS ask.py SOCKET PROGRAM [ARGUMENT ...]

Starts in milliseconds: imports nothing of site-packages.
"""

import os
import socket
import sys
from collections.abc import Mapping, Sequence

MOST = 1 << 18  # bytes of a message


def begin(
    where: str, command: Sequence[str], folder: str, variables: Mapping[str, str], *streams: int
) -> socket.socket:
    """Begin a program with its folder, environment, stdin, stdout and stderr.

    Returns:
        what `end` waits at. The program is killed where it is closed before.
    """
    told = [folder, str(len(command)), *command, *(f"{k}={v}" for k, v in variables.items())]
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    line.connect(where)
    socket.send_fds(line, ["\0".join(told).encode(errors="surrogateescape")], streams)
    return line


def end(line: socket.socket) -> int:
    """Wait for the end of a program; return its code, or less than 0, the signal."""
    with line:
        return int(line.recv(MOST))


def read(message: bytes) -> tuple[list[str], str, dict[str, str]]:
    """Return command, folder and environment of what was asked."""
    folder, count, *words = message.decode(errors="surrogateescape").split("\0")
    command, variables = words[: int(count)], words[int(count) :]
    return command, folder, dict(each.split("=", 1) for each in variables)


if __name__ == "__main__":
    code = end(begin(sys.argv[1], sys.argv[2:], os.getcwd(), os.environ, 0, 1, 2))
    sys.exit(code if code >= 0 else 128 - code)
