"""`lssat doctor --artifacts`: a changed byte in anything that was made is found and named."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from helpers.project import Project

from lssat.tables import project as layout
from lssat.use import artifacts


@pytest.fixture(scope="module")
def made(by_snakemake: Project, tmp_path_factory: pytest.TempPathFactory) -> layout.Project:
    """A copy of what a whole project has made."""
    folder = tmp_path_factory.mktemp("made")
    for name in ("data/prepared", "runs", "results"):
        shutil.copytree(by_snakemake.path / name, folder / name)
    return layout.Project(folder)


def kinds(made: layout.Project) -> dict[str, Path]:
    """One file of each kind: a name without its numbers, in its kind of folder."""
    report = set(made.results.report().values()) | {made.results.gallery}
    files = [
        file
        for folder in (made.prepared, made.runs.root, made.results.root)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file not in report and file.name != "samples.csv"
    ]
    return {f"{file.parent.name}/{re.sub(r'[0-9]+', '', file.name)}": file for file in files}


def test_fault_f6_a_changed_byte_in_every_kind_of_artifact_is_named_with_a_command(
    made: layout.Project,
) -> None:
    whole = artifacts.check(made)
    assert whole.damaged == []
    scored = Path("data/prepared/celeba/external/samples.csv")  # for other programs
    assert whole.unvouched == [scored, Path("results/local/gallery.html")]
    assert whole.checked == len([f for f in artifacts._files(made) if f.is_file()]) - 2 - len(
        [f for f in made.results.report().values() if f.exists()]
    )
    found = kinds(made)
    endings = {file.suffix for file in found.values()}
    assert endings >= {".json", ".parquet", ".npy", ".npz", ".csv", ".safetensors", ".txt"}
    for kind, file in found.items():
        before = file.read_bytes()
        data = bytearray(before or b" ")
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
        damaged = artifacts.check(made).damaged
        file.write_bytes(before)
        where = file.relative_to(made.root)
        assert where in [each.file for each in damaged], kind
        for each in damaged:  # a record that is damaged vouches for nothing
            assert each.file == where or f"not vouched for: {file.name}" in each.problem
            assert each.command == f"rm {each.file} && snakemake --cores 8"


def test_what_stands_in_the_place_of_a_file_is_named_with_what_makes_room(tmp_path: Path) -> None:
    project = layout.Project(tmp_path)
    results = project.results.task("celeba")
    results.metrics.mkdir(parents=True)
    results.robustness.symlink_to("nowhere")
    os.mkfifo(results.format)
    assert [(each.problem, each.command) for each in artifacts.check(project).damaged] == [
        (problem, f"{remedy} results/tasks/celeba/{name}.json && snakemake --cores 8")
        for name, problem, remedy in (
            ("format", "is no ordinary file", "rm"),
            ("metrics", "is a folder in the place of a file", "rm -r"),
            ("robustness", "is a link that leads to nothing", "rm"),
        )
    ]


def test_the_doctor_tells_what_is_damaged_and_what_rebuilds_it(by_snakemake: Project) -> None:
    told = by_snakemake.run("lssat", "doctor", "--artifacts")
    assert "were read: all as they were written" in told
    file = by_snakemake.path / "results/tasks/celeba/robustness.json"
    before, copy = file.read_bytes(), file.with_name("copy")
    copy.write_bytes(before.replace(b"0", b"1", 1))
    copy.replace(file)  # not into what DVC's cache may share
    told = by_snakemake.run("lssat", "doctor", "--artifacts", check=False)
    as_json = by_snakemake.run("lssat", "doctor", "--artifacts", "--json", "-", check=False)
    by_snakemake.run("rm", str(file))
    copy.write_bytes(before)
    copy.replace(file)
    assert "results/tasks/celeba/robustness.json: is not as it was written" in told
    assert "rebuild it: rm results/tasks/celeba/robustness.json && snakemake --cores 8" in told
    assert [each["file"] for each in json.loads(as_json)["damaged"]] == [
        "results/tasks/celeba/robustness.json"
    ]
    told = by_snakemake.run("lssat", "doctor", "celeba", "--artifacts", check=False)
    assert "--artifacts stands alone" in told
