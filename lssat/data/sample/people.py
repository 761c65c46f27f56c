"""How the people of the sample look, as a list of annotations that slices can be made of."""

from collections.abc import Iterable
from pathlib import Path

from lssat.data.sample.sources import count, look
from lssat.tables import write_csv

NAMES = ("skin", "hair")


def looks() -> list[tuple[str, str]]:
    """Return skin (darker or lighter than the median) and hair (long, short) of each person."""
    tones = [float(look(person).tone.mean()) for person in range(count())]
    middle = sorted(tones)[len(tones) // 2]
    skin = ["lighter" if tone >= middle else "darker" for tone in tones]
    hair = ["long" if look(person).long_hair else "short" for person in range(count())]
    return list(zip(skin, hair, strict=True))


def write(path: Path, key: str, shown: Iterable[tuple[str, int]]) -> None:
    """Write the list.

    Args:
        key: `id` or `identity`, the heading of the first column.
        shown: what stands in it, and the person.
    """
    known = looks()
    write_csv(path, [key, *NAMES], ([name, *known[person]] for name, person in shown))
