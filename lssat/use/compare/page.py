"""The comparison of two runs as one page in the report's style, which needs no network."""

from pathlib import Path
from typing import Any

from lssat.evaluation.scores.levels import Level
from lssat.report.kit import html, words
from lssat.report.kit.cells import Column, Table, interval
from lssat.tables import confidential, write_text
from lssat.use.compare import crops, figures, terminal
from lssat.use.compare.runs import Arm

_TEMPLATE = Path(__file__).with_name("page.html.j2")
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
    text = html.render(_TEMPLATE, **_content(a, b, level, comparison))
    with confidential():
        write_text(path, text)


def _content(a: Arm, b: Arm, level: Level, comparison: dict[str, Any]) -> dict[str, Any]:
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
    name = Column("Metric", value=lambda row: f"{row['level']} {words.metric(row['metric'])}")
    columns = [name, *_both(comparison)]
    caption = "metrics of both runs on the common test samples"
    return Table.of("metrics", caption, columns, comparison["metrics"])


def _both(comparison: dict[str, Any]) -> list[Column]:
    """Return the columns of what both runs score, and their difference."""
    labels = zip((*terminal.arms(comparison), "A − B"), ("a", "b", "difference"), strict=True)
    return [Column(label, "num", value=key) for label, key in labels]


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
    rows = comparison["subsets"]
    known = any(row["low"] is not None for row in rows)
    columns = [
        Column("Part", value="name"),
        Column("Metric", value=lambda row: words.metric(row["metric"])),
        *_both(comparison),
        *([Column("Interval", "num", value=interval)] if known else []),
        Column("n", "num", value="n"),
    ]
    return Table.of("parts", "both runs by subset or class", columns, rows)


def _agreement(comparison: dict[str, Any]) -> Table:
    what = "decisions" if comparison["kind"] == "multilabel" else f"{comparison['level']}s"
    one, two = (f"Only {name}" for name in terminal.arms(comparison))
    columns = [
        Column("Part", value="by"),
        Column("Name", value="name"),
        Column(f"n {what}", "num", value="n"),
        Column("Both right", "num", value="both"),
        Column(one, "num", value="only_a"),
        Column(two, "num", value="only_b"),
        Column("Both wrong", "num", value="neither"),
    ]
    caption = "samples that both, one or none got right"
    return Table.of("agreement", caption, columns, comparison["agreement"])


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
    columns = [
        Column("Sample", "id", value="id"),
        Column("Subset", value="subset"),
        Column("Truth", value="truth"),
        Column("Right", value="right"),
        Column("Score of", value="about"),
        *_both(comparison),
    ]
    rows = comparison["disagreements"]
    return Table.of("apart", "the strongest disagreements", columns, rows)


def _differences(comparison: dict[str, Any]) -> Table:
    names = zip(terminal.arms(comparison), "ab", strict=True)
    columns = [
        Column("Key", "id", value="key"),
        *(Column(name, "pre", value=x) for name, x in names),
    ]
    caption = "what the records say differently"
    return Table.of("records-table", caption, columns, comparison["differences"])
