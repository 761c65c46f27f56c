"""While Snakemake's results are not yet in DVC's cache, DVC must not touch anything.

`dvc exp run` and `exp apply` set back or delete what dvc.lock does not know, and `repro` removes
the outputs of a stale stage before its command, all without a question. DVC reads every dvc.yaml
that git does not ignore before it does anything: one that is no pipeline stops it, whatever the
command. Its only key is the sentence that DVC then shows.
"""

import contextlib
from pathlib import Path

from lssat.orchestrate.lock import describe
from lssat.tables import write_text

FILE = Path("unsaved/dvc.yaml")


def put() -> None:
    """Make DVC refuse until the results of this run are saved."""
    sentence = (
        f"Snakemake is at work here, {describe()}, or was stopped before its results were saved "
        "for DVC. Wait until it has ended. If it has: `snakemake --cores 8` goes on and saves "
        "them, `lssat save` only saves them."
    )
    quoted = sentence.replace("\\", "\\\\").replace('"', '\\"')
    write_text(FILE, f'"{quoted}": {{}}\n')


def there() -> bool:
    """Say whether results may be unsaved."""
    return FILE.exists()


def remove() -> None:
    """Let DVC work again."""
    FILE.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # not empty, or gone
        FILE.parent.rmdir()
