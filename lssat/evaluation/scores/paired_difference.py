"""One row measured twice on the same clusters: the difference, seed by seed."""

from collections.abc import Sequence

import numpy as np

from lssat.evaluation.scores import measured
from lssat.evaluation.scores.measured import Measured, Span
from lssat.evaluation.scores.run_group import Scored
from lssat.params import Confidence


def paired(
    scored: Sequence[Scored], first: Measured, second: Measured, metric: str, options: Confidence
) -> dict[tuple[str, str], Span]:
    """Return the interval of first - second of each row's mean over seeds.

    All rows are given together, since the variance of training is estimated from all of them. With
    one seed the interval covers other test sets only.

    Args:
        first, second: of the same runs on the same samples, seen in two ways.

    Returns:
        by (backbone, configuration); absent where a run has no value, or the variance of the
        difference is unknown.
    """
    reason, note, clusters = measured.trust(first, metric)
    by_row = {
        measured.key(row): [measured.cells(row, results, metric) for results in (first, second)]
        for row in scored
    }
    known = {name: [c for c in cells if c] for name, cells in by_row.items() if None not in cells}
    if reason or not known:
        return {}
    rows = [cells[side] for side in (0, 1) for cells in known.values()]
    many = len(known)
    pairs = measured.infer(rows, clusters, options, [(k, many + k) for k in range(many)]).pairs
    return {
        name: Span(pair.low, pair.high, note)
        for name, pair in zip(known, pairs, strict=True)
        if not np.isnan(pair.low)
    }
