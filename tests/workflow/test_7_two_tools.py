"""Snakemake and DVC cannot harm each other: what one made the other keeps, or does not touch."""

import csv
import importlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT, kept
from helpers.project import Project
from helpers.waiting import until
from mlflow.tracking import MlflowClient

IMAGE = "data/raw/sample/celeba/img_align_celeba"
RUN = "runs/celeba/vit_micro/MRGB-RLDP-CRGB/seed0"
# Work of seconds, not of minutes, in this project.
QUICK = {"robustness": {"seed": 1}}


def copied(made: Project, folder: Path) -> Project:
    """A copy of a finished project, with its records, in which things may go wrong."""
    subprocess.run(["cp", "-a", f"{made.path}/.", str(folder)], check=True)
    project = Project(folder)
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--allow-empty", "--message", "made")
    return project


@pytest.fixture(scope="module")
def made(by_snakemake: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project as it is right after `snakemake --cores 8`."""
    return copied(by_snakemake, tmp_path_factory.mktemp("made"))


@pytest.fixture
def project(made: Project, tmp_path: Path) -> Project:
    return copied(made, tmp_path)


def ordinary(project: Project, *command: str) -> str:
    """Run a command as a user who may not pass over the modes of files."""
    done = subprocess.run(
        command, cwd=project.path, env=project.environment, preexec_fn=kept.as_an_ordinary_user,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def test_fault_a1_right_after_snakemake_all_results_are_in_dvcs_cache_once(made: Project) -> None:
    before = kept.results(made.path)
    assert len(before) > 40
    assert all(kept._cached(made.path, digest) for digest in before.values())
    assert "up to date" in made.run("dvc", "status")
    assert made.snakemake_stale() == set()
    assert not (made.path / "unsaved").exists()


def test_the_cache_does_not_double_the_disk(project: Project) -> None:
    # Files of the same content have one copy in the cache, to which one of them is linked.
    assert kept.twice(project.path) < 10_000
    # Also what was made again, to the same bytes.
    (project.path / "results/report.html").unlink()
    ordinary(project, "snakemake", "--cores", "2")
    assert kept.twice(project.path) < 10_000


def test_fault_a1_dvc_exp_run_as_typed_loses_nothing_and_changes_its_results(
    made: Project, tmp_path: Path
) -> None:
    """And A4: the default params.yaml's variants may hold the same lambda."""
    project = copied(made, tmp_path)
    before = kept.results(project.path)
    assert "snakemake --cores 8" in (project.path / "README.md").read_text()
    ordinary(project, "dvc", "exp", "run", "-S", "train.lambda_cls=0.5")
    assert kept.lost(project.path, before) == []
    record = json.loads((project.path / RUN / "record.json").read_text())
    assert record["params"]["train"]["lambda_cls"] == 0.5
    assert "results/metrics.json" in kept.changed(project.path, before)
    assert (project.path / "results/report.html").exists()
    told = project.run("dvc", "metrics", "diff", "--json")
    assert "results/headline.json" in told
    assert project.snakemake_stale() == set()
    assert "train.lambda_cls" in project.run("dvc", "exp", "show", "--csv")
    # There and back: the first results are in the run cache, nothing is trained again.
    project.run("git", "checkout", "--quiet", "--", "params.yaml")
    ordinary(project, "snakemake", "--cores", "2")
    after = kept.results(project.path)
    for name in before:
        if name.startswith("runs/"):
            assert after[name] == before[name]
            log = project.path / "logs/train" / Path(name).parent.relative_to("runs")
            assert "was done before" in log.with_suffix(".log").read_text()
    assert "up to date" in project.run("dvc", "status")


def test_fault_a2_newer_results_of_snakemake_are_not_set_back(project: Project) -> None:
    project.params(**QUICK)
    ordinary(project, "snakemake", "--cores", "2", "results/tasks/celeba/robustness.json")
    newer = kept.results(project.path)
    for command in (["checkout", "--force"], ["pull", "--force"], ["exp", "run", "--dry"]):
        project.run("dvc", *command, check=False)  # pull: there is no remote
        assert kept.lost(project.path, newer) == []
    # As typed, on a grid that has grown meanwhile.
    file = project.path / "results/tasks/celeba/robustness.json"
    assert kept.results(project.path)[str(file.relative_to(project.path))] in newer.values()


def test_fault_a5_mlflow_of_the_project_has_the_runs_of_a_temporary_experiment(
    project: Project,
) -> None:
    before = kept.results(project.path)
    project.run("dvc", "exp", "run", "--temp", "--name", "tried", "-S", "evaluate.seed=7")
    assert kept.results(project.path) == before
    project.run("dvc", "exp", "apply", "tried")
    project.run("lssat", "sync")
    assert kept.lost(project.path, before) == []
    told = json.loads((project.path / "results/mlflow/celeba.json").read_text())
    client = MlflowClient(f"sqlite:///{project.path}/mlflow.db")
    for run in (told["parent"], *told["runs"].values()):
        assert client.get_run(run).info.status == "FINISHED"
    held = json.loads((project.path / "results/mlflow.json").read_text())
    assert held["lssat-celeba"] == told["parent"]


def test_fault_a6_the_readmes_remote_and_push_right_after_make_send_everything(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    remote = tmp_path_factory.mktemp("storage")
    project.run("dvc", "remote", "add", "--default", "storage", str(remote))
    told = project.run("dvc", "push")
    found = re.search(r"(\d+) files pushed", told)
    assert found is not None, told
    assert int(found[1]) > 40
    for digest in kept.results(project.path).values():
        assert (remote / "files/md5" / digest[:2] / digest[2:]).exists()


def test_fault_a8_a_raw_file_lost_and_put_back_retrains_nothing(project: Project) -> None:
    before = kept.results(project.path)
    image = sorted((project.path / IMAGE).iterdir())[0]
    shutil.move(image, project.path / "away.jpg")
    told = project.run("snakemake", "--cores", "2", check=False)
    assert "is not there" in told or "missing" in told
    assert kept.lost(project.path, before) == []
    assert "data/raw/sample/celeba" in project.run("dvc", "status")  # recorded with its file
    shutil.move(project.path / "away.jpg", image)
    project.run("snakemake", "--cores", "2")
    after = kept.results(project.path)
    for name, digest in before.items():
        if name.startswith(("runs/", "data/prepared/")) or "predictions" in name:
            assert after[name] == digest, name
    for log in [*project.path.glob("logs/train/**/*.log"), *project.path.glob("logs/faces/*.log")]:
        assert "The same work was done before" in log.read_text(), log
    assert "up to date" in project.run("dvc", "status")


def test_fault_a11_a_dry_run_of_dvc_in_a_fresh_clone_works_as_the_docs_say(
    made: Project, tmp_path: Path
) -> None:
    folder = tmp_path / "clone"
    made.run("git", "clone", "--quiet", str(made.path), str(folder))
    (folder / "dvc.lock").unlink()
    assert "`dvc repro --dry --force`" in (folder / "docs/tracking.md").read_text()
    told = Project(folder).run("dvc", "repro", "--dry", "--force")
    assert "Running stage 'train@celeba-vit_micro-MRGB-RLDP-CRGB-0'" in told


def test_an_edited_manifest_step_that_makes_the_same_retrains_nothing(project: Project) -> None:
    before = kept.results(project.path)
    with open(project.path / "lssat/data/datasets/celeba.py", "a") as file:
        file.write("\nEDITED = 1\n")
    project.run("snakemake", "--cores", "2", f"{RUN}/record.json")
    assert kept.results(project.path) == before
    for log in project.path.glob("logs/train/**/MRGB*/*.log"):
        assert "The same work was done before" in log.read_text()


def test_what_is_missing_below_a_finished_report_is_seen_by_both_tools(made: Project) -> None:
    for name, stage in (
        (f"{RUN}/weights.safetensors", "train@celeba-vit_micro-MRGB-RLDP-CRGB-0"),
        ("data/prepared/celeba/texture/ldp/shard-00000.npy", "texture@celeba"),
        ("results/tasks/celeba/predictions.parquet", "evaluate@celeba"),
    ):
        file = made.path / name
        file.rename(made.path / "away")
        try:
            assert stage in made.snakemake_stale()
            assert stage in made.dvc_stale()
        finally:
            (made.path / "away").rename(file)
    assert made.snakemake_stale() == made.dvc_stale() == set()


def started(project: Project, *command: str) -> subprocess.Popen:
    with open(project.path / "started.txt", "w") as told:
        return subprocess.Popen(
            command, cwd=project.path, env=project.environment, start_new_session=True,
            stdout=told, stderr=subprocess.STDOUT,
        )  # fmt: skip


def wait_for_training(project: Project, process: subprocess.Popen) -> None:
    """Wait until a run trains (its log has a line)."""

    def trains() -> bool:
        assert process.poll() is None, (project.path / "started.txt").read_text()
        logs = project.path.glob("logs/train/**/*.log")
        return any("initial weights" in log.read_text() for log in logs)

    until(trains, "a line of a training's log")


def steps(project: Project) -> list[int]:
    """The process ids of steps that work in the project's folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if b"train" in words and os.readlink(folder / "cwd") == str(project.path):
                found.append(int(folder.name))
        except OSError:
            continue  # it has ended
    return found


@pytest.fixture
def training(project: Project) -> Project:
    """A project with a run of many epochs to train."""
    for log in project.path.glob("logs/train/**/*.log"):
        log.unlink()
    project.params(train={"epochs": 400})
    return project


def test_fault_f1_a2_f13_a_killed_run_locks_nothing_and_loses_nothing(training: Project) -> None:
    project, before = training, kept.results(training.path)
    process = started(project, "snakemake", "--cores", "1", "shared")
    wait_for_training(project, process)
    owner = f"process {process.pid} (snakemake --cores 1 shared)"
    told = project.run("snakemake", "--cores", "1", check=False)
    assert f"another run is at work in this folder: {owner}" in told
    told = " ".join(project.run("dvc", "repro", check=False).split())
    assert f"Snakemake is at work here, {owner}" in told.replace('" ', "")
    told = project.run("lssat", "save", check=False)
    assert f"another run is at work in this folder: {owner}" in told
    assert (project.path / "unsaved/dvc.yaml").exists()
    process.kill()
    process.wait()
    until(lambda: not steps(project), "the end of all steps")  # F2: with their Snakemake
    for command in (["exp", "run"], ["repro"], ["checkout", "--force"], ["push"], ["status"]):
        told = " ".join(project.run("dvc", *command, check=False).split())
        assert "was stopped before its results were saved for DVC" in told
        assert kept.lost(project.path, before) == []
    assert "Saved for DVC" in project.run("lssat", "save")
    assert not (project.path / "unsaved").exists()
    project.params()  # as before
    told = project.run("snakemake", "--cores", "2")  # no --unlock
    assert kept.lost(project.path, before) == []
    assert "up to date" in project.run("dvc", "status")


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_fault_f2_f3_a_signal_to_lssat_run_saves_states_and_says_how_to_go_on(
    training: Project, end: signal.Signals
) -> None:
    process = started(training, "lssat", "run", "--cores", "1")
    wait_for_training(training, process)
    process.send_signal(end)
    assert process.wait() == 128 + end
    until(lambda: not steps(training), "the end of all steps")
    told = (training.path / "started.txt").read_text()
    assert "Stopped; finished steps are kept. Run the same command again to go on." in told
    assert "Traceback" not in told
    assert len(told.splitlines()) < 30
    assert [*training.path.glob("checkpoints/**/*.safetensors")]
    assert (training.path / "unsaved").exists()  # saving would keep the terminal for seconds
    assert "Saved for DVC" in training.run("lssat", "save")
    assert not (training.path / "unsaved").exists()


def test_fault_f2_steps_end_with_an_lssat_run_that_is_killed(training: Project) -> None:
    process = started(training, "lssat", "run", "--cores", "1")
    wait_for_training(training, process)
    process.kill()
    process.wait()
    until(lambda: not steps(training), "the end of all steps")


def test_fault_f11_a_failing_step_ends_with_its_own_message_and_log(project: Project) -> None:
    file = project.path / "data/prepared/celeba/faces/shard-00000.npy"
    whole = file.read_bytes()
    file.unlink()  # not in place: it is linked to the cache
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    project.run("touch", "-r", "results/table.csv", str(file))
    (project.path / "results/tasks/celeba/metrics.json").unlink()
    told = project.run("lssat", "run", "--cores", "1", check=False).rstrip().splitlines()
    start = told.index("What failed:")
    assert told[start + 1] == "  texture celeba 00000: logs/texture/celeba-00000.log"
    assert "shard-00000.npy: has sha256" in told[start + 2]
    assert told[-1] == "The whole log: logs/snakemake.log."
    assert len(told) - start < 8
    # The damaged file is not what DVC vouches for: it brings back what the step made.
    assert "changed by none of the steps" in (project.path / "logs/snakemake.log").read_text()
    project.run("dvc", "checkout", "--force", "data/prepared/celeba/faces")
    assert file.read_bytes() == whole


def test_the_benchmark_of_random_sequences_finds_no_fault(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    two_tools = importlib.import_module("two_tools")
    monkeypatch.setattr(two_tools, "TINY", {})  # of the project that is there
    monkeypatch.setattr(two_tools, "finished", lambda folder: project.path)
    monkeypatch.setattr(sys, "argv", ["two_tools.py", "--sequences", "1", "--steps", "1"])
    assert two_tools.main() == 0
    assert "1 sequences of 1 steps: 0 with a fault" in capsys.readouterr().out


def test_scores_of_another_program_are_a_row_in_both_tools(project: Project) -> None:
    """The table is made of samples.csv, as docs/rivals.md says; nothing is trained for it."""
    folder = project.path / "data/prepared/celeba"
    with open(folder / "external/samples.csv", newline="") as file:
        ids = [row["id"] for row in csv.DictReader(file) if row["split"] == "test"]
    result = project.path / "results/tasks/celeba/metrics.json"
    names = json.loads(result.read_text())["classes"]
    table = project.path / "theirs.csv"

    def write(first: float) -> None:
        shares = [first, *(0.2 + 0.6 * at / len(ids) for at in range(1, len(ids)))]
        lines = [",".join([each, *[f"{share:.4f}"] * len(names)])
                 for each, share in zip(ids, shares, strict=True)]  # fmt: skip
        table.write_text("\n".join([",".join(["id", *names]), *lines, ""]))

    def stale() -> list[set[str]]:
        both = project.snakemake_stale(), project.dvc_stale()
        return [{name.replace("entry0", "celeba-theirs-0") for name in names} for names in both]

    write(0.1)
    entry = {"file": "theirs.csv", "task": "celeba", "name": "theirs", "seed": 0}
    project.params(benchmark={"external": [entry]})
    snakemakes, dvcs = stale()
    assert snakemakes == dvcs
    assert {"external@celeba-theirs-0", "evaluate@celeba"} <= snakemakes
    assert not any(name.startswith("train@") for name in snakemakes)
    project.run("dvc", "repro", "evaluate@celeba")
    metrics = json.loads(result.read_text())
    assert ("theirs", "external") in {
        (row["backbone"], row["configuration"]) for row in metrics["table"]
    }
    assert not {"external@celeba-theirs-0", "evaluate@celeba"} & set().union(*stale())
    write(0.9)
    project.run("snakemake", "--cores", "2", "results/tasks/celeba/metrics.json")
    log = project.path / "logs/external/celeba/theirs/external/seed0.log"
    assert log.exists(), sorted((project.path / "logs/external").rglob("*"))
    assert json.loads(result.read_text())["table"] != metrics["table"]
