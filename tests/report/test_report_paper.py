"""LaTeX tables and PDF figures: the numbers of the page, text as it stands, the same bytes."""

import csv
import re

import pytest
from helpers import drawn_results as drawn
from matplotlib import pyplot

from lssat import report
from lssat.report import latex, pdf
from lssat.report.kit import results
from lssat.report.sections import comparisons, ranks


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp("paper")
    files = drawn.draw(root, ("ffpp", "affectnet"))
    report.write(drawn.PARAMS, files, drawn.outputs(root))
    return drawn.outputs(root), files


@pytest.mark.slow
def test_latex_has_each_headline_row_with_its_numbers(written) -> None:
    outputs, _ = written
    text = outputs["latex"].read_text()
    with open(outputs["table"], newline="") as file:
        heads = [row for row in csv.DictReader(file) if row["headline"] == "True"]
    rows, files = ([r for r in heads if bool(r["runs"]) == of_runs] for of_runs in (True, False))
    assert len(rows) == 16
    body = [line for line in text.splitlines() if line.startswith("    vit")]
    assert len(body) == 16 + 2 + 2 * 2
    headline = [line for line in body if " & M" in line or " & none" in line]
    for row, line in zip(rows, headline, strict=True):
        assert line.startswith(f"    {row['backbone'].replace('_', chr(92) + '_')} & ")
        mean, interval = f"{float(row['mean']):.3f}", f"[{float(row['low']):.3f}, "
        assert mean in line
        assert interval in line
        assert ("dagger" in line) == (row["collapsed"] == "True")
    lines = [line.split(" & ") for line in text.splitlines() if "format alone, no pixel" in line]
    assert [row["task"] for row in files] == ["ffpp", "affectnet"]
    for row, cells in zip(files, lines, strict=True):
        assert cells[2:5] == ["0.520", "[0.410, 0.630]", "0.500"]
        assert [float(row[key]) for key in ("mean", "low", "high")] == [0.52, 0.41, 0.63]
        assert len(cells) == {"ffpp": 6, "affectnet": 8}[row["task"]]
    assert text.count(r"\textbf{") == text.count("bold: the highest mean") == 2
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 2 + 1 + 2 + 1  # slices
    assert [line.count("&") for line in headline] == [5] * 8 + [7] * 8


def test_latex_has_the_papers_layout_of_each_task(written) -> None:
    """Backbones down, configurations across, each cell the row of table.csv; case 38 in all."""
    outputs, _ = written
    with open(outputs["table"], newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["level"] in ("video", "image")]
    tables = outputs["latex"].read_text().split(r"\begin{table}")[1:]
    for task, metric in (("ffpp", "accuracy"), ("affectnet", "top1"),
                         ("affectnet", "mean_ovr_accuracy")):  # fmt: skip
        label = f"tab:{task}-{metric}".replace("_", "-")
        (table,) = [each for each in tables if rf"\label{{{label}}}" in each]
        wanted = [r for r in rows if (r["task"], r["metric"]) == (task, metric)]
        heads = next(line for line in table.splitlines() if "Backbone" in line)
        names = [cell.strip(" \\") for cell in heads.split("&")[1:]]
        for line in (each for each in table.splitlines() if each.startswith("    vit")):
            backbone, *cells = [cell.strip(" \\") for cell in line.split("&")]
            for name, cell in zip(names, cells, strict=True):
                (row,) = [
                    r for r in wanted
                    if (r["backbone"].replace("_", "\\_"), r["configuration"]) == (backbone, name)
                ]  # fmt: skip
                low, high = (f"{float(row[end]):.3f}" for end in ("low", "high"))
                assert cell.startswith(f"{float(row['mean']):.3f}")
                assert f"[{low}, {high}]" in cell
                assert ("dagger" in cell) == (row["collapsed"] == "True")
    text = outputs["latex"].read_text()
    assert "2603.22190 says: ViT-H 0.94 (average accuracy)." in text
    assert "backbone unclear 0.88" in text


def test_case_37_latex_prints_names_as_they_stand() -> None:
    assert latex.escape(r"a_b $x$ 5 % & #1 {y} ~^\|") == (
        r"a\_b \$x\$ 5 \% \& \#1 \{y\} \textasciitilde{}\textasciicircum{}"
        r"\textbackslash{}\textbar{}"
    )
    assert latex.escape("<script>\nx") == r"\textless{}script\textgreater{} x"


