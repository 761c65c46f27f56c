"""What was measured and seen once on the 101 source faces: landmarks, likeness, things worn.

Faces 0 to 99 are `skimage.data.lfw_subset()[:100]`, face 100 is the square of
`skimage.data.astronaut()` that `sources` cuts out. The landmarks are MTCNN's (facenet-pytorch
2.6.0), for faces 0 to 99 the surest of four tries at seven- to tenfold size with padded edges;
they are kept as numbers so that drawing needs no torch.
"""

import json
from pathlib import Path

import numpy as np

# Pictures that look so alike that they may show one person: they never part between splits.
ALIKE = ((0, 36, 73, 90), (18, 31, 75, 91, 93), (46, 94), (58, 61, 81), (5, 57), (24, 25, 87))

# What a person wears in the source picture is always drawn over it, and labelled.
WORN = {
    "Eyeglasses": {4, 5, 9, 10, 25, 34, 35, 39, 58, 59, 61, 68, 69, 81, 85, 89},
    "Wearing_Hat": {12, 17},
    "Mustache": {17, 23, 25, 30, 47, 80, 88},
}

# (101, 5, 2): x and y of right eye, left eye, nose, right and left mouth corner (the viewer's left
# first), in pixels of a 25 x 25 picture; the file holds tenths.
_FILE = Path(__file__).with_name("landmarks.json")
LANDMARKS = np.array(json.loads(_FILE.read_text(encoding="ascii")), float).reshape(-1, 5, 2) / 10
