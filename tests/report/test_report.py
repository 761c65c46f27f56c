import base64
import csv
import hashlib
import html
import io
import json
import math
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT
from helpers import drawn_results as drawn
from PIL import Image

from lssat import grid, report, tables
from lssat.evaluation import scores
from lssat.grid import releases
from lssat.params import Evaluate
from lssat.report import csvs, page
from lssat.report.kit import pictures, words
from lssat.report.kit import results as read
from lssat.report.sections import curves, headline, subsets

ONE = {"backbones": ("vit_micro",), "configurations": ("MRGB-RLDP-CRGB", "none-none-CRGB")}


class Text(HTMLParser):
    """The page as a reader sees it: its text, its attributes, its tags."""

    def __init__(self, source: str):
        super().__init__()
        self.parts: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self._skip = 0
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._skip += tag in ("script", "style")

    def handle_endtag(self, tag):
        self._skip -= tag in ("script", "style")

    def handle_data(self, data):
        if not self._skip:
            self.parts.append(data)

    @property
    def text(self):
        return " ".join(self.parts)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    root = tmp_path_factory.mktemp("whole")
    files = drawn.draw(root)
    report.write(drawn.PARAMS, files, drawn.outputs(root))
    return root, files


def write(root: Path, params: dict = drawn.PARAMS, **options) -> str:
    files = drawn.draw(root, **{"tasks": ("affectnet",), **ONE, **options})
    report.write(params, files, drawn.outputs(root))
    return drawn.outputs(root)["report"].read_text(encoding="utf-8")


def rows_of(path: Path) -> list[dict]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_page_is_one_file_below_15_mb_that_asks_for_nothing(whole):
    source = drawn.outputs(whole[0])["report"].read_text(encoding="utf-8")
    assert len(source) < 15e6
    for tag, attributes in Text(source).tags:
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), (tag, attributes)
    assert "default-src 'none'" in html.unescape(source)
    assert "url(" not in source.split("<style>")[1].split("</style>")[0]


def test_first_screen_holds_title_note_and_findings(whole):
    source = drawn.outputs(whole[0])["report"].read_text(encoding="utf-8")
    text = Text(source.split('<section id="results">')[0]).text
    text = re.sub(r"\s+", " ", text)
    for wanted in ("lssat on its built-in sample", "not science", "48", "a6f2230000", "vit_mini"):
        assert wanted in text
    for task, files in whole[1].items():
        metrics = json.loads(files.metrics.read_text())
        best = max(read.read_task(task, files).headline, key=lambda row: row["mean"])
        assert f"{best['mean']:.3f}" in text
        assert f"[{best['low']:.3f}, {best['high']:.3f}]" in text
        assert words.measure(metrics) in text.replace("Video", "video").replace("Image", "image")


def test_every_section_has_its_content(whole):
    page = Text(drawn.outputs(whole[0])["report"].read_text(encoding="utf-8"))
    ids = {attributes.get("id") for _, attributes in page.tags}
    for task in drawn.TASKS:
        for name in ("headline", "measures", "runs", "data"):
            assert f"{name}-{task}" in ids
        assert {f"roc-{task}-{n}" for n in range(1 + len(drawn.BACKBONES))} <= ids
        for backbone in drawn.BACKBONES:
            for panel in ("loss_cls", "val_loss_cls", "loss_rec"):
                assert f"train-{panel}-{task}-{backbone}" in ids
    images = [attributes["alt"] for tag, attributes in page.tags if tag == "img"]
    assert sum("reconstruction" in alt for alt in images) == 3 * 2 * 3
    assert sum("LDP, k = 3 image below" in alt for alt in images) == 3 * 8
    assert len([tag for tag in page.tags if tag[1].get("id", "").startswith("run-")]) == 48
    assert "snakemake --cores 1 -- " in page.text


