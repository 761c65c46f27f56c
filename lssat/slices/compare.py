"""Groups held against each other: worst group, gap and fairlearn's differences, with intervals.

Every resample draws the same clusters of test samples for all groups, and the same seeds.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from lssat import metrics, statistics
from lssat.metrics.weighted import mean_of_defined
from lssat.params import Evaluate
from lssat.scores.levels import Level
from lssat.scores.scored import Scored
from lssat.slices import measures
from lssat.slices.groups import Slice

DISPARITIES = ("demographic_parity_difference", "equalized_odds_difference")
_PARTS = {  # the rates whose gaps a disparity is the largest of
    DISPARITIES[0]: ("selection_rate",),
    DISPARITIES[1]: ("true_positive_rate", "false_positive_rate"),
}


class Compared:
    """One attribute's groups on one level, measured for every run."""

    def __init__(
        self,
        chosen: Slice,
        sizes: list[dict[str, Any]],
        level: Level,
        headline: str,
        drawn: statistics.Resamples,
        options: Evaluate,
    ):
        self.slice, self.sizes, self.level, self.options = chosen, sizes, level, options
        self.names = measures.names(level.kind, headline)
        self.masks = {size["group"]: chosen.values == size["group"] for size in sizes}
        # Small groups have no value; samples that are not annotated have one, and no comparison.
        self.valued = [size["group"] for size in sizes if size["note"] is None]
        self.compared = [size["group"] for size in sizes if size["compared"]]
        self.still = bool((drawn.counts == 1).all())  # nothing to resample
        self.notes = self._undefined()
        self.columns = self._columns()
        self.bad = {run: metrics.unusable(each) for run, each in level.scores.items()}
        able = [run for run, why in self.bad.items() if why is None]
        self.values = {run: self._points(run) for run in able}
        self.draws = {run: self._resampled(run, drawn) for run in able}

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

    def _points(self, run: str) -> dict[str, dict[str, float]]:
        wanted = {name: self.defined(name) for name in self.names}
        level = self.level
        return measures.points(
            level.kind, level.labels, level.scores[run], self.slice.values, wanted, self.columns
        )

    def _resampled(self, run: str, drawn: statistics.Resamples) -> dict[str, dict[str, Any]]:
        """Return metric -> group -> (B,) in each resample."""
        level, found = self.level, {}
        for group in self.valued:
            mask = self.masks[group]
            labels, scores = level.labels[mask], level.scores[run][mask]
            measure = measures.weighted(level.kind, labels, scores, self.names)
            found[group] = statistics.resampled(measure, drawn.of(mask))
        made: dict[str, dict[str, Any]] = {
            name: {group: found[group][name] for group in self.defined(name)} for name in self.names
        }
        return made if level.kind != "multilabel" else self._means(made)

    def _means(self, made: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Average attributes (B, A) over those that a resample leaves defined in every group."""
        for name, groups in made.items():
            every = [groups[group] for group in self.compared if group in groups]
            every = every or list(groups.values())
            keep = self.columns[name]
            if name != "accuracy" and every:
                keep = keep & ~np.isnan(every).any(axis=0)
            for group, each in groups.items():
                groups[group] = mean_of_defined(np.where(keep, each, np.nan))
        return made

    def rows(self, scored: Scored) -> list[dict[str, Any]]:
        """Return a row a metric: each group's value, the worst group, the gap."""
        return [self._row(scored, name) for name in self.names]

    def _row(self, scored: Scored, name: str) -> dict[str, Any]:
        first = scored.labels | dict(
            attribute=self.slice.name, level=self.level.name, metric=name,
            seeds=scored.seeds, runs=scored.runs,
        )  # fmt: skip
        if self.level.kind == "multilabel":
            first["over"] = int(self.columns[name].sum())
        if note := self._unusable(scored):
            nothing = [None] * len(scored.runs)
            groups = [self._group(size, nothing, None, note) for size in self.sizes]
            return first | dict(groups=groups, **_NOTHING, note=note)
        draws = {
            group: np.stack([self.draws[run][name][group] for run in scored.runs])
            for group in self.defined(name)
        }
        groups = []
        for size in self.sizes:
            group = size["group"]
            values = [self.values[run][name].get(group) for run in scored.runs]
            note = self.notes.get((group, name))
            groups.append(self._group(size, values, draws.get(group), note))
        return first | dict(groups=groups, **self._gap(name, groups, draws))

    def _group(
        self, size: dict, values: list, draws: np.ndarray | None, note: str | None
    ) -> dict[str, Any]:
        mean = None if draws is None else float(np.mean(values))
        interval = statistics.Interval(None, None) if draws is None else self._interval(draws)
        notes = [each for each in (note, interval.note) if each]
        return dict(
            group=size["group"], n=size["n"], clusters=size["clusters"], values=values,
            mean=mean, low=interval.low, high=interval.high, note="; ".join(notes) or None,
        )  # fmt: skip

    def _interval(
        self,
        draws: np.ndarray,
        statistic: Callable[[np.ndarray], np.ndarray] = lambda means: means,
        within: tuple[float, float] = (0, 1),
    ) -> statistics.Interval:
        """Return the interval of a statistic of means over seeds, from draws (S, B, ...)."""
        if self.still:
            note = "no interval: nothing to resample, each stratum is a single cluster"
            return statistics.Interval(None, None, note)
        found = statistics.over_seeds(statistic, [draws], self.options.seed, within)
        return statistics.percentiles(found, self.options.confidence)

    def _gap(self, name: str, groups: list[dict], draws: dict[str, np.ndarray]) -> dict[str, Any]:
        """Return worst and best group, the gap, and best - worst with these two held fixed."""
        held = [
            each for each in groups if each["group"] in self.compared and each["group"] in draws
        ]
        out = [group for group in self.compared if group not in draws]
        if len(held) < 2:
            return _NOTHING | {"note": f"{len(held) or 'no'} group to compare"}
        ranked = sorted(held, key=lambda each: (each["mean"], each["group"]))
        if name in measures.LOWER_IS_BETTER:
            ranked.reverse()
        worst, best = ranked[0], ranked[-1]
        gap = self._interval(np.stack([draws[each["group"]] for each in held], axis=-1), _spread)
        one = draws[best["group"]] - draws[worst["group"]]
        one = -one if name in measures.LOWER_IS_BETTER else one
        apart = self._interval(one, within=(-1, 1))
        notes = [f"without {', '.join(out)}"] if out else []
        notes += [gap.note] if gap.note else []
        ordered = name not in measures.NO_ORDER
        return dict(
            held=[each["group"] for each in held],
            worst=worst["group"] if ordered else None,
            best=best["group"] if ordered else None,
            gap=abs(best["mean"] - worst["mean"]), low=gap.low, high=gap.high,
            apart_low=apart.low, apart_high=apart.high, note="; ".join(notes) or None,
        )  # fmt: skip

    def disparities(self, scored: Scored) -> list[dict[str, Any]]:
        """Return fairlearn's two differences of binary decisions, means over seeds of a run's."""
        if self.level.kind != "binary":
            return []
        return [self._disparity(scored, name) for name in DISPARITIES]

    def _disparity(self, scored: Scored, name: str) -> dict[str, Any]:
        first = scored.labels | dict(
            attribute=self.slice.name, level=self.level.name, metric=name,
            seeds=scored.seeds, runs=scored.runs,
        )  # fmt: skip
        if note := self._unheld(scored, name):
            values = dict(values=[None] * len(scored.runs), mean=None, low=None, high=None)
            return first | values | dict(note=note)
        fair = [self._fair(run, name) for run in scored.runs]
        draws = []
        for run in scored.runs:
            parts = [
                np.stack([self.draws[run][part][group] for group in self.compared])
                for part in _PARTS[name]
            ]
            draws.append(np.max([each.max(axis=0) - each.min(axis=0) for each in parts], axis=0))
        interval = self._interval(np.stack(draws))
        found = dict(values=fair, mean=float(np.mean(fair)), low=interval.low)
        return first | found | dict(high=interval.high, note=interval.note)

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
        lacking = [self.notes.get((g, part)) for part in _PARTS[name] for g in self.compared]
        return next(filter(None, lacking), None)

    def _fair(self, run: str, name: str) -> float:
        import fairlearn.metrics as fair

        keep = np.isin(self.slice.values, self.compared)
        chosen = metrics.predicted("binary", self.level.scores[run])
        labels, groups = self.level.labels[keep], self.slice.values[keep]
        return float(getattr(fair, name)(labels, chosen[keep], sensitive_features=groups))


def _spread(means: np.ndarray) -> np.ndarray:
    return means.max(axis=-1) - means.min(axis=-1)


_NOTHING: dict[str, Any] = dict.fromkeys(
    ("worst", "best", "gap", "low", "high", "apart_low", "apart_high")
) | {"held": []}


def of_runs(rows: list[dict], disparities: list[dict], headline: str) -> list[dict[str, Any]]:
    """Return what MLflow is told of each run: `<attribute>/gap`, `<attribute>/worst`, ...

    They are of the run's own values, of the headline metric.
    """
    found: dict[str, dict[str, float | None]] = {}
    for row in rows:
        if row["metric"] == headline and row["gap"] is not None:
            held = [each["values"] for each in row["groups"] if each["group"] in row["held"]]
            for run, values in zip(row["runs"], zip(*held, strict=True), strict=True):
                name = row["attribute"]
                mine = {f"{name}/gap": max(values) - min(values), f"{name}/worst": min(values)}
                found.setdefault(run, {}).update(mine)
    for row in disparities:
        for run, value in zip(row["runs"], row["values"], strict=True):
            found.setdefault(run, {})[f"{row['attribute']}/{row['metric']}"] = value
    return [{"run": run, "metrics": values} for run, values in found.items()]
