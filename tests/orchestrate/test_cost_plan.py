"""`lssat plan`: what will run, how long, how much; held to what a real run took."""

import base64
import contextlib
import dataclasses
import io
import json
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest
import torch
import yaml
from helpers import ROOT, preset, recorded
from helpers.project import copy
from rich.console import Console

from lssat import grid, params
from lssat.models import tuning
from lssat.models.ssat import kind_of
from lssat.orchestrate.plan import (
    Costs,
    Machine,
    operations,
    place,
    rates,
    terminal,
    timm_sizes,
    totals,
)
from lssat.orchestrate.plan import core_speed as cores
from lssat.orchestrate.plan.core_speed import Core
from lssat.tables import DataError, write_json
from lssat.training import meters as counted

RECORDED = recorded.run(recorded.read(recorded.MAKE))
OTHER = recorded.run(recorded.read(recorded.OTHER), alone=True)
FACTOR = 1.5
SINCE = {"shards"}  # steps that there were not when it was recorded
SAMPLE = params.load(ROOT / "presets/sample.yaml")
PAPER = params.load(ROOT / "presets/paper.yaml")
CPU = Machine(cores=2)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a project in which nothing was made."""
    for name in ("presets", "profiles", "Snakefile"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "presets/sample.yaml", tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def within(predicted: float, took: float) -> bool:
    return took / FACTOR <= predicted <= took * FACTOR


def with_core(run: recorded.Recorded, core: Core) -> recorded.Recorded:
    """The same run, planned for another core."""
    return dataclasses.replace(run, machine=dataclasses.replace(run.machine, core=core))


@pytest.mark.parametrize("run", [RECORDED, OTHER], ids=["make", "not fitted on"])
def test_the_plan_is_what_a_recorded_run_took(run: recorded.Recorded) -> None:
    """Of the whole and of each part, for the core that was measured beside the run.

    The second, which benchmarks/plan.py recorded, is of another encoder, batch, number of epochs
    and grid than the one of which the constants are.
    """
    made = totals.plan(run.costs)
    ran = {step.rule for step in run.steps}
    later = [job for job in totals.jobs(run.values) if job.rule in SINCE - ran]
    more = sum(run.costs.share(job.rule, job.wildcards) for job in later)
    more += totals.beside(len(later)) - totals.beside(0)
    assert made.seconds == pytest.approx(run.planned + more)  # it plans the jobs that ran
    assert within(made.seconds, run.wall + run.beside)
    for part, (planned, took) in run.phases().items():
        assert within(planned, took), part


@pytest.mark.parametrize("run", [RECORDED, OTHER], ids=["make", "not fitted on"])
def test_the_plan_of_each_training_is_what_it_took(run: recorded.Recorded) -> None:
    rows = {row: both for row, both in run.rows().items() if row.startswith("train/")}
    assert len(rows) == len({one[:3] for one in run.values.runs()})
    for row, (planned, took) in rows.items():
        assert within(planned, took), row


@pytest.mark.parametrize("slower", [0.5, 2.0, 4.0])
def test_a_machine_of_another_speed_is_planned_for_by_its_core(slower: float) -> None:
    run = RECORDED.stretched(slower)
    assert not within(run.planned, run.wall)
    run = with_core(run, Core(slower, slower))
    assert within(run.planned, run.wall)
    for part, (planned, took) in run.phases().items():
        assert within(planned, took), part


def test_a_core_is_measured_by_how_long_it_takes() -> None:
    reference = {"products": 2.08, "calls": 4.2, "pixels": 8.6}
    assert cores.of_times(reference) == (1.0, 1.0)
    told = cores.of_times({"products": 1.04, "calls": 8.4, "pixels": 17.2})
    assert told == (0.5, pytest.approx(2.0))
    times = cores.milliseconds()
    assert times.keys() == reference.keys()
    assert all(0.05 * took < times[name] < 50 * took for name, took in reference.items())


def test_what_is_a_cores_work_takes_as_long_as_the_core_says() -> None:
    """Products grow with the one number, all else with the other; the GPU's own with neither."""
    run = grid.Run("celeba", "vit_mini", "MRGB-RLDP-CRGB", 0)

    def seconds(core: Core, rule: str) -> float:
        wildcards = {key: str(value) for key, value in run._asdict().items()}
        return Costs(SAMPLE, Machine(cores=2, core=core)).of(rule, wildcards)

    first = Core()
    for rule in ("train", "evaluate", "robustness", "explain"):
        both = [seconds(core, rule) for core in (first, Core(3, 1), Core(1, 3), Core(3, 3))]
        assert both[0] < both[1] < both[3], rule
        assert both[0] < both[2] < both[3], rule
        assert both[3] == pytest.approx(3 * both[0]), rule
    for rule in ("sample", "manifest", "faces", "texture", "splits", "track", "report", "speed"):
        assert seconds(Core(3, 1), rule) == seconds(first, rule), rule
        assert seconds(Core(1, 3), rule) == pytest.approx(3 * seconds(first, rule)), rule


