"""Draw ldp.png beside this file: a face, its eight Kirsch responses, and its LDP code image.

python docs/images/ldp.py
"""

from pathlib import Path

import matplotlib
import numpy as np
import skimage.data
from PIL import Image
from scipy.ndimage import correlate

from lssat import texture

matplotlib.use("agg")
import matplotlib.pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg

# Written out from the specification of docs/ldp.md, E first, counter-clockwise.
MASKS = {
    "E": "-3 -3 5 -3 0 5 -3 -3 5",
    "NE": "-3 5 5 -3 0 5 -3 -3 -3",
    "N": "5 5 5 -3 0 -3 -3 -3 -3",
    "NW": "5 5 -3 5 0 -3 -3 -3 -3",
    "W": "5 -3 -3 5 0 -3 5 -3 -3",
    "SW": "-3 -3 -3 5 0 -3 5 5 -3",
    "S": "-3 -3 -3 -3 0 -3 5 5 5",
    "SE": "-3 -3 -3 -3 0 5 -3 5 5",
}


def draw(file: Path) -> None:
    """Write the picture as PNG."""
    photograph = Image.fromarray(skimage.data.astronaut()[12:212, 124:324])
    face = np.asarray(photograph.resize((224, 224), Image.Resampling.BICUBIC))
    grey = texture.luma(face).astype(int)
    sizes = {
        f"|m{i}| {name}": np.abs(
            correlate(grey, np.array(mask.split(), int).reshape(3, 3), mode="nearest")
        )
        for i, (name, mask) in enumerate(MASKS.items())
    }
    top = np.percentile(np.stack(list(sizes.values())), 99)
    figure, axes = plt.subplots(2, 5, figsize=(9, 4), dpi=100, layout="constrained")
    tiles = list(sizes.items())
    tiles = [
        ("face crop", face),
        *tiles[:4],
        ("LDP code, k = 3", texture.codes(face, "ldp")),
        *tiles[4:],
    ]
    for place, (title, tile) in zip(axes.flat, tiles, strict=True):
        high = 255 if tile.dtype == np.uint8 else top
        place.imshow(tile, cmap="gray", vmin=0, vmax=high, interpolation="nearest")
        place.set_title(title, fontsize=9)
        place.axis("off")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    whole = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    whole.quantize(256).save(file, optimize=True)


if __name__ == "__main__":
    draw(Path(__file__).with_suffix(".png"))
