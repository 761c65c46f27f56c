"""Selection on the test split is impossible: training and calibration are the same without it.

Not by what the code looks like, but by what it does: `lssat train`, called as its rule calls it in
a project that holds labels of the test split wherever a project does, gives the same bytes when
these labels, the test crops and earlier results are others, and when they are gone; and the kernel
sees it open no file that holds one.
"""

import ctypes
import gc
import json
import os
import re
import shlex
import shutil
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import ROOT
from helpers.drawn_data import write
from helpers.training import RUN, view
from helpers.views import changed
from typer.testing import CliRunner

from lssat import params, tables
from lssat.cli import commands as cli
from lssat.evaluation import evaluate

pytestmark = pytest.mark.slow

COUNTS = {"train": 48, "val": 24, "test": 32}
FIRST = COUNTS["train"] + COUNTS["val"]  # number of the first test sample
DATA = Path("data/prepared/ffpp")
RESULTS = Path("results/tasks/ffpp")
# What tells test labels, in a whole project: a file of any other name is shown to hold none below.
TELL = {f"{DATA}/manifest.parquet", f"{DATA}/splits/test.parquet"}
TELL |= {f"{RESULTS}/predictions.parquet", f"{RESULTS}/metrics.json"}


def project(root: Path) -> Path:
    """Draw the data of a project of which one run was evaluated, as its own steps lay it out."""
    data = root / DATA
    write(data, COUNTS)
    (data / "texture").rename(data / "ldp")
    (data / "texture").mkdir()
    (data / "ldp").rename(data / "texture/ldp")
    rows = [row for name in COUNTS for row in rows_of(data / f"splits/{name}.parquet")]
    manifest = [
        dict(
            dataset="ffpp", id=row["id"], path=f"{row['id']}.png", media="image", box=[], subset="",
            labels=row["labels"], split=row["split"], groups=[row["id"]], group=row["id"],
        )
        for row in rows
    ]  # fmt: skip
    tables.write_table(data / "manifest.parquet", manifest, tables.MANIFEST)
    tables.write_json(data / "splits/summary.json", {"coverage": dict.fromkeys(COUNTS, 1.0)})
    tables.write_json(data / "audit.json", {"findings": {}})
    predicted = [
        {name: row[name] for name in tables.PREDICTIONS.names if name in row}
        | dict(run=RUN.path, level="frame", logits=[float(row["labels"][0])])
        for row in rows
    ]
    tables.write_table(root / RESULTS / "predictions.parquet", predicted, tables.PREDICTIONS)
    tables.write_json(root / RESULTS / "metrics.json", {"labels": [r["labels"] for r in rows]})
    return root


def rows_of(file: Path) -> list[dict]:
    return tables.read_table(file, tables.SPLITS).to_pylist()


def turned(file: Path, schema, split: str = "test") -> None:
    """Turn the labels of a split around, in one table."""
    table = tables.read_table(file, schema)
    rows = table.to_pylist()
    for row in rows:
        if row["split"] == split:
            row["labels"] = [1 - label for label in row["labels"]]
    tables.write_table(file, rows, schema, tables.metadata(table))


def other_test(root: Path) -> None:
    """Give the project other test labels and other test crops, as sound as they were."""
    data, draw = root / DATA, np.random.default_rng(0)
    turned(data / "manifest.parquet", tables.MANIFEST)
    turned(data / "splits/test.parquet", tables.SPLITS)
    turned(root / RESULTS / "predictions.parquet", tables.PREDICTIONS)
    tables.write_json(root / RESULTS / "metrics.json", {})
    vouched: dict[str, str] = {}
    for folder, schema in (("faces", tables.FACES), ("texture/ldp", tables.TEXTURE)):
        for file in sorted((data / folder).glob("*.npy")):
            table = tables.read_table(file.with_suffix(".parquet"), schema)
            test = np.array([int(id) >= FIRST for id in table["id"].to_pylist()])
            pixels = np.load(file)
            pixels[test] = draw.integers(0, 256, pixels[test].shape, np.uint8)
            head = tables.metadata(table) | {"sha256": tables.write_shard(file, pixels)}
            if folder == "faces":
                vouched[file.name] = head["sha256"]
            else:
                head["faces_sha256"] = vouched[file.name]
            tables.write_table(file.with_suffix(".parquet"), table, schema, head)


def no_test(root: Path) -> None:
    for name in TELL:
        (root / name).unlink()


def command(rule: str, **known) -> list[str]:
    """Return the arguments that a rule's shell command gives to lssat."""
    text = (ROOT / "workflow/rules/runs.smk").read_text()
    body = text.split(f"\nrule {rule}:\n")[1].split("\nrule ")[0]
    lines = "".join(re.findall(r'^ +"(.*)"$', body.split("shell:")[1], re.MULTILINE))
    step = lines.split("exec ", 1)[1].removesuffix("> {log} 2>&1")
    _, *words = shlex.split(step.replace(":q}", "}"))
    return [word.format(**known) for word in words]


def train(root: Path, monkeypatch: pytest.MonkeyPatch, **changes) -> dict:
    """Train as the rule does; return what came of it, without what a clock or the machine says."""
    monkeypatch.chdir(root)
    part = view(epochs=4, lr=1e-3, early_stop=3, lambda_cls="learned", **changes)
    section = {name: value.model_dump() for name, value in vars(part).items()}
    out = Path("runs") / RUN.path
    given = SimpleNamespace(run=RUN.path, device="cpu", section=json.dumps(section))
    monkeypatch.setenv("LSSAT_READERS", "0")
    words = command("train", params=given)
    told = CliRunner().invoke(cli.app, [*words, "--no-energy"], catch_exceptions=False)
    gc.unfreeze()  # what the command froze
    assert told.exit_code == 0
    names = ("weights.safetensors", "curve.csv", "reconstruction.npz")
    found = {name: (out / name).read_bytes() for name in names}
    record = tables.read_json(out / "record.json")
    for name in ("seconds", "imgs_per_second", "costs", "times"):
        del record[name]
    return found | {"record": record}


