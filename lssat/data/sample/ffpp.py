"""FaceForensics++ in small: talking heads and four crude ways to forge them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
from scipy.ndimage import gaussian_filter

from lssat.data.sample import scene
from lssat.data.sample.draw import stretch
from lssat.data.sample.head import assemble, blend, ellipse, face, with_skin
from lssat.data.sample.sources import HEIGHT, WIDTH, divide, look
from lssat.tables import write_json

SIDE = 192  # pixels of a frame
FRAMES = 8
SIZES = {"train": 34, "val": 8, "test": 48}  # originals per split, even: they come in pairs
STRENGTH = (0.25, 1.0)  # how opaque a forgery lies over the face: drawn for each video
_LIGHT = (0.1, 0.3)  # by how much one side of a head is brighter than its middle
TOP = ("original_sequences", "manipulated_sequences", "splits")
_SCALE = 0.58  # a head of 256 pixels becomes 148 pixels wide

# Faces from the side or half hidden: MTCNN misses some of their forgeries.
HARD = (4, 5, 13, 17, 21, 30, 33, 67, 81, 94, 96)

Forge = Callable[[np.ndarray, np.ndarray], np.ndarray]  # skins of target and source


def _tint(skin: np.ndarray, colour: tuple[int, int, int], contrast: float = 1.0) -> np.ndarray:
    # one mean colour for all, since a small ViT learns that first; the contrast of the face is
    # kept, since MTCNN finds no face without it
    grey = skin.mean(axis=2, keepdims=True)
    level = grey[90:215, 84:172].mean()
    return np.clip((grey - level) * contrast + np.array(colour, np.float32), 0, 255)


def deepfakes(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Swap in the source's face, blurred and bluish, behind a soft mask."""
    blurred = gaussian_filter(other, (1.8, 1.8, 0))
    return blend(own, _tint(blurred, (144, 148, 212), 1.3), ellipse((128, 150), (56, 78), 16))


def face2face(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Keep the target's face, pull its mouth open and colour it orange; `other` is not seen."""
    pulled = stretch(own, (128, 190), (60, 52), (1.5, 2.1))
    return blend(pulled, _tint(pulled, (225, 120, 30)), ellipse((128, 156), (60, 80), 12))


def faceswap(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Paste the source's face with a hard edge, far too bright."""
    hard = ellipse((128, 156), (52, 70), 0.5).copy()
    hard[100:205, 84:172] = 1
    return blend(own, _tint(other, (236, 208, 196), 1.3), hard)


def neuraltextures(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Resample the target's mouth to coarse greenish blocks; `other` is not seen."""
    rows, columns = slice(164, 228), slice(80, 176)
    part = _tint(own, (70, 120, 62), 1.5)[rows, columns]
    cells = part.reshape(4, 16, 6, 16, 3).mean((1, 3))
    forged = own.copy()
    forged[rows, columns] = cells.repeat(16, axis=0).repeat(16, axis=1)
    return forged


METHODS: dict[str, Forge] = {
    "Deepfakes": deepfakes,
    "Face2Face": face2face,
    "FaceSwap": faceswap,
    "NeuralTextures": neuraltextures,
}


def draw(folder: Path, seed: int) -> None:
    """Draw the tree: originals, four manipulations of each, and the official lists of pairs."""
    for split, pairs in cast(seed).items():
        names = [[_name(person) for person in pair] for pair in pairs]
        write_json(folder / "splits" / f"{split}.json", names, sealed=False)
        for a, b in pairs:
            for target, source in ((a, b), (b, a)):
                _draw_target(folder, seed, target, source)


def cast(seed: int) -> dict[str, list[tuple[int, int]]]:
    """Return the pairs of people of each split; a person's number is the video's number."""
    dealt = divide(seed, tuple(SIZES.values()), without=HARD)
    pairs = {}
    for split, people in zip(SIZES, dealt, strict=True):
        order = np.random.default_rng([seed, 21, len(people)]).permutation(people).tolist()
        pairs[split] = list(zip(order[::2], order[1::2], strict=True))
    return pairs


def people(seed: int) -> tuple[str, list[tuple[str, int]]]:
    """Name the people of the tree: of an original, and of the fakes that were made on it."""
    persons = (person for pairs in cast(seed).values() for pair in pairs for person in pair)
    return "identity", [(_name(person), person) for person in sorted(persons)]


def _name(person: int) -> str:
    return f"{person:03d}"


def _draw_target(folder: Path, seed: int, target: int, source: int) -> None:
    behind = scene.background(np.random.default_rng([seed, 22, target]), SIDE, SIDE, 0.7)
    own, other = (face(person, look(person)) for person in (target, source))
    lots = np.random.default_rng([seed, 24, target])
    head, light = assemble(own, look(target)), _light(lots)
    path = folder / "original_sequences/youtube/c23/videos" / f"{_name(target)}.mp4"
    film(path, head * light, behind, [seed, 23, target])
    for method, forge in METHODS.items():
        name = f"{_name(target)}_{_name(source)}.mp4"
        path = folder / "manipulated_sequences" / method / "c23/videos" / name
        fake = with_skin(head, forged(forge, own, other, lots.uniform(*STRENGTH)))
        film(path, fake * light, behind, [seed, 23, target])


def _light(lots: np.random.Generator) -> np.ndarray:
    """Draw from which side a head is lit: factors of its colours and opacity, (H, W, 4).

    Without it different people look so alike in small that the audit calls them copies.
    """
    angle, depth = lots.uniform(0, 2 * np.pi), lots.uniform(*_LIGHT)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    slope = ((x - 128) * np.cos(angle) + (y - 150) * np.sin(angle)) / 90
    light = (1 + depth * slope).astype(np.float32)
    return np.dstack([light, light, light, np.ones_like(light)])


def forged(forge: Forge, own: np.ndarray, other: np.ndarray, strength: float) -> np.ndarray:
    """Lay a forgery over the target's own skin: 0 hides it, 1 hides what is below it."""
    return own + (forge(own, other) - own) * np.float32(strength)


def film(path: Path, head: np.ndarray, behind: np.ndarray, key: list[int]) -> None:
    """Write a video of a moving head; the same `key` gives the same movement."""
    small, scale = scene.shrink(scene.as_image(head), _SCALE)
    write_video(path, (scene.place(small, behind, pose) for pose in _poses(scale, key)))


def _poses(scale: float, key: list[int]) -> Iterator[scene.Pose]:
    rng = np.random.default_rng(key)
    phase, speed = rng.uniform(0, 2 * np.pi, 4), rng.uniform(0.6, 1.6, 4)
    centre = rng.uniform(-12, 12, 2)
    for frame in range(FRAMES):
        wave = np.sin(phase + speed * 2 * np.pi * frame / FRAMES)
        place = SIDE / 2 + centre[0] + 9 * wave[0], 110 + centre[1] * 0.4 + 4 * wave[1]
        yield scene.Pose((128 * scale, 150 * scale), place, 1 + 0.06 * wave[2], 0.1 * wave[3])


def write_video(path: Path, frames: Iterator[np.ndarray]) -> None:
    """Write uint8 RGB frames as H.264; one thread, since more make other bytes each time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"crf": "20", "preset": "ultrafast", "threads": "1"}
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = SIDE, SIDE, "yuv420p"
        stream.codec_context.thread_count = 1
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