def test_what_is_called_best_names_its_split(whole):
    """A word with one meaning: best on test, or on validation; an ideal value is no such claim."""
    text = Text(drawn.outputs(whole[0])["report"].read_text(encoding="utf-8")).text
    text = re.sub(r"\s+", " ", text)
    claims = [text[at.start() - 60 : at.end() + 60] for at in re.finditer(r"\b[Bb]est\b", text)]
    ideal = ("0 is best", "1 is the best", "the best score without", "best mean accuracy")
    none = "else is called best without its split"
    rest = [
        claim
        for claim in claims
        if not any(words in claim for words in (*ideal, none))
        and not re.search(r"[Bb]est( \S+){0,3} on (test|validation|this test split)", claim)
        and not re.search(r"on the test split|between the best and the worst", claim)
    ]
    assert len(claims) > 10
    assert rest == []


def test_the_guide_explains_every_section():
    guide = (ROOT / "docs/read-the-report.md").read_text()
    part = guide.split("## The sections\n")[1].split("\n## ")[0]
    rows = [line for line in part.splitlines() if line.startswith("|")][2:]
    named = {name for row in rows for name in row.split("|")[1].split(", ")}
    assert {name.strip() for name in named} == {
        s.name for part in page.PARTS.values() for s in part
    }


def test_links_lead_to_rows_that_exist(whole):
    page = Text(drawn.outputs(whole[0])["report"].read_text(encoding="utf-8"))
    ids = {attributes.get("id") for _, attributes in page.tags}
    links = [a["href"] for tag, a in page.tags if tag == "a"]
    assert len(links) > 48
    assert not [link for link in links if link[1:] not in ids]


def test_ids_are_unique(whole):
    page = Text(drawn.outputs(whole[0])["report"].read_text(encoding="utf-8"))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_csv_and_json_hold_the_numbers_of_the_metrics(whole):
    root, files = whole
    everything = rows_of(drawn.outputs(root)["table"])
    table = [row for row in everything if row["runs"]]
    flat = json.loads(drawn.outputs(root)["metrics"].read_text())
    wanted = [(t, r) for t, f in files.items() for r in json.loads(f.metrics.read_text())["table"]]
    assert len(table) == len(wanted)
    for cells, (task, row) in zip(table, wanted, strict=True):
        assert (cells["task"], cells["configuration"]) == (task, row["configuration"])
        assert [float(cells[k]) for k in ("mean", "low", "high")] == [
            row["mean"], row["low"], row["high"]
        ]  # fmt: skip
        assert cells["values"] == ";".join(map(str, row["values"]))
    heads = [row for row in table if row["headline"] == "True"]
    assert len(heads) == 24
    for task, each in files.items():  # a baseline, not a run: the format of the files alone
        mine = [row for row in everything if row["task"] == task and not row["runs"]]
        probed = json.loads(each.format.read_text())
        assert [row["metric"] for row in mine] == [row["metric"] for row in probed["rows"]]
        assert {row["backbone"] for row in mine} == {"format alone, no pixel"}
        (head,) = (row for row in mine if row["headline"] == "True")
        assert (head["metric"], head["beats_baseline"]) == (probed["metric"], "False")
        assert (head["mean"], head["low"], head["n"]) == ("0.52", "0.41", "80")
    assert {float(row["mean"]) for row in heads} <= set(flat.values())


def test_runs_csv_has_a_row_for_each_run(whole):
    root, files = whole
    rows = {row["run"]: row for row in rows_of(drawn.outputs(root)["runs"])}
    assert set(rows) == {run for each in files.values() for run in each.runs}
    metrics = json.loads(files["ffpp"].metrics.read_text())["runs"][3]
    row = rows[metrics["run"]]
    assert float(row["video/auc"]) == metrics["metrics"]["video/auc"]
    assert row["image/top1"] == ""
    assert (row["mlflow_run"], row["data_train"]) == (row["run"].split("/", 1)[1], "1" * 64)


