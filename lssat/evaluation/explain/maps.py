"""One run explained on the test split: maps, features, examples, errors."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor
from torch.nn import functional as F

from lssat.evaluation import attribution
from lssat.evaluation.explain import choose, embed
from lssat.models.ssat import SSAT
from lssat.params import Explain
from lssat.training.loader import Crops

EXAMPLES = 4  # samples whose maps are shown
_BATCH = 8  # attention of all blocks is kept: 10 MB a block and clip
_CELLS = 8  # a side, on which maps of two models are compared
_TINY = 1e-30  # in place of a sum of zeros
_INCOMPLETE = f"have gradients that miss {attribution.TOLERANCE:.0%} or more of their logit"

Maps = dict[str, np.ndarray]


class Look:
    """Explanations of one run on a test split.

    Args:
        crops: the test split as the model reads it, with texture codes.
        predictions: of the task's runs, schema PREDICTIONS.
        options: the section `explain`.
    """

    def __init__(
        self, model: SSAT, crops: Crops, predictions: pa.Table, options: Explain, device: str
    ):
        self.model, self.crops, self.device = model, crops, device
        self.predictions, self.options, self.task = predictions, options, crops.task
        classes, self.attribute = self.task.classes, 0
        if self.task.kind == "multilabel":
            self.attribute = choose.most_even(predictions, self.task.name)
        # Of the classes, what the explained logit stands for.
        self.named = {
            "binary": classes[-1],
            "multiclass": "the predicted class",
            "multilabel": classes[self.attribute],
        }[self.task.kind]

    @property
    def level(self) -> str:
        """What a sample is: image, frame or clip."""
        if self.model.clips:
            return "clip"
        return "frame" if self.task.level == "video" else "image"

    def mean_maps(self) -> tuple[Maps, dict[str, Any]]:
        """Return the mean maps over samples spread over the split, and what they are of.

        Returns:
            `rollout` (h, w), shares of the patches, where the model has one; `gradients` (H, W),
            shares of the pixels in the size of all attributions, whatever their sign. Samples
            whose maps are not finite are left out, and `note` counts them; without any other the
            maps are empty. `missed` is what the attributions miss of the logits' differences, all
            samples together, and `incomplete` the number of samples that miss 5 % or more.
        """
        places = self._spread(self.options.samples)
        shares, parts, missed = self._explained(self.model, places)
        whole = _finite(parts) if shares is None else _finite(parts) & _finite(shares)
        maps = {"gradients": _mean(_shares(parts[whole]))}
        if shares is not None:
            maps["rollout"] = _mean(shares[whole])
        imgs, codes = next(self._batches(places[:1]))
        facts = dict(looks_at=list(self.model.inputs(imgs, codes)), n=int(whole.sum()))
        facts |= dict(level=self.level, no_rollout=attribution.why_not(self.model))
        total = np.abs(parts[whole].sum(axis=(1, 2))).sum()
        error = float(np.abs(missed[whole]).sum() / max(total, _TINY))
        facts |= dict(missed=error if np.isfinite(error) and total else None)
        far = int((attribution.gap(parts[whole], missed[whole]) >= attribution.TOLERANCE).sum())
        notes, lost = [], int((~whole).sum())
        if lost:
            notes.append(f"{lost} of {len(places)} samples have maps that are not finite")
        if far:
            notes.append(f"{far} of {len(places)} samples {_INCOMPLETE}")
        return maps, facts | dict(incomplete=far, note="; ".join(notes) or None)

    def likeness(self, other: SSAT) -> dict[str, float | None]:
        """Return how alike the maps are to those of another model, on the same samples.

        Returns:
            the mean over samples of Spearman's correlation of `rollout`, and of the size of
            `gradients` in 8 x 8 cells; None without rollout, or where maps are flat. Of a model
            that has learned nothing they should be low (Adebayo et al. 2018, 1810.03292).
        """
        places = self._spread(self.options.samples)
        ours, theirs = (self._explained(model, places)[:2] for model in (self.model, other))
        names = ("rollout", "gradients")
        return {name: _alike(a, b) for name, a, b in zip(names, ours, theirs, strict=True)}

    def embedding(self) -> dict[str, Any]:
        """Project the features that the head reads; with ids, labels in words and subsets."""
        places = self._spread(self.options.points)
        features = []
        with torch.inference_mode():
            for imgs, codes in self._batches(places):
                inputs = self.model.inputs(imgs, codes)
                features.append(self.model.features(inputs).float().cpu().numpy())
        rows = self.crops.table.take(places)
        labels = self.crops.labels[places]
        target = self.attribute
        column = labels[:, target if self.task.kind == "multilabel" else 0]
        return embed.project(np.concatenate(features), self.options.seed) | dict(
            ids=rows["id"].to_pylist(),
            subsets=rows["subset"].to_pylist(),
            labels=[choose.say(self.task, target, int(value)) for value in column],
            level=self.level,
        )

    def examples(self, run: str, temperature: float) -> tuple[Maps, list[dict[str, Any]]]:
        """Explain a few samples, right or wrong, spread over the split."""
        table = self.crops.table.take(self._spread(EXAMPLES))
        wanted = [tuple(row[key] for key in choose.KEY) for row in table.to_pylist()]
        samples = choose.shown(
            self.predictions, run, self.task, temperature, wanted, self.attribute
        )
        return self._pictured(samples)

    def errors(self, run: str, temperature: float) -> tuple[Maps, list[dict[str, Any]]]:
        """Explain the most confident errors of the whole split, one of each id."""
        wanted = self.options.errors
        return self._pictured(choose.errors(self.predictions, run, self.task, temperature, wanted))

    def _pictured(self, samples: list[dict[str, Any]]) -> tuple[Maps, list[dict[str, Any]]]:
        """Explain chosen samples; add where their crops are."""
        at = choose.places(self.crops.table)
        places = np.array([at[tuple(row[key] for key in choose.KEY)] for row in samples], dtype=int)
        for row, place in zip(samples, places, strict=True):
            both = self.crops.shard[place], self.crops.row[place]
            shard, number = (int(np.atleast_1d(value)[np.size(value) // 2]) for value in both)
            # With the crop's hash, so that other crops are another result.
            digest = self.crops.faces.shard(shard).rows["sha256"][number].as_py()
            row |= dict(shard=shard, row=number, sha256=digest)
        if not samples:
            return {}, samples
        targets = [row["target"] for row in samples]
        shares, parts, missed = self._explained(self.model, places, targets)
        for row, share in zip(samples, attribution.gap(parts, missed), strict=True):
            row["missed"] = float(share) if np.isfinite(share) else None
        maps = {"gradients": parts} | ({} if shares is None else {"rollout": shares})
        return {
            name: np.where(np.isfinite(values), values, 0) for name, values in maps.items()
        }, samples

    def _spread(self, wanted: int) -> np.ndarray:
        return choose.spread(self.crops.table["id"].to_pylist(), wanted)

    def _batches(self, places: np.ndarray) -> Iterator[tuple[Tensor, Tensor]]:
        for start in range(0, len(places), _BATCH):
            batch = self.crops.batch(places[start : start + _BATCH])
            assert batch.codes is not None
            yield batch.imgs.to(self.device), batch.codes.to(self.device)

    def _explained(
        self, model: SSAT, places: np.ndarray, targets: list[int] | None = None
    ) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
        """Return rollout's shares (n, h, w) or None, attributions (n, H, W), what they miss (n,).

        Args:
            targets: the logits that are explained; None: that of the positive class, of the
                attribute, or of the class that each sample is predicted to be.
        """
        shares, parts, missed = [], [], []
        for number, (imgs, codes) in enumerate(self._batches(places)):
            start = number * _BATCH
            target: int | Tensor = self.attribute
            if targets is not None:
                target = torch.tensor(targets[start : start + _BATCH], device=imgs.device)
            elif self.task.kind == "multiclass":
                with torch.no_grad():
                    target = model.classify(imgs, codes).argmax(dim=1)
            if attribution.why_not(model) is None:
                shares.append(attribution.reach(model, imgs, codes))
            maps, rest = attribution.integrated(model, imgs, codes, target, self.options.steps)
            parts.append(maps)
            missed.append(rest)
        reach = np.concatenate(shares) if shares else None
        return reach, np.concatenate(parts), np.concatenate(missed)


def _finite(maps: np.ndarray) -> np.ndarray:
    """Return for each sample whether its map (n, h, w) is finite: (n,)."""
    return np.isfinite(maps).all(axis=(1, 2))


def _mean(maps: np.ndarray) -> np.ndarray:
    """Average maps (n, h, w); zeros where there are none."""
    return maps.mean(axis=0) if len(maps) else np.zeros(maps.shape[1:], maps.dtype)


def _shares(parts: np.ndarray) -> np.ndarray:
    """Turn attributions (n, H, W) into shares of each map's size, which add up to 1."""
    size = np.abs(parts)
    return size / np.maximum(size.sum(axis=(1, 2), keepdims=True), _TINY)


def _alike(ours: np.ndarray | None, theirs: np.ndarray | None) -> float | None:
    from scipy.stats import spearmanr

    if ours is None or theirs is None:
        return None
    pairs = zip(_cells(ours), _cells(theirs), strict=True)
    correlations = [spearmanr(a, b).statistic for a, b in pairs if np.ptp(a) > 0 and np.ptp(b) > 0]
    return float(np.mean(correlations)) if correlations else None


def _cells(maps: np.ndarray) -> np.ndarray:
    """Average the size of maps (n, H, W) in at most 8 x 8 cells: (n, cells)."""
    size = torch.from_numpy(np.abs(maps))[:, None]
    return F.adaptive_avg_pool2d(size, min(_CELLS, maps.shape[1])).flatten(1).numpy()
