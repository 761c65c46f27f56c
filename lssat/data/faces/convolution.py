"""MTCNN's convolutions on a CPU, compiled by numba; all arrays have channels last.

The networks are small: 3 to 64 channels. A library's convolution spends much of its time on
what surrounds the products there. Here a tile of six pixels by sixteen channels stays in vector
registers from the first product to PReLU, and the rows of the first network go through all of
its layers while they are in the cache.
"""

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16  # channels of a tile: two registers of AVX2, one of AVX-512
_PIXELS = 6  # of a tile: with AVX2, twelve of sixteen registers hold sums
_VECTOR, _INDEX = ir.VectorType(ir.FloatType(), LANES), ir.IntType(64)
_ZEROS = ir.Constant(_VECTOR, [0.0] * LANES)
_FIRST = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)


def first_of(block, channels):
    """Return the first channel of a block."""
    return min(block * LANES, max(channels - LANES, 0))


_begin = numba.njit(first_of)


def _vectors(context, builder, array_type, array):  # type: ignore[no-untyped-def]
    """Return functions that give a value of a flat array, and the pointer to LANES of them."""
    data = context.make_array(array_type)(context, builder, array).data

    def value(place):  # type: ignore[no-untyped-def]
        return builder.load(builder.gep(data, [place]))

    def vector(place):  # type: ignore[no-untyped-def]
        return builder.bitcast(builder.gep(data, [place]), _VECTOR.as_pointer())

    return value, vector


# Two functions in LLVM's own terms, since numba has no vectors.
def _build_tile(context, source, lines, shift, taps, pixel, packed, start, out, place, step):  # type: ignore[no-untyped-def]
    """Write PReLU(bias + sum of weights x inputs) for six pixels and one block of channels.

    `source`, `packed` and `out` are flat arrays of float32. A pixel's inputs are `taps` in each
    of the `lines` (where they begin, plus `shift`); the next pixel's begin `pixel` later. The
    block's weights begin at `start`. LANES values go to `place`, those of the next pixel, `step`
    later, possibly over some of them.
    """

    def build(context, builder, signature, args):  # type: ignore[no-untyped-def]
        value, _ = _vectors(context, builder, signature.args[0], args[0])
        _, weights = _vectors(context, builder, signature.args[5], args[5])
        _, target = _vectors(context, builder, signature.args[7], args[7])
        shift, taps, pixel, start, place, step = (args[at] for at in (2, 3, 4, 6, 8, 9))

        def times(number, count):  # type: ignore[no-untyped-def]
            return builder.mul(number, ir.Constant(_INDEX, count))

        def row_of_weights(number):  # type: ignore[no-untyped-def]
            return builder.load(weights(builder.add(start, times(number, LANES))), align=4)

        def spread(number):  # type: ignore[no-untyped-def]
            single = builder.insert_element(_ZEROS, number, ir.Constant(ir.IntType(32), 0))
            return builder.shuffle_vector(single, _ZEROS, _FIRST)

        sums = [cgutils.alloca_once(builder, _VECTOR) for _ in range(_PIXELS)]
        for each in sums:
            builder.store(row_of_weights(ir.Constant(_INDEX, 0)), each)
        for row, line in enumerate(cgutils.unpack_tuple(builder, args[1])):
            line = builder.add(line, shift)
            behind = builder.add(times(taps, row), ir.Constant(_INDEX, 2))
            with cgutils.for_range(builder, taps) as tap:
                weight = row_of_weights(builder.add(tap.index, behind))
                for number, each in enumerate(sums):
                    where = builder.add(builder.add(line, times(pixel, number)), tap.index)
                    # "contract": one instruction multiplies and adds, where there is one.
                    product = builder.fmul(weight, spread(value(where)), flags=("contract",))
                    total = builder.fadd(builder.load(each), product, flags=("contract",))
                    builder.store(total, each)
        slopes = row_of_weights(ir.Constant(_INDEX, 1))
        for number, each in enumerate(sums):
            total = builder.load(each)
            positive = builder.fcmp_ordered(">", total, _ZEROS)
            total = builder.select(positive, total, builder.fmul(total, slopes))
            builder.store(total, target(builder.add(place, times(step, number))), align=4)
        return context.get_dummy_value()

    starts, one = types.UniTuple(types.intp, len(lines)), types.intp
    return types.none(source, starts, one, one, one, packed, one, out, one, one), build


def _build_greatest(context, source, places, out, place):  # type: ignore[no-untyped-def]
    """Write the maxima of LANES values at each of the places in one flat array to another."""

    def build(context, builder, signature, args):  # type: ignore[no-untyped-def]
        _, source = _vectors(context, builder, signature.args[0], args[0])
        _, target = _vectors(context, builder, signature.args[2], args[2])
        most = None
        for each in cgutils.unpack_tuple(builder, args[1]):
            found = builder.load(source(each), align=4)
            greater = most and builder.fcmp_ordered(">", most, found)
            most = builder.select(greater, most, found) if most else found
        builder.store(most, target(args[3]), align=4)
        return context.get_dummy_value()

    starts = types.UniTuple(types.intp, len(places))
    return types.none(source, starts, out, types.intp), build


_tile: Any = intrinsic(_build_tile)
_greatest: Any = intrinsic(_build_greatest)


