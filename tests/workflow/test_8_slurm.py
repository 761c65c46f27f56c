"""A real SLURM: jobs that are put off, cancelled or wrong, as docs/cluster.md says."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers import slurm
from helpers.project import Project, copy
from helpers.slurm import Cluster
from helpers.waiting import until

from lssat.tables.project import Project as Files

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(slurm.missing()), reason=f"no {', '.join(slurm.missing())}"),
]
RUNS = ["celeba/vit_micro/none-none-CRGB/seed0", "celeba/vit_micro/none-none-CRGB/seed1"]
TARGET = "results/tasks/celeba/metrics.json"
SAME = [
    *(f"runs/{run}/{name}" for run in RUNS for name in ("weights.safetensors", "curve.csv")),
    "results/tasks/celeba/predictions.parquet",
    TARGET,
]
PARAMS: dict[str, dict] = {
    "benchmark": {"configurations": ["none-none-CRGB"], "seeds": [0, 1]},
    "train": {"epochs": 10},
    "evaluate": {"resamples": 100},
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with slurm.cluster(tmp_path_factory.mktemp("slurm")) as made:
        yield made


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """What this machine makes of it without a cluster."""
    project = copy(tmp_path_factory.mktemp("local"))
    project.params(**PARAMS)
    project.run("snakemake", "--cores", "2", "--", TARGET)
    return project


@pytest.fixture(scope="module")
def project(local: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The same project with its data, nothing trained, and a profile of this cluster."""
    made = copy(tmp_path_factory.mktemp("on_slurm"))
    made.params(**PARAMS)
    (made.path / ".snakemake").mkdir()
    for name in ("data", ".snakemake/metadata"):
        subprocess.run(["cp", "-a", local.path / name, (made.path / name).parent], check=True)
    machine = made.path / "profiles/slurm/machine.yaml"
    machine.write_text(machine.read_text().replace("device: cuda", "device: cpu"))
    return made


class Run:
    """Snakemake at work with the profile, in the background."""

    def __init__(self, project: Project, cluster: Cluster, *more: str):
        self.cluster, self.before = cluster, {each["JobId"] for each in cluster.jobs()}
        self.told = project.path / "told.txt"
        with open(self.told, "w") as told:
            self.process = subprocess.Popen(
                ["snakemake", "--profile", "profiles/slurm",
                 "--slurm-init-seconds-before-status-checks", "1", *more],
                cwd=project.path, env=environment(project, cluster), stdout=told,
                stderr=subprocess.STDOUT,
            )  # fmt: skip

    def jobs(self) -> list[dict[str, str]]:
        """The jobs that this run has submitted."""
        ours = (each for each in self.cluster.jobs() if each["JobId"] not in self.before)
        return [each for each in ours if each["Partition"] != "urgent"]

    def end(self) -> tuple[int, str]:
        """Wait for its end; return its code and what it said."""
        until(lambda: self.process.poll() is not None, "ended")
        return self.process.returncode, self.told.read_text()


Start = Callable[..., Run]


@pytest.fixture
def start(cluster: Cluster) -> Iterator[Start]:
    """Start Snakemake; what a test leaves at work is ended."""
    started: list[Run] = []

    def begin(*more: str, of: Project) -> Run:
        started.append(Run(of, cluster, *more))
        return started[-1]

    yield begin
    for run in started:
        run.process.kill()
        run.process.wait()


def environment(project: Project, cluster: Cluster) -> dict[str, str]:
    own = project.environment
    found = own | cluster.environment
    # Each training a job of its own; no GPU here, even where there is one.
    found |= {"LSSAT_TOGETHER": "no", "CUDA_VISIBLE_DEVICES": ""}
    return found | {"PATH": f"{cluster.environment['PATH'].split(':')[0]}:{own['PATH']}"}


def states(project: Project, run: str) -> set[str]:
    return {each.name for each in (project.path / "checkpoints" / run).rglob("*.json")}


