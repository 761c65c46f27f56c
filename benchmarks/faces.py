"""Time face detection: ours beside facenet-pytorch's own `MTCNN.detect`, one thread, in one run.

    python benchmarks/faces.py
    python benchmarks/faces.py --repeats 5 --scenes 6

Frames are photographs of scikit-image with its faces pasted in. All are interleaved frame by
frame; medians of CPU time, and of the ratio on the same frame. The boxes are compared as well.
"""

import argparse
import statistics as medians
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from facenet_pytorch import MTCNN
from PIL import Image
from skimage import data

from lssat.data.faces.mtcnn import Detector

SIZES = {"480p": (480, 854), "720p": (720, 1280), "720p, upright": (1280, 720)}


def scene(height: int, width: int, seed: int) -> np.ndarray:
    """A photograph, uint8 (height, width, 3), with zero to four faces."""
    rng = np.random.default_rng([seed, height, width])
    photo = [data.coffee, data.cat, data.rocket, data.astronaut][seed % 4]()
    frame = np.array(Image.fromarray(photo).resize((width, height)))
    for _ in range(seed % 5):
        side = int(rng.integers(40, min(height, width) // 2))
        top, left = rng.integers(0, height - side), rng.integers(0, width - side)
        grey = Image.fromarray((data.lfw_subset()[rng.integers(100)] * 255).astype(np.uint8))
        frame[top : top + side, left : left + side] = grey.resize((side, side)).convert("RGB")
    return frame


def cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


def difference(boxes: np.ndarray | None, found: np.ndarray) -> float:
    """Greatest difference in pixels; infinite where a face is missing or added."""
    if boxes is None or len(boxes) != len(found):
        return 0.0 if boxes is None and not len(found) else np.inf
    return float(np.abs(boxes - found).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--scenes", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    theirs = MTCNN(keep_all=True)
    ours = {"lssat": Detector(20.0, 0.7), "lssat, fast": Detector(20.0 / 0.709**2, 0.7)}
    for name in options.sizes:
        height, width = SIZES[name]
        frames = [scene(height, width, seed) for seed in range(options.scenes)]
        for detector in ours.values():
            detector(frames[0][None])  # compiled, or read from numba's cache
        theirs.detect(frames[0])
        times: dict[str, list[float]] = {each: [] for each in ["facenet-pytorch", *ours]}
        apart: dict[str, list[float]] = {each: [] for each in ours}
        faces = 0
        for frame in [frame for _ in range(options.repeats) for frame in frames]:
            seconds, (boxes, _) = cpu(lambda frame=frame: theirs.detect(frame))
            times["facenet-pytorch"].append(seconds)
            faces += 0 if boxes is None else len(boxes)
            for each, detector in ours.items():
                seconds, found = cpu(lambda frame=frame, run=detector: run(frame[None])[0])
                times[each].append(seconds)
                apart[each].append(difference(boxes, found.boxes))
        print(f"{name}, {width} x {height}: {len(times['lssat'])} frames, {faces} faces")
        for each, spent in times.items():
            pairs = zip(times["facenet-pytorch"], spent, strict=True)
            ratio = medians.median(first / second for first, second in pairs)
            line = f"  {each:16s} {1000 * medians.median(spent):7.1f} ms  {ratio:5.2f} x"
            if each in apart:
                same = sum(gap < 1e-3 for gap in apart[each])
                finite = [gap for gap in apart[each] if np.isfinite(gap)]
                line += f"  same faces to 1e-3 px on {same} frames, most apart {max(finite):.1e} px"
            print(line)


if __name__ == "__main__":
    main()
