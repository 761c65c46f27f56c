"""What an image or a frame may take follows from the memory; nothing ordinary ends a decoder."""

import math
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from helpers.trees import picture
from PIL import Image

from lssat.data.media import Decoder, Plan, Unreadable, read, read_image
from lssat.data.media.image import MOST_PIXELS, _webp_size, bytes_of
from lssat.data.media.unreadable import FIXED

SIDE = 2000  # 4 million pixels: what is measured beside them is small
KINDS = {
    "JPEG": ("JPEG", "RGB", {}),
    "progressive CMYK": ("JPEG", "CMYK", {"progressive": True}),
    "PNG": ("PNG", "RGB", {"compress_level": 1}),
    "16-bit PNG": ("PNG", "I;16", {"compress_level": 1}),
    "BMP": ("BMP", "RGB", {}),
    "WEBP": ("WEBP", "RGB", {"method": 0}),
    "lossless WEBP": ("WEBP", "RGBA", {"method": 0, "lossless": True, "quality": 0}),
}


def drawn(path: Path, format: str, mode: str, side: int = SIDE, **options) -> None:
    image = Image.fromarray(picture(1, side, side))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) << 8)
    image = image if mode == "I;16" else image.convert(mode)
    exif = Image.Exif()
    exif[0x0112] = 6  # to turn it takes memory as well
    turned = {} if format == "BMP" else {"exif": exif}
    image.save(path, format, **options, **turned)


def needs(path: Path, memory: int) -> str:
    """Return the detail of a refusal for its size; '': it was read."""
    with Decoder(60.0, memory) as decoder:
        try:
            list(decoder.read(path, "image", Plan()))
        except Unreadable as error:
            return error.detail if error.reason == "too_large" else f"{error}"
    return ""


@pytest.mark.parametrize("kind", KINDS)
def test_fault_d6_an_image_is_read_with_what_it_is_said_to_take(tmp_path: Path, kind: str) -> None:
    format, mode, options = KINDS[kind]
    path = tmp_path / "image"
    drawn(path, format, mode, **options)
    named = "progressive JPEG" if options.get("progressive") else format
    told = FIXED + (SIDE**2 * bytes_of(named) + 2 * path.stat().st_size) / 2**20
    least = math.ceil(told)
    with pytest.raises(Unreadable) as caught:
        read_image(path, least - 1)
    assert (caught.value.reason, caught.value.detail) == (
        "too_large",
        f"{named} of 2000 x 2000 px takes {told:,.0f} MiB, the limit is {least - 1} (faces.memory)",
    )
    assert needs(path, least) == ""


@pytest.mark.slow
def test_fault_d6_large_jpegs_are_read_within_the_memory_of_the_sample(tmp_path: Path) -> None:
    """64, 75 and 88 million pixels at 1,024 MiB: by the rule, and one fifth of it by trial."""
    assert all(FIXED + n * bytes_of("JPEG") * 10**6 / 2**20 < 1000 for n in (64, 75, 88))
    assert MOST_PIXELS > 88 * 10**6
    drawn(tmp_path / "image", "JPEG", "RGB", side=4200)  # 17.6 million, with a fifth of the memory
    assert needs(tmp_path / "image", 1024 // 5) == ""


def test_fault_d6_a_file_that_is_larger_than_its_memory_is_not_opened(tmp_path: Path) -> None:
    with open(tmp_path / "image", "wb") as file:
        file.write(b"\xff\xd8\xff")
        file.truncate(200 * 2**20)
    assert "209,715,200 bytes, the limit is" in needs(tmp_path / "image", 100)


def test_fault_d6_a_webp_tells_its_size_before_it_is_opened(tmp_path: Path) -> None:
    for number, options in enumerate(({}, {"lossless": True}, {"exif": b"Exif\0\0"})):
        path = tmp_path / f"{number}"
        Image.fromarray(picture(1, 31, 77)).save(path, "WEBP", **options)
        assert _webp_size(path.read_bytes()) == (77, 31)
        assert _webp_size(path.read_bytes()[:20]) is None
    image = Image.fromarray(np.dstack([picture(1, 31, 77), picture(2, 31, 77)[..., 0]]))
    image.save(path, "WEBP")
    assert _webp_size(path.read_bytes()) == (77, 31)


def film(
    path: Path,
    codec: str,
    format: str,
    side: int,
    count: int,
    aspect: Fraction | None = None,
    **options: str,
) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height = stream.width = side
        stream.pix_fmt = format
        stream.options = {"threads": "1", **options}
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(picture(number, side, side), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


REFERENCES = {"preset": "ultrafast", "x264-params": "ref=16:bframes=3"}
CODECS = {  # codec, pixels, frames that a codec may hold, bytes of a stored pixel, options
    "h264": ("libx264", "yuv420p", 24, 1.5, REFERENCES),
    "h264 4:4:4": ("libx264", "yuv444p", 24, 3, REFERENCES),
    "mjpeg": ("mjpeg", "yuvj444p", 4, 3, {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", CODECS)
def test_fault_d6_a_video_is_read_with_what_it_is_said_to_take(tmp_path: Path, kind: str) -> None:
    codec, format, held, stored, options = CODECS[kind]
    side, path = 1024, tmp_path / "v.avi"
    path = path.with_suffix(".avi" if codec == "mjpeg" else ".mp4")
    film(path, codec, format, side, 20, **options)
    told = FIXED + side**2 * (9 + held * stored) / 2**20
    with pytest.raises(Unreadable) as caught:
        list(read(path, "video", Plan(frames=3), int(told) - 1))
    assert (caught.value.reason, caught.value.detail) == (
        "too_large",
        f"{kind.split()[0]} of 1024 x 1024 px takes {told:,.0f} MiB, "
        f"the limit is {int(told) - 1} (faces.memory)",
    )
    with Decoder(60.0, math.ceil(told)) as decoder:
        assert len(list(decoder.read(path, "video", Plan(frames=3)))) == 4


@pytest.mark.parametrize(("aspect", "fits"), [(Fraction(2), True), (Fraction(5, 2), False)])
def test_fault_d6_stretched_pixels_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, aspect: Fraction, fits: bool
) -> None:
    film(tmp_path / "v.mp4", "libx264", "yuv420p", 64, 2, aspect=aspect)
    monkeypatch.setattr("lssat.data.media.video.MAX_PIXELS", 64 * 64 * 2)
    items = read(tmp_path / "v.mp4", "video", Plan(frames=2))
    if fits:
        assert [item[1].shape for item in list(items)[1:]] == [(64, 128, 3)] * 2
    else:
        with pytest.raises(Unreadable, match="too_large: 160 x 64 px"):
            list(items)


def test_fault_d6_what_a_library_does_not_foresee_is_named_and_costs_one_file(
    tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    """A plan that makes the code of the process itself fail stands for such a fault."""
    drawn(tmp_path / "image.png", "PNG", "RGB", side=64)
    with Decoder(60.0, 256) as decoder:
        with pytest.raises(Unreadable, match="decoder_crash: TypeError: "):
            list(decoder.read(tmp_path, "frames", Plan(frames="two")))  # type: ignore
        assert len(list(decoder.read(tmp_path / "image.png", "image", Plan()))) == 2
    assert "Traceback" not in capfd.readouterr().err