@pytest.mark.slow
def test_same_inputs_give_the_same_bytes(tmp_path, monkeypatch):
    """A second process, with another hash seed, in another folder."""
    code = (
        "from pathlib import Path; from helpers import drawn_results as d; "
        "from lssat import report; "
        "files = d.draw(Path('.'), ('ffpp',), ('vit_micro',), d.CONFIGURATIONS[1:]); "
        "report.write(d.PARAMS, files, d.outputs(Path('.')))"
    )
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    files = drawn.draw(Path("."), ("ffpp",), ("vit_micro",), drawn.CONFIGURATIONS[1:])
    report.write(drawn.PARAMS, files, drawn.outputs(Path(".")))
    path = os.pathsep.join(map(str, (ROOT / "tests", ROOT)))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "7"}
    there = tmp_path / "there"
    subprocess.run([sys.executable, "-c", code], cwd=there, env=environment, check=True)
    for written in drawn.outputs(Path(".")).values():
        assert written.read_bytes() == (there / written).read_bytes(), written


@pytest.mark.slow
def test_rows_of_a_sweep_are_no_configurations_of_the_grid(tmp_path):
    swept = "MRGB-RLDP-CRGB-lambda0.1"
    files = drawn.draw(tmp_path, ("affectnet",), configurations=(*drawn.CONFIGURATIONS, swept))
    task = read.read_task("affectnet", files["affectnet"])
    grid_only = {str(grid.parse(name)) for name in drawn.CONFIGURATIONS}
    assert set(task.configurations) == {row["configuration"] for row in task.headline} == grid_only
    report.write(drawn.PARAMS, files, drawn.outputs(tmp_path))
    rows = rows_of(drawn.outputs(tmp_path)["table"])
    assert {row["swept"] for row in rows if row["configuration"] in grid_only} == {"False"}
    assert {r["configuration"] for r in rows if r["swept"] == "True"} == {
        "MRGB/RLDP/CRGB/lambda0.1"
    }
    assert any(swept in row["run"] for row in rows_of(drawn.outputs(tmp_path)["runs"]))


@pytest.mark.slow
def test_what_is_not_configured_is_said_in_words(tmp_path):
    source = write(tmp_path, texture=False, configurations=("none-none-CRGB",), rejects=0)
    text = Text(source).text
    assert "No configuration uses a texture" in text
    absent = text.split("and so not here: ")[1].split("Made by")[0]
    for name in (
        "Reconstructions",
        "Rejects",
        "Lambda sweep (a lambda in benchmark.variants of params.yaml)",
    ):
        assert name in absent
    ids = {attributes.get("id") for _, attributes in Text(source).tags}
    assert not {"reconstruction", "rejects", "sweep", "cross"} & ids


@pytest.mark.slow
def test_undefined_numbers_are_dashes_with_their_note(tmp_path):
    files = drawn.draw(tmp_path, ("affectnet",), **ONE)
    path = files["affectnet"].metrics
    metrics = json.loads(path.read_text())
    for row in metrics["table"]:
        row |= {"mean": None, "low": None, "high": None, "values": [None, None]}
        row |= {"note": "all 96 labels are 0", "beats_baseline": False}
    for curve in metrics["roc"]:
        curve |= {"fpr": [], "tpr": [], "auc": None}
    tables.write_json(path, metrics)
    report.write(drawn.PARAMS, files, drawn.outputs(tmp_path))
    text = Text(drawn.outputs(tmp_path)["report"].read_text()).text
    assert "undefined in every row" in text
    assert "all 96 labels are 0" in text
    assert not re.search(r"\b(nan|None|inf)\b", text)
    assert rows_of(drawn.outputs(tmp_path)["table"])[0]["mean"] == ""


