"""Leaks from a task's training data into a data set that its runs are only tested on.

Names mean nothing across releases, so only pictures are compared. Equal bytes are a leak; crops
with near perceptual hashes are listed for a person to look at.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console

from lssat import params
from lssat.data.audit.crops import FINDINGS, Finding, finding, read_crops
from lssat.data.audit.lookalikes import near
from lssat.tables import DataError, together, write_json, write_table

SEEN = ("train", "val")  # what a run was trained or chosen on
_SHOWN = 20  # pairs in the message of an error; the table holds all

Source = tuple[str, list[Path], dict[str, Path]]  # name, tables of faces, tables of splits


def across(trained: Source, tested: Source, options: params.Audit, out: Path, table: Path) -> None:
    """Compare the crops that runs have seen with those of another data set's test.

    Args:
        trained: the task: its name, tables of schema FACES of every shard, of SPLITS by name.
        tested: the data set that is only tested on.
        options: the Hamming distance up to which crops are near, and the share of the tested
            samples that may have a near-duplicate.
        out: JSON to write if nothing is wrong.
        table: findings to write, of schema FINDINGS; `split` and `other_split` begin with the
            data set's name. Written in any case.

    Raises:
        DataError: a crop of both, or more samples with a near-duplicate than the limit.
    """
    home, away = trained[0], tested[0]
    seen, test = _crops(trained, SEEN), _crops(tested, ("test",))
    same = _same(seen, test)
    alike = near(test, seen, options.near_distance)
    samples = len(set(test["id"].to_pylist()))
    summary = {"dataset": away, "task": home, **options.model_dump(), "of": samples}
    summary |= {"crops": {home: len(seen), away: len(test)}}
    summary |= {"duplicate": len(same), "near_duplicate": len(alike)}
    many = len(alike) > options.near_limit * samples
    with together():
        write_table(table, [*same, *alike], FINDINGS)
        if not same and not many:
            write_json(out, summary)
    sentence = _say(summary)
    Console(soft_wrap=True).print(sentence)
    if same:
        pairs = [f"{r['other_id']} ({r['other_split']}) and {r['id']}" for r in same[:_SHOWN]]
        more = f"; {len(same) - _SHOWN:,} more" if len(same) > _SHOWN else ""
        fix = f"Take them out of {away}: a run that has seen them is not tested there"
        raise DataError(table, f"{sentence}: {'; '.join(pairs)}{more}", fix)
    if many:
        limit = f"the limit is {100 * options.near_limit:g} %"
        fix = "Look at the pairs in this table; then mend the data or raise audit.near_limit"
        raise DataError(table, f"{sentence}; {limit}", fix)


def _crops(source: Source, kept: tuple[str, ...]) -> pa.Table:
    """Return the crops of some splits; their names get the data set's as a prefix."""
    name, faces, splits = source
    crops = read_crops(splits, faces)
    crops = crops.filter(pc.is_in(crops["split"], pa.array(kept)))
    place = crops.schema.get_field_index("split")
    named = pa.array([f"{name} {split}" for split in crops["split"].to_pylist()], pa.string())
    return crops.set_column(place, "split", named)


def _same(seen: pa.Table, test: pa.Table) -> list[Finding]:
    """List each tested sample and a crop of it that was seen; once for each pair of samples."""
    first: dict[str, dict] = {}
    common = pc.is_in(seen["sha256"], test["sha256"].combine_chunks())
    for crop in seen.filter(common).to_pylist():
        first.setdefault(crop["sha256"], crop)
    duplicates: dict[tuple, Finding] = {}
    for crop in test.filter(pc.is_in(test["sha256"], pa.array(first, pa.string()))).to_pylist():
        other = first[crop["sha256"]]
        pair = crop["id"], other["split"], other["id"]
        duplicates.setdefault(pair, finding("duplicate", crop, other, crop["sha256"], 0))
    return list(duplicates.values())


def _say(summary: dict) -> str:
    home, away, n = summary["task"], summary["dataset"], summary["duplicate"]
    near, total = summary["near_duplicate"], summary["of"]
    one = "1 pair of samples shares" if n == 1 else f"{n:,} pairs of samples share"
    return (
        f"{one} a crop between {home} ({' and '.join(SEEN)}) and {away}; "
        f"{near:,} of {total:,} samples of {away} look like one of {home} "
        f"(within {summary['near_distance']} of 64 bits)"
    )
