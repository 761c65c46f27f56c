"""Measure what our conventions of frames and crops change beside the field's, on drawn frames.

    python benchmarks/conventions.py
    python benchmarks/conventions.py --frames 8 --margin 1.6

The field takes the frames linspace(0, n - 1, count) rounded down (DeepfakeBench's code), and clips
an enlarged square at the frame's edge (FaceForensics++'s code): it is moved in from the upper and
left edge, and shrinks at the lower and right one. Ours takes the nearest frames, and repeats the
edge, so that the face keeps its place and scale.
"""

import argparse

import numpy as np
from skimage import data, transform

from lssat.data.faces.crop import crop, square
from lssat.data.media.frame_choice import frame_indices

SIZE = 224


def floored(n_frames: int, count: int) -> np.ndarray:
    """The field's frames of a video: spread evenly, rounded down."""
    return np.linspace(0, n_frames - 1, count).astype(int)


def clipped(frame: np.ndarray, left: int, top: int, side: int, size: int) -> np.ndarray:
    """The field's crop: moved in from the upper and left edge, then no larger than what is left."""
    x, y = max(left, 0), max(top, 0)
    within = min(side, frame.shape[1] - x, frame.shape[0] - y)
    return crop(frame, x, y, max(within, 1), size)


def indices(lengths: range, count: int) -> dict[str, float]:
    """Compare the frames of videos of many lengths: shares of all frames, and distances."""
    pairs = [(frame_indices(n, count), floored(n, count)) for n in lengths]
    apart = np.concatenate([ours - theirs for ours, theirs in pairs])
    return {
        "other frame": float((apart != 0).mean()),
        "frames apart, at most": float(np.abs(apart).max()),
        "shift, mean": float(apart.mean()),
    }


def beyond(box: np.ndarray, height: int, width: int, margin: float) -> float:
    """The share of an enlarged square's area that lies outside of the frame."""
    left, top, side = square(box, margin)
    wide = min(left + side, width) - max(left, 0)
    tall = min(top + side, height) - max(top, 0)
    return 1 - max(wide, 0) * max(tall, 0) / side**2


def places(frame: np.ndarray, face: float, margin: float, draws: int) -> dict[str, float]:
    """Compare crops of boxes anywhere in a frame, `face` of its height large."""
    rng = np.random.default_rng(0)
    height, width = frame.shape[:2]
    side, outside, apart, scale = face * height, [], [], []
    for _ in range(draws):
        x, y = rng.uniform(0, width - side), rng.uniform(0, height - side)
        box = np.array([x, y, x + side, y + side])
        share = beyond(box, height, width, margin)
        outside.append(share)
        if share > 0:
            given = square(box, margin)
            ours, theirs = (f(frame, *given, SIZE).astype(float) for f in (crop, clipped))
            apart.append(np.abs(ours - theirs).mean())
            left, top, of = given
            within = min(of, width - max(left, 0), height - max(top, 0))
            scale.append(of / within)
    touched = np.array(outside) > 0
    return {
        "crops at the edge": float(touched.mean()),
        "of their area outside, mean": float(np.array(outside)[touched].mean() if apart else 0),
        "their mean difference, grey levels": float(np.mean(apart) if apart else 0),
        "field's face larger by, mean": float(np.mean(scale) - 1 if scale else 0),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=32)
    parser.add_argument("--margin", type=float, default=1.3)
    parser.add_argument("--draws", type=int, default=400)
    options = parser.parse_args()
    print(f"frames, {options.frames} of videos of 280 to 1,000")
    for name, value in indices(range(280, 1001), options.frames).items():
        print(f"  {name}: {value:.3f}")
    frame = (transform.resize(data.astronaut(), (480, 854)) * 255).astype(np.uint8)
    for face in (0.2, 0.4, 0.6):
        print(f"boxes of {face:.0%} of a frame's height, anywhere in it, margin {options.margin}")
        for name, value in places(frame, face, options.margin, options.draws).items():
            print(f"  {name}: {value:.3f}")


if __name__ == "__main__":
    main()
