"""Squares around boxes: cut exactly, the frame's edge repeated, antialiased."""

import numpy as np

from lssat.data.faces.crop import central, crop, square


def test_square_around_the_centre() -> None:
    assert square(np.array([10, 20, 50, 100]), 1.0) == (-10, 20, 80)
    assert square(np.array([10, 20, 50, 100]), 1.5) == (-30, 0, 120)
    assert square(np.array([0, 0, 5, 4]), 1.3) == (-1, -1, 7)  # 6.5 -> 7; -1, -1.5


def test_crop_is_cut_and_its_edge_repeated() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    assert np.array_equal(crop(frame, 3, 5, 10, 10), frame[5:15, 3:13])
    wide = np.pad(frame, ((8, 8), (8, 8), (0, 0)), mode="edge")
    assert np.array_equal(crop(frame, -8, -6, 25, 25), wide[2:27, 0:25])
    assert np.array_equal(crop(frame, 20, 10, 18, 18), wide[18:36, 28:46])


def test_crop_is_shrunk_with_antialiasing() -> None:
    board = np.zeros((64, 64, 3), np.uint8)
    board[::2] = 255  # lines of one pixel: without antialiasing black or white comes out
    small = crop(board, 0, 0, 64, 16)
    assert np.abs(small.astype(int) - 127).max() < 20


def test_central_square() -> None:
    assert central(np.zeros((218, 178, 3))) == (0, 20, 178)
    assert central(np.zeros((100, 301, 3))) == (100, 0, 100)
