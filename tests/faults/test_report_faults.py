"""Case 37: names that hold markup, formulas or line breaks are shown literally everywhere.

And case 36: where every number of every section is undefined, there is a page without one.
"""

import csv
import html
import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from helpers import drawn_results as drawn

from lssat import report, tables

# All at once: markup, mathematics that is none, a formula, a line break, templates.
WORST = '=1+1<script>alert(1)</script>"><img src=x>$x_^$ \n{{7*7}}%{x}\\end{table}&'
NAMED = {
    "title", "note", "notes", "subset", "subsets", "group", "attribute", "worst", "best", "held",
    "class", "classes", "label", "labels", "predicted", "target", "id", "ids", "no_rollout",
    "retained_note", "energy_note", "looks_at",
}  # fmt: skip


def named(value, key=""):
    """Return a JSON value in which whatever may come from data or notes has the worst of names."""
    if isinstance(value, dict):
        return {name: named(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [named(each, key) for each in value]
    return f"{WORST}{value}" if key in NAMED and isinstance(value, str) else value


NASTY = ("<script>alert(1)</script>", "$x_", "=1+1", "two\nlines", '"><img src=x onerror=alert(1)>')


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[str, dict[str, Path]]:
    root = tmp_path_factory.mktemp("names")
    files = drawn.draw(root, ("ffpp",), ("vit_micro",), ("MRGB-RLDP-CRGB",))
    task = files["ffpp"]
    rows = [tables.reject(name, name, name, "faces", "no_face", name) for name in NASTY]
    tables.write_table(task.rejects[0], rows, tables.REJECTS)
    metrics = json.loads(task.metrics.read_text())
    for subset, name in zip(metrics["subsets"], NASTY, strict=False):
        subset |= {"subset": name, "note": name}
    tables.write_json(task.metrics, metrics)
    faces = pq.read_table(task.faces[0][1])
    names = [NASTY[n % len(NASTY)] for n in range(faces.num_rows)]
    for pair, schema in ((task.faces[0], tables.FACES), (task.texture[0], tables.TEXTURE)):
        found = tables.read_table(pair[1], schema)
        renamed = [{**row, "id": name} for row, name in zip(found.to_pylist(), names, strict=True)]
        tables.write_table(pair[1], renamed, schema, tables.metadata(found))
    params = {"report": {"title": NASTY[0], "note": "\n".join(NASTY)}}
    report.write(params, files, drawn.outputs(root))
    outputs = drawn.outputs(root)
    return outputs["report"].read_text(encoding="utf-8"), outputs


def test_case_37_names_are_escaped_in_the_page(written):
    source, _ = written
    assert "<script>alert" not in source
    assert "<img src=x" not in source
    assert source.count(html.escape(NASTY[0], quote=False)) >= 5
    for name in ("$x_", "=1+1", "two\nlines"):
        assert name in source


@pytest.mark.slow
def test_case_37_every_name_that_a_section_may_show(tmp_path):
    """Sections, figures, CSV, LaTeX and PDF, where each name of each file is the worst there is."""
    files = drawn.draw(tmp_path, backbones=("vit_micro",), seeds=(0,))
    files["ffpp"] = drawn.sensitive(files["ffpp"], "ffpp")
    for task in files.values():
        task_files = (task.metrics, task.explain, task.robustness, *task.slices, task.sensitivity)
        for file in filter(None, task_files):
            tables.write_json(file, named(json.loads(file.read_text())))
    outputs = drawn.outputs(tmp_path)
    report.write(drawn.PARAMS, files, outputs)
    page = outputs["report"].read_text(encoding="utf-8")
    body = re.sub(r"<script>.*?</script>", "", page, flags=re.S)  # ours; plots are data in others
    assert "<script>alert" not in body
    assert "<img src=x" not in body
    assert "49%{x}" not in page
    sections = dict(re.findall(r'<section id="(\w+)">(.*?)(?=<section id=|</main>)', body, re.S))
    start = WORST.split("$")[0]
    for name in (
        "results",
        "per_class",
        "slices",
        "robustness",
        "sensitivity",
        "explained",
        "embeddings",
    ):
        assert start in html.unescape(sections[name]), name
    for name, file in outputs.items():
        if file.suffix == ".csv":
            with open(file, encoding="utf-8", newline="") as lines:
                cells = [cell for row in csv.reader(lines) for cell in row]
            assert not [cell for cell in cells if cell[:1] in "=+@" and cell], name
    latex = outputs["latex"].read_text()
    assert latex.count(r"\end{table}") == latex.count(r"\begin{table}")
    assert r"\textbackslash{}end\{table\}\&" in latex
    assert r"\$x\_\textasciicircum{}\$" in latex


NUMBERS = {
    *("mean", "low", "high", "auc", "baseline", "difference", "difference_low", "difference_high"),
    *("reference", "effect", "gap", "apart_low", "apart_high", "worst", "best", "retained", "drop"),
    *("drop_low", "drop_high", "best_value", "probability", "raw", "missed", "trustworthiness"),
    *("rollout", "gradients", "counts", "shares", "calibration", "energy_kwh", "p_permuted"),
    *("p", "p_holm", "error", "freedom", "least"),
}


def undefined(value, key=""):
    """Return a JSON value without the numbers that a step may leave undefined."""
    if key in ("fpr", "tpr"):
        return []
    if isinstance(value, dict) and key == "metrics":
        return dict.fromkeys(value)
    if isinstance(value, dict):
        return {name: undefined(each, name) for name, each in value.items()}
    if isinstance(value, list) and key not in NUMBERS:
        return [None] * len(value) if key == "values" else [undefined(each, key) for each in value]
    return None if key in NUMBERS and not isinstance(value, bool) else value


@pytest.mark.slow
def test_case_36_every_number_undefined_leaves_a_page_and_valid_files(tmp_path):
    files = drawn.draw(tmp_path, configurations=drawn.CONFIGURATIONS[1:3], seeds=(0,))
    files["ffpp"] = drawn.sensitive(files["ffpp"], "ffpp")
    for task in files.values():
        found = json.loads(task.metrics.read_text())
        # Ranks are of rows that are defined.
        tables.write_json(task.metrics, undefined(found) | {"ranks": []})
        records = [folder / "record.json" for folder in task.runs.values()]
        for file in filter(None, (task.explain, task.robustness, *task.slices, task.sensitivity)):
            tables.write_json(file, undefined(json.loads(file.read_text())))
        for file in records:
            tables.write_json(file, undefined(json.loads(file.read_text())))
    outputs = drawn.outputs(tmp_path)
    report.write(drawn.PARAMS, files, outputs)
    page = outputs["report"].read_text(encoding="utf-8")
    texts = [re.sub(r"<script>.*?</script>", "", page, flags=re.S)]
    kinds = (".csv", ".tex", ".json")
    texts += [file.read_text() for file in outputs.values() if file.suffix in kinds]
    bad = re.compile(r"\b(?:nan|NaN|inf|None|Infinity)\b")
    assert [bad.findall(text) for text in texts] == [[]] * len(texts)
    assert "It is undefined in every row" in page


def test_case_37_only_our_scripts_may_run(written):
    source, _ = written
    policy = source.split('http-equiv="Content-Security-Policy" content="')[1].split('"')[0]
    scripts = html.unescape(policy).split("script-src ")[1].split(";")[0]
    assert scripts.count("'sha256-") == 2
    assert "unsafe" not in scripts


def test_case_37_names_survive_in_csv_and_run_nothing(written):
    _, outputs = written
    with open(outputs["rejects"], encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(NASTY)
    assert {row["id"] for row in rows} == {*NASTY, "'=1+1"} - {"=1+1"}
    for row in rows:
        assert not any(cell[:1] in "=+-@" for cell in row.values() if cell)
