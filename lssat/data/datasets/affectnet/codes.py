"""AffectNet's expression codes, and a sample as its layout describes it."""

from typing import NamedTuple

from lssat.grid.labels import EMOTIONS

EXCLUDED = {"8": "None", "9": "Uncertain", "10": "No-Face"}
NAMES = {**{str(code): name for code, name in enumerate(EMOTIONS)}, **EXCLUDED}
CODES = {str(code): code for code in range(len(EMOTIONS))}


class Sample(NamedTuple):
    """One annotation: its content, and where its image should be."""

    id: str
    split: str  # train | val
    path: str  # of the image, relative to the root
    code: str  # the expression as it stands in the release; "": there is no annotation
    group: str  # what must not stand in two splits
    absent: str = ""  # what is missing, if something is
    box: tuple[float, ...] = ()  # x, y, width, height in pixels
    no_box: str = ""  # why there is none where the layout should give one
    where: str = ""  # file:line
