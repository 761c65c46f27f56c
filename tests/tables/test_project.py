"""Where files lie is said by one module; rules, commands and dvc.yaml say nothing else."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from helpers import ROOT

from lssat import grid, params
from lssat.tables import source
from lssat.tables.project import ATTACHED, REPORT, Project

HERE = Project()
KNOWN = ROOT / "lssat/tables/project.py"
RULES = [ROOT / "Snakefile", *sorted((ROOT / "workflow/rules").glob("*.smk"))]
CODE = [*sorted((ROOT / "lssat").rglob("*.py")), *sorted((ROOT / "tests/helpers").glob("*.py"))]
# A path below a folder of a project; a file that has one name wherever it lies.
FOLDER = re.compile(
    r"(data/(prepared|code|raw/sample)|runs|results|logs|checkpoints|mlartifacts)(/[\w{}./*-]*)?"
)
NAME = re.compile(
    r"mlflow\.db|shard-.*\.(npy|parquet)|(slices|summary|audit|robustness|record)\.json"
    r"|(weights|curve|reconstruction|predictions)\.(safetensors|csv|npz|parquet)"
)
# Words that are no paths there: keys of JSON and of tables, and whom an error names as its file.
WORDS = {"runs", "results", "logs", "record.json"}


def texts(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts of a Python file that are no docstrings, with their lines."""
    tree = ast.parse(file.read_text())
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    shown = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    calls = (each for each in shown if getattr(each.func, "id", "") == "example")  # of a help
    told |= {id(word) for each in calls for word in each.args}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.lineno, node.value


def places(file: Path) -> list[str]:
    """List the places in a project that a file spells itself."""
    if file.suffix == ".py":
        found = [(line, text) for line, text in texts(file) if text not in WORDS]
    else:
        lines = enumerate(file.read_text().split("\n"), 1)
        found = [(line, text) for line, code in lines for text in re.findall(r'"([^"]*)"', code)]
    names = [] if "helpers" in file.parts else [NAME]  # tests write files of their own
    return [
        f"{file.parent.name}/{file.name}:{line}: {text}"
        for line, text in found
        if any(each.fullmatch(text) for each in [FOLDER, *names])
    ]


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.name)
def test_no_rule_spells_a_path(file: Path) -> None:
    assert places(file) == []


def test_no_module_spells_a_path_but_the_one_that_knows() -> None:
    assert len(places(KNOWN)) > 10
    assert [place for file in CODE if file != KNOWN for place in places(file)] == []


@pytest.mark.parametrize(
    "line", ['"data/prepared/{task}/splits"', '"results/x.json"', 'f"runs/{run}/record.json"']
)
def test_the_scan_finds_a_path(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.smk").write_text(f"rule a:\n    output: {line}\n")
    assert len(places(tmp_path / "a.smk")) == 1
    (tmp_path / "a.py").write_text(f"A = {line}\n")
    assert len(places(tmp_path / "a.py")) == 1


def every(known: params.Params) -> set[str]:
    """Return each path that a project of these parameters has for DVC."""
    benchmark, results = known.benchmark, HERE.results
    found = {HERE.code, results.speed, results.attached, *results.report().values()}
    for tree in known.sample.trees:
        names = (HERE.sample.inventory(tree), HERE.sample.annotations(tree))
        found |= {HERE.sample.root / tree, *names}
    for name in (*benchmark.tasks, *benchmark.cross):
        data = HERE.data(name)
        found |= {data.manifest, data.rejects, data.faces.root, data.shards, data.splits.root}
        found |= {data.texture("ldp").root.parent, data.external.samples}
        found |= {*data.found("audit"), *data.found("lookalikes")}
    for other in benchmark.external:
        found |= {HERE.data(other.task).external.scores(other.name, other.seed)}
    for task in benchmark.tasks:
        made, explained = results.task(task), results.explain(task)
        found |= {made.predictions, made.metrics, made.robustness, results.mlflow(task)}
        found |= {made.format, HERE.data(task).formats}
        found |= {explained.json, explained.maps}
    for step, tasks in (("slices", known.slices.attributes), ("slices_listed", known.slices.lists)):
        for task in tasks:
            found |= {results.task(task).slices(step), results.mlflow(f"{step}/{task}")}
    for name, home in benchmark.cross.items():
        tested = results.task(home).cross(name)
        found |= {tested.predictions, tested.metrics, *HERE.data(name).found("audit_cross")}
        found |= {results.mlflow(f"cross/{name}")}
    found |= {HERE.runs.run(run.path).root for run in known.named()}
    return {str(path) for path in found}


def test_the_outputs_of_dvcs_stages_are_those_of_a_project(tmp_path: Path) -> None:
    from dvc.parsing import DataResolver
    from dvc.repo import Repo

    values = yaml.safe_load((ROOT / "presets/sample.yaml").read_text())
    own = {"root": ".", "shards": 1, "rejects_limit": 0.0, "frames": 2, "every": None, "clips": 0}
    values["datasets"]["celebdf"] = own | {"clip_frames": 16, "clip_stride": 2}
    values["benchmark"]["cross"] = {"celebdf": "ffpp"}
    values["benchmark"]["external"] = [
        {"file": f"{task}.csv", "task": task, "name": "xception", "seed": seed}
        for seed, task in enumerate(("ffpp", "celebdf"))
    ]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))
    known = params.load(tmp_path / "params.yaml")
    repo = Repo.init(str(tmp_path), no_scm=True)
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    resolved = DataResolver(repo, repo.root_dir, stages).resolve()["stages"].values()
    outs = {
        out for stage in resolved for kind in ("outs", "metrics") for out in stage.get(kind, [])
    }
    assert outs == every(known)


def test_a_project_elsewhere_has_the_same_files_below_its_folder(tmp_path: Path) -> None:
    there = Project(tmp_path)
    run = there.runs.run("ffpp/a/none-none-CRGB/seed0")
    assert run.record == tmp_path / HERE.runs.run("ffpp/a/none-none-CRGB/seed0").record
    assert Project.of_run(run.root) == there
    run.root.mkdir(parents=True)
    run.record.touch()
    pattern = grid.RUN.format(task="*", backbone="*", configuration="*", seed="*")
    assert there.runs.find(there.runs.run(pattern).record) == [run.record]
    assert list(there.results.report(*ATTACHED)) == list(ATTACHED)
    assert [file.name for file in there.results.report().values()] == list(REPORT.values())


def test_where_files_lie_makes_no_result_stale_and_is_known_without_torch() -> None:
    assert not any("tables.project" in source.modules(rule) for rule in source.ENTRY)
    code = "import sys, lssat.tables.project; print({'torch', 'mlflow'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
