"""Progress lines and the headline table for the terminal."""

from pathlib import Path

import pytest

from lssat.orchestrate import run as orchestrate
from lssat.show import headline, show
from lssat.tables import write_json

LINES = """
[Sun Nov 22 12:00:00 2026]
Finished jobid: 5 (Rule: train)
6 of 12 steps (50%) done
Error in rule evaluate:
    message: None
"""


def test_progress_says_how_many_of_how_many_and_the_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    now = iter([100.0, 190.0])
    monkeypatch.setattr(orchestrate.time, "monotonic", lambda: next(now))
    progress = orchestrate.Progress()
    for line in LINES.splitlines(keepends=True):
        progress.read(line)
    assert capsys.readouterr().out == "[ 6 of 12] train    1:30 spent, about 1:30 left\n"
    assert progress.done == 6
    assert LINES[progress.trouble :].startswith("Error in rule evaluate:")


def metrics(values: dict[str, float | None]) -> dict:
    rows = [
        dict(
            backbone="vit_micro", configuration=name, level="image", metric="top1", mean=value,
            low=value and value - 0.1, high=value and value + 0.1, baseline=0.125,
            beats_baseline=bool(value and value > 0.3), collapsed=value == 0.125,
            note=None if value else "one class only", swept=False,
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
    write_json(folder / "metrics.json", metrics({"a": 0.6, "b": 0.125, "c": None}))
    show(tmp_path)
    told = capsys.readouterr().out
    assert "test image top1 of 32 images; coverage 98.0 %" in told
    assert "0.600 │ 0.500 to 0.700 │    0.125 │       beats it" in told
    assert "0.125 │ 0.025 to 0.225 │    0.125 │      collapsed" in told
    assert "one class only" in told
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