def training(run: Run, name: str) -> dict[str, str]:
    """The job of a training, once it is submitted."""

    def found() -> list[dict[str, str]]:
        return [
            job
            for job in run.jobs()
            if name.replace("/seed", "_").replace("/", "_") in job["Comment"]
        ]

    until(lambda: run.process.poll() is not None or found(), f"a job of {name}")
    assert run.process.poll() is None, run.end()
    return found()[-1]


def wait_for_progress(project: Project, name: str, before: set[str]) -> set[str]:
    """Wait until a training has saved a state that was not there before."""
    until(lambda: states(project, name) - before, f"progress of {name}")
    return states(project, name)


def test_the_rerun_after_jobs_were_put_off_and_cancelled_has_the_bytes_of_a_local_run(
    start: Start, project: Project, local: Project, cluster: Cluster
) -> None:
    """Preempted five times, warned once of its end, cancelled once: nothing is done twice."""
    often, cancelled = RUNS
    options = ["--config", "minutes=0", "--", TARGET]
    run = start(*options, of=project)
    gone = training(run, cancelled)["JobId"]
    wait_for_progress(project, cancelled, set())
    cluster.run("scancel", gone)
    number = training(run, often)["JobId"]
    wait_for_progress(project, often, set())
    cluster.preempt(number)
    for _ in range(4):
        wait_for_progress(project, often, states(project, often))
        cluster.put_off(number)
    code, told = run.end()
    assert code != 0
    assert f"SLURM-job '{gone}' failed, SLURM status is: 'CANCELLED'" in told
    assert cluster.job(number)["Restarts"] == "5"
    assert cluster.job(number)["JobState"] == "COMPLETED"
    weights = project.path / "runs" / often / "weights.safetensors"
    stamp = weights.stat().st_mtime_ns

    run = start(*options, of=project)
    number = training(run, cancelled)["JobId"]
    wait_for_progress(project, cancelled, states(project, cancelled))
    cluster.run("scancel", "--signal=USR1", number)  # as SLURM does before the end of its time
    cluster.release(number)
    code, told = run.end()
    assert code == 0, told[-5000:]
    assert cluster.job(number)["Restarts"] == "1"
    assert weights.stat().st_mtime_ns == stamp
    for name in SAME:
        assert (project.path / name).read_bytes() == (local.path / name).read_bytes(), name
    again = ["snakemake", "--profile", "profiles/slurm", "-n", *options]
    assert "Nothing to be done" in project.run(*again, **environment(project, cluster))


def test_a_step_that_is_wrong_is_not_tried_again_however_often_it_was_put_off(
    start: Start, cluster: Cluster, tmp_path: Path
) -> None:
    """SLURM begins again what it put off; nobody does what ended in an error."""
    project = copy(tmp_path)
    machine = project.path / "profiles/slurm/machine.yaml"
    machine.write_text(machine.read_text().replace("device: cuda", "device: cpu"))
    step = project.path / "lssat/evaluation/speed.py"
    step.write_text(step.read_text() + "\nraise ValueError('it cannot work')\n")
    run = start("--", str(Files().results.speed), of=project)
    until(lambda: run.process.poll() is not None or run.jobs(), "a job")
    assert run.process.poll() is None, run.end()
    for _ in range(2):
        until(lambda: state(run) == "RUNNING", "at work")
        cluster.put_off(run.jobs()[0]["JobId"])
    code, told = run.end()
    (job,) = run.jobs()
    assert code != 0
    assert (job["JobState"], job["Restarts"]) == ("FAILED", "2"), told[-3000:]
    (failed,) = re.findall(r"^What failed:\n((?:  .*\n)+)", told, flags=re.M)
    assert f"speed: {Files().log('speed')}" in failed
    assert "ValueError: it cannot work" in failed


def state(run: Run) -> str:
    (job,) = run.jobs()
    return job["JobState"]
