"""Time LDP codes at 224 px: ours by numba, numpy and torch, beside other ways, in one run.

    python benchmarks/texture.py
    python benchmarks/texture.py --images 64 --repeats 5 --compile
    pip install --no-deps --target /somewhere lfepy==1.0.9    # neither used nor locked by lssat
    python benchmarks/texture.py --lfepy /somewhere

One thread; ways are interleaved; medians of images/s over CPU time. Images are windows of a
photograph, RGB; those ways that know only grey images get the luma, made in the same time. Slow
ways are timed on fewer images. With --lfepy its codes are compared with ours too, and with ours
after each of the changes that make them lfepy's.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import numpy as np
import skimage.data
import torch
from scipy import ndimage

from lssat import texture
from lssat.texture import tensors

SIZE = 224
PATCH = np.array([[85, 32, 26], [53, 50, 10], [60, 38, 45]], np.uint8)


def windows(count: int) -> np.ndarray:
    photo, rng = skimage.data.astronaut(), np.random.default_rng(0)
    places = rng.integers(0, 512 - SIZE, (count, 2))
    return np.stack([photo[y : y + SIZE, x : x + SIZE] for y, x in places])


def kirsch() -> list[np.ndarray]:
    """The eight masks, E first, counter-clockwise: 5 on three neighbours in a row, else -3."""
    masks = []
    for i in range(8):
        mask = np.full((3, 3), -3)
        mask[1, 1] = 0
        for j in (i - 1, i, i + 1):
            y, x = texture.NEIGHBOURS[j % 8]
            mask[1 + y, 1 + x] = 5
        masks.append(mask)
    return masks


def naive(imgs: np.ndarray) -> np.ndarray:
    """Correlate with each mask, sort, set bits: as the definition reads."""
    out = []
    for grey in texture.luma(imgs).astype(np.int32):
        found = np.stack([ndimage.correlate(grey, mask, mode="nearest") for mask in kirsch()])
        order = np.argsort(-np.abs(found), axis=0, kind="stable")
        out.append((1 << order[:3]).sum(axis=0).astype(np.uint8))
    return np.stack(out)


def opencv(imgs: np.ndarray) -> np.ndarray:
    """The same with OpenCV's filters."""
    import cv2

    out = []
    for grey in texture.luma(imgs).astype(np.float32):
        found = [cv2.filter2D(grey, -1, m.astype(np.float32), borderType=1) for m in kirsch()]
        order = np.argsort(-np.abs(np.stack(found)), axis=0, kind="stable")
        out.append((1 << order[:3]).sum(axis=0).astype(np.uint8))
    return np.stack(out)


def lfepy(imgs: np.ndarray) -> np.ndarray:
    from lfepy.Descriptor import LDiP

    return np.stack([LDiP(grey)[1] for grey in texture.luma(imgs)]).astype(np.uint8)


def torch_codes(codes: Callable) -> Callable[[np.ndarray], np.ndarray]:
    def run(imgs: np.ndarray) -> np.ndarray:
        return codes(torch.from_numpy(imgs).permute(0, 3, 1, 2), "ldp", 3)[:, 0].numpy()

    return run


def sizes(plane: np.ndarray, work: Callable = ndimage.correlate) -> np.ndarray:
    """Return the sizes (8, H, W) of the responses of a grey image (H, W)."""
    return np.abs([work(plane.astype(int), mask, mode="nearest") for mask in kirsch()])


def changed(plane: np.ndarray, convolve: bool, higher: bool, ranks: bool) -> np.ndarray:
    """Return the codes of a grey image under another specification than ours.

    Args:
        plane: uint8 (H, W).
        convolve: apply the masks as convolution, which turns each by 180 degrees.
        higher: in a tie the higher direction wins.
        ranks: bit i says whether the i-th strongest direction is E, NE or N, not whether
            direction i is among the three strongest.
    """
    size = -8 * sizes(plane, ndimage.convolve if convolve else ndimage.correlate)
    size += (-1 if higher else 1) * np.arange(8)[:, None, None]
    order = np.argsort(size, axis=0)
    chosen = order < 3 if ranks else order.argsort(axis=0) < 3
    return (chosen.astype(int) << np.arange(8)[:, None, None]).sum(axis=0).astype(np.uint8)


