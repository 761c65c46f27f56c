"""The tables that steps exchange, and the closed list of reasons for which a sample is left out."""

import pyarrow as pa

REASONS = (
    "missing", "unreadable", "truncated", "format", "too_large", "too_small", "no_frames",
    "short_video", "no_face", "excluded_class", "duplicate", "decoder_crash", "timeout",
)  # fmt: skip

_LABELS = ("labels", pa.list_(pa.int16()))
# `clip` numbers a video's clips of consecutive frames from 0; -1: not part of a clip, one of the
# frames (or the image) that image encoders read. A clip's frames are its rows, by frame.
_CLIP = ("clip", pa.int16())
_WHERE = [("frame", pa.int32()), _CLIP, ("shard", pa.int32()), ("row", pa.int32())]

MANIFEST = pa.schema(
    [
        ("dataset", pa.string()),
        ("id", pa.string()),  # unique in the data set, for a video (method, compression, video)
        ("path", pa.string()),  # relative to the root of the data set
        ("media", pa.string()),  # image | video | frames (a folder of a video's images, by name)
        _LABELS,  # one entry, or one per attribute; values as the task counts them, from 0
        ("subset", pa.string()),  # manipulation method; "" where the release has none
        ("split", pa.string()),  # official: train | val | test
        ("groups", pa.list_(pa.string())),  # every identity in the sample (a fake has two)
        ("group", pa.string()),  # cluster for resampling: identity, or pair of identities
        ("box", pa.list_(pa.float32())),  # x, y, width, height in pixels; empty: none given
    ]
)
FACES = pa.schema(
    [
        ("id", pa.string()),
        *_WHERE,  # frame index in the video (0 for images); shard and row of the crop
        ("box", pa.list_(pa.float32())),  # x0, y0, x1, y1 of the crop in the frame, pixels
        ("landmarks", pa.list_(pa.float32())),  # x, y of the five points; empty: not detected
        ("score", pa.float32()),  # the detector's; nan where no detector ran
        ("n_faces", pa.int16()),  # faces found in the frame
        ("n_frames", pa.int32()),  # frames that the video decoded to (1 for images)
        ("sha256", pa.string()),  # of the crop's bytes
        ("phash", pa.uint64()),  # perceptual hash of the crop: 64 bits that near-copies share
    ]
)
FORMATS = pa.schema(  # of a sample's file, whatever it shows
    [
        ("id", pa.string()),
        ("media", pa.string()),  # as in the manifest
        ("kind", pa.string()),  # JPEG, progressive JPEG, PNG, BMP, WEBP; of a video its codec
        ("sampling", pa.string()),  # of a JPEG's colours: 4:2:0; else the format of the pixels
        ("width", pa.int32()),  # in pixels, as stored: not turned upright
        ("height", pa.int32()),
        ("bytes", pa.int64()),  # of the file, or of all of a video's images
        ("frames", pa.int32()),
        ("seconds", pa.float64()),  # nan: an image, or the file does not say
        ("quality", pa.float64()),  # of a JPEG, 1 to 100, by its quantisation; else nan
        ("side", pa.float64()),  # of the crops in the frame, in pixels, on average
    ]
)
TEXTURE = pa.schema([("id", pa.string()), *_WHERE])
SPLITS = pa.schema(
    [
        ("id", pa.string()),
        *_WHERE,
        _LABELS,
        ("subset", pa.string()),
        ("split", pa.string()),
        ("group", pa.string()),
        ("seed", pa.int64()),
    ]
)
PREDICTIONS = pa.schema(
    [
        ("run", pa.string()),  # path of the run, e.g. ffpp/vit_micro/MRGB-RLDP-CRGB/seed0
        ("id", pa.string()),
        ("frame", pa.int32()),  # of a clip: its first
        _CLIP,
        ("group", pa.string()),
        ("subset", pa.string()),
        ("level", pa.string()),  # image | frame | clip
        ("split", pa.string()),
        _LABELS,
        ("logits", pa.list_(pa.float32())),
    ]
)
REJECTS = pa.schema(
    [
        ("dataset", pa.string()),
        ("id", pa.string()),
        ("path", pa.string()),
        ("step", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
)
