"""An image without its metadata, for files with sound pixels and damaged metadata."""

import struct

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf")
_EXIF, _ADOBE = 0xE1, 0xEE  # JPEG's segments: orientation; what the channels are
_SCAN = 0xDA  # pixels begin


def bare(data: bytes) -> bytes:
    """Return a PNG or JPEG with nothing but what its pixels and its orientation need.

    Anything else, and what cannot be followed, is returned as it is.
    """
    try:
        if data.startswith(_PNG):
            return _PNG + b"".join(_chunks(data))
        if data.startswith(b"\xff\xd8"):
            return b"\xff\xd8" + b"".join(_segments(data))
    except struct.error:  # cut off within
        pass
    return data


def _chunks(data: bytes) -> list[bytes]:
    kept: list[bytes] = []
    at = len(_PNG)
    while at < len(data):
        length, kind = struct.unpack_from(">L4s", data, at)
        if kind in _PNG_KEPT:
            kept.append(data[at : at + length + 12])
        at += length + 12
    return kept


def _segments(data: bytes) -> list[bytes]:
    kept: list[bytes] = []
    at = 2
    while True:
        mark, kind, length = struct.unpack_from(">BBH", data, at)
        if mark != 0xFF or kind == _SCAN:
            return [*kept, data[at:]]
        useful = not 0xE0 <= kind <= 0xEF and kind != 0xFE
        if useful or kind == _EXIF or (kind == _ADOBE and length >= 14):
            kept.append(data[at : at + length + 2])
        at += length + 2
