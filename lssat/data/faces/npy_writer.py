"""An NPY file of crops that is written crop by crop, so that memory does not grow with it."""

from typing import IO

import numpy as np
from numpy.lib import format as npy


class Sheet:
    """Crops (N, size, size, 3) uint8 in an open file; N is known when it is finished."""

    def __init__(self, file: IO[bytes], size: int):
        self.file, self.shape = file, (size, size, 3)
        self.start = self._head(0)

    def put(self, place: int, crop: np.ndarray) -> None:
        """Write a crop in a place, over what was there."""
        self.file.seek(self.start + place * crop.size)
        self.file.write(np.ascontiguousarray(crop).data)

    def finish(self, count: int) -> None:
        """Keep the first `count` places."""
        if self._head(count) != self.start:
            raise ValueError("numpy's header has grown")
        self.file.truncate(self.start + count * int(np.prod(self.shape)))

    def _head(self, count: int) -> int:
        """Write the header, which is as long for any number: numpy leaves room for digits."""
        self.file.seek(0)
        shape = (count, *self.shape)
        npy.write_array_header_1_0(
            self.file, {"descr": "|u1", "fortran_order": False, "shape": shape}
        )
        return self.file.tell()
