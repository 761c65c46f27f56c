"""Case 37: names that hold markup, formulas or line breaks are shown literally everywhere."""

import csv
import html
import json
from pathlib import Path

import drawn_results as drawn
import pyarrow.parquet as pq

from lssat import report, tables

NASTY = ("<script>alert(1)</script>", "$x_", "=1+1", "two\nlines", '"><img src=x onerror=alert(1)>')


def _write(root: Path) -> tuple[str, dict[str, Path]]:
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


def test_case_37_names_are_escaped_in_the_page(tmp_path):
    source, _ = _write(tmp_path)
    assert "<script>alert" not in source
    assert "<img src=x" not in source
    assert source.count(html.escape(NASTY[0], quote=False)) >= 5
    for name in ("$x_", "=1+1", "two\nlines"):
        assert name in source


def test_case_37_only_our_scripts_may_run(tmp_path):
    source, _ = _write(tmp_path)
    policy = source.split('http-equiv="Content-Security-Policy" content="')[1].split('"')[0]
    scripts = html.unescape(policy).split("script-src ")[1].split(";")[0]
    assert scripts.count("'sha256-") == 3
    assert "unsafe" not in scripts


def test_case_37_names_survive_in_csv_and_run_nothing(tmp_path):
    _, outputs = _write(tmp_path)
    with open(outputs["rejects"], encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(NASTY)
    assert {row["id"] for row in rows} == {*NASTY, "'=1+1"} - {"=1+1"}
    for row in rows:
        assert not any(cell[:1] in "=+-@" for cell in row.values() if cell)
