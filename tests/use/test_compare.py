"""`lssat compare`: the evaluation's tests on common samples, where runs differ, and the page."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import axe, chromium
from helpers.scored import deepfake_rows, image_rows
from helpers.scored import summarise as summarised
from scipy.stats import binomtest
from sklearn.metrics import balanced_accuracy_score, recall_score, roc_auc_score

from lssat import metrics, tables
from lssat.tables import PREDICTIONS, DataError
from lssat.use import compare
from lssat.use.compare import figures, page, terminal

A = "ffpp/vit_micro/MRGB-RLDP-CRGB/seed0"
B = "ffpp/vit_micro/none-none-CRGB/seed0"
EPOCHS = "epoch,loss_cls,loss_rec,val_loss_cls,val_loss_rec,val_auc,lr\n0,0.7,1.0,0.7,1.0,0.6,0.1\n"


def project(root: Path, rows: dict[str, list[dict]], task: str = "ffpp", **record) -> Path:
    """Runs, predictions and metrics of a project, as far as a comparison reads them."""
    outputs = len(next(iter(rows.values()))[0]["logits"])
    train = np.array([[1, 0, 1], [0, 1, 0]]) if task == "celeba" else None
    facts = summarised([row for each in rows.values() for row in each], task, train)
    facts["classes"] = facts["classes"][: max(2, outputs)]
    weights = {}
    for number, run in enumerate(rows):
        weights[run] = f"{number}" * 64
        _, backbone, slug, seed = run.split("/")
        about = dict(
            run=run, task=task, backbone=backbone, configuration=slug.replace("-", "/"),
            seed=int(seed[4:]), weights_sha256=weights[run], select_metric="val_auc",
            best_value=0.6, best_epoch=0, epochs=1, device="cpu", devices=1,
            params={"train": {"lr": 0.1 + number}}, environment={"torch": "2"},
            git={"revision": "abc", "dirty": False}, data={"train": "f"}, crops={"size": 40},
        )  # fmt: skip
        folder = root / "runs" / run
        curve = tables.write_text(folder / "curve.csv", EPOCHS)
        tables.write_json(folder / "record.json", about | record | {"curve_sha256": curve})
    out = root / "results/tasks" / task
    tables.write_table(
        out / "predictions.parquet", [r for each in rows.values() for r in each], PREDICTIONS
    )
    tables.write_json(out / "metrics.json", facts | {"weights": weights})
    return root


def two(signal: float = 0.4) -> dict[str, list[dict]]:
    """A sees the fakes, B sees less of them; the noise of each is its own."""
    rows = {A: deepfake_rows([A], 20, 2.5), B: deepfake_rows([B], 20, signal)}
    rng = np.random.default_rng(1)
    for row in rows[B]:
        row["logits"] = [row["logits"][0] + rng.normal()]
    return rows


def compared(root: Path, a: str = A, b: str = B, other: Path | None = None) -> tuple:
    one = compare.read("A", root / "runs" / a, Path("runs"), None, None)
    second = compare.read("B", (other or root) / "runs" / b, Path("runs"), None, None)
    levels, counts = compare.together(one, second)
    return one, second, levels, compare.compare(one, second, levels, counts)


def test_the_test_is_the_evaluations_own_and_auc_is_scikit_learns(tmp_path: Path) -> None:
    rows = two()
    root = project(tmp_path, rows)
    *_, found = compared(root)
    metrics = tables.read_json(root / "results/tasks/ffpp/metrics.json")
    (stored,) = metrics["comparisons"]
    for key in ("difference", "low", "high", "p", "effect", "groups"):
        assert found["test"][key] == pytest.approx(stored[key]), key
    assert max(found["test"]["p_delong"], found["test"]["p"]) < 0.001
    aucs = []
    for each in rows.values():
        videos: dict[str, list[float]] = {}
        for row in each:
            videos.setdefault(row["id"], []).append(1 / (1 + np.exp(-row["logits"][0])))
        truth = [int(not id.startswith("original")) for id in videos]
        aucs.append(roc_auc_score(truth, [np.mean(values) for values in videos.values()]))
    (auc,) = [r for r in found["metrics"] if (r["level"], r["metric"]) == ("video", "auc")]
    assert (auc["a"], auc["b"]) == (pytest.approx(aucs[0]), pytest.approx(aucs[1]))
    assert found["test"]["difference"] == pytest.approx(aucs[0] - aucs[1])
    # as the table of subsets, and their difference lies within its interval
    stored = [r for r in metrics["subsets"] if (r["metric"], r["level"]) == ("auc", "video")]
    for row in found["subsets"]:
        means = [each["mean"] for each in stored if each["subset"] == row["name"]]
        assert [row["a"], row["b"]] == [pytest.approx(value) for value in means]
        assert row["low"] <= row["difference"] <= row["high"]


def test_who_is_right_is_counted_and_disagreements_begin_where_one_alone_is(tmp_path: Path) -> None:
    rows = two()
    *_, found = compared(project(tmp_path, rows))
    scores = {}
    for run, each in rows.items():
        for row in each:
            place = scores.setdefault(row["id"], {}).setdefault(run, [])
            place.append(1 / (1 + np.exp(-row["logits"][0])))
    means = {id: [np.mean(runs[A]), np.mean(runs[B])] for id, runs in scores.items()}
    right = {
        id: tuple((mean >= 0.5) == (not id.startswith("original")) for mean in pair)
        for id, pair in means.items()
    }
    kinds = {"both": (1, 1), "only_a": (1, 0), "only_b": (0, 1), "neither": (0, 0)}
    for row in found["agreement"]:
        prefix = {"all": "", "subset": row["name"], "class": None}[row["by"]]
        if prefix is not None:
            mine = [pair for id, pair in right.items() if id.startswith(prefix)]
            assert {k: row[k] for k in kinds} == {k: mine.count(v) for k, v in kinds.items()}
    assert [row["name"] for row in found["agreement"] if row["by"] == "class"] == ["real", "fake"]
    widest = sorted(
        means, key=lambda id: (right[id][0] == right[id][1], -abs(means[id][0] - means[id][1]))
    )
    assert right[widest[0]][0] != right[widest[0]][1]
    names = {(1, 1): "both", (1, 0): "only A", (0, 1): "only B", (0, 0): "none"}
    told = {row["id"]: row["right"] for row in found["disagreements"]}
    assert told == {id: names[right[id]] for id in widest[:20]}
    assert [row["id"] for row in found["disagreements"]] == widest[:20]
    first = found["disagreements"][0]
    assert [first["a"], first["b"]] == [pytest.approx(value) for value in means[widest[0]]]


def test_scores_of_disagreements_are_calibrated_and_metrics_are_not(tmp_path: Path) -> None:
    root = project(tmp_path, two())
    *_, before = compared(root)
    file = root / "results/tasks/ffpp/metrics.json"
    content = tables.read_json(file)
    calibration = {"level": "video", "note": None, "temperature": 4.0, "scaled": None}
    calibration |= {"ece": 0.1, "ece_if_calibrated": 0.1, "brier": 0.1}
    calibration["bins"] = {"confidence": [], "frequency": [], "count": []}
    for run in content["runs"]:
        run["calibration"] = calibration if run["run"] == A else run.get("calibration")
    tables.write_json(file, content)
    *_, after = compared(root)
    assert after["metrics"] == before["metrics"]
    assert after["agreement"] == before["agreement"]
    logits: dict[str, list[float]] = {}
    for row in two()[A]:
        logits.setdefault(row["id"], []).append(row["logits"][0])
    plain = {row["id"]: row["b"] for row in before["disagreements"]}
    for row in after["disagreements"]:
        expected = np.mean([1 / (1 + np.exp(-value / 4)) for value in logits[row["id"]]])
        assert row["a"] == pytest.approx(expected, abs=1e-6)
        assert row["b"] == plain.get(row["id"], row["b"])


def test_only_common_samples_count_and_others_are_told(tmp_path: Path) -> None:
    rows = two()
    here = project(tmp_path / "here", {A: rows[A]})
    short = [row for row in rows[B] if not row["id"].startswith("FaceSwap")]
    extra = [{**row, "id": f"{row['id']}x"} for row in short[:6]]
    there = project(tmp_path / "there", {B: short + extra})
    *_, found = compared(here, A, B, there)
    assert found["samples"] == {
        "common": 80, "only_a": 40, "only_b": 6, "n": {"frame": 80, "video": 40}
    }  # fmt: skip
    assert "80 common test rows; left out: 40 only of A, 6 only of B." in terminal.verdict(found)
    assert [row["name"] for row in found["subsets"]] == ["Deepfakes"]


def test_figures_and_words_hold_the_numbers(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    a, b, levels, found = compared(project(tmp_path, two()))
    level, runs = levels[-1], (f"A/{A}", f"B/{B}")
    drawn = figures.scatter(level, found)
    points = [
        at for trace in drawn.plots[0].traces[1:]
        for at in zip(trace.x, trace.y, strict=True)
    ]  # fmt: skip
    scores = np.array([level.scores[run] for run in runs])
    assert sorted(points) == sorted(zip(*scores.round(4).tolist(), strict=True))
    mean = np.abs(scores[0] - scores[1]).mean()
    assert drawn.summary.endswith(f"60 samples; their mean distance is {mean:.3f}.")
    curves = figures.roc(level, found)
    for trace, key, run in zip(curves.plots[0].traces[1:], curves.keys, runs, strict=True):
        curve = metrics.roc(level.labels, level.scores[run])
        assert trace.x == pytest.approx(curve["fpr"], abs=5e-5)
        assert trace.y == pytest.approx(curve["tpr"], abs=5e-5)
        assert key.value == f"AUC {curve['auc']:.3f}"
    bars = figures.gaps(found).plots[0].traces[-1]
    rows = sorted(found["subsets"], key=lambda row: row["difference"])
    assert bars.x == [row["difference"] for row in rows]
    assert bars.spans == [(row["low"], row["high"]) for row in rows]
    trained = {
        (plot.title, trace.name): (trace.x, trace.y)
        for plot in figures.curves(a, b).plots
        for trace in plot.traces
    }
    assert trained["Classification loss", "B, training"] == ([0], [0.7])
    assert trained["Reconstruction loss", "A, validation"] == ([0], [1.0])
    assert trained["Validation AUC", "A, validation"] == ([0], [0.6])
    terminal.show(found)
    told = capsys.readouterr().out
    assert f"{found['test']['difference']:.3f}, 95 % interval [" in told
    assert re.search(r"subset +┃ +A ┃", told)


def test_the_verdict_is_of_these_two_models(tmp_path: Path) -> None:
    *_, found = compared(project(tmp_path, two()))
    assert found["test"]["shown"]
    told = terminal.verdict(found)
    assert told[-2] == "These two trained models differ (p < 0.05)."
    assert told[-1] == "This speaks of other samples, not of other trainings of the two."
    told = terminal.verdict(found | {"test": found["test"] | {"shown": False}})
    assert "not shown" in told[-2]


def answers(right: dict[str, int], both: int) -> dict[str, list[dict]]:
    """Two classifiers: `both` samples that both get right, and so many that only one does."""
    template = image_rows("affectnet")[0]
    runs = [f"affectnet/vit_micro/{name}/seed0" for name in ("MRGB-RLDP-CRGB", "none-none-CRGB")]
    who = ["both"] * both + ["a"] * right["a"] + ["b"] * right["b"]
    rows: dict[str, list[dict]] = {}
    for run, name in zip(runs, "ab", strict=True):
        rows[run] = []
        for at, each in enumerate(who):
            truth, size = at % 4, len(template["logits"])
            said = truth if each in ("both", name) else (truth + 1) % 4
            about = dict(run=run, id=f"{at:03d}", group=f"{at:03d}", labels=[truth])
            rows[run].append(
                {**template, **about, "logits": [2.0 * (k == said) for k in range(size)]}
            )
    return rows


@pytest.mark.parametrize(("only_a", "shown"), [(5, False), (4, False), (8, True), (30, True)])
def test_fault_c23_few_discordant_samples_are_tested_exactly(
    tmp_path: Path, only_a: int, shown: bool
) -> None:
    rows = answers({"a": only_a, "b": 0}, 60 - only_a)
    *_, found = compared(project(tmp_path, rows, "affectnet"), *rows)
    test = found["test"]
    exact = binomtest(only_a, only_a).pvalue if only_a < 25 else None
    assert exact is None or test["p_mcnemar"] == pytest.approx(exact)  # 5 of 5: 0.0625
    assert test["metric"] == "top1"
    assert test["shown"] == shown


def test_a_run_is_no_different_from_itself_in_another_folder(tmp_path: Path) -> None:
    rows = two()
    for name in ("here", "there"):
        project(tmp_path / name, {A: rows[A]})
    *_, found = compared(tmp_path / "here", A, A, tmp_path / "there")
    assert (found["test"]["difference"], found["test"]["p"]) == (0, 1)
    assert (found["differences"], found["test"]["p_delong"]) == ([], 1)
    assert all(row["only_a"] == row["only_b"] == 0 for row in found["agreement"])


@pytest.mark.parametrize("task", ["celeba", "affectnet"])
def test_attributes_and_classes_are_compared_one_by_one(tmp_path: Path, task: str) -> None:
    rows = image_rows(task)
    runs = list(dict.fromkeys(row["run"] for row in rows))
    root = project(tmp_path, {run: [r for r in rows if r["run"] == run] for run in runs}, task)
    *_, found = compared(root, *runs)
    many = task == "celeba"
    assert found["agreement"][0]["n"] == (48 * 3 if many else 48)
    assert {row["metric"] for row in found["subsets"]} == {
        "balanced_accuracy" if many else "recall"
    }
    assert (found["test"]["p_mcnemar"] is None) == many
    for letter, run in zip("ab", runs, strict=True):
        mine = [row for row in rows if row["run"] == run]
        labels = np.array([row["labels"] for row in mine])
        logits = np.array([row["logits"] for row in mine])
        for number, row in enumerate(found["subsets"]):
            assert (row["low"] is None) == (row["a"] is None)  # an interval beside each number
            assert row["low"] is None or row["low"] <= row["difference"] <= row["high"]
            truth = labels[:, number] if many else labels[:, 0] == number
            said = logits[:, number] >= 0 if many else logits.argmax(axis=1) == number
            assert row["n"] == (48 if many else truth.sum())
            if truth.all() or not truth.any():  # the third attribute is constant
                assert row[letter] is None
            else:
                score = balanced_accuracy_score if many else recall_score
                assert row[letter] == pytest.approx(score(truth, said))
    for row in found["disagreements"]:
        assert row["difference"] == pytest.approx(row["a"] - row["b"])


def test_differences_of_records_are_listed(tmp_path: Path) -> None:
    *_, found = compared(project(tmp_path, two()))
    told = {row["key"]: (row["a"], row["b"]) for row in found["differences"]}
    assert told == {
        "params.train.lr": ("0.1", "1.1"),
        "configuration": ("MRGB/RLDP/CRGB", "none/none/CRGB"),
    }


def test_faults_are_named(tmp_path: Path) -> None:
    root = project(tmp_path / "p", two())
    celeba = image_rows("celeba")
    run = celeba[0]["run"]
    other = project(tmp_path / "q", {run: [r for r in celeba if r["run"] == run]}, "celeba")
    with pytest.raises(DataError, match="is a run of celeba on celeba"):
        compared(root, A, run, other)
    rows = {B: [{**row, "id": f"{row['id']}x"} for row in two()[B]]}
    with pytest.raises(DataError, match="no test sample in common"):
        compared(root, A, B, project(tmp_path / "r", rows))
    clips = {B: [{**row, "level": "clip", "clip": row["frame"]} for row in two()[B]]}
    with pytest.raises(DataError, match="was scored on clips"):
        compared(root, A, B, project(tmp_path / "s", clips))
    flipped = {B: [{**row, "labels": [1 - row["labels"][0]]} for row in two()[B]]}
    with pytest.raises(DataError, match="gives common test samples other labels"):
        compared(root, A, B, project(tmp_path / "t", flipped))
    stale = tables.read_json(root / "runs" / B / "record.json") | {"weights_sha256": "f" * 64}
    tables.write_json(root / "runs" / B / "record.json", stale)
    with pytest.raises(DataError, match="is of other weights"):
        compared(root)
    with pytest.raises(DataError, match=r"is no trained run .* Did you mean|Did you mean"):
        compared(root, A.replace("micro", "mirco"))


@pytest.mark.slow
def test_the_command_gives_json_and_a_page_that_asks_for_nothing(tmp_path: Path) -> None:
    root = project(tmp_path, two())
    command = [sys.executable, "-m", "lssat", "compare", A, B, "--json", "-", "--out", "c.html"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["a"]["run"] == A
    text = (root / "c.html").read_text()
    assert page.NOTE in text
    shown = re.sub(r"<script.*?</script>", "", text, flags=re.S)
    assert not re.findall(r"(?:src|href)=\"(?!#|data:)[^\"]*", shown)
    assert "There are no crops below" in text


def test_case_37_names_are_shown_literally(tmp_path: Path) -> None:
    rows = two()
    for each in rows.values():
        for row in each:
            row["id"], row["subset"] = f"<script>{row['id']}", f"<b>{row['subset']}"
    root = project(tmp_path, rows)
    *arms, levels, found = compared(root)
    page.write(tmp_path / "c.html", *arms, levels[-1], found)
    text = (tmp_path / "c.html").read_text()
    assert "<script>original" not in text
    assert "<b>Deepfakes" not in text


def test_case_37_names_are_shown_literally_in_the_terminal_and_in_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """rich takes brackets for styles, and stops at a closing one of nothing."""
    monkeypatch.setenv("COLUMNS", "160")
    nasty = "[/b] :smile: $x_ =1+1 <i>\n\x1b[31m"
    rows = two()
    for each in rows.values():
        for row in each:
            row["id"], row["subset"] = f"{nasty}{row['id']}", f"{nasty}{row['subset']}"
    root = project(tmp_path / nasty.replace("/", ""), rows)
    *arms, levels, found = compared(root)
    terminal.show(found)
    told = capsys.readouterr().out
    spelt = r"[/b] :smile: $x_ =1+1 <i>\n\x1b[31m"
    assert f"  {spelt}original/c23/" in told or f"  {spelt}Deepfakes/c23/" in told
    assert f"{spelt}Deepfakes, auc" in told
    assert f"({tmp_path}/{spelt.replace('/', '')}/runs" in told
    assert "\x1b" not in told
    page.write(tmp_path / "c.html", *arms, levels[-1], found)
    text = (tmp_path / "c.html").read_text()
    assert "<i>" not in text
    assert "[/b] :smile: $x_ =1+1 &lt;i&gt;" in text
    assert "$x_ =1+1 &lt;i&gt;" in figures.scatter(levels[-1], found).plots[0].svg


def test_case_38_a_run_that_collapsed_is_flagged(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    rows = two()
    rows[B] = [row | {"logits": [3.0]} for row in rows[B]]
    root = project(tmp_path, rows)
    *arms, levels, found = compared(root)
    assert (found["a"]["collapsed"], terminal.arms(found)) == (None, ["A", "B, collapsed"])
    why = "B, collapsed: it decides the same for every sample."
    assert why in terminal.verdict(found)
    terminal.show(found)
    told = capsys.readouterr().out
    assert why in told
    assert told.count("B, collapsed") == 3  # the sentence and two tables
    page.write(tmp_path / "c.html", *arms, levels[-1], found)
    text = (tmp_path / "c.html").read_text()
    assert why in text
    for block in text.split('<div class="table')[1:]:
        assert "B, collapsed" in block.split("</thead>")[0]


@pytest.mark.parametrize(("task", "sick"), [("ffpp", 1), ("celeba", None)])
def test_case_36_scores_that_are_not_finite_are_no_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture, task: str, sick: int | None
) -> None:
    """One sample of B, one of two frames, or all: nothing is tested, and nothing is nan."""
    drawn = [row for each in two().values() for row in each] if task == "ffpp" else image_rows(task)
    rows: dict[str, list[dict]] = {}
    for row in drawn:
        rows.setdefault(row["run"], []).append(row)
    for number, row in enumerate(rows[(names := list(rows))[1]]):
        if sick is None or number == sick:
            row["logits"] = [float("inf")] * len(row["logits"])
    root = project(tmp_path, rows, task)
    *arms, levels, found = compared(root, *names)
    tables.json_text(found)  # raises where a number is not finite
    assert found["test"] is None
    assert "A score is not finite, so nothing is tested." in terminal.verdict(found)
    terminal.show(found)
    page.write(tmp_path / "c.html", *arms, levels[-1], found)
    text = re.sub(r"<script>.*?</script>", "", (tmp_path / "c.html").read_text(), flags=re.S)
    for told in (capsys.readouterr().out, text):
        assert not re.findall(r"\b(?:nan|inf|NaN|Infinity)\b", told)
    n = {"ffpp": 59, "celeba": 0}[task]
    mean = f"on {n} samples; their mean distance is "
    assert mean in figures.scatter(levels[-1], found).summary


@pytest.mark.browser
@pytest.mark.skipif(chromium.PROGRAM is None, reason="no chromium on this machine")
def test_the_page_draws_all_figures_without_a_problem(tmp_path: Path) -> None:
    root = project(tmp_path, two())
    *arms, levels, found = compared(root)
    page.write(tmp_path / "c.html", *arms, levels[-1], found)
    with chromium.page(tmp_path) as tab:
        tab.open(f"file://{tmp_path}/c.html")
        tab.wait("document.documentElement.dataset.ready !== undefined")
        assert tab.run("document.querySelectorAll('figure svg').length") >= 4
        assert tab.problems() == []
        assert [url for url in tab.requests() if not url.startswith("file:")] == []
        for dark in (False, True):
            tab.open(f"file://{tmp_path}/c.html", width=390 if dark else 1440, dark=dark)
            tab.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
            assert axe.violations(tab) == []


THEIRS = "ffpp/xception/external/seed0"


def test_scores_of_another_program_are_compared_as_a_run(tmp_path: Path) -> None:
    rows = two()
    theirs = {A: rows[A], THEIRS: [row | {"run": THEIRS} for row in rows[B]]}
    root = project(tmp_path, theirs)
    *_, wanted = compared(project(tmp_path / "ours", rows))
    file = root / "results/tasks/ffpp/metrics.json"
    facts = tables.read_json(file)
    (own,) = (run for run in facts["runs"] if run["run"] == THEIRS)
    own["external"] = {"file": "theirs.csv", "sha256": "c" * 64}
    tables.write_json(file, facts)
    with pytest.raises(
        DataError, match=r"holds no scores of ffpp/x/external/seed0\. Name a row of"
    ):
        compare.read("B", Path("ffpp/x/external/seed0"), root / "runs", None, None)
    (root / "runs" / THEIRS / "record.json").unlink()
    one = compare.read("A", Path(A), root / "runs", None, None)
    other = compare.read("B", Path(THEIRS), root / "runs", None, None)
    levels, counts = compare.together(one, other)
    found = compare.compare(one, other, levels, counts)
    assert (one.external, other.external) == (None, "theirs.csv")
    for key in ("difference", "low", "high", "p", "p_delong", "p_mcnemar"):
        assert found["test"][key] == wanted["test"][key]
    told = {row["key"]: row["b"] for row in found["differences"]}
    assert told == {"backbone": "xception", "configuration": "external"}
    out = tmp_path / "page.html"
    page.write(out, one, other, levels[-1], found)
    text = out.read_text()
    assert "scores of another program: theirs.csv" in text
    assert "Of the training behind another program’s scores nothing is known." in text
