"""All problems that can be known before the first job, in one message.

`params.load` reads the names and values of params.yaml. Here the files that it names are looked
for, backbones of timm are built without memory, and weights are compared with them. The
Snakefile, `lssat check` and `lssat doctor` call the same function.
"""

from pathlib import Path

from lssat import params
from lssat.data.preflight import cross_classes, files, models
from lssat.tables import DataError

__all__ = ["check", "problems"]


def check(path: str | Path = "params.yaml") -> params.Params:
    """Read params.yaml and look for everything that would stop a job.

    Raises:
        DataError: all problems in one message, each with its line and key.
    """
    loaded, lines = problems(path)
    if lines or loaded is None:
        raise DataError.of(path, lines)
    return loaded


def problems(path: str | Path = "params.yaml") -> tuple[params.Params | None, list[str]]:
    """Return the parameters, None where they are not valid, and what is wrong, a line each.

    Raises:
        DataError: the file cannot be read at all.
    """
    loaded, lines, source = params.examine(path)
    lines += [source.say(*problem) for problem in files.problems(source.get)]
    lines += [source.say(*problem) for problem in models.problems(source.get)]
    if loaded is not None and not lines:
        lines += [source.say(*problem) for problem in cross_classes.problems(loaded)]
    return loaded, list(dict.fromkeys(lines))
