"""What profiles say of the machine, as Snakemake reads it: devices, partitions, mistakes."""

import re
from pathlib import Path

import pytest
import yaml
from helpers import ROOT
from helpers.project import Project, copy

PROFILES = ROOT / "profiles"
WITHOUT_GPU = {"CUDA_VISIBLE_DEVICES": ""}
# What models run in; faces are detected in videos alone.
ON_GPU = {"train", "evaluate", "robustness", "explain", "speed", "sensitivity_variant"}
VIDEOS = ("faces", "ffpp")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy with videos and images of which nothing was run."""
    made = copy(tmp_path_factory.mktemp("machine"))
    tasks = ["celeba", "ffpp"]
    made.params(benchmark={"tasks": tasks}, sample={"trees": tasks})
    return made


def plan(project: Project, *more: str) -> list[tuple[str, str, str]]:
    """Return the rule, the task and the text of each job that is planned with the SLURM profile."""
    line = ["snakemake", "--profile", "profiles/slurm", "-n", *more, "--", "all", "sensitivity"]
    blocks = re.split(r"\n(?= *(?:local)?rule )", project.run(*line))  # those of a group: indented
    named = [(re.match(r" *rule (\w+):", block), block) for block in blocks]
    return [
        (match[1], found[1] if (found := re.search(r"wildcards: task=(\w+)", block)) else "", block)
        for match, block in named
        if match
    ]


def placed(block: str) -> tuple[str | None, int, bool]:
    """Return the partition of a job, its GPUs, and whether its command says cuda."""
    where = re.search(r"slurm_partition=(\w+)", block)
    gpus = re.search(r"\bgpu=(\d+)", block)
    return where and where[1], int(gpus[1]) if gpus else 0, "--device cuda" in block


def test_fault_f14_the_profile_as_typed_places_each_job(project: Project) -> None:
    jobs = plan(project)
    assert {rule for rule, *_ in jobs} >= ON_GPU | {"faces", "report", "texture"}
    for rule, task, block in jobs:
        gpu = rule in ON_GPU or (rule, task) == VIDEOS
        assert placed(block) == (("gpu", 1, True) if gpu else ("cpu", 0, False)), block
    (mine,) = {re.search(r"slurm_extra=(\S+)", b)[1] for r, _, b in jobs if r == "train"}
    assert mine == "--signal=USR1@120"  # the run saves its state


def test_short_steps_of_a_cluster_are_one_job(project: Project) -> None:
    """Trainings as well where by the plan they are short; a long one is a job of its own."""
    line = ["snakemake", "--profile", "profiles/slurm", "-n", "--", "all"]
    told = project.run(*line)
    for name in ("checks", "trainings", "end"):
        assert f"Group job {name}" in told
    alone = project.run(*line, LSSAT_TOGETHER="no")
    assert "Group job trainings" not in alone
    for said, minutes in ((told, "10"), (alone, "1440")):
        found = re.findall(r"\n *rule train:(?:\n .*)*\n.*runtime=(\d+)", said)
        assert found == [minutes] * 4
    assert told.count("Group job trainings") == 1


def test_fault_c11_nothing_runs_beside_what_is_timed(project: Project) -> None:
    """It has all cores of this machine, however many, and on a cluster a node of its own."""
    for cores in ("2", "8"):
        told = project.run("snakemake", "-n", "--cores", cores, "--", "results/speed.json")
        assert re.search(rf"^    threads: {cores}$", told, re.MULTILINE)
    ((_, _, block),) = [job for job in plan(project) if job[0] == "speed"]
    assert "slurm_extra=--exclusive" in block


def test_fault_f14_a_word_on_the_command_line_changes_nothing_else(project: Project) -> None:
    """Snakemake replaces a profile's list `config` by the command line's, so there is none."""
    for words, wanted in (
        (["minutes=5"], ("gpu", 1, True)),
        (["gpu_partition=a100", "devices=2"], ("a100", 2, True)),
    ):
        jobs = plan(project, "--config", *words)
        assert {placed(block) for rule, _, block in jobs if rule == "train"} == {wanted}


def test_fault_f14_on_this_machine_no_job_has_a_gpu_or_a_partition(project: Project) -> None:
    told = project.run("snakemake", "-n", "--cores", "2")
    assert "--device cpu" in told
    assert "--device cuda" not in told
    assert "slurm_partition" not in told


def test_fault_f14_the_default_profile_holds_only_what_every_profile_does() -> None:
    """It wins each key that it has, whole lists, over the one that is named."""
    default, *others = (
        yaml.safe_load((folder / "profile.yaml").read_text())
        for folder in sorted(PROFILES.iterdir(), key=lambda folder: folder.name != "default")
    )
    for other in others:
        assert default.items() <= other.items()
        assert "config" not in other


def test_fault_f14_every_rule_with_a_device_names_its_partition() -> None:
    source = "\n".join(file.read_text() for file in (ROOT / "workflow/rules").glob("*.smk"))
    rules = re.split(r"^ *rule ", source, flags=re.MULTILINE)
    using = [rule for rule in rules if "--device" in rule]
    assert len(using) >= 7
    for rule in using:
        assert re.search(r"slurm_partition=.*partition\(", rule), rule
        assert re.search(r"gpu=", rule), rule


def test_without_a_word_one_gpu_is_shared_out(by_snakemake: Project) -> None:
    told = by_snakemake.run("snakemake", "--cores", "2", "--force", "--", "results/mlflow.json")
    assert re.search(r"Provided resources: gpu=\D*1\b", told)


def test_fault_a7_all_that_cannot_be_is_said_before_any_job(project: Project) -> None:
    words = ["device=gpu", "devcie=cuda", "minutes=abc", "country=Germany", "devices=-1"]
    path = project.path / "params.yaml"
    kept = path.read_text()
    path.write_text(kept.replace("optimizer: adamw", "optimizer: adam"))
    told = project.run("snakemake", "--cores", "2", "--config", *words, check=False)
    path.write_text(kept)
    for word in (*words, "params.yaml:", "train.optimizer"):
        assert word in told
    assert "Traceback" not in told
    assert not (project.path / "data/code").exists()


def state(folder: Path) -> dict[str, int]:
    every = (file for name in ("runs", "results", "data") for file in (folder / name).rglob("*"))
    return {str(file): file.stat().st_mtime_ns for file in every if file.is_file()}


RUN = "task=celeba,backbone=vit_micro,configuration=none-none-CRGB,seed=0"
OF_A_CLUSTER = ["--mode", "remote", "--force", "--allowed-rules", "train", "--nolock"]


@pytest.mark.parametrize(
    "line",
    [
        ["--config", "device=cuda"],
        ["--config", "device=cuda", *OF_A_CLUSTER, "--target-jobs", f"train:{RUN}"],
    ],
    ids=["here", "in a job of a cluster"],
)
def test_fault_a7_a_gpu_that_is_not_there_costs_no_file(
    by_snakemake: Project, line: list[str]
) -> None:
    before = state(by_snakemake.path)
    assert before
    told = by_snakemake.run("snakemake", "--cores", "2", *line, check=False, **WITHOUT_GPU)
    assert "device=cuda: torch finds no GPU on this machine; write cpu" in told
    assert state(by_snakemake.path) == before
