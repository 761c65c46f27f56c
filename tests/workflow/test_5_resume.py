"""An interrupted stage of shards goes on where it was: finished shards are not made again."""

import os
import re
import signal
import subprocess
from pathlib import Path

import yaml
from helpers import ROOT
from helpers.project import Project, copy

STAGE = ["snakemake", "--cores", "1", "faces_celeba"]


def test_a_killed_stage_does_not_redo_its_finished_shards(
    by_snakemake: Project, tmp_path: Path
) -> None:
    project = copy(tmp_path)
    tree = by_snakemake.path / "data/raw/sample/celeba"
    given = yaml.safe_load((ROOT / "presets/sample.yaml").read_text())["datasets"]["celeba"]
    own = given | {"root": str(tree), "shards": 3}
    project.params(sample={"trees": []}, datasets={"celeba": own})
    finished = _kill_after_the_first_shard(project)
    folder = project.path / "data/prepared/celeba/faces"
    stamp, content = finished.stat().st_mtime_ns, finished.read_bytes()
    assert len(list(folder.glob("shard-*.npy"))) < 3
    project.run("snakemake", "--unlock")
    told = project.run(*STAGE)
    assert len(re.findall(r"^Finished jobid: \d+ \(Rule: faces\)", told, flags=re.M)) == 2
    assert (finished.stat().st_mtime_ns, finished.read_bytes()) == (stamp, content)
    assert len(list(folder.glob("shard-*.npy"))) == 3
    assert not list(folder.glob(".*.tmp"))
    assert "Nothing to be done" in project.run(*STAGE)


def _kill_after_the_first_shard(project: Project) -> Path:
    """Start the stage, kill Snakemake and its jobs when one shard is done; return that shard."""
    process = subprocess.Popen(
        STAGE, cwd=project.path, env=project.environment, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    started = ""
    for line in process.stdout:
        if match := re.search(r"output: (\S+\.npy)", line):
            started = match[1]
        if re.match(r"Finished jobid: \d+ \(Rule: faces\)", line):
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.stdout.close()
    process.wait()
    return project.path / started
