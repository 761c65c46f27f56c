"""`lssat verify`: what is equal, within tolerance, off and missing; how tolerances are measured."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT
from helpers.preset import LOADED, change

from lssat import tables
from lssat.tables import DataError
from lssat.use import verify

PARAMS = ROOT / "params.yaml"
RUNS = [f"ffpp/vit_micro/MRGB-RLDP-CRGB/seed{seed}" for seed in (0, 1)]


def plain(file: Path) -> dict:
    return tables.read_json(file, sealed=False)


def results(folder: Path, auc: tuple[float | None, float | None] = (0.9, 0.8), **facts) -> Path:
    """Two runs of one task, forty videos of two frames."""
    whole = dict(
        kind="binary", metric="auc", level="video", classes=["real", "fake"], groups=10,
        coverage=1.0, n={"frame": 80, "video": 40},
        runs=[
            {"run": run, "metrics": {"video/auc": value, "frame/auc": 0.7}, "seed": 0,
             "backbone": "x", "configuration": "x", "notes": {}, "collapsed": False}
            for run, value in zip(RUNS, auc, strict=True)
        ],
    )  # fmt: skip
    tables.write_json(folder / "tasks/ffpp/metrics.json", whole | facts)
    return folder


def expected(tmp_path: Path) -> Path:
    """Made from the results above and others whose AUC differs by 0.03 and 0.01."""
    file = tmp_path / "expected/e.json"
    others = [results(tmp_path / "other", (0.93, 0.8)), results(tmp_path / "third", (0.9, 0.79))]
    verify.write(file, results(tmp_path / "results"), PARAMS, others, "Drawn.")
    return file


def findings(file: Path, folder: Path) -> dict[tuple[str, str], str]:
    wanted = plain(file)
    found = verify.compare(wanted, verify.expected_of(folder, PARAMS), file)
    return {(each.run, each.name): each.status for each in found if each.status != "equal"}


def test_a_tolerance_is_twice_the_largest_gap_and_never_less_than_one_sample(
    tmp_path: Path,
) -> None:
    told = plain(expected(tmp_path))
    values = told["tolerance"]["values"]["ffpp"]
    assert values == {"video/auc": pytest.approx(0.06), "frame/auc": pytest.approx(1 / 80)}
    assert "between 3 computations of the same parameters" in told["tolerance"]["reason"]
    assert told["tolerance"]["reason"].endswith("Drawn.")
    assert told["environment"]["torch"]
    assert told["params"]["train.epochs"] == 8


@pytest.mark.parametrize(
    ("auc", "facts", "wanted"),
    [
        ((0.9, 0.8), {}, {}),
        ((0.95, 0.8), {}, {(RUNS[0], "video/auc"): "within"}),
        ((0.97, 0.8), {}, {(RUNS[0], "video/auc"): "off"}),
        ((0.83, 0.8), {}, {(RUNS[0], "video/auc"): "off"}),
        ((None, 0.8), {}, {(RUNS[0], "video/auc"): "off"}),
        ((0.9, 0.8), {"n": {"frame": 80, "video": 39}}, {("", "n"): "off"}),
        ((0.9, 0.8), {"runs": []}, {(run, "run"): "missing" for run in RUNS}),
    ],
)
def test_each_number_is_equal_within_its_tolerance_off_or_missing(
    tmp_path: Path, auc: tuple, facts: dict, wanted: dict
) -> None:
    folder = results(tmp_path / "again", auc, **facts)
    assert findings(expected(tmp_path), folder) == wanted


def test_a_task_that_is_missing_fails_and_one_that_is_new_is_told(tmp_path: Path) -> None:
    file, folder = expected(tmp_path), results(tmp_path / "again")
    whole = plain(file)
    whole["tasks"]["celeba"] = copy.deepcopy(whole["tasks"]["ffpp"])
    found = verify.compare(whole, verify.expected_of(folder, PARAMS), file)
    assert [(e.task, e.status) for e in found if e.status != "equal"] == [("celeba", "missing")]
    assert verify.failed(found)
    more = verify.expected_of(folder, PARAMS)
    more["tasks"]["celeba"] = more["tasks"]["ffpp"]
    found = verify.compare(plain(file), more, file)
    assert [(e.task, e.status) for e in found if e.status != "equal"] == [("celeba", "extra")]
    assert not verify.failed(found)


def test_results_of_other_parameters_are_refused(tmp_path: Path) -> None:
    file, folder = expected(tmp_path), results(tmp_path / "again")
    changed = tmp_path / "params.yaml"
    changed.write_text(PARAMS.read_text().replace(*change("epochs", 99)))
    with pytest.raises(
        DataError, match=rf"other parameters: train\.epochs 99, expected {LOADED.train.epochs}"
    ):
        verify.compare(plain(file), verify.expected_of(folder, changed), file)
    report = tmp_path / "report.yaml"  # what decides no number may differ
    report.write_text(PARAMS.read_text().replace("title: null", "title: my"))
    assert report.read_text() != PARAMS.read_text()
    verify.compare(plain(file), verify.expected_of(folder, report), file)


def test_a_file_is_written_anew_with_the_tolerances_that_it_had(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="so no tolerance is known"):
        verify.write(tmp_path / "none.json", results(tmp_path / "results"), PARAMS, [], None)
    file = expected(tmp_path)
    before = plain(file)
    verify.write(file, results(tmp_path / "results", (0.5, 0.5)), PARAMS, [], None)
    after = plain(file)
    assert after["tolerance"] == before["tolerance"]
    assert after["tasks"]["ffpp"]["runs"][RUNS[0]]["video/auc"] == 0.5
    with pytest.raises(DataError, match="how the other results were computed"):
        verify.write(file, tmp_path / "results", PARAMS, [tmp_path / "other"], None)


@pytest.mark.slow
def test_the_command_prints_a_table_and_fails_where_a_number_is_off(tmp_path: Path) -> None:
    file, folder = expected(tmp_path), results(tmp_path / "again", (0.97, 0.79))
    command = [sys.executable, "-X", "importtime", "-m", "lssat", "verify"]
    command += ["--params", f"{PARAMS}", "--expected", f"{file}"]

    def told(name: str, *more: str) -> subprocess.CompletedProcess:
        words = [*command, "--results", f"{tmp_path}/{name}", *more]
        return subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)

    done = told(folder.name, "--json", f"{tmp_path}/told.json")
    assert done.returncode == 1
    assert f"off: {RUNS[0]} video/auc is 0.97, expected 0.9, tolerance 0.06" in done.stdout
    assert "NOT as expected: " in done.stdout
    assert "| torch" not in done.stderr  # importtime's lines
    assert json.loads((tmp_path / "told.json").read_text())["as_expected"] is False
    done = told("results")
    assert (done.returncode, "\nas expected: " in done.stdout) == (0, True)


def test_the_committed_file_is_of_the_committed_sample() -> None:
    """Other parameters of the sample call for `lssat verify --write` (docs/use-the-results.md)."""
    told = plain(ROOT / "expected/sample.json")
    found = verify.parameters(ROOT / "presets/sample.yaml")
    assert told["params"] == found