@pytest.mark.slow
def test_fixture_speaks_the_language_of_scores(tmp_path):
    """Real metrics of a small task make the page too, and have the keys of the drawn ones."""
    grid_of = {**ONE, "backbones": drawn.BACKBONES}
    files = drawn.draw(tmp_path, ("ffpp",), **grid_of)["ffpp"]
    mine = tables.read_json(files.metrics)
    rng = np.random.default_rng(0)
    rows = [
        dict(run=run, id=f"{subset}/c23/{n:03}", frame=frame, clip=-1, group=f"{n}", subset=subset,
             level="frame", split="test", labels=[int(subset != "original")],
             logits=[float(rng.normal(subset != "original"))])
        for run in files.runs for subset in ("original", "Deepfakes")
        for n in range(8) for frame in range(2)
    ]  # fmt: skip
    tables.write_table(files.predictions, rows, tables.PREDICTIONS)
    table = tables.read_table(files.predictions, tables.PREDICTIONS)
    options = Evaluate(resamples=100, confidence=0.95, seed=0, batch_size=8)
    found = scores.summarise(table, releases.TASKS["ffpp"], np.array([[0], [1], [1]]), 1.0, options)
    found["coverage_present"] = 1.0  # by `lssat evaluate`
    assert set(found) == set(mine)
    parts = ("runs", "table", "subsets", "roc", "comparisons", "backbones", "ranks")
    for name in parts:
        assert set(found[name][0]) == set(mine[name][0]), name
    for name in ("comparisons", "backbones"):
        for arm in "ab":
            assert set(found[name][0][arm]) == set(mine[name][0][arm]), name
    tables.write_json(files.metrics, found)
    report.write(drawn.PARAMS, {"ffpp": files}, drawn.outputs(tmp_path))
    assert "Deepfakes n = 16" in drawn.outputs(tmp_path)["report"].read_text()


def row(name: str, low: float | None, mean: float | None, high: float | None, **more) -> dict:
    base = {"backbone": name, "configuration": "none/none/CRGB", "metric": "auc"}
    base |= {"low": low, "mean": mean, "high": high, "baseline": 0.5}
    beats = low is not None and low > 0.5
    return {**base, "beats_baseline": beats, "collapsed": False, "seeds": [0, 1, 2], **more}


def said(rows: list[dict], *top: bool) -> str:
    """Say what the card of a task says, given which rows may be the first."""
    return " ".join(words.headline({"ranks": [{"top": each} for each in top]}, rows))


GOOD, BAD, NONE = row("a", 0.6, 0.7, 0.8), row("b", 0.4, 0.5, 0.6), row("c", None, None, None)


@pytest.mark.parametrize(
    ("rows", "top", "wanted"),
    [
        ([GOOD] * 3, [True] * 3, "All 3 rows are shown to beat the trivial baseline, 0.500."),
        ([GOOD, GOOD, BAD], [True, False, False],
         "2 of 3 rows are shown to beat the trivial baseline, 0.500."),
        ([GOOD, BAD], [True, False], "1 of 2 rows is shown to beat the trivial baseline, 0.500."),
        ([BAD, BAD, BAD], [True, True, False],
         "None of the 3 rows is shown to beat the trivial baseline, 0.500."),
        ([GOOD], [True], "The row is shown to beat the trivial baseline, 0.500."),
        ([BAD], [True], "The row is not shown to beat the trivial baseline, 0.500."),
        ([GOOD, GOOD, NONE], [True, False],
         "All 2 rows are shown to beat the trivial baseline, 0.500."),
        ([NONE], [], "It is undefined in every row; the notes below the table say why."),
        ([row("a", None, 0.7, None)], [True],
         "Nothing can be held against the trivial baseline: there is no interval."),
        ([GOOD, BAD, row("a", None, 0.7, None)], [True, True, True],
         "1 of 2 rows with an interval is shown to beat the trivial baseline, 0.500."),
        ([GOOD | {"collapsed": True}, GOOD], [True, True], "All 2 rows are shown to beat the "
         "trivial baseline, 0.500. 1 of 2 rows is flagged as collapsed."),
    ],
)  # fmt: skip
def test_findings_claim_no_more_than_the_tests_over_all_rows(rows, top, wanted):
    assert said(rows, *top) == wanted