def test_only_this_machines_core_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Core(0.5, 0.25)
    monkeypatch.setattr(rates, "core", lambda: own)
    assert place.place().machine.core == own
    assert place.place(gpu="H100").machine.core == own  # a machine like this one
    assert place.place(Path("profiles/slurm")).machine.core == Core()


def test_steps_measured_on_one_task_tell_what_the_others_take() -> None:
    """The recorded runs of AffectNet stand for the steps that `--measure` makes."""
    costs, known = RECORDED.costs, {}
    rows = [row.split("/") for row in RECORDED.rows() if row.startswith("train/")]
    seconds = {tuple(row.split("/")[1:]): took for row, (_, took) in RECORDED.rows().items()}
    number = len(RECORDED.values.benchmark.seeds)
    for _, task, *row in rows:
        run = grid.Run(task, *row, 0)
        if task == "affectnet" and not costs.probes(run):
            epochs = sum(costs.epochs(run).values())
            once = seconds[task, *row] / number - costs.train_apart(run)
            known[costs.row(run)] = once / epochs / costs.updates(run)
    costs = Costs(RECORDED.values, Machine(cores=2, measured=known))
    for _, task, *row in rows:
        planned = number * costs.train(grid.Run(task, *row, 0))
        assert within(planned, seconds[task, *row]), (task, row)


def test_the_samples_are_counted_before_they_are_drawn() -> None:
    drawn = {"ffpp": [170, 40, 240], "celeba": [288, 64, 180], "affectnet": [240, 128, 128]}
    for task, counts in drawn.items():  # summary.json of their splits
        assert list(Costs(SAMPLE, CPU).samples(task).files) == counts
    assert Costs(PAPER, CPU).samples("ffpp").crops == 5000 * 32
    assert Costs(PAPER, CPU).samples("celeba").files.all == 202_599
    assert Costs(PAPER, CPU).samples("affectnet").files.all == 291_651


def test_splits_count_if_they_are_of_these_parameters(folder: Path) -> None:
    made = {"samples": {"train": 7, "val": 5, "test": 3}}
    splits = folder / "data/prepared/celeba/splits"
    splits.mkdir(parents=True)
    write_json(splits / "summary.json", made)
    drawn = Costs(SAMPLE, CPU).samples("celeba")
    assert drawn.files.all == 532  # nobody says what these splits were made of
    name = base64.b64encode(b"data/prepared/celeba/manifest.parquet").decode()
    (folder / ".snakemake/metadata").mkdir(parents=True)
    section = params.section_json(SAMPLE, "manifest", task="celeba")
    record = {"params": ["'x'", repr(section)]}
    (folder / ".snakemake/metadata" / name).write_text(json.dumps(record))
    assert list(Costs(SAMPLE, CPU).samples("celeba").files) == [7, 5, 3]
    assert Costs(PAPER, CPU).samples("celeba").files.all == 202_599  # of another tree


def test_files_of_a_tree_of_ones_own_are_counted(folder: Path) -> None:
    values = yaml.safe_load((folder / "params.yaml").read_text())
    own = dict(root="mine", shards=1, rejects_limit=0.0, kind="binary", faces="aligned")
    values["datasets"] = {"mine": own | dict(positive="b", val_share=0.25, test_share=0.25)}
    values["benchmark"] |= {"tasks": ["mine"]}
    preset.grid_alone(values["benchmark"])
    values["sample"]["trees"], values["slices"]["attributes"] = [], {}
    values["slices"]["lists"] = {}
    for number in range(8):
        (folder / "mine/all/a").mkdir(parents=True, exist_ok=True)
        (folder / f"mine/all/a/{number}.PNG").write_bytes(b"")
    (folder / "mine/readme.txt").write_text("")
    (folder / "own.yaml").write_text(yaml.safe_dump(values))
    found = Costs(params.load("own.yaml"), CPU).samples("mine")
    assert (list(found.files), found.source) == ([4, 2, 2], "files of its tree")


