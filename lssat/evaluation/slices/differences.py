"""Groups compared with each other: worst group, gap and the differences of decisions, tested.

All follows from each group's own clusters and the influence of their samples (`scores.measured`):
`statistics.infer` for a group's value, `statistics.largest_gaps` for what lies between groups.
"""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from lssat import metrics
from lssat.evaluation.scores import measured
from lssat.evaluation.scores.heap import give_back
from lssat.evaluation.scores.levels import Level
from lssat.evaluation.scores.measured import Measured
from lssat.evaluation.scores.run_group import Scored
from lssat.evaluation.slices import measures
from lssat.evaluation.slices.groups import Slice
from lssat.metrics import statistics
from lssat.params import Evaluate
from lssat.tables.analysis_tables import Disparity, GroupScore, GroupSize, RunSlices, SliceRow

DISPARITIES = {  # the rates whose gaps a difference is the largest of
    "demographic_parity_difference": ("selection_rate",),
    "equalized_odds_difference": ("true_positive_rate", "false_positive_rate"),
}
FEW = 10  # clusters of a compared group below which a row says so
_SAYS_NOTHING = 0.8  # width of an interval that is not printed as one
_NOTHING: dict[str, Any] = dict.fromkeys(
    ("worst", "best", "gap", "low", "high", "expected", "p", "p_holm")
) | {"held": []}


