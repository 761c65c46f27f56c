"""Many short steps share their imports: each is forked from one process that has made them.

The Snakemake of a run starts that process and names its socket in the environment. The command of
a step hands over what it was told and its streams, passes signals on and ends as its fork does; a
fork ends with its command. Where nobody listens, or what a library reads while it is imported is
another than there, the command does its work itself: to the same bytes, only later.
Imports nothing heavy: each step begins with this.
"""

import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from lssat.orchestrate.steps import PARENT

# Not `-m`: the texts of wrong usage would name it.
PROGRAM = [sys.executable, "-c", "from lssat.cli.forks import main; main()"]
_WHERE = "LSSAT_WARM"  # path of the socket, relative: a socket's name may have 107 bytes
_PASSED = {signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP}
# A step may have its own of these, and LSSAT_...: no library reads them while it is imported.
_OWN = {"_", "SHLVL", "PWD", "OLDPWD", "TMPDIR", "TMP", "TEMP", "TEMPDIR"}
_MOST = 1 << 20  # bytes of a message
_REFUSED = b"no"


def start(threads: int, log_file: Path) -> subprocess.Popen:
    """Start the process that steps of so many threads are forked from; kill it after the last.

    Args:
        log_file: its log.
    """
    where = f".snakemake/warm-{os.getpid()}"
    environment = os.environ | thread_counts(threads)
    environment.pop(PARENT, None)  # it is no step; its forks are
    log_file.parent.mkdir(exist_ok=True)
    with open(log_file, "a", encoding="utf-8") as log:
        process = subprocess.Popen(
            [*PROGRAM, where],
            stdin=subprocess.PIPE,  # ends with this process, however that ends
            stdout=subprocess.DEVNULL,
            stderr=log,
            env=environment,
            start_new_session=True,  # Ctrl-C reaches the commands, which pass it on
        )
    os.environ[_WHERE] = where
    return process


def thread_counts(threads: int) -> dict[str, str]:
    """Return what Snakemake adds to the environment of a step of so many threads."""
    names = [f"{name}_NUM_THREADS" for name in ("OMP", "GOTO", "OPENBLAS", "MKL", "NUMEXPR")]
    return dict.fromkeys([*names, "VECLIB_MAXIMUM_THREADS"], str(threads))


def stop(process: subprocess.Popen) -> None:
    """End the process when no step is at work any more."""
    process.kill()
    process.communicate()
    Path(os.environ.pop(_WHERE)).unlink(missing_ok=True)


def hand_over() -> int | None:
    """Let a fork do the work of this process, and wait for it.

    Returns:
        Its exit code; None: nobody takes the work.
    """
    where = os.environ.pop(_WHERE, None)
    if where is None:
        return None
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
        before = {signum: signal.getsignal(signum) for signum in _PASSED}
        try:
            line.connect(where)
            message = json.dumps([sys.argv, *_circumstances()])
            socket.send_fds(line, [message.encode()], [0, 1, 2])
            for signum in _PASSED:
                signal.signal(signum, lambda number, _: line.send(bytes([number])))
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED)
            answer = line.recv(_MOST)
        except OSError:
            answer = _REFUSED
        for signum, handler in before.items():
            signal.signal(signum, handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED)
    if answer == _REFUSED:
        return None
    if not answer:
        print(f"{where}: the process that this step was forked from was killed.", file=sys.stderr)
        return 1
    return _end_like(int(answer))


def _end_like(code: int) -> int:
    """Return an exit code; end by the signal by which the fork has ended."""
    if code < 0:
        with contextlib.suppress(OSError):  # SIGKILL has no handler
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def _circumstances() -> tuple[dict[str, str], list[object]]:
    """Return the environment of a step's own, and what must be the same for a fork to do it."""
    own = {name: os.environ[name] for name in os.environ if _is_own(name)}
    others = {name: os.environ[name] for name in os.environ if not _is_own(name)}
    os.umask(mask := os.umask(0o077))
    return own, [sys.executable, os.getcwd(), mask, others]


