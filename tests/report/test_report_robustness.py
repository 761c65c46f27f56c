"""The section on robustness: every number of the JSON in table, curves and CSV; the picture."""

import base64
import copy
import csv
import dataclasses
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from helpers import drawn_results as drawn
from helpers.robust import data, measure  # noqa: F401  # data is a fixture
from PIL import Image

from lssat import report, tables
from lssat.evaluation import perturb
from lssat.report.kit import pictures, results
from lssat.report.kit.results import Task
from lssat.report.sections import robustness
from lssat.tables import DataError

ONE = {"configurations": ("MRGB-RLDP-CRGB", "none-none-CRGB"), "backbones": ("vit_micro",)}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def task(root: Path) -> Task:
    return results.read_task("ffpp", drawn.draw(root, ("ffpp",), **ONE)["ffpp"])


@pytest.mark.slow
def test_drawn_results_have_the_keys_of_real_ones(data: Path, tmp_path: Path, task: Task) -> None:
    real = measure(data, tmp_path)
    assert set(real) == set(task.robustness)
    row, other = real["rows"][0], task.robustness["rows"][0]
    assert set(row) == set(other)
    for key in ("clean", "corrupted", "recoded"):
        assert set(row[key]) == set(other[key])
    for key in ("points", "kinds"):
        assert set(row[key][0]) == set(other[key][0])


def test_the_table_holds_clean_mean_drop_retained_and_each_kind(task: Task) -> None:
    made = robustness.table(task)
    found = task.robustness["rows"]
    assert len(made.rows) == len(found) == 2
    for cells, row in zip(made.rows, found, strict=True):
        hurt = row["corrupted"]
        wanted = [row["clean"]["mean"], hurt["mean"], hurt["drop"], hurt["retained"]]
        wanted += [row["recoded"]["mean"], 0.9]
        wanted += [kind["mean"] for kind in row["kinds"]] + [0.5, 1, 40]
        assert [cell.sort for cell in cells[2:-1]] == wanted
        assert cells[3].small == f"[{hurt['low']:.3f}, {hurt['high']:.3f}]"
        assert cells[4].small == "[0.100, 0.200]"
    assert len(made.columns) == len(made.rows[0])


def test_no_share_is_told_of_a_score_that_is_not_above_the_baseline(root: Path) -> None:
    """A quotient of what may be nothing: 500 % of it would survive."""
    task = results.read_task("ffpp", drawn.draw(root / "low", ("ffpp",), **ONE)["ffpp"])
    first, second = task.robustness["rows"]
    first["clean"] |= {"low": first["baseline"] - 0.01}
    made = robustness.table(task)
    labels = [column.label for column in made.columns]
    shares = [labels.index(name) for name in ("Retained", "Survives")]
    assert [made.rows[0][at].text for at in shares] == ["–", "–"]
    assert all(made.rows[1][at].sort is not None for at in shares)
    assert made.notes[0].endswith("so no share is given")
    assert second["backbone"] in robustness.survives(task)
    second["clean"] |= {"low": None}
    assert robustness.survives(task) == ""


def test_what_survives_re_encoding_is_a_line_of_the_best_row(task: Task) -> None:
    task = copy.deepcopy(task)
    rows = task.robustness["rows"]
    best = max(rows, key=lambda row: row["clean"]["mean"])
    had, left = (best[key]["mean"] - 0.5 for key in ("clean", "recoded"))
    assert robustness.survives(task) == (
        "After re-encoding all classes alike (all crops reduced to 0.75, enlarged, JPEG 75), "
        f"{left:.3f} of the {had:.3f} that {best['backbone']} · {best['configuration']} has above "
        "the trivial baseline survives: 90.0 % [80.0 %, 95.0 %]."
    )
    assert robustness.lead(task).endswith(robustness.survives(task))
    best["recoded"] |= {"survives_low": None, "survives_high": None, "survives_note": "too low"}
    assert robustness.survives(task).endswith("survives: 90.0 %.")
    assert any(note.endswith("survives: too low") for note in robustness.table(task).notes)


def test_what_is_undefined_is_a_dash_with_its_reason(task: Task) -> None:
    content = json.loads(json.dumps(task.robustness))
    hurt = content["rows"][1]["corrupted"]
    hurt |= {"mean": None, "low": None, "high": None, "drop": None, "drop_low": None}
    hurt |= {
        "drop_high": None,
        "retained": None,
        "retained_note": "clean is too low",
        "note": "why",
    }
    content["rows"][1]["points"][0]["mean"] = None
    broken = Task(**{**vars(task), "robustness": content})
    made = robustness.table(broken)
    assert [cell.text for cell in made.rows[1][3:6]] == ["–", "–", "–"]
    assert made.notes == [
        "vit_micro · none/none/CRGB: retained: clean is too low",
        "vit_micro · none/none/CRGB: why",
    ]
    first = robustness.curves(broken).plots[0].traces
    assert first[2].y[1] is None