@contextmanager
def watched(root: Path) -> Iterator[set[str]]:
    """Gather the files below a folder that anything opens, whatever the language it is in.

    Arrow opens tables in C++, which Python's audit hooks do not see: so the kernel is asked.
    """
    libc, found = ctypes.CDLL(None, use_errno=True), set()
    watch = libc.inotify_init1(os.O_NONBLOCK)
    assert watch >= 0
    folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
    opened = 0x20  # IN_OPEN
    names = {libc.inotify_add_watch(watch, os.fsencode(each), opened): each for each in folders}
    assert min(names) > 0
    try:
        yield found
        data = os.read(watch, 2**20)
        while data:
            number, mask, _, length = struct.unpack_from("iIII", data)
            assert not mask & 0x4000  # IN_Q_OVERFLOW: some were lost
            name = data[16 : 16 + length].rstrip(b"\0").decode()
            path = names[number] / name
            if path.is_file() or not path.exists():
                found.add(path.relative_to(root).as_posix())
            data = data[16 + length :]
    finally:
        os.close(watch)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def root(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture(scope="module")
def undisturbed(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    root = tmp_path_factory.mktemp("undisturbed") / "project"
    shutil.copytree(whole, root)
    with pytest.MonkeyPatch.context() as patch:
        return train(root, patch)


@pytest.mark.parametrize("disturb", [other_test, no_test])
def test_training_is_the_same_to_the_byte_with_another_test_split_and_with_none(
    root: Path, undisturbed: dict, monkeypatch: pytest.MonkeyPatch, disturb
) -> None:
    disturb(root)
    assert train(root, monkeypatch) == undisturbed


def test_what_is_compared_would_show_other_labels_to_select_on(
    root: Path, undisturbed: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison above is no empty one: turn validation around and everything is another."""
    turned(root / DATA / "splits/val.parquet", tables.SPLITS, "val")
    other = train(root, monkeypatch)
    assert {name for name, value in other.items() if value == undisturbed[name]} == set()
    assert other["record"]["best_epoch"] != undisturbed["record"]["best_epoch"]


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux which files are opened")
def test_training_opens_no_file_that_holds_a_test_label(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with watched(root) as opened:
        train(root, monkeypatch)
    assert not opened & TELL
    shards = {
        f"{DATA}/{folder}/shard-0000{number}.{end}"
        for folder in ("faces", "texture/ldp") for number in (0, 1) for end in ("npy", "parquet")
    }  # fmt: skip
    # "#": without a name, by which the command finds out whether it can write.
    data = {name for name in opened if not name.startswith(("runs/", "checkpoints/", "#"))}
    assert data == shards | {f"{DATA}/splits/{name}.parquet" for name in ("train", "val")}
    # These two hold none: crops and codes of test samples lie in the shards, but no label does.
    assert not {"labels", "split", "group"} & {*tables.FACES.names, *tables.TEXTURE.names}
    for name in ("train", "val"):
        assert {row["split"] for row in rows_of(root / DATA / f"splits/{name}.parquet")} == {name}
    with watched(root) as seen:  # the kernel does see what Arrow opens
        rows_of(root / DATA / "splits/test.parquet")
    assert seen == {f"{DATA}/splits/test.parquet"}


def evaluated(root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dict, list[dict]]:
    monkeypatch.chdir(root)
    part = params.view(str(ROOT / "params.yaml"), params.views.EvaluateView)
    part = changed(part, evaluate={"resamples": 20})
    splits = {name: DATA / f"splits/{name}.parquet" for name in COUNTS}
    files = evaluate.Files(
        {RUN.path: Path("runs") / RUN.path}, **splits, summary=DATA / "splits/summary.json",
        faces=DATA / "faces", codes=DATA / "texture/ldp",
        predictions=RESULTS / "predictions.parquet", metrics=RESULTS / "metrics.json",
    )  # fmt: skip
    evaluate.evaluate("ffpp", files, part)
    table = tables.read_table(files.predictions, tables.PREDICTIONS)
    return tables.read_json(files.metrics), table.to_pylist()


def test_temperatures_are_fitted_on_validation_alone(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the threshold of a class is on nothing: a probability of 0.5."""
    train(root, monkeypatch)
    before, rows = evaluated(root, monkeypatch)
    other_test(root)
    after, others = evaluated(root, monkeypatch)

    def temperature(found: dict) -> float:
        return found["runs"][0]["calibration"]["temperature"]

    assert 0.01 < temperature(before) < 100
    assert temperature(after) == temperature(before)
    val = [row for row in rows if row["split"] == "val"]
    assert [row for row in others if row["split"] == "val"] == val
    test = {id(found): [r for r in found if r["split"] == "test"] for found in (rows, others)}
    for found, mine in ((before, test[id(rows)]), (after, test[id(others)])):
        right = [(row["logits"][0] >= 0) == row["labels"][0] for row in mine]
        assert found["runs"][0]["metrics"]["frame/accuracy"] == np.mean(right)
    assert before["runs"][0]["metrics"] != after["runs"][0]["metrics"]
    turned(root / DATA / "splits/val.parquet", tables.SPLITS, "val")
    assert temperature(evaluated(root, monkeypatch)[0]) != temperature(before)
