"""Features of a frozen encoder are made once, are its own, and are never half there."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.drawn_data import write
from helpers.training import RUN, SAME, files, stop_after, view
from safetensors.torch import save_file

from lssat import grid, tables
from lssat.grid import Run
from lssat.models import backbones
from lssat.models.ssat import SSAT
from lssat.tables import DataError, sha256
from lssat.training import features
from lssat.training import train as step
from lssat.training.loader import Crops

ALONE = RUN._replace(configuration=grid.SUPERVISED)
MADE = "features of 48 samples of train"
PROBE = {"epochs": 2, "warmup_epochs": 0, "hflip": False, "tune": "linear"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write(tmp_path / "data", {"train": 48, "val": 16})
    return tmp_path / "data"


@pytest.fixture
def weights(tmp_path: Path) -> str:
    torch.manual_seed(7)
    file = str(tmp_path / "weights.safetensors")
    save_file(backbones.build("vit_micro", 40).state_dict(), file)
    return file


def probe(data: Path, out: Path, run: Run = ALONE, **changes) -> None:
    step.train(run, files(data, out), view(**PROBE | changes))


def stored(data: Path) -> set[Path]:
    return set((data / "features").glob("*.npy"))


@pytest.mark.parametrize("kind", ["RGB", "LDP"])
def test_features_are_those_that_the_head_reads_otherwise(
    data: Path, tmp_path: Path, kind: str
) -> None:
    run = ALONE._replace(configuration=f"none-none-C{kind}")
    probe(data, tmp_path / "run", run)
    torch.manual_seed(run.seed)
    model = SSAT("vit_micro", grid.parse(run.configuration), 40, 1).eval()
    found = {len(np.load(file)): np.load(file) for file in stored(data)}
    for split, count in (("train", 48), ("val", 16)):
        crops = Crops(data / f"splits/{split}.parquet", data / "faces", data / "texture")
        batch = crops.batch(np.arange(count))
        with torch.no_grad():
            wanted = model.features(model.inputs(batch.imgs, batch.codes))
        assert found[count].dtype == np.float32
        np.testing.assert_allclose(found[count], wanted.numpy(), atol=1e-5)
    for file in stored(data):
        table = tables.read_table(file.with_suffix(".parquet"), features.FEATURES)
        assert tables.metadata(table)["sha256"] == sha256(file)
        assert len(table) == len(np.load(file))
        assert file.stat().st_mode & 0o077 == 0  # they are of faces


def test_a_probe_learns_as_it_would_without_them(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe(data, tmp_path / "cached")
    monkeypatch.setattr(step.Trainer, "probes", False)
    probe(data, tmp_path / "run")
    rows = [(tmp_path / name / "curve.csv").read_text().split() for name in ("cached", "run")]
    for one, two in zip(*rows, strict=True):
        for left, right in zip(one.split(","), two.split(","), strict=True):
            assert left == right or float(left) == pytest.approx(float(right), rel=1e-4)


def test_seeds_and_recipes_of_one_encoder_share_them(
    data: Path, tmp_path: Path, weights: str, capsys: pytest.CaptureFixture
) -> None:
    probe(data, tmp_path / "a", weights=weights)
    assert MADE in capsys.readouterr().out
    first = stored(data)
    assert len(first) == 2
    other = {"lr": 0.1, "batch_size": 8, "optimizer": "sgd", "class_weights": "none"}
    for name, run, changes in (("b", ALONE._replace(seed=1), {}), ("c", ALONE, other)):
        probe(data, tmp_path / name, run, weights=weights, **changes)
        assert MADE not in capsys.readouterr().out
    assert stored(data) == first


@pytest.mark.parametrize("what", ["weights", "crops", "split", "precision", "input"])
def test_what_they_depend_on_makes_others(
    data: Path, tmp_path: Path, weights: str, what: str
) -> None:
    probe(data, tmp_path / "a", weights=weights)
    first, run, changes = stored(data), ALONE, {"weights": weights}
    if what == "weights":
        changes = {}  # scratch, by the seed
    elif what == "crops":
        table = data / "faces/shard-00000.parquet"
        file, rows = table.with_suffix(".npy"), tables.read_table(table, tables.FACES)
        head = tables.metadata(rows) | {"sha256": tables.write_shard(file, np.load(file) // 2)}
        tables.write_table(table, rows, tables.FACES, head)
    elif what == "split":
        write(data, {"train": 40, "val": 24})
    elif what == "precision":
        changes |= {"precision": "bf16-mixed"}
    else:
        run = ALONE._replace(configuration="none-none-CLDP")
    files_ = files(data, tmp_path / "b", codes="LDP" in run.configuration)
    step.train(run, files_, view(**PROBE | changes))
    assert first < stored(data)
    assert len(stored(data)) == 4


@pytest.mark.parametrize("how", ["altered", "cut", "no table", "table of another"])
def test_damaged_ones_are_made_again(
    data: Path, tmp_path: Path, how: str, capsys: pytest.CaptureFixture
) -> None:
    probe(data, tmp_path / "a")
    (file,) = (file for file in stored(data) if len(np.load(file)) == 48)
    (other,) = stored(data) - {file}
    table, whole = file.with_suffix(".parquet"), file.read_bytes()
    if how == "no table":
        table.unlink()
    elif how == "table of another":
        shutil.copy(other.with_suffix(".parquet"), table)
    else:
        file.write_bytes(whole[:-4] if how == "cut" else whole[:-1] + bytes([whole[-1] ^ 1]))
    capsys.readouterr()
    probe(data, tmp_path / "b")
    assert MADE in capsys.readouterr().out
    assert file.read_bytes() == whole
    for name in SAME:
        assert sha256(tmp_path / "a" / name) == sha256(tmp_path / "b" / name), name


def test_a_signal_while_they_are_made_leaves_nothing_half(data: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, 1)  # between the features of train and those of val
        with pytest.raises(step.Stopped, match="stopped by SIGTERM while features") as told:
            probe(data, tmp_path / "a")
    assert told.value.code == 143
    assert len(stored(data)) == 1
    assert not list((data / "features").glob("*.tmp"))
    probe(data, tmp_path / "a")
    probe(data, tmp_path / "b")
    for name in SAME:
        assert sha256(tmp_path / "a" / name) == sha256(tmp_path / "b" / name), name


@pytest.mark.parametrize(
    ("run", "changes", "said"),
    [
        (ALONE, {"hflip": True}, r"train\.hflip: true changes the crops, and .* Write false"),
        (ALONE, {"mixup": 0.5}, r"train\.mixup: 0\.5 changes the crops"),
        (
            RUN,
            {},
            r"train\.tune: linear freezes the encoder, so that MRGB/RLDP/CRGB would reconstr",
        ),
    ],
)
def test_a_run_by_hand_is_refused_what_would_do_nothing(
    data: Path, tmp_path: Path, run: Run, changes: dict, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        probe(data, tmp_path / "run", run, **changes)
    assert not os.path.exists(data / "features")
