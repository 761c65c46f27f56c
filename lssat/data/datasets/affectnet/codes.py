"""AffectNet's expression codes, and a sample as its layout describes it."""

from typing import NamedTuple

from lssat.grid.labels import EMOTIONS

EXCLUDED = {"8": "None", "9": "Uncertain", "10": "No-Face"}
NAMES = {**{str(code): name for code, name in enumerate(EMOTIONS)}, **EXCLUDED}
CODES = {str(code): code for code in range(len(EMOTIONS))}

# AffectNet (Mollahosseini et al. 2017), manually annotated: rows of training.csv and
# validation.csv by expression code (table 3 of the paper, less the 500 a class of validation).
_TRAIN = (74_874, 134_415, 25_459, 14_090, 6_378, 3_803, 24_882, 3_750, 33_088, 11_645, 82_415)
CSV = {
    "train": {str(code): n for code, n in enumerate(_TRAIN)},
    "val": {str(code): 500 for code in range(11)},
}
# The npy release holds the eight classes alone: 287,651 and 3,999 (papers report 499 Contempt).
NPY = {
    "train": {str(code): CSV["train"][str(code)] for code in range(8)},
    "val": {**{str(code): 500 for code in range(7)}, "7": 499},
}


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