def agreement() -> None:
    """Compare lfepy's codes with ours on noise, on a photograph and on the oracle patch."""
    noise = np.random.default_rng(0).integers(0, 256, (512, 512), dtype=np.uint8)
    every = {
        "ours": (False, False, False),
        "convolution": (True, False, False),
        "ties to the higher": (False, True, False),
        "ranks of directions": (False, False, True),
        "all three": (True, True, True),
    }
    for image, plane in (("noise", noise), ("photograph", skimage.data.camera())):
        rgb = np.repeat(plane[..., None], 3, axis=-1)
        ours, theirs = texture.codes(rgb, "ldp"), lfepy(rgb[None])[0]
        assert np.array_equal(changed(plane, *every["ours"]), ours)
        print(f"{image}, inner pixels: lfepy has {len(np.unique(theirs[1:-1, 1:-1]))} codes")
        for name, changes in every.items():
            codes = changed(plane, *changes)
            alike = [100 * (codes == other)[1:-1, 1:-1].mean() for other in (ours, theirs)]
            print(f"  {name:20s} equal to ours {alike[0]:6.2f} %, to lfepy {alike[1]:6.2f} %")
        apart = np.diff(np.sort(sizes(plane), axis=0), axis=0) > 0
        clear = np.all(apart, axis=0)[1:-1, 1:-1]
        alike = 100 * (changed(plane, *every["all three"]) == theirs)[1:-1, 1:-1][clear].mean()
        print(f"  all three, on the {100 * clear.mean():.0f} % without any tie: {alike:.2f} %")
    rgb = np.repeat(PATCH[..., None], 3, axis=-1)
    print(
        f"oracle patch: lfepy {lfepy(rgb[None])[0, 1, 1]}, ours {texture.codes(rgb, 'ldp')[1, 1]}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--compile", action="store_true", help="torch.compile too, a minute")
    parser.add_argument("--lfepy", help="folder into which lfepy was installed")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.lfepy:
        sys.path.append(options.lfepy)
    eager = torch_codes(tensors.codes)
    compiled = torch_codes(torch.compile(tensors.codes, dynamic=False))
    ways: dict[str, tuple[Callable, float]] = {  # and the share of the images for each
        "ours, numba": (partial(texture.codes, kind="ldp", bulk=True), 1),
        "ours, numpy": (partial(texture.codes, kind="ldp"), 0.25),
        "ours, torch eager": (eager, 0.25),
        "copying the bytes": (np.copy, 1),
        "naive scipy + argsort": (naive, 0.03),
    }
    if options.compile:
        ways["ours, torch.compile"] = (compiled, 0.25)
    if find_spec("cv2"):
        ways["OpenCV filters + argsort"] = (opencv, 0.03)
    if find_spec("lfepy"):
        ways["lfepy 1.0.9"] = (lfepy, 0.03)
    report(ways, options.images, options.repeats)
    if find_spec("lfepy"):
        agreement()


def report(ways: dict[str, tuple[Callable, float]], images: int, repeats: int) -> None:
    imgs = windows(images)
    wanted = texture.codes(imgs[:2], "ldp")
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for name in list(ways) * (repeats + 1):  # the first round compiles and warms up
        work, share = ways[name]
        part = imgs[: max(2, round(share * images))]
        started = time.process_time()
        found = work(part)
        rates[name].append(len(part) / (time.process_time() - started))
        if "lfepy" not in name and work is not np.copy:
            assert np.array_equal(found[:2], wanted), name
    print(f"LDP, k = 3, {SIZE} px, RGB, one thread, medians of {repeats}")
    first = statistics.median(rates["ours, numba"][1:])
    for name, each in rates.items():
        middle = statistics.median(each[1:])
        print(f"{name:26s} {middle:10,.0f} images/s   {middle / first:8.4f} x")


if __name__ == "__main__":
    main()
