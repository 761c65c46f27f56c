"""The headline table for the terminal."""

import re
from pathlib import Path

import pytest
import yaml
from helpers import ROOT, preset

from lssat import grid, params
from lssat.tables import DataError, write_json
from lssat.use.show import headline, show


def metrics(values: dict[str, float | None]) -> dict:
    rows = [
        dict(
            backbone="vit_micro", configuration=name, level="image", metric="top1", mean=value,
            low=value and value - 0.1, high=value and value + 0.1, baseline=0.125,
            beats_baseline=bool(value and value > 0.3), collapsed=value == 0.125,
            note=None if value else "one class only", swept=False,
            n=32, groups=8, seeds=[0], runs=[], values=[value],
        )
        for name, value in values.items()
    ]  # fmt: skip
    other = [row | {"metric": "macro_f1", "mean": 1.0} for row in rows]
    return dict(
        task="affectnet", title="Emotion", coverage=0.98, metric="top1", level="image",
        confidence=0.95, n={"image": 32},
        table=rows + other,
    )  # fmt: skip


def test_headline_rows_are_those_of_the_headline_metric_best_first() -> None:
    found = headline(metrics({"a": 0.2, "b": None, "c": 0.6}))
    assert [row["configuration"] for row in found] == ["c", "a", "b"]


def test_the_table_shows_interval_baseline_and_flags(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    folder = tmp_path / "tasks/affectnet"
    folder.mkdir(parents=True)
    content = metrics({"a": 0.6, "b": 0.125, "c": None})
    ends = {"a": (1, 1), "b": (2, 3)}
    content["ranks"] = [
        dict(backbone=row["backbone"], configuration=row["configuration"], mean=row["mean"])
        | dict(zip(("best", "worst"), ends[row["configuration"]], strict=True), top=False)
        for row in content["table"]
        if row["configuration"] in ends and row["metric"] == "top1"
    ]
    content["power"] = [
        dict(level=level, metric="top1", compared="configuration", n=32, groups=32, seeds=2)
        | dict(tests=tests, error=0.03, least=least, least_holm=0.123, note=None)
        for level, tests, least in (("image", 3, 0.1), ("image", 1, 0.2), ("frame", 1, 0.3))
    ]
    write_json(folder / "metrics.json", content)
    (tmp_path / "report.html").touch()
    show(tmp_path)
    told = capsys.readouterr().out
    assert "test image top1 of 32 images; coverage 98.0 %" in told
    assert re.search(r"0\.600 │ 0\.500 to 0\.700 │ +1 │ +beats 0\.125 │", told)
    assert re.search(r"0\.125 │ 0\.025 to 0\.225 │ +2-3 │ +collapsed 0\.125 │", told)
    assert "one class only" in told
    shown = "would be shown with 80 % power"
    assert f"a true difference of 0.100, 0.123 with Holm over 3 pairs {shown}\n" in told
    assert f"a true difference of 0.200 {shown}\n" in told
    assert "0.300" not in told
    row = dict(metric="top1", value=0.3, low=0.2, high=0.4, baseline=0.125, note=None)
    write_json(folder / "format.json", dict(metric="top1", above=True, rows=[row]))
    show(tmp_path)
    alone = "format alone, no pixel: 0.300, 0.200 to 0.400: it tells the labels"
    assert alone in capsys.readouterr().out
    assert f"report: {tmp_path}/report.html" in told


def test_case_37_the_table_shows_names_literally(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """rich takes brackets for styles, and stops at a closing one of nothing."""
    monkeypatch.setenv("COLUMNS", "160")
    content = metrics({"a": 0.6, "b": None}) | {"title": "[red]Mood[/] :smile: $x_ <script>"}
    for row in content["table"]:
        row |= {"note": "class [/happy] is absent", "backbone": "timm:[x]"}
    (tmp_path / "tasks/affectnet").mkdir(parents=True)
    write_json(tmp_path / "tasks/affectnet/metrics.json", content)
    show(tmp_path)
    told = capsys.readouterr().out
    assert "[red]Mood[/] :smile: $x_ <script>" in told
    assert "class [/happy] is absent" in told
    assert "timm:[x]" in told


def _results(folder: Path, *tasks: str) -> Path:
    """Results of the sample preset's grid, and of a backbone that was left out since."""
    loaded = params.load(ROOT / "presets/sample.yaml")
    for task in tasks:
        every = [run for run in loaded.runs() if run.task == task]
        made = [(run.backbone, grid.parse(run.configuration)) for run in every]
        rows = dict.fromkeys((backbone, str(own)) for backbone, own in made if own.shared == own)
        content = metrics({"x": 0.5}) | {"title": f"Title of {task}"}
        (row, _) = content["table"]
        named = [*rows, ("vit_gone", "MRGB/RLDP/CRGB")]
        content["table"] = [row | {"backbone": b, "configuration": c} for b, c in named]
        write_json(folder / f"results/tasks/{task}/metrics.json", content)
    return folder / "results"


def _params(folder: Path, *tasks: str) -> None:
    """The sample preset with these tasks alone, and nothing beside the grid."""
    values = yaml.safe_load((ROOT / "presets/sample.yaml").read_text())
    values["benchmark"]["tasks"] = [*tasks]
    preset.grid_alone(values["benchmark"])
    values["datasets"] = {name: values["datasets"][name] for name in tasks}
    values["slices"] |= {"lists": {}, "attributes": {}}
    (folder / "params.yaml").write_text(yaml.safe_dump(values))


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (
            ["celeba"],
            "also holds affectnet, ffpp, 1 more row of celeba, which params.yaml does not ask for",
        ),
        (["celeba", "affectnet"], "also holds ffpp, 1 more row of celeba, 1 more row of affectnet"),
    ],
)
def test_fault_a9_what_params_yaml_does_not_ask_for_is_named_not_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture, shown: list[str], said: str
) -> None:
    results = _results(tmp_path, "ffpp", "celeba", "affectnet")
    _params(tmp_path, *shown)
    show(results)
    told = capsys.readouterr().out
    tasks = ("ffpp", "celeba", "affectnet")
    assert [task for task in tasks if f"Title of {task}" in told] == shown
    assert "vit_gone" not in told
    assert "vit_micro" in told
    assert said in told
    assert f"lssat show --all --results {results}" in told
    assert "report: not made yet" in told
    show(results, everything=True)
    told = capsys.readouterr().out
    assert all(f"Title of {task}" in told for task in tasks)
    assert told.count("vit_gone") == 3
    assert "also holds" not in told


def test_fault_a9_what_is_asked_for_and_not_there_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    results = _results(tmp_path, "ffpp", "celeba")
    _params(tmp_path, "celeba", "affectnet")
    show(results)
    assert "no result yet: affectnet\n" in capsys.readouterr().out
    _params(tmp_path, "affectnet")
    with pytest.raises(DataError) as caught:
        show(results)
    assert str(caught.value) == (
        f"{results}: holds no result of affectnet, which params.yaml asks for. Run `snakemake "
        f"--cores 8`; `lssat show --all --results {results}` shows what lies there of celeba, ffpp."
    )