def test_curves_have_a_panel_a_kind_and_a_line_a_configuration_on_one_scale(task: Task) -> None:
    figure = robustness.curves(task)
    assert [plot.title for plot in figure.plots] == [
        kind.title for kind in perturb.PERTURBATIONS.values()
    ]
    assert len({plot.y for plot in figure.plots}) == 1
    rows = task.robustness["rows"]
    for place, plot in enumerate(figure.plots):
        base, *lines = plot.traces
        assert base.y == [0.5, 0.5]
        for line, row in zip(lines, rows, strict=True):
            points = [row["clean"], *row["points"][5 * place : 5 * place + 5]]
            assert line.y == [point["mean"] for point in points]
            assert line.spans == [(point["low"], point["high"]) for point in points]
            assert [round(x) for x in line.x] == [0, 1, 2, 3, 4, 5]  # side by side
            assert all(plot.y.low < low < high < plot.y.high for low, high in line.spans)
            assert line.colour == task.configurations.index(row["configuration"])
    assert "strength 5 (quality: 7): " in figure.plots[-1].traces[1].hints[5]


def test_the_picture_shows_a_stored_crop_as_the_step_perturbs_it(task: Task) -> None:
    shown = robustness.strip([task])
    assert shown is not None
    file = io.BytesIO(base64.b64decode(shown.uri.split(",")[1]))
    image = np.asarray(Image.open(file).convert("RGB"))
    crop = np.load(task.files.faces[0][0])[:1]
    head = tables.read_table(task.files.faces[0][1], tables.FACES).to_pylist()[0]
    keys = perturb.keys_of([head["id"]], [head["frame"]])
    side = pictures.tile(crop[0]).shape[0]
    step = side + 3
    assert image.shape == (7 * step - 3, 6 * step - 3, 3)
    for row, name in enumerate(perturb.PERTURBATIONS):
        for column in (0, 2, 5):
            cut = image[row * step :, column * step :][:side, :side]
            made = perturb.perturb(crop, name, column, 0, keys)[0]
            gap = np.abs(cut.astype(int) - pictures.tile(made))
            assert gap.mean() < 20  # few colours
    assert "Grey blocks" in shown.alt


def test_page_and_csv_hold_the_numbers(root: Path, task: Task, tmp_path: Path) -> None:
    out = drawn.outputs(tmp_path)
    report.write(drawn.PARAMS, {"ffpp": task.files}, out)
    page = out["report"].read_text(encoding="utf-8")
    section = r'<section id="robustness">.*?(?=<section id="roc">)'
    part = re.search(section, page, re.DOTALL)[0]
    text = re.sub(r"<[^>]+>", " ", part)
    assert "60 of 720 crops of the test split" in text
    for row in task.robustness["rows"]:
        assert f"{row['corrupted']['mean']:.3f}" in text
    assert 'href="#robustness"' in page
    with open(out["robustness"], newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 2 * (2 + 35 + 7 + 1)
    point = task.robustness["rows"][0]["points"][7]
    alike = [r for r in rows if r["perturbation"] == "recoded"]
    ends = ("retained", "retained_low", "retained_high")
    assert [tuple(map(r.get, ends)) for r in alike] == [("0.9", "0.8", "0.95")] * 2
    found = next(r for r in rows if (r["perturbation"], r["strength"]) == ("contrast", "3"))
    assert float(found["mean"]) == point["mean"]
    assert (found["n"], found["baseline"], found["drop"]) == ("40", "0.5", "")
    last = next(r for r in rows if r["perturbation"] == "mean")
    assert float(last["drop"]) == 0.15


def test_robustness_of_other_runs_is_refused(task: Task, tmp_path: Path) -> None:
    content = json.loads(json.dumps(task.robustness))
    content["rows"][0]["runs"] = ["ffpp/vit_micro/gone/seed0"]
    tables.write_json(tmp_path / "r.json", content)
    files = dataclasses.replace(task.files, robustness=tmp_path / "r.json")
    with pytest.raises(
        DataError, match=r"r\.json: does not fit the runs of ffpp: ffpp/vit_micro/g"
    ):
        results.read_task("ffpp", files)
