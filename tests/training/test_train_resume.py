"""A run that was stopped or killed goes on to the same bytes; damaged states are told apart."""

import json
import random
import signal
import subprocess
from pathlib import Path

import pytest
import torch
from helpers.drawn_data import write
from helpers.training import EPOCHS, RUN, SAME, command, files, stop_after, view
from helpers.waiting import until
from safetensors.torch import save_file

from lssat import params
from lssat.models.checkpoint import Checkpoints
from lssat.params.hardware import Hardware
from lssat.tables import DataError, sha256
from lssat.training import train as step

EVERY = Hardware(minutes=0.0, energy=False)  # a state after each update


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write(folder, {"train": 48, "val": 16})
    step.train(RUN, files(folder, folder / "whole"), view())
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("updates", [0, 2, 3, 4])
def test_case_31_a_stopped_run_goes_on_to_the_same_bytes(
    data: Path, tmp_path: Path, updates: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, updates)
        with pytest.raises(step.Stopped, match="stopped by SIGTERM in epoch") as told:
            step.train(RUN, files(data, tmp_path), view())
    assert told.value.code == 143
    assert len(list((tmp_path / "states").glob("*/state-*.json"))) == 1
    step.train(RUN, files(data, tmp_path), view())
    for name in SAME:
        assert sha256(tmp_path / name) == sha256(data / "whole" / name), name
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["resumed"] == 1
    assert not list((tmp_path / "states").glob("*/state-*"))  # of no use any more


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "sgd", "lr": 0.1, "accumulate": 2, "batch_size": 8, "clip_grad": 1.0},
        {"lambda_cls": "learned", "layer_decay": 0.7},
        {"mixup": 0.8, "crop": 0.6, "rand_augment": 9.0, "erase": 0.25},
        {"ema": 0.8, "tune": "lora"},
    ],
    ids=["sgd", "learned", "augmented", "averaged"],
)
def test_case_31_whatever_the_recipe_keeps_is_kept(
    data: Path, tmp_path: Path, changes: dict
) -> None:
    step.train(RUN, files(data, tmp_path / "a"), view(**changes))
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, 4)
        with pytest.raises(step.Stopped):
            step.train(RUN, files(data, tmp_path / "b"), view(**changes))
    step.train(RUN, files(data, tmp_path / "b"), view(**changes))
    for name in SAME:
        assert sha256(tmp_path / "a" / name) == sha256(tmp_path / "b" / name), name


@pytest.mark.slow
def test_case_31_a_sequential_run_goes_on_in_either_phase(data: Path, tmp_path: Path) -> None:
    run = RUN._replace(configuration="MRGB-RRGB-thenCRGB")
    recipe = view(pretrain_epochs=1, epochs=1, warmup_epochs=0)
    step.train(run, files(data, tmp_path / "whole"), recipe)
    for updates in (1, 3, 4):
        out = tmp_path / str(updates)
        with pytest.MonkeyPatch.context() as patch:
            stop_after(patch, updates)
            with pytest.raises(step.Stopped):
                step.train(run, files(data, out), recipe)
        step.train(run, files(data, out), recipe)
        for name in SAME:
            assert sha256(out / name) == sha256(tmp_path / "whole" / name), (updates, name)


def started(data: Path, out: Path, states: int, *more: str) -> subprocess.Popen:
    """Start a training and wait until it has saved so many states."""
    old = {file.name for file in (out / "states").rglob("state-*.json")}
    process = subprocess.Popen(command(data, out, *more), stderr=subprocess.PIPE, text=True)
    seen: set[str] = set()

    def enough() -> bool:
        seen.update({file.name for file in (out / "states").rglob("state-*.json")} - old)
        assert process.poll() is None, process.stderr and process.stderr.read()
        return len(seen) >= states

    until(enough, f"{states} states")
    return process


@pytest.fixture(scope="module")
def whole(data: Path) -> Path:
    """A long run that nobody disturbed."""
    step.train(RUN, files(data, data / "long"), view(epochs=EPOCHS))
    return data / "long"