def test_fault_c3_what_a_card_claims_with_few_seeds_is_about_these_trained_models():
    for seeds, about in (
        ([0], "With 1 seed this is about these trained models."),
        ([0, 1], "With 2 seeds this is about these trained models."),
        ([0, 1, 2], ""),
    ):
        few = {"seeds": seeds}
        for rows, top in (([GOOD | few] * 2, [True] * 2), ([BAD | few] * 2, [True, False])):
            found = said(rows, *top)
            assert (about in found) if about else "trained models" not in found
        assert "trained models" not in said([BAD | few] * 2, True, True)  # nothing is claimed


def test_numbers_have_the_same_decimals_and_a_real_minus():
    assert [words.number(v) for v in (0.5, -0.25, None, 1234, True)] == [
        "0.500", "−0.250", "–", "1,234", "yes"
    ]  # fmt: skip


def test_only_full_coverage_reads_100_percent():
    assert words.percent(1.0) == "100 %"
    assert words.percent(0.99999) == "99.9 %"
    assert words.percent(0.9875) == "98.8 %"


def test_bar_places_the_interval_on_the_scale_of_the_table():
    rows = [row("a", 0.6, 0.7, 0.9), row("b", 0.5, 0.6, 0.7)]
    low, high = headline._scale(rows)
    bar = headline._bar(rows[0], (low, high))
    for value, place in ((0.6, bar.low), (0.7, bar.mean), (0.9, bar.high), (0.5, bar.baseline)):
        assert math.isclose(place, 100 * (value - low) / (high - low), abs_tol=0.01)
    assert low < 0.5 < 0.9 < high


def test_baseline_of_zero_is_drawn():
    assert headline._bar(row("a", 0.1, 0.2, 0.3) | {"baseline": 0.0}, (-0.1, 0.4)).baseline == 20


def test_mask_greys_the_removed_patches_only():
    images = np.full((2, 4, 4, 3), 7, np.uint8)
    mask = np.array([[0, 1, 0, 0], [1, 1, 1, 1]])
    shown = pictures.masked(images, mask)
    assert (shown[0, :2, 2:] == pictures.REMOVED).all()
    assert (shown[0, 2:] == 7).all()
    assert (shown[0, :2, :2] == 7).all()
    assert (shown[1] == pictures.REMOVED).all()


def test_code_images_are_thinned_not_averaged():
    codes = np.random.default_rng(0).choice([7, 224], (224, 224)).astype(np.uint8)
    assert set(np.unique(pictures.tile(codes, code=True))) == {7, 224}
    assert len(np.unique(pictures.tile(codes))) > 2
    small = codes[: pictures.TILE, : pictures.TILE]
    assert (pictures.tile(small) == small).all()


def test_pictures_are_lossless_png():
    image = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    made = pictures.picture(image, "noise")
    decoded = Image.open(io.BytesIO(base64.b64decode(made.uri.split(",")[1])))
    assert (np.asarray(decoded) == image).all()
    assert (made.width, made.height) == (6, 5)


def test_figures_hold_the_curves_and_the_legend_the_interval(whole):
    task = read.read_task("ffpp", whole[1]["ffpp"])
    figure = curves.roc(task)
    best = figure.plots[0]
    assert figure.groups == ["best on test of each backbone", *drawn.BACKBONES]
    assert [len(plot.traces) for plot in figure.plots] == [1 + 2, 1 + 4, 1 + 4]
    top = next(row for row in task.best_first if row["backbone"] == drawn.BACKBONES[0])
    assert best.keys[0].label == f"{top['backbone']} · {top['configuration']}"
    assert best.keys[0].value == f"AUC {top['mean']:.3f} [{top['low']:.3f}, {top['high']:.3f}]"
    mine = [c for c in task.metrics["roc"] if c["run"] in top["runs"]]
    mean = np.mean([np.interp(0.3, c["fpr"], c["tpr"]) for c in mine])
    assert math.isclose(best.traces[1].y[30], mean)
    training = curves.training(task)
    lines = {len(plot.traces) for plot in training.plots}
    assert lines <= {4, 3}  # a line a configuration; supervised ones have no auxiliary loss
    assert len({(plot.title, plot.y) for plot in training.plots}) == len(training.plots) / 2


