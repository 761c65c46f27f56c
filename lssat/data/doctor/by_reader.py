"""A data set that only its reader knows: one's own, and a release without a module here."""

from typing import Any

from lssat.data import datasets
from lssat.data.doctor.findings import Inventory, Parts, Seen
from lssat.data.doctor.official import as_given
from lssat.data.doctor.walk import Tree
from lssat.grid.releases import RELEASES


class ByReader:
    """What a module of a release has, for one data set."""

    readings = staticmethod(as_given)

    def __init__(self, dataset: str):
        self.reader: Any = datasets.reader(dataset) if dataset in RELEASES else None

    def is_list(self, name: str) -> bool:
        """Say whether a file is one of the release's lists; params.yaml names one's own."""
        return name in getattr(self.reader, "LISTS", ())

    def beside(self, kind: str) -> bool:
        """Say whether a file that is no sample is checked; unnamed lists are not."""
        return kind in ("image", "video")

    def look(self, options: Any, tree: Tree, inventory: Inventory) -> Seen:
        """Return nothing: the options say what a path means, and only the reader knows them."""
        return Seen()

    def official_parts(self, options: Any, tree: Tree) -> Parts:
        """Return the official counts by subset and split, if there are any to compare with."""
        return getattr(self.reader, "OFFICIAL", {})
