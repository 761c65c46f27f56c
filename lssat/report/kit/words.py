"""How the report says numbers, names and findings: pure text, escaped later by the template."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lssat.grid import EXTERNAL, trained
from lssat.metrics import LOWER_IS_BETTER, METRICS
from lssat.tables import Metrics

DASH = "–"
_OTHERS = {  # that a table names and no metric of ours is
    "ovr_accuracy": "one-vs-rest accuracy",
    "loss_cls": "classification loss",
    "loss_rec": "auxiliary loss",
}
CAVEAT = (
    "“Best on test” is the row with the best mean on the test split; being picked there favours "
    "it. Nothing else is called best without its split. "
    "Whether two rows differ is said by the tests under Comparisons, with their correction for "
    "many pairs; a difference that is not shown is not shown to be absent."
)
ALONE = (
    "An interval is without that correction: one that leaves out 0 shows nothing by itself where "
    "several rows stand."
)
ALPHA = 0.05  # below it a corrected p-value counts as a difference
_ENOUGH = 3  # seeds from which a sentence is about backbones, not about trained models


def metric(name: str) -> str:
    """Return the name of a metric for reading: `balanced_accuracy` -> `balanced accuracy`."""
    if name in METRICS:
        return METRICS[name].words
    return _OTHERS.get(name, name.replace("_", " "))


def heading(name: str) -> str:
    """Return the name of a metric as it begins a column: `accuracy` -> `Accuracy`."""
    return capital(metric(name))


def pair(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a row is about: its backbone and configuration."""
    return row["backbone"], row["configuration"]


def name(row: Mapping[str, Any]) -> str:
    """Write what a row is about: `vit_micro · MRGB/RLDP/CRGB`."""
    return f"{row['backbone']} · {row['configuration']}"


def measure(row: Mapping[str, Any]) -> str:
    """Write at which level which metric a row, or a task's headline, is of: `video AUC`."""
    return f"{row['level']} {metric(row['metric'])}"


def capital(text: str) -> str:
    """Begin a text with a capital, and leave the rest as it is."""
    return text[:1].upper() + text[1:]


def is_headline(row: Mapping[str, Any], metrics: Metrics) -> bool:
    """Say whether a row is of the headline metric, at the headline level."""
    return bool((row["level"], row["metric"]) == (metrics["level"], metrics["metric"]))


def number(value: Any, digits: int = 3) -> str:
    """Write a number with fixed decimals, an integer with separators, None as a dash."""
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.{digits}f}".replace("-", "−")


def possible(difference: float | None) -> str:
    """Write a difference that a test needs; a metric is in [0, 1], so none above 1 can be."""
    if difference is None or difference <= 1:
        return number(difference)
    return "more than 1, so none,"


def interval(row: Mapping[str, Any]) -> str:
    """Write the interval of a row of the table: `[0.812, 0.921]`."""
    if row["low"] is None or row["high"] is None:
        return DASH
    return f"[{number(row['low'])}, {number(row['high'])}]"


def span(low: float | None, high: float | None) -> tuple[float, float] | None:
    """Return the ends of an interval; None where there is none."""
    return None if low is None or high is None else (low, high)


def spanned(value: float | None, row: Mapping[str, Any]) -> str:
    """Write a number for a sentence, with its interval where it has one."""
    return f"{number(value)} {interval(row)}".removesuffix(f" {DASH}")


def difference(row: Mapping[str, Any], sign: int = 1) -> str:
    """Write a row's difference with its interval, or with -1 the difference the other way round."""
    low, high = row["low"], row["high"]
    if sign < 0 and low is not None and high is not None:
        low, high = -high, -low
    return spanned(sign * row["difference"], {"low": low, "high": high})


def percent(share: float | None) -> str:
    """Write a share as a percentage; only a share of exactly 1 reads 100 %."""
    if share is None:
        return DASH
    text = f"{100 * share:.1f}"
    return "100 %" if share == 1 else f"{'99.9' if text == '100.0' else text} %"


def coverage(metrics: Metrics) -> str:
    """Say which share of the listed samples is scored, and of those there where it differs."""
    share, present = metrics["coverage"], metrics.get("coverage_present", metrics["coverage"])
    of = f" of what is listed, {percent(present)} of what is there"
    return percent(share) + (of if share != present else "")


def about(notes: Iterable[tuple[str, str | None]], of: int = 0) -> list[str]:
    """Say each part of some notes once, with the names that it is about.

    Args:
        notes: a name and its note, whose parts a semicolon ends.
        of: how many names there are; a part that is about all of them stands without any.
    """
    names: dict[str, dict[str, None]] = {}
    for name, note in notes:
        for part in filter(None, (note or "").split("; ")):
            names.setdefault(part, {})[name] = None
    return [
        part if len(them) == of else f"{listing(list(them))}: {part}"
        for part, them in names.items()
    ]


