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


def write(path: Path, a: Arm, b: Arm, level: Level, found: dict[str, Any]) -> None:
    """Write the page.

    Args:
        level: the headline's, of the common test samples.
        found: what `numbers.compare` returns.

    Raises:
        DataError: a shard of crops is damaged, or a training curve is missing.
    """
    text = html.template("page.html.j2", _HERE).render(**_content(a, b, level, found))
    with confidential():
        write_text(path, text)


def _content(a: Arm, b: Arm, level: Level, found: dict[str, Any]) -> dict[str, Any]:
    scripts = html.scripts("theme", "page", "plotly")
    pictures, why = crops.pictures(a, level, found["disagreements"])
    parts = "By subset" if found["kind"] == "binary" else "By class"
    return {
        "title": f"Two runs compared: {found['title']}",
        "note": NOTE,
        "sections": (_SECTIONS | {"subsets": parts}).items(),
        "arms": [("A", a.run, _facts(a)), ("B", b.run, _facts(b))],
        "verdict": terminal.verdict(found),
        "scores_lead": figures.scores_lead(found),
        "scatter": figures.scatter(level, found),
        "metrics": _metrics(found),
        "roc": figures.roc(level, found),
        "roc_lead": "On the common test samples; the dotted line is chance.",
        "parts": parts,
        "subsets_lead": _subsets_lead(found),
        "gaps": figures.gaps(found),
        "subsets": _subsets(found),
        "agreement": _agreement(found),
        "disagreements_lead": _disagreements_lead(found),
        "disagreements": _disagreements(found),
        "crops": pictures,
        "no_crops": why,
        "curves": figures.curves(a, b, found),
        "differences": _differences(found),
        "scripts": scripts,
        "policy": html.policy(scripts),
        "style": html.style(),
    }


def _facts(arm: Arm) -> list[str]:
    record = arm.record
    best = f"{record['select_metric']} {words.number(record['best_value'])}"
    return [
        str(arm.folder),
        f"kept: epoch {record['best_epoch']} of {record['epochs']}, {best}",
        f"weights {record['weights_sha256'][:16]}",
    ]


def _metrics(found: dict[str, Any]) -> Table:
    names = (*terminal.arms(found), "A − B")
    columns = [Column("Metric"), *(Column(name, "num") for name in names)]
    rows = [
        [Cell(f"{row['level']} {words.metric(row['metric'])}"), *_three(row)]
        for row in found["metrics"]
    ]
    return Table("metrics", "metrics of both runs on the common test samples", columns, rows)


def _three(row: dict[str, Any]) -> list[Cell]:
    return [num(row[name]) for name in ("a", "b", "difference")]


def _subsets_lead(found: dict[str, Any]) -> str:
    what = {
        "binary": f"{found['level'].capitalize()} AUC of each method against all reals",
        "multiclass": "Recall of each class",
        "multilabel": "Balanced accuracy of each attribute",
    }[found["kind"]]
    return (
        f"{what}; the difference with its paired {words.confidence(found)}, without a correction "
        "for many of them."
    )


def _subsets(found: dict[str, Any]) -> Table:
    columns = [Column("Part"), Column("Metric")]
    columns += [Column(name, "num") for name in (*terminal.arms(found), "A − B", "Interval", "n")]
    rows = [
        [
            *(Cell(row["name"]), Cell(words.metric(row["metric"])), *_three(row)),
            *(Cell(words.interval(row), row["low"]), num(row["n"])),
        ]
        for row in found["subsets"]
    ]
    return Table("parts", "both runs by subset or class", columns, rows)


def _agreement(found: dict[str, Any]) -> Table:
    what = "decisions" if found["kind"] == "multilabel" else f"{found['level']}s"
    only = [f"Only {name}" for name in terminal.arms(found)]
    names = ("Both right", *only, "Both wrong")
    columns = [Column("Part"), Column("Name"), Column(f"n {what}", "num")]
    columns += [Column(name, "num") for name in names]
    rows = [
        [
            *(Cell(row["by"]), Cell("all" if row["by"] == "all" else row["name"])),
            *(num(row[key]) for key in ("n", "both", "only_a", "only_b", "neither")),
        ]
        for row in found["agreement"]
    ]
    return Table("agreement", "samples that both, one or none got right", columns, rows)


def _disagreements_lead(found: dict[str, Any]) -> str:
    about = {
        "binary": "the probability of the positive class",
        "multiclass": "the probability of the true class",
        "multilabel": "the probability of the attribute on which they are farthest apart",
    }[found["kind"]]
    return f"The test {found['level']}s whose scores are farthest apart: {about}."


def _disagreements(found: dict[str, Any]) -> Table:
    columns = [Column("Sample", "id"), Column("Subset"), Column("Truth"), Column("Score of")]
    columns += [Column(name, "num") for name in (*terminal.arms(found), "A − B")]
    rows = [
        [*(Cell(row[name]) for name in ("id", "subset", "truth", "about")), *_three(row)]
        for row in found["disagreements"]
    ]
    return Table("apart", "the strongest disagreements", columns, rows)


def _differences(found: dict[str, Any]) -> Table:
    columns = [Column("Key", "id"), *(Column(name, "pre") for name in terminal.arms(found))]
    rows = [[Cell(row["key"]), Cell(row["a"]), Cell(row["b"])] for row in found["differences"]]
    return Table("records-table", "what the records say differently", columns, rows)
