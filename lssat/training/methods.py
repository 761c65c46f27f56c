"""Training on some manipulation methods: the fakes of the others are left out, reals stay."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from lssat import grid
from lssat.tables import DataError


def part(samples: pa.Table, methods: Sequence[str] | None, task: grid.Task, file: Path) -> pa.Table:
    """Keep the reals and the fakes of these methods, in their order.

    Of validation as well: an epoch is not chosen by a manipulation that is to be unseen.

    Args:
        samples: of the schema SPLITS, of a binary task; the method of a fake is its `subset`.
        methods: names; None: all are kept.
        task: of the samples. file: of the split, for messages.

    Raises:
        DataError: the task has no methods, or a method has no sample here.
    """
    if methods is None:
        return samples
    fake = pc.equal(pc.list_element(samples["labels"], 0), 1)
    there = set(samples.filter(fake)["subset"].to_pylist()) - {""}
    if task.kind != "binary" or not there:
        problem = f"has no manipulation methods, and train.methods is {', '.join(methods)}"
        raise DataError(file, problem, "Write null, or train on another task")
    if missing := [name for name in methods if name not in there]:
        problem = f"has no sample of {', '.join(missing)}, which train.methods names"
        raise DataError(file, problem, f"It has {', '.join(sorted(there))}")
    named = pc.is_in(samples["subset"], pa.array(list(methods), pa.string()))
    return samples.filter(pc.or_(pc.invert(fake), named))
