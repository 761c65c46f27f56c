"""Changes of colour and sharpness of one crop, drawn from a generator.

Limits and probabilities are those of SBI's code (2204.08376) but for hue, saturation and value:
its +-0.3 is in OpenCV's units of 2 degrees and 1/255, which hardly move an 8-bit value by one.
Ours takes it as a share of the range, and a third of it for the hue.
"""

import io

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage import color

_HSV = np.array([0.1, 0.3, 0.3])  # ours: most shift of hue, saturation, value, of [0, 1]


def shifted(img: np.ndarray, rng: np.random.Generator, often: float, light: float) -> np.ndarray:
    """Shift a crop's colours: RGB, hue, saturation and value, brightness and contrast.

    Args:
        img: uint8 (H, W, 3).
        often: probability of the second and of the third; the first has 0.3.
        light: most change of brightness and of contrast, in [0, 1].

    Returns:
        uint8 (H, W, 3).
    """
    out = img.astype(np.float32)
    if rng.random() < 0.3:
        out = (out + rng.uniform(-20, 20, 3).astype(np.float32)).clip(0, 255)
    if rng.random() < often:
        out = turned(whole(out), rng.uniform(-1, 1, 3) * _HSV).astype(np.float32)
    if rng.random() < often:
        contrast, brightness = rng.uniform(-light, light, 2)
        out = out * np.float32(1 + contrast) + np.float32(255 * brightness)
    return whole(out)


def turned(img: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Shift hue, saturation and value, each of a range of 1: hue goes round, the others stop.

    Args:
        img: uint8 (H, W, 3). shift: (3,).

    Returns:
        uint8 (H, W, 3), by way of Pillow's HSV of 8 bits.
    """
    space = np.asarray(Image.fromarray(img).convert("HSV"), np.int16)
    space = space + np.rint(255 * shift).astype(np.int16)
    space[..., 0] %= 256
    turned = Image.fromarray(space.clip(0, 255).astype(np.uint8), "HSV")
    return np.asarray(turned.convert("RGB"))


def resharpened(img: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Take a crop's finest detail away, by a smaller copy, or sharpen it; each half of the time.

    Args:
        img: uint8 (H, W, 3).
    """
    if rng.random() < 0.5:
        side, less = len(img), int(rng.choice((2, 4)))
        small = Image.fromarray(img).resize((side // less,) * 2, Image.Resampling.NEAREST)
        return np.asarray(small.resize((side, side), Image.Resampling.BILINEAR))
    alpha, lightness = rng.uniform(0.2, 0.5), rng.uniform(0.5, 1)
    kernel = np.full((3, 3), -alpha)
    kernel[1, 1] = (1 - alpha) + alpha * (8 + lightness)
    return whole(ndimage.convolve(img.astype(np.float32), kernel[..., None], mode="mirror"))


def compressed(img: np.ndarray, quality: int) -> np.ndarray:
    """Return a crop uint8 (H, W, 3) as JPEG of a quality leaves it."""
    file = io.BytesIO()
    Image.fromarray(img).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file, formats=("JPEG",)).convert("RGB"))


def alike(
    first: np.ndarray, second: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Change both crops of a pair by the same draws, so that no draw tells the fake."""
    state = rng.bit_generator.state
    changed = []
    for img in (first, second):
        rng.bit_generator.state = state
        img = shifted(img, rng, often=0.3, light=0.3)
        jpeg, quality = rng.random() < 0.5, int(rng.integers(40, 101))
        changed.append(compressed(img, quality) if jpeg else img)
    return changed[0], changed[1]


def transferred(source: np.ndarray, target: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Give a source the mean and the spread of a target's colours in a mask (Reinhard 2001).

    In CIE L*a*b*, channel by channel: (x - mean) * spread of target / spread of source + the
    target's mean. A channel of the source without any spread is only shifted.

    Args:
        source, target: uint8 (H, W, 3). mask: float32 (H, W); colours are those where it is
            above one half, and nothing is changed where it never is.

    Returns:
        uint8 (H, W, 3).
    """
    inside = mask > 0.5
    if not inside.any():
        return source
    of, like = color.rgb2lab(source), color.rgb2lab(target)
    mean, spread = of[inside].mean(0), of[inside].std(0)
    ratio = np.divide(like[inside].std(0), spread, out=np.ones(3), where=spread > 1e-6)
    moved = (of - mean) * ratio + like[inside].mean(0)
    moved[..., 0] = moved[..., 0].clip(0, 100)
    # Above this b* lies no colour: lab2rgb clips it too, with a warning.
    moved[..., 2] = np.minimum(moved[..., 2], 200 * (moved[..., 0] + 16) / 116 - 1e-9)
    return whole(255 * color.lab2rgb(moved))


def whole(img: np.ndarray) -> np.ndarray:
    """Round to uint8."""
    return np.rint(img).clip(0, 255).astype(np.uint8)
