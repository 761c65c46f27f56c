"""Splits: manifest and crops joined, one row per crop, official where a release has a split.

AffectNet has no public test set. The paper's was a random half of the validation set of which
no seed is known; ours is a half by class and by a seeded hash of the ids, and is written out.
"""

import hashlib
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from lssat import grid, params
from lssat.datasets import ffpp
from lssat.tables import FACES, MANIFEST, REJECTS, SPLITS, DataError, check_rejects
from lssat.tables import read_table, write_json, write_table  # fmt: skip
