"""Files of tensors that are never half written, never pickled, and vouched for by a sha256.

`save_weights` and `load_weights` are for finished runs. `Checkpoints` is for runs under way: a
kill at any moment leaves the old state or the new one, since each file is written aside, synced
and renamed, tensors first, and the two newest states are kept.
"""

import contextlib
import fcntl
import hashlib
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from lssat.tables import DataError, refusing, sha256, write_text, write_whole

_KEPT = 2


def save_weights(path: str | Path, state: dict[str, Tensor], model: dict[str, Any]) -> str:
    """Write weights and the model's description atomically and return the file's sha256."""
    # One metadata key only: safetensors writes several in no fixed order.
    return _write(path, state, {"model": json.dumps(model, sort_keys=True)})


def _write(path: str | Path, state: dict[str, Tensor], metadata: dict[str, str]) -> str:
    tensors = {key: value.detach().cpu().contiguous() for key, value in state.items()}
    data = save(tensors, metadata=metadata)
    return write_whole(path, lambda file: file.write(data), len(data))


def load_weights(path: str | Path, digest: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read weights and the model's description.

    Args:
        digest: sha256 from the run's record; a flipped byte would load without an error.

    Raises:
        DataError: missing, damaged, or not a safetensors file.
    """
    remedy = "Remove the run's folder and run `snakemake --cores 8` to train it again"
    try:
        if (actual := sha256(path)) != digest:
            problem = f"has sha256 {actual[:12]}..., its record says {digest[:12]}..."
            raise DataError(path, problem, remedy)
        tensors, metadata = _read(path)
        return tensors, json.loads(metadata["model"])
    except FileNotFoundError:
        raise DataError(path, "does not exist", remedy) from None
    except (SafetensorError, KeyError, ValueError) as error:
        raise DataError(path, f"is not a run's weights ({error})", remedy) from error


def _read(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    with safe_open(str(path), framework="pt") as file:
        return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118


class Checkpoints:
    """The states of one run under way, in a folder named by what the run depends on.

    Args:
        folder: of the run, `checkpoints/<run>`.
        key: hash of everything that decides the run's result: parameters, data, code. Another
            key is another folder, so that a changed run never continues from an old state, and
            the old one is kept.
    """

    def __init__(self, folder: str | Path, key: str):
        self.run, self.folder = Path(folder), Path(folder) / key
        self.lock = self.run / ".lock"  # held by the process that trains the run

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for this process alone.

        Raises:
            DataError: another process is training it.
        """
        with refusing(self.lock):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = open(self.lock, "a+")  # noqa: SIM115
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                problem = "another process is training this run"
                raise DataError(self.run, problem, "Wait for it, or end it first") from None
            yield

    def save(self, done: int, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
        """Write a state atomically, then remove all but the newest two.

        Args:
            done: a number that grows with the run.
            state: plain values that JSON holds exactly.
        """
        file = self.folder / f"state-{done:012d}.safetensors"
        digest = _write(file, tensors, {"done": str(done)})
        head = {"sha256": digest, "state_sha256": _digest(json.dumps(state)), "state": state}
        write_text(file.with_suffix(".json"), json.dumps(head))
        for old in self._states()[_KEPT:]:
            old.unlink()
            old.with_suffix(".safetensors").unlink(missing_ok=True)

    def _states(self) -> list[Path]:
        """List the states, newest first."""
        files = self.folder.glob("state-*.json")
        return sorted((p for p in files if re.fullmatch(r"state-\d+", p.stem)), reverse=True)

    def latest(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Read the newest state that is whole, or None where there is none at all.

        A damaged state is skipped with a warning that names it and the one used instead.

        Raises:
            DataError: every state is damaged, or one is no safetensors file although its digest
                is right: somebody put it there, and it is not opened.
        """
        damaged: list[str] = []
        for file in self._states():
            try:
                tensors, state = _load(file)
            except _Damaged as error:
                damaged.append(f"{error}")
                continue
            if damaged:
                print(f"{'; '.join(damaged)}: using {file} instead", file=sys.stderr, flush=True)
            return tensors, state
        if damaged:
            fix = f"Remove {self.folder} to train from the beginning"
            raise DataError(self.folder, f"no state is whole: {'; '.join(damaged)}", fix)
        return None

    def remove(self) -> None:
        """Remove the states of a run that has ended well, and its folder where nothing is left."""
        shutil.rmtree(self.folder, ignore_errors=True)


class _Damaged(Exception):  # noqa: N818
    """A state that cannot be used; its text says which and why."""


def _load(file: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    tensors = file.with_suffix(".safetensors")
    try:
        head = json.loads(file.read_text(encoding="utf-8"))
        if _digest(json.dumps(head["state"])) != head["state_sha256"]:
            raise _Damaged(f"{file} was altered")
        if sha256(tensors) != head["sha256"]:
            raise _Damaged(f"{tensors} is cut or altered")
    except FileNotFoundError:
        raise _Damaged(f"{tensors} does not exist") from None
    except (ValueError, KeyError, TypeError) as error:
        raise _Damaged(f"{file} is not readable ({type(error).__name__})") from None
    try:
        return _read(tensors)[0], head["state"]
    except SafetensorError as error:
        problem = f"is not a safetensors file ({error}), so it was not opened"
        fix = "A pickled file can run code: remove it, and find out who put it there"
        raise DataError(tensors, problem, fix) from error


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def fit(state: dict[str, Tensor], own: dict[str, Tensor], file: Any) -> None:
    """Check that a state has the names and shapes of a model.

    Raises:
        DataError: with what is missing, unexpected, or of another shape.
    """
    if wrong := misfits(state, own):
        fix = "It is of another architecture or number of classes: remove it, or restore its run"
        raise DataError(file, f"does not fit the model: {wrong}", fix)


def misfits(state: dict[str, Tensor], own: dict[str, Tensor]) -> str:
    """Name the first tensors that a state lacks, has beside a model's own, or in another shape."""
    missing, unexpected = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    shapes = [
        f"{key} {tuple(state[key].shape)} for {tuple(own[key].shape)}"
        for key in sorted(own.keys() & state.keys())
        if state[key].shape != own[key].shape
    ]
    if not (missing or unexpected or shapes):
        return ""
    return f"missing {missing[:5]}, unexpected {unexpected[:5]}, shapes {shapes[:5]}"
