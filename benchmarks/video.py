"""Time reading 32 of a video's frames: ours beside OpenCV and a seek for each frame, in one run.

    python benchmarks/video.py
    python benchmarks/video.py --video some.mp4 --repeats 5

Without a video one of 400 frames (`--frames`) of 720p is drawn: photographs that drift, H.264.
All are interleaved; medians of wall time, one thread. The frames are compared with ours.
"""

import argparse
import importlib.util
import statistics as medians
import tempfile
import time
from pathlib import Path

import av
import numpy as np
from PIL import Image
from skimage import data

from lssat.data import media

COUNT = 32


def draw(path: Path, n_frames: int) -> None:
    photo = np.array(Image.fromarray(data.astronaut()).resize((1400, 1400)))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for n in range(n_frames):
            x, y = round(50 + 50 * np.sin(n / 25)), n
            cut = np.ascontiguousarray(photo[y : y + 720, x : x + 1280])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(cut, format="rgb24")))
        container.mux(stream.encode())


def ours(path: Path) -> list[np.ndarray]:
    items = media.read(path, "video", media.Plan(COUNT))
    return [item[1] for item in items if not isinstance(item, media.Use)]


def limited(path: Path) -> list[np.ndarray]:
    """The same in a process of its own, as the faces step does it; its start is not counted."""
    items = DECODER.read(path, "video", media.Plan(COUNT))
    return [item[1] for item in items if not isinstance(item, media.Use)]


def opencv(path: Path) -> list[np.ndarray]:
    import cv2

    cv2.setNumThreads(1)
    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    n_frames = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    wanted, frames = set(media.frame_indices(n_frames, COUNT).tolist()), []
    for index in range(n_frames):
        video.grab()
        if index in wanted:
            frames.append(cv2.cvtColor(video.retrieve()[1], cv2.COLOR_BGR2RGB))
    return frames


def seeking(path: Path) -> list[np.ndarray]:
    """Seek to the key frame before each wanted frame and decode from there."""
    frames = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        assert stream.average_rate
        assert stream.time_base
        step = float(1 / stream.average_rate / stream.time_base)
        for index in media.frame_indices(stream.frames, COUNT).tolist():
            container.seek(round(index * step), stream=stream)
            for frame in container.decode(stream):
                if frame.pts >= round(index * step):
                    frames.append(frame.to_ndarray(format="rgb24"))
                    break
    return frames


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--video", type=Path, help="a file of your own")
    parser.add_argument("--frames", type=int, default=400, help="of the video that is drawn")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, DECODER:
        path = options.video or Path(folder) / "video.mp4"
        if options.video is None:
            draw(path, options.frames)
        ways = {"lssat": ours, "lssat, own process": limited, "a seek per frame": seeking}
        if importlib.util.find_spec("cv2"):
            ways["OpenCV"] = opencv
        else:
            print("OpenCV is not installed and left out")
        wanted = ours(path)
        times: dict[str, list[float]] = {name: [] for name in ways}
        gaps = dict.fromkeys(ways, 0.0)
        for repeat in range(options.repeats + 1):
            for name, way in ways.items():
                started = time.perf_counter()
                frames = way(path)
                if repeat:  # the first starts the process and warms the caches
                    times[name].append(time.perf_counter() - started)
                pairs = zip(frames, wanted, strict=True)
                gaps[name] = max(np.abs(a.astype(int) - b).max() for a, b in pairs)
    print(f"{COUNT} frames of {wanted[0].shape[1]} x {wanted[0].shape[0]}, one thread")
    for name, spent in times.items():
        ratio = medians.median(a / b for a, b in zip(spent, times["lssat"], strict=True))
        middle = medians.median(spent)
        print(f"  {name:20s} {middle:6.3f} s  {ratio:5.2f} x  levels apart: {gaps[name]:.0f}")


DECODER = media.Decoder(timeout=600.0, memory=1024)

if __name__ == "__main__":
    main()
