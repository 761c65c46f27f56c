"""MTCNN (Zhang et al. 2016): facenet-pytorch's networks and boxes, in a fraction of its time.

The three networks, their weights and the arithmetic of boxes are the library's. What it spends
most of its time on is replaced: the pyramid and the candidates' crops come from one integral
image (`area`), with the same bits, and on a CPU convolutions are our own (`convolution`).
tests/data/faces/test_mtcnn.py holds the result to the library's own `MTCNN.detect`.
"""

from typing import NamedTuple

import numpy as np
import torch
from facenet_pytorch import MTCNN
from facenet_pytorch.models.utils import detect_face as library
from torch import Tensor
from torchvision.ops import batched_nms

from lssat.data.faces import area, networks

THRESHOLDS = (0.6, 0.7)  # of the first two stages, the library's own
_CELL = 12  # pixels that the first network sees at once,
_STRIDE = 2  # and from one place to the next
_CHUNK = 512  # candidates that go through a network at once; bounds the memory


class Detections(NamedTuple):
    """The faces of one frame, the largest first."""

    boxes: np.ndarray  # (F, 4) float32: x0, y0, x1, y1, pixels
    scores: np.ndarray  # (F,) float32
    landmarks: np.ndarray  # (F, 5, 2) float32: eyes, nose, corners of the mouth; x, y


