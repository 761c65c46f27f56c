"""The comparison of two runs as one page in the report's style, which needs no network."""

from pathlib import Path
from typing import Any

from lssat.evaluation.scores.levels import Level
from lssat.report.kit import html, words
from lssat.report.kit.cells import Cell, Column, Table, num
from lssat.tables import confidential, write_text
from lssat.use.compare import crops, figures, terminal
from lssat.use.compare.runs import Arm

_HERE = Path(__file__).parent
_SECTIONS = {
    "scores": "Scores",
    "roc": "ROC",
    "subsets": "By subset",
    "disagreements": "Disagreements",
    "training": "Training",
    "records": "How they were made",
}
NOTE = (
    "This page holds faces of the data set. It is for whoever may see the data: do not publish it."
)


def write(path: Path, a: Arm, b: Arm, level: Level, comparison: dict[str, Any]) -> None:
    """Write the page.

    Args:
        level: the headline's, of the common test samples.
        comparison: what `numbers.compare` returns.

    Raises:
        DataError: a shard of crops is damaged, or a training curve is missing.
    """
    text = html.template("page.html.j2", _HERE).render(**_content(a, b, level, comparison))
    with confidential():
        write_text(path, text)


def _content(a: Arm, b: Arm, level: Level, comparison: dict[str, Any]) -> dict[str, Any]:
    scripts = html.scripts("theme", "page")
    pictures, why = crops.pictures(a, level, comparison["disagreements"])
    parts = "By subset" if comparison["kind"] == "binary" else "By class"
    return {
        "title": f"Two runs compared: {comparison['title']}",
        "note": NOTE,
        "sections": (_SECTIONS | {"subsets": parts}).items(),
        "arms": [("A", a.run, _facts(a)), ("B", b.run, _facts(b))],
        "verdict": terminal.verdict(comparison),
        "scores_lead": figures.scores_lead(comparison),
        "scatter": figures.scatter(level, comparison),
        "metrics": _metrics(comparison),
        "roc": figures.roc(level, comparison),
        "roc_lead": "On the common test samples; the dotted line is chance.",
        "parts": parts,
        "subsets_lead": _subsets_lead(comparison),
        "gaps": figures.gaps(comparison),
        "subsets": _subsets(comparison),
        "agreement": _agreement(comparison),
        "disagreements_lead": _disagreements_lead(comparison),
        "disagreements": _disagreements(comparison),
        "crops": pictures,
        "no_crops": why,
        "curves": figures.curves(a, b),
        "differences": _differences(comparison),
        "scripts": scripts,
        "policy": html.policy(scripts),
        "style": html.style(),
    }


def _facts(arm: Arm) -> list[str]:
    record = arm.record
    if arm.external:
        digest = record["weights_sha256"][:16]
        return [f"scores of another program: {arm.external}", f"sha256 {digest}"]
    best = f"{record['select_metric']} {words.number(record['best_value'])}"
    return [
        str(arm.folder),
        f"kept: epoch {record['best_epoch']} of {record['epochs']}, {best}",
        f"weights {record['weights_sha256'][:16]}",
    ]


def _metrics(comparison: dict[str, Any]) -> Table:
    names = (*terminal.arms(comparison), "A − B")
    columns = [Column("Metric"), *(Column(name, "num") for name in names)]
    rows = [
        [Cell(f"{row['level']} {words.metric(row['metric'])}"), *_three(row)]
        for row in comparison["metrics"]
    ]
    return Table("metrics", "metrics of both runs on the common test samples", columns, rows)


def _three(row: dict[str, Any]) -> list[Cell]:
    return [num(row[name]) for name in ("a", "b", "difference")]


def _subsets_lead(comparison: dict[str, Any]) -> str:
    what = {
        "binary": f"{comparison['level'].capitalize()} AUC of each method against all reals",
        "multiclass": "Recall of each class",
        "multilabel": "Balanced accuracy of each attribute",
    }[comparison["kind"]]
    return (
        f"{what}; the difference with its paired {words.confidence(comparison)}, without a "
        "correction for many of them."
    )


def _subsets(comparison: dict[str, Any]) -> Table:
    columns = [Column("Part"), Column("Metric")]
    known = any(row["low"] is not None for row in comparison["subsets"])
    names = [*terminal.arms(comparison), "A − B", *(["Interval"] if known else []), "n"]
    columns += [Column(name, "num") for name in names]
    rows = [
        [
            Cell(row["name"]),
            Cell(words.metric(row["metric"])),
            *_three(row),
            *([Cell(words.interval(row), row["low"])] if known else []),
            num(row["n"]),
        ]
        for row in comparison["subsets"]
    ]
    return Table("parts", "both runs by subset or class", columns, rows)


def _agreement(comparison: dict[str, Any]) -> Table:
    what = "decisions" if comparison["kind"] == "multilabel" else f"{comparison['level']}s"
    only = [f"Only {name}" for name in terminal.arms(comparison)]
    names = ("Both right", *only, "Both wrong")
    columns = [Column("Part"), Column("Name"), Column(f"n {what}", "num")]
    columns += [Column(name, "num") for name in names]
    rows = [
        [
            Cell(row["by"]),
            Cell("all" if row["by"] == "all" else row["name"]),
            *(num(row[key]) for key in ("n", "both", "only_a", "only_b", "neither")),
        ]
        for row in comparison["agreement"]
    ]
    return Table("agreement", "samples that both, one or none got right", columns, rows)


def _disagreements_lead(comparison: dict[str, Any]) -> str:
    about = {
        "binary": "the probability of the positive class",
        "multiclass": "the probability of the true class",
        "multilabel": "the probability of the attribute on which they are farthest apart",
    }[comparison["kind"]]
    return (
        f"First the test {comparison['level']}s on which only one run is right, then others whose "
        f"scores are farthest apart: {about}, calibrated where validation chose a temperature."
    )


def _disagreements(comparison: dict[str, Any]) -> Table:
    columns = [Column("Sample", "id"), Column("Subset"), Column("Truth"), Column("Right")]
    columns += [Column("Score of")]
    columns += [Column(name, "num") for name in (*terminal.arms(comparison), "A − B")]
    rows = [
        [*(Cell(row[name]) for name in ("id", "subset", "truth", "right", "about")), *_three(row)]
        for row in comparison["disagreements"]
    ]
    return Table("apart", "the strongest disagreements", columns, rows)


def _differences(comparison: dict[str, Any]) -> Table:
    columns = [Column("Key", "id"), *(Column(name, "pre") for name in terminal.arms(comparison))]
    rows = [[Cell(row["key"]), Cell(row["a"]), Cell(row["b"])] for row in comparison["differences"]]
    return Table("records-table", "what the records say differently", columns, rows)
