"""What size, quality and codec of the files predict: a baseline that looks at no pixel.

A data set whose classes were compressed, cut or scaled in different ways tells its labels by
that, and a model that reaches a score on it may have read the format; so may one whose faces are
larger in one class, since all crops are made one size. Trees are trained on the
training split's files and scored on the test split's, as a run is.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from lssat import grid, metrics
from lssat.evaluation.scores import cells, measured
from lssat.evaluation.scores.levels import Level
from lssat.evaluation.scores.measured import Span
from lssat.evaluation.scores.run_group import Scored
from lssat.params import IntervalOptions
from lssat.params.views import FormatProbeView
from lssat.tables import FORMATS, SPLITS, DataError, metadata, read_table, write_json
from lssat.tables.analysis_tables import FormatProbe, FormatRow
from lssat.tables.contracts import VERSION

NAME = "format"
NUMBERS = (
    *("width", "height", "aspect", "bytes", "bytes_per_pixel", "bytes_per_second"),
    *("frames", "seconds", "fps", "quality", "side", "side_share"),
)
NAMES = ("kind", "sampling")  # of an image its format; of a video its codec, pixels' format
_TREES = dict(max_iter=60, learning_rate=0.1, max_leaf_nodes=15, min_samples_leaf=5)


class _Split(NamedTuple):
    ids: list[str]
    labels: np.ndarray  # (N, A)
    groups: list[str]
    subsets: np.ndarray
    files: pa.Table  # of schema FORMATS, a row a sample


def probe(train: Path, test: Path, formats: Path, out: Path, params: FormatProbeView) -> None:
    """Train on the formats of a task's training files, score those of its test files, write both.

    Args:
        train, test: tables of schema SPLITS.
        formats: table of schema FORMATS.
        out: JSON: for each metric the `value`, `low`, `high`, `note` and trivial `baseline`;
            `above`: whether the headline metric's interval lies above chance; `permuted`: that
            metric where one feature of the test files was shuffled.
        params: the view of the rule `format_probe`.

    Raises:
        DataError: a sample has no row in `formats`.
    """
    header = read_table(train, SPLITS)
    task = grid.read_task(metadata(header), train)
    known = read_table(formats, FORMATS)
    learnt, tested = (_split(read_table(file, SPLITS), known, file) for file in (train, test))
    model = Probe(task.kind, len(task.classes), params.evaluate.seed).fit(learnt)
    inputs = model.features(tested.files)
    level = _level(task.kind, tested, model.predict(inputs))
    rows = _rows(level, _targets(task.kind, learnt.labels), params.evaluate)
    (head,) = (row for row in rows if row["metric"] == task.metric)
    content = FormatProbe(
        version=VERSION,
        task=task.name,
        kind=task.kind,
        split="test",
        metric=task.metric,
        level=level.name,
        n=len(level.ids),
        groups=len(set(level.groups)),
        train_n=len(learnt.ids),
        confidence=params.evaluate.confidence,
        above=_above(head),
        rows=rows,
        permuted=_permuted(model, inputs, tested, task, params.evaluate.seed),
    )
    write_json(out, content)


def _split(table: pa.Table, formats: pa.Table, file: Path) -> _Split:
    """Return the samples of a split, each once: a video has a row a frame."""
    ids, first = np.unique(np.array(table["id"].to_pylist(), dtype=object), return_index=True)
    rows = table.take(first)
    place = {name: i for i, name in enumerate(formats["id"].to_pylist())}
    lacking = [name for name in ids if name not in place]
    if lacking:
        problem = f"holds {lacking[0]!r}, which has no row in the table of formats"
        raise DataError(file, problem, "Run the step `formats` again: it is older")
    files = formats.take([place[name] for name in ids])
    labels = np.array(rows["labels"].to_pylist(), dtype=np.int64)
    texts = rows["group"].to_pylist(), np.array(rows["subset"].to_pylist())
    return _Split(list(ids), labels, *texts, files)


def _targets(kind: str, labels: np.ndarray) -> np.ndarray:
    return labels if kind == "multilabel" else labels[:, 0]


class Probe:
    """Gradient-boosted trees over the features of files; one for each attribute.

    Args:
        kind: `binary`, `multilabel` or `multiclass`. Classes weigh the same, as in the default
            recipe; attributes as often as they are there, since accuracy is their metric.
        classes: of a multiclass task.
        seed: of scikit-learn's generator.
    """

    def __init__(self, kind: str, classes: int, seed: int):
        self.kind, self.classes, self.seed = kind, classes, seed

    def fit(self, split: _Split) -> "Probe":
        """Learn from the files of the training split."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        self.known = {name: sorted(set(split.files[name].to_pylist())) for name in NAMES}
        self.silent = np.zeros(len(NUMBERS) + len(NAMES), bool)
        self.silent = np.isnan(self.features(split.files)).all(axis=0)
        inputs = self.features(split.files)
        self.columns: list[tuple[Any, np.ndarray]] = []  # a model, or None, and its classes
        for labels in split.labels.T:
            held = np.unique(labels)
            model = None
            if len(held) > 1:
                model = HistGradientBoostingClassifier(
                    **_TREES,  # type: ignore[arg-type]
                    early_stopping=False,
                    random_state=self.seed,
                    class_weight=None if self.kind == "multilabel" else "balanced",
                    categorical_features=[len(NUMBERS) + i for i in range(len(NAMES))],
                ).fit(inputs, labels)
            self.columns.append((model, held))
        return self

    def features(self, files: pa.Table) -> np.ndarray:
        """Return (N, F) float64: `NUMBERS`, then `NAMES` as codes; nan where it is not known."""
        known = {
            name: files[name].to_numpy().astype(float)
            for name in ("width", "height", "bytes", "frames", "seconds", "quality", "side")
        }
        pixels = known["width"] * known["height"] * np.maximum(known["frames"], 1)
        known["aspect"] = known["width"] / known["height"]
        known["bytes_per_pixel"] = known["bytes"] / pixels
        known["bytes_per_second"] = known["bytes"] / known["seconds"]
        known["fps"] = known["frames"] / known["seconds"]
        known["side_share"] = known["side"] / known["height"]
        codes = [
            [
                float(self.known[name].index(value)) if value in self.known[name] else np.nan
                for value in files[name].to_pylist()
            ]
            for name in NAMES
        ]
        columns = np.column_stack([*(known[name] for name in NUMBERS), *codes])
        columns[:, self.silent] = 0.0  # what no training file says: the trees need some number
        return columns

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Return probabilities as runs have them: (N,), (N, A) or (N, K)."""
        if self.kind == "multiclass":
            ((model, held),) = self.columns
            scores = np.zeros((len(inputs), self.classes))
            scores[:, held] = 1.0 if model is None else model.predict_proba(inputs)
            return scores
        scores = np.column_stack([_of_one(*column, inputs) for column in self.columns])
        return scores if self.kind == "multilabel" else scores[:, 0]


def _of_one(model: Any, held: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    if model is None:
        return np.full(len(inputs), float(held[0]))
    return model.predict_proba(inputs)[:, 1]


def _level(kind: str, split: _Split, scores: np.ndarray) -> Level:
    name = "image" if set(split.files["media"].to_pylist()) == {"image"} else "video"
    facts = split.ids, _targets(kind, split.labels), split.groups, split.subsets
    return Level(name, kind, *facts, {_run().runs[0]: scores})


def _run() -> Scored:
    return Scored(NAME, "none-none-CRGB", [f"files/{NAME}/none-none-CRGB/seed0"])


def _rows(level: Level, train: np.ndarray, options: IntervalOptions) -> list[FormatRow]:
    results = measured.measured(level, options)
    baselines, run = cells.baseline(level, train), _run()
    rows = []
    for metric in metrics.NAMES[level.kind]:
        spans = measured.intervals([run], results, metric, options)
        span = spans.get(measured.key(run), Span(None, None))
        row = FormatRow(
            metric=metric,
            value=results.values.get(run.runs[0], {}).get(metric),
            low=span.low,
            high=span.high,
            baseline=baselines[metric],
            note=results.notes[run.runs[0]].get(metric) or span.note,
        )
        rows.append(row)
    return rows


def _above(row: FormatRow) -> bool:
    """Say whether a whole interval is better than the trivial baseline."""
    low, high, baseline = row["low"], row["high"], row["baseline"]
    if low is None or high is None or baseline is None:
        return False
    return high < baseline if row["metric"] in metrics.LOWER_IS_BETTER else low > baseline


def _permuted(
    model: Probe, inputs: np.ndarray, split: _Split, task: grid.Task, seed: int
) -> dict[str, float | None]:
    """Return the headline metric where a feature of the test files is shuffled between them."""
    rng, labels = np.random.default_rng(seed), _targets(task.kind, split.labels)
    shuffled_by = {}
    for column, name in enumerate((*NUMBERS, *NAMES)):
        shuffled = inputs.copy()
        shuffled[:, column] = rng.permutation(shuffled[:, column])
        scores = model.predict(shuffled)
        value = metrics.measure(task.kind, labels, scores, metrics.in_order(scores))[task.metric]
        shuffled_by[name] = None if value is None else float(value)
    return shuffled_by
