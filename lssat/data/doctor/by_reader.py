"""How a data set is looked at as far as its reader tells; a module here of its name tells more."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from lssat.data import datasets
from lssat.data.doctor.findings import Inventory, Parts, Seen
from lssat.data.doctor.walk import Tree
from lssat.grid.releases import RELEASES


class ByReader:
    """What is asked of a data set; functions of `lssat.data.doctor.<its name>` come first."""

    def __init__(self, dataset: str):
        self.reader: Any = datasets.reader(dataset) if dataset in RELEASES else None
        self.SELECTS = getattr(self.reader, "SELECTS", False)
        if self.reader and (Path(__file__).parent / f"{dataset}.py").exists():
            vars(self).update(vars(import_module(f"lssat.data.doctor.{dataset}")))

    def is_list(self, name: str) -> bool:
        """Say whether a file is one of the release's lists; params.yaml names one's own."""
        return name in getattr(self.reader, "LISTS", ())

    def readings(
        self, options: Any, configured: bool, tree: Tree, inventory: Inventory
    ) -> Iterator[tuple[str, bool, Any]]:
        """Yield name, whether it is in use, and options of each reading; most releases have one."""
        yield "", True, options

    def beside(self, kind: str) -> bool:
        """Say whether a file that is no sample is checked; lists beside one's own are not."""
        return self.reader is not None or kind in ("image", "video")

    def look(self, options: Any, tree: Tree, inventory: Inventory) -> Seen:
        """Return nothing: the options say what a path means, and only the reader knows them."""
        return Seen()

    def official_parts(self, options: Any, tree: Tree) -> Parts:
        """Return the official counts by subset and split, if there are any to compare with."""
        return getattr(self.reader, "OFFICIAL", {})
