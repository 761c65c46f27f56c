"""Decoding under limits: a file that hangs, crashes or swells costs itself and nothing else."""

import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from helpers.trees import motion_jpeg, picture, video
from helpers.waiting import ended, until
from PIL import Image

from lssat.data.media import Decoder, Plan, Unreadable, Use, read, read_again
from lssat.tables import DataError


@pytest.fixture
def small(tmp_path: Path) -> Path:
    video(tmp_path / "small.mp4", [picture(n, 64, 64) for n in range(12)])
    return tmp_path / "small.mp4"


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that takes half a second or more to decode; three frames do not fit into the pipe."""
    path = tmp_path_factory.mktemp("long") / "long.avi"
    noise = np.random.default_rng(0).integers(0, 256, (540, 960, 3), dtype=np.uint8)
    motion_jpeg(path, [noise] * 60)
    return path


def reason(items) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        list(items)
    return caught.value


def same(found, wanted) -> None:
    for ours, theirs in zip(found, wanted, strict=True):
        if isinstance(theirs, Use):
            assert ours == theirs
        else:
            assert ours[0] == theirs[0]
            assert np.array_equal(ours[1], theirs[1])


def test_the_process_gives_what_the_functions_give(small: Path, tmp_path: Path) -> None:
    Image.fromarray(picture(1)).save(tmp_path / "i.png")
    plan = Plan(frames=3, clips=1, clip_frames=4, clip_stride=1)
    with Decoder(60.0, 512) as decoder:
        same(decoder.read(small, "video", plan), read(small, "video", plan))
        same(
            decoder.read(tmp_path / "i.png", "image", plan), read(tmp_path / "i.png", "image", plan)
        )
        same(decoder.read_again(small, "video", [2, 7]), read_again(small, "video", [2, 7]))
        missing = reason(decoder.read(tmp_path / "none.mp4", "video", plan))
        assert (missing.reason, missing.detail) == ("missing", "no such file")


def test_one_process_serves_file_after_file(small: Path, tmp_path: Path) -> None:
    with Decoder(60.0, 512) as decoder:
        list(decoder.read(small, "video", Plan()))
        first = decoder._process
        reason(decoder.read(tmp_path / "none.mp4", "video", Plan()))
        list(decoder.read(small, "video", Plan()))
        assert decoder._process is first
    assert first is not None
    assert first.poll() is not None


@pytest.mark.slow
def test_case_24_a_decoder_that_takes_too_long_is_stopped(long: Path, small: Path) -> None:
    with Decoder(60.0, 512) as decoder:
        list(decoder.read(small, "video", Plan()))  # started
        decoder.timeout = 0.1
        error = reason(decoder.read(long, "video", Plan(frames=40)))
        assert (error.reason, error.detail) == ("timeout", "not decoded in 0.1 s")
        decoder.timeout = 60.0
        assert len(list(decoder.read(small, "video", Plan(frames=2)))) == 3


class Clock:
    """A clock of the decoder's that goes ahead when it is told to."""

    ahead = 0.0
    each_look = 0.0

    def monotonic(self) -> float:
        self.ahead += self.each_look
        return time.monotonic() + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("lssat.data.media.decoder.time", clock)
    return clock


def test_case_24_time_that_its_reader_takes_does_not_count(small: Path, clock: Clock) -> None:
    with Decoder(60.0, 512) as decoder:
        frames = 0
        for _ in decoder.read(small, "video", Plan(frames=4)):
            clock.ahead += 1000
            frames += 1
    assert frames == len(list(read(small, "video", Plan(frames=4)))) > 1


def test_case_24_a_decoder_that_hangs_is_replaced(long: Path, small: Path, clock: Clock) -> None:
    with Decoder(60.0, 512) as decoder:
        items = decoder.read(long, "video", Plan(frames=40))
        next(items)
        os.kill(decoder._process.pid, signal.SIGSTOP)
        clock.each_look = 100
        error = reason(items)
        assert (error.reason, error.detail) == ("timeout", "not decoded in 60 s")
        clock.each_look = 0
        same(decoder.read(small, "video", Plan()), read(small, "video", Plan()))


@pytest.mark.parametrize(
    "name", ["SIGSEGV", "SIGKILL"]
)  # a bug in a codec; the system's OOM killer
def test_case_24_a_decoder_that_crashes_is_replaced(long: Path, small: Path, name: str) -> None:
    with Decoder(60.0, 512) as decoder:
        items = decoder.read(long, "video", Plan(frames=40))
        next(items)
        os.kill(decoder._process.pid, getattr(signal, name))
        error = reason(items)
        assert (error.reason, error.detail) == ("decoder_crash", f"the decoder ended: {name}")
        assert len(list(decoder.read(small, "video", Plan(frames=2)))) == 3


@pytest.mark.slow
def test_case_24_a_file_that_wants_more_memory_than_allowed(small: Path, tmp_path: Path) -> None:
    """A member of a zip is read whole before anybody knows how many pixels it has."""
    with zipfile.ZipFile(tmp_path / "big.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.png", bytes(60 * 2**20))
    with Decoder(60.0, 40) as decoder:
        error = reason(decoder.read(tmp_path / "big.zip!/a.png", "image", Plan()))
        assert error.reason == "decoder_crash"
        assert error.detail == "the decoder asked for more than its limit of 40 MiB"
        assert len(list(decoder.read(small, "video", Plan(frames=2)))) == 3


def test_a_reader_that_stops_half_way_does_not_disturb_the_next_file(
    long: Path, small: Path
) -> None:
    with Decoder(60.0, 512) as decoder:
        items = decoder.read(long, "video", Plan(frames=40))
        next(items)
        items.close()
        same(decoder.read(small, "video", Plan()), read(small, "video", Plan()))


def test_case_16_permission_is_an_error_and_no_reject(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = DataError(small, "cannot be read (owner: uid 0)", "Ask the owner for permission")
    with Decoder(60.0, 512) as decoder:
        list(decoder.read(small, "video", Plan()))
        monkeypatch.setattr(
            "lssat.data.media.decoder._receive",
            lambda *_: ({"kind": "error", "text": str(error)}, b""),
        )
        with pytest.raises(DataError) as caught:
            list(decoder.read(small, "video", Plan()))
    assert str(caught.value) == str(error)


def test_the_process_ends_with_its_parent(tmp_path: Path) -> None:
    """Even when the parent is killed and the decoder hangs."""
    code = """
import sys, time
from lssat.data.media import Decoder, Plan
with Decoder(60.0, 512) as decoder:
    decoder._running()
    print(decoder._process.pid, flush=True)
    time.sleep(3000)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as parent:
        child = int(parent.stdout.readline())
        os.kill(child, signal.SIGSTOP)
        parent.kill()
    until(lambda: ended(child), "the decoder's end")
