"""The built-in sample's parameters, for tests that edit them or count its runs.

Its grid and recipe follow from experiments (docs/sample.md) and change with them; so a test takes
them from the file, and replaces what stands there, whatever it is.
"""

import re

from helpers import ROOT
from lssat import grid, params

FILE = ROOT / "presets/sample.yaml"
TEXT = FILE.read_text()
LOADED = params.load(FILE)


def grid_alone(benchmark: dict) -> None:
    """Empty what is beside the grid: the variants."""
    for product in grid.BESIDE:
        benchmark[product] = {key: [] for key in benchmark[product]}


def change(key: str, value: object) -> tuple[str, str]:
    """Return the first `key: ...` of the file, without its comment, and what is to stand there."""
    found = re.search(rf"^ *({re.escape(key)}: .*?)(?: +#.*)?$", TEXT, re.MULTILINE)
    assert found is not None, key
    return found[1], f"{key}: {value}"