def _asked_here(name: str) -> dict[str, float]:
    """What the process says that asks timm, without a start of its own."""
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as told:
        patch.setattr(sys, "argv", ["timm_sizes", name])
        timm_sizes.main()
    return json.loads(told.getvalue())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backbone", "configuration", "size"),
    [
        ("vit_micro", "none-none-CLDP", 80),
        ("vit_mini", "MRGB-RLDP-CRGB", 80),
        ("vit_small", "MLDP-RRGB+RLDP-CRGB", 224),
        ("vit_base", "MRGB-RRGB-thenCRGB", 224),
        ("timm:vit_tiny_patch16_224", "MRGB-RLDP-CRGB", 224),
        # Names that do not tell the size, so that timm is asked; one of them as the plan does.
        ("timm:vit_base_patch14_dinov2.lvd142m", "MRGB-RLDP-CRGB", 224),
        ("timm:eva02_tiny_patch14_224", "MRGB-RLDP-CRGB", 224),
        ("timm:convnext_tiny.in12k", "none-none-CRGB", 224),
        ("videomae_small", "MRGB-RLDP-CRGB", 224),
        ("videomae_mini", "none-none-CRGB", 80),
        ("resnet50", "none-none-CRGB", 224),
        ("xception", "none-none-CRGB", 224),
    ],
)
def test_the_formula_counts_what_torch_counts(
    backbone: str, configuration: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if backbone != "timm:eva02_tiny_patch14_224":
        monkeypatch.setattr(operations, "_asked", _asked_here)
    parsed, clips = grid.parse(configuration), backbone in grid.VIDEO_ENCODERS
    shape = (*((16,) if clips else ()), size, size)
    with torch.device("meta"):
        model = kind_of(backbone)(backbone, parsed, size, 2, **({"frames": 16} if clips else {}))
        imgs = torch.zeros(2, 3, *shape, dtype=torch.uint8)
        codes = torch.zeros(2, 1, *shape, dtype=torch.uint8)
        noise = torch.zeros(2, model.num_patches)
    work = operations.work(backbone, parsed, size, 0.75)
    phases = [phase for phase in work.training if phase != "joint" or not parsed.sequential]
    for phase in phases:
        found = counted.flops(model, imgs, codes, noise, phase)
        assert work.inference == pytest.approx(found["flops_inference"], rel=0.03)
        if not getattr(model, "convolutional", False):  # torch's counter misses grouped ones
            assert work.training[phase] == pytest.approx(found["flops_training"], rel=0.03)
    encoder, decoder = counted.parameters(model)
    assert work.parameters == pytest.approx(encoder, rel=0.03)
    assert work.decoder_parameters == pytest.approx(decoder, rel=0.05)


TUNED = ("linear", "norm", "lora", "lora:4", "blocks:1", "blocks:3")
FROZEN = [
    *(("vit_micro", "none-none-CRGB", tune) for tune in TUNED),
    *(("vit_small", "MLDP-RLDP-CRGB", tune) for tune in ("norm", "lora:4", "blocks:3")),
    *(("vit_mini", "MRGB-RRGB-thenCRGB", tune) for tune in ("linear", "norm", "lora", "blocks:1")),
    *(("videomae_mini", "none-none-CRGB", tune) for tune in ("linear", "norm", "lora:4")),
]


@pytest.mark.parametrize(("backbone", "configuration", "tune"), FROZEN)
def test_the_formula_counts_what_is_left_when_a_part_is_frozen(
    backbone: str, configuration: str, tune: str
) -> None:
    how, parsed = grid.tune(tune), grid.parse(configuration)
    size = 80 if "mi" in backbone else 224
    shape = (*((16,) if "video" in backbone else ()), size, size)
    with torch.device("meta"):
        frames = {"frames": 16} if "video" in backbone else {}
        model = kind_of(backbone)(backbone, parsed, size, 2, **frames)
        tuning.tune(model, how, backbone, 0)
        imgs = torch.zeros(16, 3, *shape, dtype=torch.uint8)
        codes = torch.zeros(16, 1, *shape, dtype=torch.uint8)
        noise = torch.zeros(16, model.num_patches)
    work = operations.work(backbone, parsed, size, 0.75, tune=how)
    full = operations.work(backbone, parsed, size, 0.75)
    for phase in ["reconstruct", "classify"] if parsed.sequential else ["joint"]:
        found = counted.flops(model, imgs, codes, noise, phase)
        assert work.training[phase] == pytest.approx(found["flops_training"], rel=0.05)
        assert work.inference == pytest.approx(found["flops_inference"], rel=0.03)
        least = phase == "reconstruct"  # it is tuned only after that
        assert (work.training[phase] == full.training[phase]) == least
    head = sum(parameter.numel() for parameter in model.head.parameters())
    assert work.trained == pytest.approx(tuning.trained_parameters(model) - head, rel=0.05, abs=1)


def test_a_probe_is_planned_to_run_its_encoder_once_and_a_sequence_is_not() -> None:
    names = ("none-none-CRGB", "MRGB-RLDP-thenCRGB")
    runs = [grid.Run("celeba", "vit_mini", name, 0) for name in names]
    found = {}
    for tune in ("full", "linear"):
        recipe = {"tune": tune, "pretrain_epochs": 8}
        own = SAMPLE.model_copy(update={"train": SAMPLE.train.model_copy(update=recipe)})
        costs = Costs(own, CPU)
        found[tune] = [costs.flops(run) for run in runs], [costs.train(run) for run in runs]
        images = costs.updates(runs[0]) * SAMPLE.train.batch_size
        once = images * costs.work(runs[0]).inference
    assert found["linear"][0][0] == once < found["full"][0][0] / 20
    assert found["linear"][0][1] > once * SAMPLE.train.epochs
    assert all(a < b for a, b in zip(found["linear"][1], found["full"][1], strict=True))


def test_a_run_on_blends_is_planned_with_each_real_crop_twice() -> None:
    run = grid.Run("ffpp", "vit_mini", "none-none-CRGB", 0)
    options = SAMPLE.datasets.ffpp
    trained = {}
    for blend in ("none", "sbi"):
        recipe = SAMPLE.train.model_copy(update={"blend": blend})
        costs = Costs(SAMPLE.model_copy(update={"train": recipe}), CPU)
        trained[blend] = costs.images(run).train
        assert costs.updates(run) == trained[blend] // SAMPLE.train.batch_size
        assert costs.images(run).test == 48 * options.frames * (1 + len(options.methods))
    assert trained == {"none": 34 * options.frames * 5, "sbi": 34 * options.frames * 2}


def test_saved_activations_are_those_that_were_measured() -> None:
    """MiB of an image in bfloat16, packed: docs/model.md."""
    for backbone, mib in (("vit_base", 114), ("vit_large", 252), ("vit_huge16", 399)):
        work = operations.work(backbone, grid.parse("MRGB-RLDP-CRGB"), 224, 0.75)
        assert work.saved * 2 / 2**20 == pytest.approx(mib, rel=0.03)


@pytest.mark.slow
def test_weeks_on_a_cpu_are_said_in_red_before_anything_starts(folder: Path) -> None:
    for name in ("ffpp", "celeba", "affectnet"):
        (folder / name).mkdir()
    command = [sys.executable, "-m", "lssat", "init", "--preset", "paper"]
    command += [part for name in ("ffpp", "celeba", "affectnet") for part in (f"--{name}", name)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "plan: 234 runs, about " in done.stdout
    assert "On this CPU that is " in done.stdout
    screen = io.StringIO()
    terminal.tell(PAPER, Console(file=screen, force_terminal=True, color_system="standard"))
    assert "\x1b[1;31mOn this CPU that is" in screen.getvalue()
    screen = io.StringIO()
    terminal.tell(SAMPLE, Console(file=screen))
    assert "On this CPU" not in screen.getvalue()


def test_where_it_runs_and_why() -> None:
    here, cluster = place.place(), place.place(Path("profiles/slurm"))
    assert here.why[1] == "device cpu: `device` in profiles/default/machine.yaml"
    assert cluster.why[0].startswith(
        "slurm: `executor` in profiles/slurm/profile.yaml, at most 100"
    )
    assert "jobs with a GPU: partition gpu (`gpu_partition` in " in cluster.why[1]
    assert (cluster.machine.gpus, cluster.machine.at_once) == (100, 100)
    pods = place.place(Path("profiles/kubernetes"))
    assert pods.why[1].startswith("each job is a pod of lssat:0.1.0: `container-image` in ")
    assert not any("partition" in line for line in pods.why)
    named = place.place(gpu="H100", gpus=4)
    assert named.machine.at_once == 4
    with pytest.raises(DataError, match=r"profiles/none/profile\.yaml: is not there"):
        place.place(Path("profiles/none"))


def test_more_gpus_and_faster_ones_take_less_time() -> None:
    def days(gpu: str, gpus: int) -> float:
        costs = Costs(PAPER, place.place(gpu=gpu, gpus=gpus).machine)
        return totals.plan(costs).phases["training"]

    assert days("H100", 8) == pytest.approx(days("H100", 1) / 8)
    assert days("H100", 1) < days("A100", 1) < days("T4", 1)


def test_what_is_lacking_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, 10**6))
    where = place.place()
    said = place.lacking(where, totals.plan(Costs(SAMPLE, where.machine)), "params.yaml", 16)
    assert len(said) == 1
    assert "has 0.0 GB free, and 0.3 GB are needed" in said[0]
    values = yaml.safe_load((folder / "params.yaml").read_text())
    values["benchmark"] |= {"backbones": ["vit_huge14"]}
    preset.grid_alone(values["benchmark"])
    values["train"] |= {"batch_size": 256, "weights": "absent.safetensors"}
    values["faces"] |= {"size": 224}
    (folder / "huge.yaml").write_text(yaml.safe_dump(values))
    where = place.place(gpu="T4")
    made = totals.plan(Costs(params.load("huge.yaml"), where.machine))
    weights, memory = place.lacking(where, made, "huge.yaml", 256)
    assert "absent.safetensors does not exist" in weights
    assert "GiB of GPU memory, and T4 has 16; lower train.batch_size" in memory