@pytest.mark.slow
def test_importing_the_report_is_light():
    code = "import lssat.report, sys; assert not {'torch', 'jinja2'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_a_shard_that_is_not_what_its_table_says_stops_the_report(tmp_path):
    files = drawn.draw(tmp_path, ("affectnet",), **ONE)
    shard = files["affectnet"].texture[0][0]
    shard.write_bytes(shard.read_bytes()[:-1] + b"\x01")
    with pytest.raises(tables.DataError, match="Remove it and run `snakemake"):
        report.write(drawn.PARAMS, files, drawn.outputs(tmp_path))
    assert not drawn.outputs(tmp_path)["report"].exists()


@pytest.mark.slow
def test_texture_of_other_rows_stops_the_report(tmp_path):
    files = drawn.draw(tmp_path, ("affectnet",), **ONE)["affectnet"]
    files.texture.reverse()
    with pytest.raises(tables.DataError, match="holds codes of other crops"):
        report.write(drawn.PARAMS, {"affectnet": files}, drawn.outputs(tmp_path))


def test_metrics_of_other_runs_stop_the_report(tmp_path):
    files = drawn.draw(tmp_path, ("affectnet",), **ONE)
    gone = files["affectnet"].runs.popitem()[0]
    with pytest.raises(tables.DataError, match=gone):
        report.write(drawn.PARAMS, files, drawn.outputs(tmp_path))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("epoch,loss_cls\n1,2\n", "lacks the column"), ("", "lacks the column"), (None, "not exist")],
)
def test_damaged_curve_is_named(tmp_path, text, wanted):
    path = tmp_path / "curve.csv"
    if text is not None:
        path.write_text(text)
    record = {"curve_sha256": hashlib.sha256((text or "").encode()).hexdigest()}
    with pytest.raises(tables.DataError, match=wanted):
        read.read_curve(path, record)


def test_curve_cells_are_numbers(tmp_path):
    path = tmp_path / "curve.csv"
    path.write_text("epoch,loss_cls,loss_rec,val_loss_cls\n0,1.5,,x\n")
    with pytest.raises(tables.DataError, match="no number"):
        read.read_curve(path, {"curve_sha256": tables.sha256(path)})


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1"])
def test_text_that_a_spreadsheet_would_run_is_neutralised(value):
    assert csvs.safe(value) == f"'{value}"


@pytest.mark.parametrize("value", ["a=1", "$x_", "", -1.5, 3, None, True])
def test_other_cells_stay_as_they_are(value):
    assert csvs.safe(value) is value


def test_collapsed_rows_are_flagged_in_every_table_of_results(whole):
    task = read.read_task("ffpp", whole[1]["ffpp"])
    by_subset = [table for _, table in subsets.chooser(task).tables]
    for table in (headline.headline(task), headline.measures(task), *by_subset):
        assert {len(row) for row in [*table.rows, table.foot] if row} == {len(table.columns)}
        flagged = [row for row in table.rows if any(cell.flag == "bad" for cell in row)]
        assert [[cell.text for cell in row[:2]] for row in flagged] == [
            ["vit_micro", "MLDP/RRGB/CRGB"]
        ]
    assert headline.measures(task).notes == []  # why it collapsed stands below the headline


def test_a_note_is_said_once_with_its_metrics():
    rows = [
        {"level": "video", "metric": name, "note": "all labels are 0; collapsed: seed 1"}
        for name in ("auc", "ap")
    ]
    assert headline.noted(rows * 2) == ["video AUC and video AP: all labels are 0"]


def test_every_figure_says_how_much_stands_behind_it(whole) -> None:
    source = drawn.outputs(whole[0])["report"].read_text(encoding="utf-8")
    figures = re.findall(r'<figure class="plots">.*?</figure>', source, re.DOTALL)
    assert len(figures) > 15
    lacking = [re.search("<h4>(.*?)</h4>", figure)[1] for figure in figures
               if not re.search(r'<p class="note">[^<]*n = \d', figure)]  # fmt: skip
    assert lacking == []