@pytest.mark.slow
def test_case_27_31_32_34_a_killed_run_goes_on_and_nobody_gets_in_between(
    data: Path, whole: Path, tmp_path: Path
) -> None:
    """kill -9 at some moment; then SIGTERM; then to the end, as an undisturbed run."""
    out = tmp_path / "killed"
    with Checkpoints(out / "states", "any").locked():
        second = subprocess.run(command(data, out), capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert "another process is training this run" in second.stderr
    process = started(data, out, 3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stderr
    process.stderr.close()
    process = started(data, out, 2, "--readers", "2")
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate()
    assert process.returncode == 143
    assert "its state is saved, the same command resumes it" in said
    run(command(data, out))
    assert (out / "curve.csv").read_text() == (whole / "curve.csv").read_text()
    for name in SAME:
        assert sha256(out / name) == sha256(whole / name), name
    assert not list(out.rglob("*.tmp"))


@pytest.mark.slow
def test_case_27_31_killed_at_random_moments_and_resumed_with_other_readers(
    data: Path, whole: Path, tmp_path: Path
) -> None:
    """Of each process at least one state is kept; where in its work it dies is left to chance."""
    moment = random.Random()
    for readers in ("0", "3", "1"):
        process = started(data, tmp_path, moment.randint(1, 4), "--readers", readers)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL, "it had ended: there are too few epochs"
    run(command(data, tmp_path, "--readers", "2"))
    assert json.loads((tmp_path / "record.json").read_text())["resumed"] == 3
    for name in SAME:
        assert sha256(tmp_path / name) == sha256(whole / name), name
    assert not list(tmp_path.rglob("*.tmp"))


def run(line: list[str]) -> str:
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _stopped(data: Path, out: Path, updates: int = 3) -> list[Path]:
    """Train until there are two states; return them, the newest first."""
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, updates)
        with pytest.raises(step.Stopped):
            step.train(RUN, files(data, out), view(), EVERY)
    return sorted((out / "states").rglob("state-*.safetensors"), reverse=True)


@pytest.mark.parametrize("how", ["cut", "altered", "json"])
def test_case_32_a_damaged_state_is_passed_over_with_a_warning(
    data: Path, tmp_path: Path, how: str, capsys: pytest.CaptureFixture
) -> None:
    newest, before = _stopped(data, tmp_path)
    whole = newest.read_bytes()
    if how == "json":
        file = newest.with_suffix(".json")
        file.write_text(file.read_text().replace('"epoch": 1', '"epoch": 0'))
    else:
        newest.write_bytes(whole[:-9] if how == "cut" else whole[:-1] + bytes([whole[-1] ^ 1]))
    step.train(RUN, files(data, tmp_path), view())
    said = capsys.readouterr().err
    assert str(newest.with_suffix("").name) in said
    assert f"using {before.with_suffix('.json')} instead" in said
    for name in SAME:
        assert sha256(tmp_path / name) == sha256(data / "whole" / name), name


def test_case_32_no_state_is_whole(data: Path, tmp_path: Path) -> None:
    for file in _stopped(data, tmp_path):
        file.write_bytes(b"")
    with pytest.raises(DataError, match=r"no state is whole: .*Remove .* to train from the begin"):
        step.train(RUN, files(data, tmp_path), view())


@pytest.mark.slow
def test_case_32_a_pickled_file_is_not_opened(data: Path, tmp_path: Path) -> None:
    newest, _ = _stopped(data, tmp_path)
    mark = tmp_path / "executed"

    class Evil:
        def __reduce__(self):
            return Path.touch, (mark,)

    torch.save(Evil(), newest)
    head = json.loads(newest.with_suffix(".json").read_text())
    newest.with_suffix(".json").write_text(json.dumps(head | {"sha256": sha256(newest)}))
    with pytest.raises(DataError, match=r"is not a safetensors file .* was not opened"):
        step.train(RUN, files(data, tmp_path), view())
    assert not mark.exists()


def test_case_32_a_state_of_another_architecture_is_refused(data: Path, tmp_path: Path) -> None:
    newest, _ = _stopped(data, tmp_path)
    save_file({"step.model.head.weight": torch.ones(7, 3), "total": torch.zeros(2)}, newest)
    head = json.loads(newest.with_suffix(".json").read_text())
    newest.with_suffix(".json").write_text(json.dumps(head | {"sha256": sha256(newest)}))
    with pytest.raises(DataError) as caught:
        step.train(RUN, files(data, tmp_path), view())
    said = str(caught.value)
    assert "does not fit the model: missing ['model.decoder" in said
    assert "shapes ['model.head.weight (7, 3) for (1, 64)']" in said


def test_case_35_changed_parameters_begin_a_new_run_and_keep_the_old_state(
    data: Path, tmp_path: Path
) -> None:
    old = _stopped(data, tmp_path)
    step.train(RUN, files(data, tmp_path), view(lr=2e-3))
    assert json.loads((tmp_path / "record.json").read_text())["resumed"] == 0
    assert all(file.exists() for file in old)


def test_only_the_two_newest_states_are_kept(tmp_path: Path) -> None:
    states = Checkpoints(tmp_path, "key")
    assert states.latest() is None
    for done in (1, 2, 10):
        states.save(done, {"a": torch.full((2,), float(done))}, {"done": done, "x": 0.1 + 0.2})
    names = sorted(file.name for file in (tmp_path / "key").iterdir())
    assert [name.split(".")[0][-2:] for name in names] == ["02", "02", "10", "10"]
    tensors, state = states.latest() or ({}, {})
    assert tensors["a"].tolist() == [10, 10]
    assert state == {"done": 10, "x": 0.1 + 0.2}
    with states.locked(), pytest.raises(DataError, match="another process"), states.locked():
        pass


def test_case_30_a_folder_that_cannot_be_written_is_found_at_the_start(
    data: Path, tmp_path: Path
) -> None:
    (tmp_path / "run").write_text("a file stands where the folder should be")
    problem = rf"run/states/\.lock: cannot be written: {tmp_path}/run is a file, not a folder"
    with pytest.raises(DataError, match=problem):
        step.train(RUN, files(data, tmp_path / "run"), view(epochs=10_000))


def test_params_name_what_a_resumed_run_depends_on() -> None:
    assert {"train", "texture"} == set(vars(params.view("params.yaml", params.views.TrainView)))