class Compared:
    """One attribute's groups on one level, measured for every run."""

    def __init__(
        self,
        chosen: Slice,
        sizes: list[GroupSize],
        level: Level,
        headline: str,
        options: Evaluate,
    ):
        self.slice, self.sizes, self.level, self.options = chosen, sizes, level, options
        self.names = measures.names(level.kind, headline)
        self.masks = {size["group"]: chosen.values == size["group"] for size in sizes}
        # Small groups have no value; samples that are not annotated have one, and no comparison.
        self.valued = [size["group"] for size in sizes if size["note"] is None]
        self.compared = [size["group"] for size in sizes if size["compared"]]
        self.notes = self._undefined()
        self.columns = self._columns()
        self.bad = {run: metrics.unusable(scores) for run, scores in level.scores.items()}
        self.member = np.unique(np.asarray(level.groups), return_inverse=True)[1]
        self.results = self._measured()

    def _undefined(self) -> dict[tuple[str, str], str]:
        """Return (group, metric) -> why it has no value there."""
        classes = next(iter(self.level.scores.values())).shape[-1]
        classes = 2 if self.level.kind == "binary" else classes
        notes = {(size["group"], n): size["note"] for size in self.sizes for n in self.names}
        for group in self.valued:
            labels = self.level.labels[self.masks[group]]
            for name in self.names:
                notes[group, name] = measures.lacking(self.level.kind, name, labels, classes)
        return {key: note for key, note in notes.items() if note}

    def _columns(self) -> dict[str, np.ndarray]:
        """Return, for each metric of a multilabel task, the attributes that it is a mean over."""
        if self.level.kind != "multilabel":
            return {}
        masks = [self.masks[group] for group in self.compared or self.valued]
        varied = measures.varied(self.level.labels, masks, self.slice.column)
        others = np.ones(len(varied), bool)
        if self.slice.column is not None:
            others[self.slice.column] = False
        columns = {name: others if name == "accuracy" else varied for name in self.names}
        if not varied.any():
            why = "no attribute varies in every group"
            pairs = [(g, n) for g in self.valued for n in self.names if n != "accuracy"]
            self.notes |= dict.fromkeys(pairs, why)
        elif strange := [group for group in self.valued if group not in self.compared]:
            self._cut(strange, varied)
        return columns

    def _cut(self, groups: list[str], varied: np.ndarray) -> None:
        """Note groups beside the comparison that lack an attribute that it is made on."""
        for group in groups:
            labels = self.level.labels[self.masks[group]][:, varied]
            if (labels.min(axis=0) == labels.max(axis=0)).any():
                why = "an attribute that the others are compared on is constant here"
                pairs = [(group, name) for name in self.names if name != "accuracy"]
                self.notes |= dict.fromkeys(pairs, why)

    def defined(self, name: str) -> list[str]:
        """Return the groups in which a metric has a value."""
        return [group for group in self.valued if (group, name) not in self.notes]

    def _measured(self) -> dict[tuple[str, str], Measured]:
        """Return (group, metric) -> values and factors of all runs whose scores are finite."""
        results = {}
        for group in self.valued:
            part = self.level.part(self.masks[group])
            wanted = [name for name in self.names if group in self.defined(name)]
            by_run = {}
            for run in filter(lambda run: self.bad[run] is None, part.scores):
                given = part.kind, part.labels, part.scores[run], wanted, self.columns
                by_run[run] = measures.measure(*given)
                give_back()
            held, clusters = measured.holding(part), len(set(part.groups))
            for name in wanted:
                values = {run: {name: moved[name][0]} for run, moved in by_run.items()}
                factors = {
                    run: {name: statistics.over_clusters(moved[name][1], part.groups)}
                    for run, moved in by_run.items()
                }
                results[group, name] = Measured(part.kind, clusters, 0, held, values, factors, {})
        return results

    def rows(self, scored: Sequence[Scored]) -> list[SliceRow]:
        """Return a row for each of `scored` and metric: every group's value, the worst, the gap.

        Holm's correction runs over `scored`: the rows of a table of one metric.
        """
        by_name = [self._rows(scored, name) for name in self.names]
        return [row for of_one in zip(*by_name, strict=True) for row in of_one]

    def _rows(self, scored: Sequence[Scored], name: str) -> list[SliceRow]:
        able = [run_group for run_group in scored if not self._unusable(run_group)]
        intervals = {
            group: measured.intervals(able, self.results[group, name], name, self.options)
            for group in self.defined(name)
        }
        gaps, note = self._gaps(able, [(name, group) for group in self._held(name)])
        compared = []
        for run_group in scored:
            if why := self._unusable(run_group):
                groups = [self._group(size, run_group, name, None, why) for size in self.sizes]
                compared.append(dict(groups=groups, **_NOTHING, note=why))
                continue
            groups = []
            for size in self.sizes:
                own = intervals.get(size["group"], {}).get(measured.key(run_group))
                about = self.notes.get((size["group"], name))
                groups.append(self._group(size, run_group, name, own, about))
            gap = gaps.get(measured.key(run_group))
            compared.append(dict(groups=groups, **self._row(name, groups, gap, note)))
        rows = _corrected(compared)
        return [
            cast(SliceRow, self._first(run_group, name) | row)
            for run_group, row in zip(scored, rows, strict=True)
        ]

    def _first(self, scored: Scored, name: str) -> dict[str, Any]:
        first = scored.labels | dict(
            attribute=self.slice.name, level=self.level.name, metric=name,
            seeds=scored.seeds, runs=scored.runs,
        )  # fmt: skip
        if self.level.kind == "multilabel":
            first["over"] = int(self.columns[name].sum())
        return first

    def _group(
        self,
        size: GroupSize,
        scored: Scored,
        name: str,
        interval: measured.Span | None,
        note: str | None,
    ) -> GroupScore:
        results = self.results.get((size["group"], name))
        known = results is not None and all(run in results.values for run in scored.runs)
        values = [results.values[run][name] if results and known else None for run in scored.runs]
        span = interval or measured.Span(None, None)
        notes = [text for text in (note, span.note) if text]
        return GroupScore(
            group=size["group"],
            n=size["n"],
            clusters=size["clusters"],
            values=values,
            mean=float(np.mean(values)) if known else None,  # type: ignore[arg-type]
            low=span.low,
            high=span.high,
            note="; ".join(notes) or None,
        )

    def _held(self, name: str) -> list[str]:
        """Return the groups that are compared by a metric."""
        return [group for group in self.compared if group in self.defined(name)]

    def _row(
        self, name: str, groups: list[GroupScore], gap: statistics.Gap | None, note: str | None
    ) -> dict[str, Any]:
        """Return worst and best group, and the gap between them with its test."""
        names = self._held(name)
        held = [
            (group["mean"], group["group"])
            for group in groups
            if group["group"] in names and group["mean"] is not None
        ]
        if len(held) < 2:
            return _NOTHING | {"note": f"{len(held) or 'no'} group to compare"}
        ranked = sorted(held, reverse=metrics.METRICS[name].direction < 0)
        (first, worst), (last, best) = ranked[0], ranked[-1]
        out = [group for group in self.compared if group not in names]
        notes = [f"without {', '.join(out)}" if out else None, note]
        ordered = metrics.METRICS[name].direction != 0
        return dict(
            held=names, worst=worst if ordered else None, best=best if ordered else None,
            gap=abs(last - first), **_tested(gap, notes),
        )  # fmt: skip

    def _gaps(
        self, scored: Sequence[Scored], held: Sequence[tuple[str, str]]
    ) -> tuple[dict[tuple[str, str], statistics.Gap], str | None]:
        """Test the largest gap of each of `scored` between (metric, group) of one metric.

        Returns:
            a gap by backbone and configuration, none where nothing can be tested; and a note.
        """
        parts = [name for name, _ in held]
        if not scored or len(held) < 2 * max(1, len(set(parts))):
            return {}, None
        trusted = [
            (group, *measured.trust(self.results[group, name], name), self.results[group, name])
            for name, group in held
        ]
        if bad := [f"{group}: {reason}" for group, reason, *_ in trusted if reason]:
            return {}, "; ".join(dict.fromkeys(bad))
        few = [f"{g} ({n})" for g, _, _, n, own in trusted if min(n, own.clusters) < FEW]
        note = f"few clusters: {', '.join(dict.fromkeys(few))}" if few else None
        freedom = np.array([max(n - 2, 1) for *_, n, _ in trusted], float)
        edges = np.array(
            [measured.edge(own, name) for (name, _), (*_, own) in zip(held, trusted, strict=True)]
        )
        number = np.unique(parts, return_inverse=True)[1]
        rows = [
            statistics.Groups(*self._factors(run_group, held), freedom, edges, number)
            for run_group in scored
        ]
        gaps = statistics.largest_gaps(rows, self.options.confidence, self.options.seed)
        return dict(zip(map(measured.key, scored), gaps, strict=True)), note

    def _factors(
        self, scored: Scored, held: Sequence[tuple[str, str]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return values (S, G) and factors (S, P, G): a group's lie at its clusters' places."""
        values = np.empty((len(scored.runs), len(held)))
        factors = np.zeros((len(scored.runs), self.member.max() + 1, len(held)))
        for at, (name, group) in enumerate(held):
            own, places = self.results[group, name], np.unique(self.member[self.masks[group]])
            for seed, run in enumerate(scored.runs):
                values[seed, at] = own.values[run][name]
                factors[seed, places, at] = own.factors[run][name]
        return values, factors

    def disparities(self, scored: Sequence[Scored]) -> list[Disparity]:
        """Return the two differences of binary decisions between groups, of means over seeds.

        `values` are each run's own, as fairlearn's; Holm's correction is that of `rows`.
        """
        if self.level.kind != "binary":
            return []
        by_name = [self._disparities(scored, name) for name in DISPARITIES]
        return [row for of_one in zip(*by_name, strict=True) for row in of_one]

    def _disparities(self, scored: Sequence[Scored], name: str) -> list[Disparity]:
        held = [(part, group) for part in DISPARITIES[name] for group in self.compared]
        why = {measured.key(run_group): self._unheld(run_group, name) for run_group in scored}
        able = [run_group for run_group in scored if why[measured.key(run_group)] is None]
        gaps, note = self._gaps(able, held)
        rows = []
        for run_group in scored:
            row: dict[str, Any] = dict(values=[None] * len(run_group.runs), mean=None)
            row |= _tested(None, [why[measured.key(run_group)]])
            if run_group in able:
                values, _ = self._factors(run_group, held)
                row = dict(values=[self._widest(one, held) for one in values])
                row |= dict(mean=self._widest(values.mean(axis=0), held))
                row |= _tested(gaps.get(measured.key(run_group)), [note])
            rows.append(row)
        return [
            cast(Disparity, self._first(run_group, name) | row)
            for run_group, row in zip(scored, _corrected(rows), strict=True)
        ]

    def _widest(self, values: np.ndarray, held: Sequence[tuple[str, str]]) -> float:
        names = np.array([name for name, _ in held])
        return max(float(np.ptp(values[names == name])) for name in dict.fromkeys(names))

    def _unusable(self, scored: Scored) -> str | None:
        pairs = zip(scored.seeds, scored.runs, strict=True)
        return (
            "; ".join(f"seed {seed}: {self.bad[run]}" for seed, run in pairs if self.bad[run])
            or None
        )

    def _unheld(self, scored: Scored, name: str) -> str | None:
        if note := self._unusable(scored):
            return note
        if len(self.compared) < 2:
            return "less than two groups to compare"
        lacking = [self.notes.get((g, part)) for part in DISPARITIES[name] for g in self.compared]
        return next(filter(None, lacking), None)


def _tested(gap: statistics.Gap | None, notes: Sequence[str | None]) -> dict[str, Any]:
    """Return a gap's interval and test; an interval that is too wide is left out."""
    low = high = expected = p = None
    if gap is not None:
        expected, p, low, high = gap.expected, gap.p, gap.low, gap.high
        if high - low >= _SAYS_NOTHING:
            text = f"no interval: it would reach from {low:.2f} to {high:.2f}"
            low, high, notes = None, None, [*notes, text]
    note = "; ".join(filter(None, notes)) or None
    return dict(low=low, high=high, expected=expected, p=p, p_holm=None, note=note)


def _corrected(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    corrected = statistics.holm([np.nan if row["p"] is None else row["p"] for row in rows])
    return [
        row | {"p_holm": None if np.isnan(p) else float(p)}
        for row, p in zip(rows, corrected, strict=True)
    ]


def of_runs(rows: list[SliceRow], disparities: list[Disparity], headline: str) -> list[RunSlices]:
    """Return the numbers of each run for MLflow: `<attribute>/gap`, `<attribute>/worst`, ...

    They are of the run's own values, of the headline metric.
    """
    by_run: dict[str, dict[str, float | None]] = {}
    for row in rows:
        if row["metric"] == headline and row["gap"] is not None:
            compared = [group["values"] for group in row["groups"] if group["group"] in row["held"]]
            for run, of_groups in zip(row["runs"], zip(*compared, strict=True), strict=True):
                values = [value for value in of_groups if value is not None]
                numbers = by_run.setdefault(run, {})
                numbers[f"{row['attribute']}/gap"] = max(values) - min(values)
                numbers[f"{row['attribute']}/worst"] = min(values)
    for difference in disparities:
        name = f"{difference['attribute']}/{difference['metric']}"
        for run, value in zip(difference["runs"], difference["values"], strict=True):
            by_run.setdefault(run, {})[name] = value
    return [RunSlices(run=run, metrics=values) for run, values in by_run.items()]