def test_case_37_a_figure_takes_a_dollar_for_a_dollar() -> None:
    from matplotlib.mathtext import MathTextParser

    assert pdf.plain("$x_1$ costs\n$5") == r"\$x_1\$ costs \$5"
    assert MathTextParser("path").parse(pdf.plain("$x$"), dpi=72).glyphs


def test_case_38_the_figure_of_intervals_marks_what_collapsed(written) -> None:
    _, files = written
    figure, axis = pyplot.subplots()
    pdf._intervals(axis, results.read_task("ffpp", files["ffpp"]))
    pyplot.close(figure)
    names = [each.get_text() for each in axis.get_yticklabels()]
    assert [name for name in names if "†" in name] == ["vit_micro †"]
    assert names[::-1].index("vit_micro †") == drawn.CONFIGURATIONS.index("MLDP-RRGB-CRGB")
    assert axis.get_xlabel() == "video AUC\n† collapsed"


@pytest.mark.slow
def test_figures_are_a_page_a_task_and_the_same_bytes(written, tmp_path) -> None:
    outputs, files = written
    first = outputs["figures"].read_bytes()
    assert first.startswith(b"%PDF")
    families = ranks.families([results.read_task(name, each) for name, each in files.items()])
    assert [ranks.shown(each) for each in families] == [False, True]  # two backbones, no test
    assert len(re.findall(rb"/Type /Page\b", first)) == 2 + 1 + 1  # classes, ranks
    again = drawn.outputs(tmp_path)
    report.write(drawn.PARAMS, files, again)
    assert again["figures"].read_bytes() == first
    assert again["latex"].read_bytes() == outputs["latex"].read_bytes()


def test_comparisons_stand_in_a_csv(written) -> None:
    outputs, _ = written
    with open(outputs["comparisons"], newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * (2 * 6 + 4 + 1)
    over_all = "backbone, mean over configurations"
    assert {row["compared"] for row in rows} == {"configuration", "backbone", over_all}
    assert [row["configuration_a"] for row in rows if row["compared"] == over_all] == ["", ""]
    assert rows[0]["seeds_a"] == "0;1"
    for row in rows:
        if float(row["p_holm"]) < 0.05:
            assert float(row["low"]) * float(row["high"]) > 0
        assert float(row["error"]) < float(row["least"])
    assert float(rows[0]["low"]) < float(rows[0]["difference"]) < float(rows[0]["high"])


def test_fault_c5_one_verdict_and_no_other_test_beside_it(written) -> None:
    """DeLong's and McNemar's tests are of single trainings: nowhere do they stand beside a verdict.

    Each table of comparisons has one p-value, the one that decides "Differs".
    """
    outputs, files = written
    for name, file in outputs.items():
        if file.suffix in (".html", ".csv", ".tex", ".json"):
            text = re.sub(r"<script.*?</script>", "", file.read_text(encoding="utf-8"), flags=re.S)
            assert not re.search("delong|mcnemar|obuchowski", text, re.I), name
    with open(outputs["comparisons"], newline="") as file:
        heads = next(csv.reader(file))
    assert [name for name in heads if re.match(r"p\b|p_", name)] == ["p", "p_holm"]
    for task in (results.read_task(name, each) for name, each in files.items()):
        tables = comparisons.tables(task)
        *pairs, (_, could) = tables
        assert len(pairs) == 3
        assert could.id == f"power-{task.name}"
        for _, table in pairs:
            labels = [column.label for column in table.columns]
            assert [label for label in labels if re.match(r"p\b", label)] == ["p"]
            for row in table.rows:
                p, verdict = row[labels.index("p")], row[labels.index("Differs")]
                assert (verdict.text == "yes") == (p.sort < 0.05)
            assert {len(row) for row in table.rows} == {len(labels)}


def test_the_lead_of_the_tests_says_what_few_seeds_are_about(written) -> None:
    _, files = written
    tasks = [results.read_task(name, each) for name, each in files.items()]
    few = "With fewer than 3 seeds (ffpp: 2 and affectnet: 2) tests are about these trained models."
    assert comparisons.lead(tasks).endswith(few)
    for task in tasks:
        for row in task.metrics["table"]:
            row["seeds"] = [0, 1, 2]
    assert comparisons.lead(tasks) == comparisons.LEAD


def test_a_side_that_collapsed_is_flagged_beside_the_mean_over_configurations(written) -> None:
    task = results.read_task("ffpp", written[1]["ffpp"])
    _, overall = comparisons.tables(task)[0]
    assert [(row[-1].text, row[-1].flag) for row in overall.rows] == [("1 of a collapsed", "bad")]
