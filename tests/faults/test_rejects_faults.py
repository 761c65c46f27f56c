"""D10: too many rejects are told with reasons and ids, and their table stays where it is named."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT
from helpers.own import SMALL, SPLIT, listed, options, prepare
from helpers.reading import fails
from rich.console import Console

from lssat.data import datasets, faces, rejected, splits
from lssat.tables import (
    MANIFEST,
    REJECTS,
    DataError,
    check_rejects,
    read_table,
    reasons,
    reject,
    shard_of,
)
from lssat.tables.project import Project

ROWS = [f"{n}.jpg,{'ab'[n % 2]},{('train', 'val', 'test')[n // 2 % 3]}" for n in range(12)]


def tree(root: Path) -> Path:
    listed(root, "path,label,split", ROWS)
    for n in (1, 2, 3, 4):
        (root / f"{n}.jpg").unlink()
    (root / "5.jpg").write_bytes(b"GIF89a" + bytes(40))
    return root


def test_fault_d10_reasons_and_ids_are_in_the_message(tmp_path: Path) -> None:
    wrong = fails("mine", options(tree(tmp_path / "raw"), csv="list.csv"), tmp_path)
    assert wrong.startswith(
        "rejects.parquet: manifest: 5 of 12 rejected (41.7 %, limit 0 %): "
        "4 missing (1.jpg, 2.jpg, 3.jpg, ...); 1 format (5.jpg: is not an image that is read "
    )
    assert "`lssat rejects rejects.parquet` lists them all; mend the data or raise rej" in wrong


def test_fault_d10_few_of_many_are_no_zero_percent() -> None:
    rows = [reject("a", "x", "x", "manifest", "missing")]
    assert reasons([*rows, {**rows[0], "reason": "format"}]) == "1 missing (x)"
    with pytest.raises(DataError, match=r"1 of 290,000 rejected \(0\.0003 %, limit 0 %\)"):
        check_rejects("manifest", 1, 290_000, 0.0, "r.parquet", rows)


def test_fault_d10_the_table_stays_where_it_is_named(tmp_path: Path) -> None:
    """Snakemake removes what a failed step was to write; the copy lies beside the log."""
    kept = tmp_path / "logs/manifest/mine.rejects.parquet"
    own = options(tree(tmp_path / "raw"), csv="list.csv")
    out, table = tmp_path / "m.parquet", tmp_path / "r.parquet"
    with pytest.raises(DataError) as caught:
        datasets.manifest("mine", own, out, table, kept)
    assert str(caught.value).startswith(f"{kept}: manifest: 5 of 12 rejected")
    assert read_table(kept, REJECTS).equals(read_table(table, REJECTS))
    datasets.manifest("mine", own.model_copy(update={"rejects_limit": 0.5}), out, table, kept)
    assert not kept.exists()


def test_fault_d10_the_rule_names_a_place_that_stays() -> None:
    rule = (ROOT / "workflow/rules/data.smk").read_text().split("rule manifest:")[1]
    rule = rule.split("\nrule ")[0]
    assert "lssat manifest --task {wildcards.task}" in rule
    here = Project()
    assert not here.kept_rejects("mine").is_relative_to(here.data("mine").root)
    assert here.kept_rejects("mine") != here.log("manifest", "mine")


def test_fault_d10_the_shard_with_the_rejects_is_named(tmp_path: Path) -> None:
    root = listed(tmp_path / "raw", "path,label,split", ROWS)
    lost = next(n for n in range(12) if shard_of(f"{n}.jpg", 2) == 1)
    image = root / f"{lost}.jpg"
    image.write_bytes(image.read_bytes()[:-300])
    own = options(root, csv="list.csv", shards=2)
    manifest, gone = tmp_path / "m.parquet", tmp_path / "m.rejects.parquet"
    datasets.manifest("mine", own, manifest, gone)
    tables = []
    for shard in range(2):
        table, rejects = tmp_path / f"{shard}.parquet", tmp_path / f"{shard}.rejects.parquet"
        faces.crop_shard(
            manifest, "mine", own, SMALL, shard, tmp_path / f"{shard}.npy", table, rejects
        )
        tables.append((table, rejects))
    files = {name: tmp_path / name for name in splits.FILES}
    with pytest.raises(DataError) as caught:
        splits.write(
            "mine", manifest, gone, *map(list, zip(*tables, strict=True)), own, SPLIT, files
        )
    wrong = str(caught.value).replace(f"{tmp_path}/", "")
    assert wrong.startswith(
        "1.rejects.parquet: faces: 1 of 12 rejected (8.3 %, limit 0 %): 1 truncated "
        f"({lost}.jpg: image file is truncated"
    )
    assert "`lssat rejects --task mine` lists them all, and the crops stay" in wrong


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What the steps of a data set and of one that stopped have left."""
    mine = tmp_path / "data/prepared/mine"
    own = options(tree(tmp_path / "raw"), csv="list.csv", rejects_limit=0.5)
    prepared = prepare(tmp_path / "made", own)
    assert read_table(prepared["manifest"], MANIFEST).num_rows == 7
    (mine / "faces").mkdir(parents=True)
    shutil.copy(prepared["lost"], mine / "manifest.rejects.parquet")
    made = prepared["faces"] / "shard-00000.rejects.parquet"
    shutil.copy(made, mine / "faces/shard-00000.rejects.parquet")
    (tmp_path / "logs/manifest").mkdir(parents=True)
    shutil.copy(prepared["lost"], tmp_path / "logs/manifest/other.rejects.parquet")
    return tmp_path


def shown(files: list[Path], rows: int, reason: str | None) -> str:
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    rejected.show(files, rows, reason, console)
    console.file.close()
    return console.export_text()


def test_fault_d10_one_command_prints_rejects(project: Path) -> None:
    here = Project(project)
    files = rejected.tables_of(None, here)
    assert [file.parent.name for file in files] == ["mine", "faces", "manifest"]
    files = rejected.tables_of("mine", here)
    text = shown(files, 2, None)
    counts = [line.split() for line in text.splitlines() if "manifest" in line and "│" in line]
    assert [[word for word in line if word != "│"] for line in counts] == [
        ["mine", "manifest", "missing", "4", "4"],
        ["mine", "manifest", "format", "1", "1"],
    ]
    assert "  1.jpg\n  2.jpg\n  and 2 more (--rows 0 shows all)" in text
    assert "5.jpg: is not an image that is read" in shown(files, 0, "format")
    assert "nothing was rejected as timeout" in shown(files, 0, "timeout")
    with pytest.raises(
        DataError, match="no table of rejects of pets; there are those of mine, oth"
    ):
        rejected.tables_of("pets", here)
    with pytest.raises(DataError, match="no step has written one"):
        rejected.tables_of(None, Project(project / "nowhere"))


@pytest.mark.slow
def test_fault_d10_the_command_as_typed(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lssat", "rejects", "--task", "mine", "--rows", "1"],
        cwd=project, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "1.jpg" in done.stdout
