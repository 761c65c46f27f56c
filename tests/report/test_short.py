"""What DVC shows of the results: few numbers, and a picture that asks nothing of the network."""

import re
import xml.etree.ElementTree as ET
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from dvc.compare import show_metrics
from helpers import ROOT

from lssat.report import short
from lssat.report.kit import linechart
from lssat.report.kit.results import Task
from lssat.tables.project import REPORT as OUTPUTS

SVG = "{http://www.w3.org/2000/svg}"


def task(name: str, means: dict[str, float | None], seeds: int = 2) -> Any:
    """A task with a row each configuration, and a run each seed."""
    rows, runs, curves = [], [], {}
    for configuration, mean in means.items():
        where = dict(backbone="vit_micro", configuration=configuration)
        rows.append({**where, "level": "video", "metric": "auc", "mean": mean, "swept": False})
        for seed in range(seeds):
            run = f"{name}/vit_micro/{configuration.replace('/', '-')}/seed{seed}"
            runs.append({**where, "run": run, "seed": seed})
            curves[run] = {"epoch": [0.0, 1.0, 2.0], "val_auc": [None, 0.5, 0.6 + seed / 10]}
    metrics = {"metric": "auc", "level": "video", "table": rows, "runs": runs}
    found = SimpleNamespace(name=name, metrics=metrics, curves=curves, headline=rows)
    found.runs_of = lambda *pair: Task.runs_of(found, *pair)
    return found


def test_the_headline_is_that_of_the_best_row_and_the_mean_of_all() -> None:
    tasks = [task("ffpp", {"MRGB/RLDP/CRGB": 0.5, "none/none/CRGB": 1.0, "none/none/CLDP": None})]
    tasks.append(task("mine", {"MRGB/RLDP/CRGB": None}))
    found = short.headline(tasks)
    assert found == {"ffpp": {"best": 1.0}, "mine": {"best": None}, "all": {"mean": 0.75}}
    assert short.headline([task("all", {"a": None})]) == {"all": {"best": None, "mean": None}}


@pytest.mark.parametrize("row", ["a", "b", "c"])
@pytest.mark.parametrize("to", [0.55, 0.95, None])
def test_the_headline_moves_when_any_row_moves(row: str, to: float | None) -> None:
    means: dict[str, float | None] = {"a": 0.5, "b": 0.7, "c": 0.9}
    other = task("celeba", {"a": 0.8})
    before = short.headline([task("ffpp", means), other])
    assert short.headline([task("ffpp", {**means, row: to}), other]) != before


def test_dvc_shows_the_headlines_of_three_tasks_in_120_columns(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tasks = [task(name, {"a": 0.812345, "b": 0.7}) for name in ("affectnet", "celeba", "ffpp")]
    data = short.headline(tasks)
    show_metrics({"": {"data": {"results/headline.json": {"data": data}}}}, precision=5)
    table = capsys.readouterr().out
    assert "affectnet.best" in table
    assert max(map(len, table.splitlines())) <= 120
    # dvc exp show: the name of an experiment, its time, and a parameter stand beside them.
    columns = ["├── 1d77f4e [muddy-puds]", "Nov 28, 2026", "train.lambda_cls"]
    columns += [f"{name}.{key}" for name, each in data.items() for key in each]
    assert sum(len(column) + 3 for column in columns) + 2 <= 120


def test_dvc_shows_files_of_the_report_that_are_small() -> None:
    """A table of one column a row of the grid fits no terminal; DVC's own plots need scripts."""
    dvc = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    assert dvc["stages"]["report"]["metrics"] == [f"results/{OUTPUTS['headline']}"]
    assert dvc["plots"] == [f"results/{OUTPUTS['picture']}"]
    assert OUTPUTS["picture"].endswith(".svg")


def test_curves_are_a_plot_a_task_and_a_line_a_run_in_the_colour_of_its_row() -> None:
    tasks = [task("ffpp", {"MRGB/RLDP/CRGB": 0.8, "none/none/<b>": 0.9}), task("mine", {"a": 1.0})]
    drawn = short.curves(tasks)
    assert "script" not in drawn
    tree = ET.fromstring(drawn)
    panels = tree.findall(f"{SVG}g")
    lines = [
        [(group.get("class"), path.get("d") or "") for group in panel.iter(f"{SVG}g")
         for path in group.findall(f"{SVG}path[@class='line']")]
        for panel in panels
    ]  # fmt: skip
    assert [len(each) for each in lines] == [4, 2]
    assert len({colour for colour, _ in lines[0]}) == 2
    assert all(len(re.findall("[ML]", drawn)) == 2 for _, drawn in lines[0])  # None is a gap
    texts = [each.text for each in panels[0].iter(f"{SVG}text")]
    assert texts[0] == "ffpp: AUC on validation"
    assert "vit_micro none/none/<b>" in texts


@pytest.mark.parametrize("values", [[0.5], [0.5, 0.5], [None, 1.0], [1.0, 1e308]])
def test_few_or_equal_values_are_drawn_too(values: list[float | None]) -> None:
    drawn = linechart.svg([linechart.Panel("x", {"a": values})])
    assert "nan" not in drawn
    assert "inf" not in drawn
    ET.fromstring(drawn)


def test_nothing_is_drawn_of_what_has_no_value() -> None:
    assert "<g" not in linechart.svg([linechart.Panel("x", {"a": [None, None]})])