@pytest.mark.slow
def test_the_command_prints_a_plan_and_writes_it(folder: Path) -> None:
    command = [sys.executable, "-m", "lssat", "plan", "--json", "plan.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for begins in ("where: ", "data:  ffpp: 450 videos", "jobs:  154: 100 train", "time:  about "):
        assert f"\n{begins}" in f"\n{done.stdout}"
    written = json.loads((folder / "plan.json").read_text())
    assert written["exit_code"] == 0
    assert [row["runs"] for row in written["backbones"]] == [64, 36]
    done = subprocess.run([*command, "--gpu", "H101"], capture_output=True, text=True, check=False)
    assert done.returncode == 2


@pytest.mark.slow
def test_steps_are_measured_on_this_machine(folder: Path) -> None:
    command = [sys.executable, "-m", "lssat", "plan", "--measure", "--json", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    measured = json.loads(done.stdout)["measured"]
    assert {*measured} == {  # a variant whose updates cost what the recipe's do is not measured
        "vit_micro none-none-CRGB+probe",
        *(
            f"{backbone} {configuration}"
            for backbone in SAMPLE.benchmark.backbones
            for configuration in SAMPLE.benchmark.configurations
        ),
    }
    assert all(seconds > 0 for seconds in measured.values())


@pytest.mark.slow
def test_the_jobs_are_those_of_snakemake(tmp_path_factory: pytest.TempPathFactory) -> None:
    project = copy(tmp_path_factory.mktemp("project"))
    shutil.copy(ROOT / "presets/sample.yaml", project.path / "params.yaml")
    told = project.run("snakemake", "-n", "--cores", "2", "--quiet", "rules")
    table = told.partition("Job stats:")[2].split("\n\n")[0]
    lines = (line.split() for line in table.splitlines())
    counts = {words[0]: int(words[1]) for words in lines if len(words) == 2 and words[1].isdigit()}
    for name in ("all", "total"):
        counts.pop(name)
    assert dict(totals.plan(Costs(SAMPLE, CPU)).jobs) == counts