class Detector:
    """MTCNN on one device.

    Args:
        min_face_size: side in pixels of the least face.
        threshold: least score of a face, in the last stage.
        device: "cpu", where one thread is used (two processes of one thread beat one of two),
            or "cuda".
    """

    def __init__(self, min_face_size: float, threshold: float, device: str = "cpu"):
        if device == "cpu":
            torch.set_num_threads(1)
        self.min_face_size, self.device = min_face_size, device
        self.thresholds = (*THRESHOLDS, threshold)
        model = MTCNN().to(device, memory_format=torch.channels_last).requires_grad_(False)
        self.factor, self.first = model.factor, networks.first(model.pnet, THRESHOLDS[0])
        self.second, self.third = networks.second(model.rnet), networks.third(model.onet)

    def __call__(self, frames: np.ndarray) -> list[Detections]:
        """Find the faces of frames of one size.

        Args:
            frames: uint8 (N, H, W, 3), RGB; of any size.
        """
        with torch.inference_mode():
            sums = area.integral(torch.from_numpy(frames).to(self.device))
            number, boxes = self._propose(sums)
            number, boxes = self._refine(sums, number, boxes)
            decided = self._decide(sums, number, boxes)
        frame_numbers, faces, points = (part.cpu().numpy() for part in decided)
        parts = [frame_numbers == n for n in range(len(frames))]
        return [_largest_first(faces[part], points[part]) for part in parts]

    def _propose(self, sums: Tensor) -> tuple[Tensor, Tensor]:
        """Look at each scale of the pyramid; return frame number and box of each candidate."""
        count, height, width = len(sums), sums.shape[1] - 1, sums.shape[2] - 1
        whole = np.array([[n, 0, 0, height, width] for n in range(count)])
        candidates = [(torch.zeros(0, 9, device=self.device), torch.zeros(0, dtype=torch.int64))]
        for scale in scales(min(height, width), self.min_face_size, self.factor):
            imgs = area.resize(sums, whole, int(height * scale + 1), int(width * scale + 1))
            places = self.first(imgs)
            boxes, number = _cells(places, scale), places.at[:, 0]
            keep = batched_nms(boxes[:, :4], boxes[:, 4], number, 0.5)
            candidates.append((boxes[keep], number[keep]))
        boxes = torch.cat([boxes for boxes, _ in candidates])
        number = torch.cat([number.to(self.device) for _, number in candidates])
        keep = batched_nms(boxes[:, :4], boxes[:, 4], number, 0.7)
        boxes, number = boxes[keep], number[keep]
        sides = (boxes[:, 2:4] - boxes[:, :2]).repeat(1, 2)
        moved = torch.cat([boxes[:, :4] + boxes[:, 5:9] * sides, boxes[:, 4:5]], dim=1)
        return number, library.rerec(moved)

    def _refine(self, sums: Tensor, number: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Keep the candidates that the second network confirms, and move them."""
        number, boxes, seen = self._look(sums, number, boxes, 24, self.second)
        if not seen:
            return number, boxes
        offsets, probabilities = seen
        keep = probabilities[:, 1] > self.thresholds[1]
        boxes = torch.cat([boxes[keep, :4], probabilities[keep, 1:]], dim=1)
        number, offsets = number[keep], offsets[keep]
        keep = batched_nms(boxes[:, :4], boxes[:, 4], number, 0.7)
        return number[keep], library.rerec(library.bbreg(boxes[keep], offsets[keep]))

    def _decide(self, sums: Tensor, number: Tensor, boxes: Tensor) -> tuple[Tensor, ...]:
        """Keep what the last network confirms; return numbers, boxes with scores, landmarks."""
        number, boxes, seen = self._look(sums, number, boxes, 48, self.third)
        if not seen:
            return number, boxes, boxes.new_zeros(0, 5, 2)
        offsets, places, probabilities = seen
        keep = probabilities[:, 1] > self.thresholds[2]
        boxes = torch.cat([boxes[keep, :4], probabilities[keep, 1:]], dim=1)
        number, offsets, places = number[keep], offsets[keep], places[keep]
        sides = boxes[:, None, 2:4] - boxes[:, None, :2] + 1
        points = sides * places.reshape(-1, 2, 5).mT + boxes[:, None, :2] - 1
        boxes = library.bbreg(boxes, offsets)
        keep = library.batched_nms_numpy(boxes[:, :4], boxes[:, 4], number, 0.7, "Min")
        return number[keep], boxes[keep], points[keep]

    def _look(
        self, sums: Tensor, number: Tensor, boxes: Tensor, size: int, net: networks.Network
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Show a network each candidate, cut off at the frame's edge; drop those beyond it."""
        top, bottom, left, right = library.pad(boxes, sums.shape[2] - 1, sums.shape[1] - 1)
        cut = np.stack([number.cpu().numpy(), top - 1, left - 1, bottom, right], axis=1)
        inside = (cut[:, 3] > cut[:, 1]) & (cut[:, 4] > cut[:, 2])
        keep = torch.from_numpy(inside).to(self.device)
        parts = np.split(cut[inside], range(_CHUNK, int(inside.sum()), _CHUNK))
        seen = [net(area.resize(sums, part, size, size)) for part in parts if len(part)]
        return (
            number[keep],
            boxes[keep],
            [torch.cat(outputs) for outputs in zip(*seen, strict=True)],
        )


def scales(shorter: int, min_face_size: float, factor: float) -> list[float]:
    """List the pyramid's scales: the least face, then larger ones, fills the network's cell."""
    scale, scales = _CELL / min_face_size, []
    left = shorter * scale
    while left >= _CELL:
        scales.append(scale)
        scale, left = scale * factor, left * factor
    return scales


def _cells(places: networks.Places, scale: float) -> Tensor:
    """Return what the first network saw at places of a scale: boxes, scores, offsets (K, 9)."""
    start = _STRIDE * places.at[:, 1:].flip(1).float() + 1
    corners = [(start / scale).floor(), ((start + (_CELL - 1)) / scale).floor()]
    return torch.cat([*corners, places.scores[:, None], places.offsets], dim=1)


def _largest_first(boxes: np.ndarray, points: np.ndarray) -> Detections:
    sides = boxes[:, 2:4] - boxes[:, :2]
    order = np.argsort(sides[:, 0] * sides[:, 1])[::-1]
    return Detections(boxes[order, :4], boxes[order, 4], points[order])
