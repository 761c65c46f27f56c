"""A picture of a scored file: crops, their texture, where the model looks, and a video's curve."""

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np

from lssat import texture
from lssat.evaluation import attribution, overlay
from lssat.tables import atomic, confidential, printable
from lssat.training import loader
from lssat.use.predict.files import File
from lssat.use.predict.score import Scored
from lssat.use.predict.trained_run import Opened

MOST = 6  # samples shown of a file, spread evenly
_RAISES, _OTHER = "#D55E00", "#0072B2"


def place(folder: Path, file: File) -> Path:
    """Return where the picture of a file goes: its name, and a mark of its whole path."""
    mark = hashlib.sha256(os.fsencode(file.path.absolute())).hexdigest()[:8]
    return folder / f"{file.path.stem[:40]}-{mark}.png"


def write(path: Path, opened: Opened, scored: Scored) -> None:
    """Draw a scored file as PNG.

    A column a frame or clip (of a clip the frame in the middle). Rows: the crop; its texture;
    attention rollout, where the model has one; integrated gradients of the logit that is named,
    orange where a pixel raises it, blue where it lowers it (`lssat.evaluation.attribution`).
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    at = np.unique(np.linspace(0, len(scored.samples) - 1, MOST).round().astype(int))
    rows = _rows(opened, scored, at)
    video = scored.file.media != "image"
    height = 1.5 * len(rows) + 0.9 + (1.8 if video else 0)
    figure = Figure(figsize=(max(1.5 * len(at) + 1.9, 6.5 if video else 4), height), dpi=110)
    figure.set_layout_engine("constrained")
    grid = figure.add_gridspec(
        len(rows) + video, len(at), height_ratios=[1] * len(rows) + [1.1] * video
    )
    for row, (label, images) in enumerate(rows):
        for column, image in enumerate(images):
            axis = figure.add_subplot(grid[row, column])
            axis.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            axis.set_xticks([])
            axis.set_yticks([])
            if not column:
                axis.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=7)
            if not row:
                axis.set_title(_over(opened, scored, int(at[column])), fontsize=7)
    if video:
        _curve(figure.add_subplot(grid[-1, :]), opened, scored)
    figure.suptitle(_title(opened, scored), fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with confidential(), atomic(path) as out:
        figure.savefig(out, format="png", metadata={"Software": None})


def _rows(opened: Opened, scored: Scored, at: np.ndarray) -> list[tuple[str, Any]]:
    model, crops = opened.model, scored.crops[at]
    codes = None if scored.codes is None else scored.codes[at]
    device = next(model.parameters()).device
    imgs, inputs = loader.tensors(crops, codes)
    given = imgs.to(device), None if inputs is None else inputs.to(device)
    middle = crops.shape[1] // 2
    shown = crops[:, middle] if model.clips else crops
    kind, k = opened.texture
    named = texture.named(kind, k)
    rows = [("crop", shown)]
    label = named if model.needs_codes else f"{named}\n(not seen)"
    rows.append((label, texture.codes(shown, kind, k)))
    if attribution.why_not(model) is None:
        rows.append(("attention\nrollout", _laid(shown, attribution.rollout(model, *given))))
    which = _which(opened, scored)
    maps, missed = attribution.integrated(model, *given, which)
    far = attribution.gap(maps, missed) >= attribution.TOLERANCE
    named = f"gradients of\n{_plain(_name(opened, which))}"
    named += f"\n({far.sum()} incomplete)" if far.any() else ""
    rows.append((named, _laid(shown, maps)))
    return rows


def _laid(shown: np.ndarray, maps: np.ndarray) -> list[np.ndarray]:
    """Lay maps over crops; where a map is not finite the crop is clear."""
    finite = np.where(np.isfinite(maps), maps, 0)
    return [overlay.overlay(img, map) for img, map in zip(shown, finite, strict=True)]


def _which(opened: Opened, scored: Scored) -> int:
    """Return the logit that is explained: the positive class's, or the most probable one's."""
    return 0 if opened.task.kind == "binary" else int(scored.scores.argmax())


def _name(opened: Opened, which: int) -> str:
    return opened.task.classes[-1 if opened.task.kind == "binary" else which]


def _plain(text: str) -> str:
    return printable.line(text).replace("$", r"\$")  # matplotlib takes `$...$` for mathematics


def _over(opened: Opened, scored: Scored, at: int) -> str:
    sample = scored.samples[at]
    score = f"{sample.scores[_which(opened, scored)]:.3f}"
    if scored.file.media == "image":
        return score
    where = f"clip {sample.clip}" if sample.clip >= 0 else f"frame {sample.frame}"
    return f"{where}\n{score}"


def _title(opened: Opened, scored: Scored) -> str:
    which = _which(opened, scored)
    known = np.isfinite(scored.scores[which])
    score = f"{_name(opened, which)} {scored.scores[which]:.3f}" if known else "score undefined"
    trust = "calibrated" if opened.temperature else "uncalibrated"
    return f"{_plain(scored.file.path.name)}: {_plain(score)} ({trust})\n{opened.run}"


def _curve(axis: Any, opened: Opened, scored: Scored) -> None:
    which = _which(opened, scored)
    times = [sample.time for sample in scored.samples]
    timed = None not in times
    x = times if timed else [sample.frame for sample in scored.samples]
    axis.plot(x, [s.scores[which] for s in scored.samples], ".-", color=_RAISES, lw=1, ms=4)
    axis.axhline(scored.scores[which], color=_OTHER, lw=0.8, ls="--")
    lost = [time if timed else frame for frame, time in scored.missed]
    axis.plot(lost, [0.0] * len(lost), "x", color="0.5", ms=4)
    axis.set_ylim(-0.03, 1.03)
    axis.set_xlabel("s" if timed else "frame", fontsize=7)
    axis.set_ylabel(_plain(_name(opened, which)), fontsize=7)
    axis.tick_params(labelsize=6)
    legend = "dashed: mean" + ("; crosses: no face" if lost else "")
    axis.set_title(legend, fontsize=6, loc="right")
