"""Snakemake's records of how files were made, without which it sees no change of parameters."""

import base64
import binascii
from pathlib import Path

RECORDS = Path(".snakemake/metadata")
_INCOMPLETE = RECORDS.with_name("incomplete")


def refusal() -> str:
    """Say why Snakemake cannot know whether results are up to date, and what to do; "": it can.

    It passes over a record that a full disk or a fall of the machine has cut, and then takes the
    file for up to date whatever has changed.
    """
    files = [file for file in RECORDS.rglob("*") if file.is_file()]
    if not files:
        return (
            "results/: there are results (from `dvc pull` or `dvc checkout`?) but Snakemake has no "
            "record of how they were made. Run `lssat sync` (after `dvc checkout`, if this stopped "
            "a DVC command): it asks DVC whether they are up to date and puts Snakemake in step. "
            "Or remove results/ and runs/ to compute everything."
        )
    cut = [file for file in files if not file.read_bytes().rstrip().endswith(b"}")]
    # What was killed while it wrote one is known to be incomplete: its step runs again anyway.
    cut = [file for file in cut if not (_INCOMPLETE / file.relative_to(RECORDS)).exists()]
    outputs = sorted(output for output in map(_of, cut) if Path(output).exists())
    if not outputs:
        return ""
    many = f"{len(outputs):,} records are" if len(outputs) > 1 else "a record is"
    some = ", ".join(outputs[:3]) + (", ..." if len(outputs) > 3 else "")
    return (
        f"{RECORDS}: {many} cut, of how {some} "
        "came to be, so that Snakemake would not see what has changed since. Run `lssat sync`: it "
        "asks DVC whether all is up to date and writes them anew. Or remove these files: their "
        "steps then run again."
    )


def _of(record: Path) -> str:
    """Return the output that a record is of: its name is the path in base64, cut into folders."""
    name = "".join(part.removeprefix("@") for part in record.relative_to(RECORDS).parts)
    try:
        return base64.b64decode(name, altchars=b"-_").decode()
    except (binascii.Error, ValueError):
        return name
