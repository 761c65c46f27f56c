"""Images: bytes in, upright RGB uint8 HWC out, or a reason.

Formats are told by content, never by suffix, and from a short list.
"""

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from lssat.media.heads import BYTES, is_image
from lssat.media.reason import Unreadable, read_bytes

FORMATS = ("JPEG", "PNG", "BMP", "WEBP")
MIN_SIDE = 16  # pixels; below this there is no face to see


def read_image(path: str | Path) -> np.ndarray:
    """Decode a whole JPEG, PNG, BMP or WebP image, turned upright by its EXIF orientation.

    Grey, palette and CMYK become RGB; 16-bit samples keep their high byte; alpha is dropped.

    Returns:
        uint8 array (H, W, 3), RGB.

    Raises:
        Unreadable: missing, unreadable, truncated, format, too_large or too_small.
        DataError: the file may not be read (permission).
    """
    data = read_bytes(path)
    with warnings.catch_warnings():
        # Pillow warns at 89 million pixels; a bomb must not get as far as its decoding.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                image.load()  # in full: `verify` passes a file that is cut off
                return _rgb(ImageOps.exif_transpose(image))
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise Unreadable("too_large", str(error)) from None
        except UnidentifiedImageError:
            raise Unreadable(*_unknown(data)) from None
        except (
            OSError,
            SyntaxError,
            ValueError,
            EOFError,
        ) as error:  # what Pillow's plugins raise
            reason = "truncated" if "truncated" in str(error).lower() else "unreadable"
            raise Unreadable(reason, str(error)) from None


def _unknown(data: bytes) -> tuple[str, str]:
    if not data:
        return "unreadable", "zero bytes"
    if is_image(data[:BYTES]):
        return "unreadable", f"damaged header (first bytes {data[:16]!r})"
    return "format", f"not {', '.join(FORMATS)} (first bytes {data[:16]!r})"


def _rgb(image: Image.Image) -> np.ndarray:
    if min(image.size) < MIN_SIDE:
        size = f"{image.width} x {image.height}"
        raise Unreadable("too_small", f"{size} px, the least side is {MIN_SIDE} px")
    if image.mode.startswith("I"):  # 16-bit grey; Pillow's own conversion would clip it at 255
        image = Image.fromarray((np.asarray(image).astype(np.int32) >> 8).astype(np.uint8))
    if "transparency" in image.info:
        image = image.convert("RGBA")
    return np.array(image.convert("RGB"))