def count(n: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun: `1 run`, `48 runs`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def seeds(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say how many seeds rows have: `4 seeds`, or `1 to 3 seeds` where a run is missing."""
    counts = sorted({len(row["seeds"]) for row in rows}) or [0]
    several = f"{counts[0]} to " if counts[0] != counts[-1] else ""
    return f"{several}{count(counts[-1], 'seed')}"


def listing(names: Sequence[Any]) -> str:
    """Write `a, b and c`."""
    texts = [str(name) for name in names]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def lower_is_better(name: str) -> bool:
    """Say whether less of a metric is better."""
    return name in LOWER_IS_BETTER


def differs(pair: Mapping[str, Any]) -> bool:
    """Say whether a comparison shows a difference: its p-value with Holm's correction."""
    return bool(pair["p_holm"] is not None and pair["p_holm"] < ALPHA)


def p(value: float | None) -> str:
    """Write a p-value: `0.034`, `<0.001`."""
    return "<0.001" if value is not None and value < 0.001 else number(value)


def p_is(value: float) -> str:
    """Write a p-value in a sentence: `p = 0.034`, `p < 0.001`."""
    return "p < 0.001" if value < 0.001 else f"p = {number(value)}"


def few(seeds: int) -> bool:
    """Say whether so many seeds leave a sentence to be about the trained models alone."""
    return seeds < _ENOUGH


def covers(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say what intervals cover: with one seed each, nothing of other trainings."""
    alone = all(len(row["seeds"]) == 1 for row in rows)
    return "other test samples of these trained models" if alone else "other samples and seeds"


def scope(seeds: int) -> str:
    """Say what a sentence is about where there are few seeds, else nothing."""
    if not few(seeds):
        return ""
    return f"With {count(seeds, 'seed')} this is about these trained models."


def best(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the row with the best defined mean, of equals by the rule of all; or None."""
    return min((row for row in rows if row["mean"] is not None), key=standing, default=None)


def standing(row: Mapping[str, Any]) -> tuple:
    """Return what puts the best of rows first and undefined ones last, as `lssat show` does."""
    name = row["backbone"], row["configuration"]
    return trained.standing(row["metric"], row["mean"], row.get("val_loss"), name)


def ranks(row: Mapping[str, Any] | None) -> str:
    """Write between which ranks a row of `ranks` may stand: `2`, `1 to 4`; a dash without one."""
    if row is None:
        return DASH
    best, worst = row["best"], row["worst"]
    return f"{best}" if best == worst else f"{best} to {worst}"


def headline(metrics: Metrics, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say in sentences what the headline table of a task shows, beside which rows may be first."""
    if best(rows) is None:
        return ["It is undefined in every row; the notes below the table say why."]
    ranks = metrics["ranks"]
    claimed = any(row["beats_baseline"] for row in rows) or sum(row["top"] for row in ranks) == 1
    seeds = [len(row["seeds"]) for row in rows if row["configuration"] != EXTERNAL]
    about = scope(min(seeds)) if claimed and seeds else ""
    return [*filter(None, (_against_baseline(rows), about, _collapsed(rows)))]


def sized(n: int, level: str, groups: int) -> str:
    """Say for a caption what stands behind its numbers: `n = 140 videos in 14 groups`."""
    return f"n = {count(n, level)} in {count(groups, 'group')}"


def tested(metrics: Metrics) -> str:
    """Say on how much a task's headline is tested: `n = 140 videos in 14 groups`."""
    return sized(metrics["n"][metrics["level"]], metrics["level"], metrics["groups"])


def confidence(metrics: Mapping[str, Any]) -> str:
    """Say which interval: `95 % interval`."""
    return f"{100 * metrics['confidence']:g} % interval"


def _against_baseline(rows: Sequence[Mapping[str, Any]]) -> str:
    known = [row for row in rows if row["low"] is not None and row["baseline"] is not None]
    if not known:
        return "Nothing can be held against the trivial baseline: there is no interval."
    beat, baseline = sum(bool(row["beats_baseline"]) for row in known), known[0]["baseline"]
    which = " with an interval" if len(known) < sum(row["mean"] is not None for row in rows) else ""
    many = _of_all(beat, len(known), which)
    return f"{many} shown to beat the trivial baseline, {number(baseline)}."


def _of_all(some: int, total: int, which: str = "") -> str:
    """Begin a sentence: `All 8 rows are`, `3 of 8 rows are`, `None of the 8 rows is`."""
    if total == 1:
        return f"The row{which} is" if some else f"The row{which} is not"
    if some in (0, total):
        return f"All {total} rows{which} are" if some else f"None of the {total} rows{which} is"
    return f"{some} of {total} rows{which} {'is' if some == 1 else 'are'}"


def _collapsed(rows: Sequence[Mapping[str, Any]]) -> str:
    collapsed = sum(bool(row["collapsed"]) for row in rows)
    verb = "is" if collapsed == 1 else "are"
    return f"{collapsed} of {len(rows)} rows {verb} flagged as collapsed." if collapsed else ""
