"""The only decoder of images and videos: bytes in, upright RGB uint8 HWC out, or a reason.

`Decoder` does it in a process of its own, under limits of time and memory.
"""

from lssat.data.media.decoder import Decoder
from lssat.data.media.frame_choice import LEAST, Plan, Use, clip_indices, frame_indices, use
from lssat.data.media.image import read_image
from lssat.data.media.kind import VIDEOS, kind
from lssat.data.media.signatures import Fault, fault, faults
from lssat.data.media.unreadable import Unreadable
from lssat.data.media.video import frames_in, read, read_again, times

__all__ = [
    "LEAST",
    "VIDEOS",
    "Decoder",
    "Fault",
    "Plan",
    "Unreadable",
    "Use",
    "clip_indices",
    "fault",
    "faults",
    "frame_indices",
    "frames_in",
    "kind",
    "read",
    "read_again",
    "read_image",
    "times",
    "use",
]
