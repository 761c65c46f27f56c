"""How the report says numbers, names and findings: pure text, escaped later by the template."""

from collections.abc import Sequence
from typing import Any

DASH = "–"
_METRICS = {
    "auc": "AUC",
    "ap": "AP",
    "eer": "EER",
    "f1": "F1",
    "macro_f1": "macro F1",
    "top1": "top-1 accuracy",
    "ovr_accuracy": "one-vs-rest accuracy",
    "mean_ovr_accuracy": "one-vs-rest accuracy",
    "loss_cls": "classification loss",
    "loss_rec": "reconstruction loss",
}
CAVEAT = (
    "“Best” is the row with the highest mean on the test split; being picked there favours it. "
    "Whether two rows differ is said by the tests under Comparisons, with their correction for "
    "many pairs; a difference that is not shown is not shown to be absent."
)
ALPHA = 0.05  # below it a corrected p-value counts as a difference


def metric(name: str) -> str:
    """Return the name of a metric for reading: `balanced_accuracy` -> `balanced accuracy`."""
    return _METRICS.get(name, name.replace("_", " "))


def heading(name: str) -> str:
    """Return the name of a metric as it begins a column: `accuracy` -> `Accuracy`."""
    text = metric(name)
    return text[:1].upper() + text[1:]


def pair(row: dict) -> tuple[str, str]:
    """Return what a row is about: its backbone and configuration."""
    return row["backbone"], row["configuration"]


def number(value: Any, digits: int = 3) -> str:
    """Write a number with fixed decimals, an integer with separators, None as a dash."""
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.{digits}f}".replace("-", "−")


def interval(row: dict) -> str:
    """Write the interval of a row of the table: `[0.812, 0.921]`."""
    if row["low"] is None or row["high"] is None:
        return DASH
    return f"[{number(row['low'])}, {number(row['high'])}]"


def percent(share: float | None) -> str:
    """Write a share as a percentage; only a share of exactly 1 reads 100 %."""
    if share is None:
        return DASH
    text = f"{100 * share:.1f}"
    return "100 %" if share == 1 else f"{'99.9' if text == '100.0' else text} %"


def coverage(metrics: dict) -> str:
    """Say which share of the listed samples is scored, and of those there where it differs."""
    share, present = metrics["coverage"], metrics.get("coverage_present", metrics["coverage"])
    of = f" of what is listed, {percent(present)} of what is there"
    return percent(share) + (of if share != present else "")


def count(n: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun: `1 run`, `48 runs`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def listing(names: Sequence[Any]) -> str:
    """Write `a, b and c`."""
    texts = [str(name) for name in names]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def differs(pair: dict) -> bool:
    """Say whether a comparison shows a difference: the bootstrap's p with Holm's correction."""
    return pair["p_holm"] is not None and pair["p_holm"] < ALPHA


def best(rows: list[dict]) -> dict | None:
    """Return the row with the highest defined mean, or None."""
    defined = [row for row in rows if row["mean"] is not None]
    return max(defined, key=lambda row: row["mean"], default=None)


def where(metrics: dict) -> str:
    """Say what the headline number is: `video AUC`."""
    return f"{metrics['level']} {metric(metrics['metric'])}"


def headline(metrics: dict, rows: list[dict]) -> list[str]:
    """Say in sentences what the headline table of a task shows.

    Claims go no further than the intervals: no word of significance, no ranking of rows whose
    intervals overlap.
    """
    top = best(rows)
    if top is None:
        return ["It is undefined in every row; the notes below the table say why."]
    return [_against_baseline(top), _against_others(top, rows), _collapsed(rows)]


def confidence(metrics: dict) -> str:
    """Say which interval: `95 % interval`."""
    return f"{100 * metrics['confidence']:g} % interval"


def _against_baseline(top: dict) -> str:
    low, high, baseline = top["low"], top["high"], top["baseline"]
    if None in (low, high, baseline):
        return "It cannot be held against the trivial baseline: a number is undefined."
    trivial = f"the trivial baseline {number(baseline)}"
    if low > baseline:
        return f"The whole interval lies above {trivial}."
    if high < baseline:
        return f"The whole interval lies below {trivial}."
    return f"The interval contains {trivial}, so beating it is not shown."


def _against_others(top: dict, rows: list[dict]) -> str:
    others = [row for row in rows if row is not top and row["low"] is not None]
    if not others or top["low"] is None:
        return "There is no other row with an interval to hold it against."
    near = [row for row in others if row["high"] >= top["low"] and row["low"] <= top["high"]]
    n = len(others)
    if not near:
        return f"It overlaps no interval of the {count(n, 'other row')}."
    whose = f"{len(near)} of the {n} other rows" if n > 1 else "the other row"
    whose = f"all {n} other rows" if len(near) == n > 1 else whose
    return f"It overlaps the intervals of {whose}, so the order among these stays open."


def _collapsed(rows: list[dict]) -> str:
    collapsed = sum(bool(row["collapsed"]) for row in rows)
    verb = "is" if collapsed == 1 else "are"
    return f"{collapsed} of {len(rows)} rows {verb} flagged as collapsed." if collapsed else ""