def _is_own(name: str) -> bool:
    return name in _OWN or name.startswith("LSSAT_")


def serve(where: str, prepare: Callable[[], object], work: Callable[[], object]) -> None:
    """Import, then fork a process for each command, until stdin and the last of them have ended.

    Args:
        where: path of the socket, which only the owner may use.
        prepare: imports; no thread may be started that a fork would miss.
        work: what a fork does; it reads `sys.argv`.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED)  # a fork listens again, and misses none
    place = _circumstances()[1]
    prepare()
    gc.freeze()  # what is never touched stays shared
    server = _Server(where, place, work)
    while server.leads or server.steps:
        for key, _ in server.selector.select():
            key.data(key.fileobj)
    os.unlink(where)


class _Server:
    def __init__(self, where: str, place: list[object], work: Callable[[], object]):
        self.place, self.work, self.leads = place, work, True
        self.steps: dict[int, socket.socket] = {}  # by the fork's process id
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        before = os.umask(0o077)
        listener.bind(where)
        os.umask(before)
        listener.listen(64)
        woken, self.wakes = socket.socketpair()
        self.wakes.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wakes.fileno())
        self.selector = selectors.DefaultSelector()
        read = selectors.EVENT_READ
        self.selector.register(listener, read, self._accept)
        self.selector.register(woken, read, self._reap)
        self.selector.register(0, read, self._end)

    def _accept(self, listener: socket.socket) -> None:
        self.selector.register(listener.accept()[0], selectors.EVENT_READ, self._read)

    def _read(self, line: socket.socket) -> None:
        """Begin a step, pass a signal on to it, or kill it since its command is gone."""
        pid = next((pid for pid, own in self.steps.items() if own is line), None)
        try:
            message, streams, _, _ = socket.recv_fds(line, _MOST, 3)
        except ConnectionError:
            message, streams = b"", []
        if message and pid is None:
            self._begin(line, message, streams)
        elif message and pid is not None:
            os.kill(pid, message[0])
        else:
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
            self._forget(line)

    def _begin(self, line: socket.socket, message: bytes, streams: list[int]) -> None:
        argv, own, place = json.loads(message)
        if place != self.place:
            line.send(_REFUSED)
            self._forget(line)
        elif pid := os.fork():
            self.steps[pid] = line
            words = " ".join(argv[1:4]).partition("\n")[0]
            print(f"forked: {words}", file=sys.stderr, flush=True)
        else:
            self._become(argv, own, streams)
        for stream in streams:
            os.close(stream)

    def _forget(self, line: socket.socket) -> None:
        self.selector.unregister(line)
        line.close()

    def _reap(self, woken: socket.socket) -> None:
        """Tell commands how their forks have ended."""
        woken.recv(_MOST)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                line = self.steps.pop(ended[0], None)
                if line and line.fileno() >= 0:
                    with contextlib.suppress(ConnectionError):
                        line.send(str(os.waitstatus_to_exitcode(ended[1])).encode())
                    self._forget(line)

    def _end(self, stdin: int) -> None:
        """Take no more work: the run has ended."""
        if not os.read(stdin, _MOST):
            self.selector.unregister(stdin)
            self.leads = False

    def _become(self, argv: list[str], own: dict[str, str], streams: list[int]) -> None:
        """Be the command: in a fork, which never returns."""
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for fd in [key.fd for key in self.selector.get_map().values()]:
                os.close(fd)
            self._take(streams)
            self.wakes.close()
            self.selector.close()
            sys.argv = argv
            for name in filter(_is_own, list(os.environ)):
                del os.environ[name]
            os.environ.update(own | {PARENT: str(os.getppid())})
            tempfile.tempdir = None
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED)
            self.work()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)

    @staticmethod
    def _take(streams: list[int]) -> None:
        """Have the command's streams. A Python object remembers whether its file could seek."""
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        code = sys.stdout.encoding
        sys.stdin = open(0, encoding=code, closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", encoding=code, closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", 1, code, "backslashreplace", closefd=False)  # noqa: SIM115