@numba.njit
def _convolve(source, lines, taps, pixel, packed, start, out, place, count, channels):
    """Write `count` consecutive pixels of a layer from `place` on, and up to LANES values more.

    The last tile moves back where it would go beyond them. Of fewer than six pixels, six are
    read and written.
    """
    size = (2 + len(lines) * taps) * LANES
    for tile in range(0, count, _PIXELS):
        at = max(0, min(tile, count - _PIXELS))
        for block in range(-(-channels // LANES)):
            of = start + block * size
            to = place + at * channels + _begin(block, channels)
            _tile(source, lines, at * pixel, taps, pixel, packed, of, out, to, channels)


@numba.njit
def _pool(source, row, height, width, channels, size, i, out, place):
    """Write row `i` of the maxima of `size` x `size` pixels, 2 or 3, every second one each way.

    Pixels beyond the edge do not count. Rows of the source are `row` values long.
    """
    top, middle = 2 * i * row, min(2 * i + 1, height - 1) * row
    bottom = min(2 * i + size - 1, height - 1) * row
    for j in range(_pooled(width, size)):
        for block in range(-(-channels // LANES)):
            begin = _begin(block, channels)
            left, centre = 2 * j * channels + begin, min(2 * j + 1, width - 1) * channels + begin
            right = min(2 * j + size - 1, width - 1) * channels + begin
            nine = (
                *(top + left, top + centre, top + right),
                *(middle + left, middle + centre, middle + right),
                *(bottom + left, bottom + centre, bottom + right),
            )
            _greatest(source, nine, out, place + j * channels + begin)


@numba.njit
def _pooled(length, size):
    """Return how many maxima of `size` pixels there are, the last one possibly cut off."""
    return (length - size + 1) // 2 + 1


def propose(img, first, second, third, heads, least):
    """Run the first network over an image; return where it may see a face.

    Args:
        img: float32 (H, W, 3), normalised.
        first, second, third, heads: layers (`networks.pack`); `heads` gives the two scores before
            softmax, then four offsets, with slopes of 1.
        least: of the second score less the first, from which on a place is returned.

    Returns:
        float32 (K, 8): row and column, by row; the scores; the offsets.
    """
    height, width = img.shape[0] - 2, img.shape[1] - 2
    rows, columns = _pooled(height, 2), _pooled(width, 2)
    flat, zero, step = img.reshape(-1), np.intp(0), 3 * img.shape[1]
    # The last rows of each layer; a tile may go beyond a row's end.
    room = columns + _PIXELS + LANES
    high, near, far = 20 * room, 10 * room, 16 * room
    wide, small = np.empty(2 * high, np.float32), np.empty(3 * near, np.float32)
    mid, deep = np.empty(3 * far, np.float32), np.empty(32 * room, np.float32)
    seen = np.empty(6 * room, np.float32)
    found, count = np.empty((max(0, rows - 4) * max(0, columns - 4), 8), np.float32), 0
    for i in range(rows):
        for y in range(2 * i, min(2 * i + 2, height)):
            lines = (y * step, (y + 1) * step, (y + 2) * step)
            _convolve(flat, lines, 9, 3, first, zero, wide, y % 2 * high, width, 10)
        _pool(wide, high, min(2, height - 2 * i), width, 10, 2, zero, small, i % 3 * near)
        if i < 2:
            continue
        lines = ((i - 2) % 3 * near, (i - 1) % 3 * near, i % 3 * near)
        _convolve(small, lines, 30, 10, second, zero, mid, i % 3 * far, columns - 2, 16)
        if i < 4:
            continue
        lines = ((i - 2) % 3 * far, (i - 1) % 3 * far, i % 3 * far)
        _convolve(mid, lines, 48, 16, third, zero, deep, zero, columns - 4, 32)
        halves = (zero, np.intp(16))  # of the 32 channels, as if they were two rows
        _convolve(deep, halves, 16, 32, heads, zero, seen, zero, columns - 4, 6)
        for j in range(columns - 4):
            if seen[6 * j + 1] - seen[6 * j] >= least:
                found[count, 0], found[count, 1] = i - 4, j
                for c in range(6):
                    found[count, 2 + c] = seen[6 * j + c]
                count += 1
    return found[:count].copy()


def features(imgs, packed, plan):
    """Run the convolutions of the second or third network over patches.

    Args:
        imgs: float32 (N, S, S, 3), normalised.
        packed: the layers one after the other, as `networks.pack` orders them.
        plan: int64 (layers, 5): where a layer begins in `packed`, side of its kernel (2 or 3),
            channels of its input and output, side of the pooling behind it (2 or 3; 0 for the
            last layer, which has none).

    Returns:
        float32 (N, columns, rows, channels): in the order in which the dense layer reads them.
    """
    side, most = imgs.shape[1], 0
    for _, kernel, _, channels, size in plan:
        most = max(most, side * (side - kernel + 1) * channels + LANES)
        side = side - kernel + 1
        side = _pooled(side, size) if size else side
    out = np.empty((len(imgs), side, side, plan[-1, 3]), np.float32)
    wide, small, zero = np.empty(most, np.float32), np.empty(most, np.float32), np.intp(0)
    for n in range(len(imgs)):
        source, step = imgs[n].reshape(-1), imgs.shape[1]
        for start, kernel, taken, channels, size in plan:
            side, row, taps = step - kernel + 1, step * taken, kernel * taken
            # All rows as one: what lies between them is computed too, and never read.
            count = side * step - kernel + 1
            two, three = (zero, row), (zero, row, 2 * row)
            if kernel == 2:
                _convolve(source, two, taps, taken, packed, start, wide, zero, count, channels)
            else:
                _convolve(source, three, taps, taken, packed, start, wide, zero, count, channels)
            if not size:
                continue
            pooled = _pooled(side, size)
            for i in range(pooled):
                place = i * pooled * channels
                _pool(wide, step * channels, side, side, channels, size, i, small, place)
            source, step = small, pooled
        for i in range(side):
            for x in range(side * channels):
                out[n, x // channels, i, x % channels] = wide[i * step * channels + x]
    return out
