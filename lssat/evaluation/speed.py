"""The speed of each backbone in inference: measured once, by a job that runs alone.

What training or evaluation could measure by the way hangs on whatever else the machine does then:
seeds of one row differed by a factor of four. Weights do not matter here, so they are drawn.
"""

import platform
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lssat import grid
from lssat.models.ssat import SSAT
from lssat.params import ModelLists
from lssat.params.views import SpeedView
from lssat.tables import write_json
from lssat.tables.analysis_tables import Speed, TimedBackbone, TimedBatch
from lssat.tables.contracts import VERSION
from lssat.tables.environment import environment
from lssat.training.build import rebuild

CLIP = 16  # frames: VideoMAE's
WARM, LEAST, MOST, SECONDS = 2, 5, 50, 2.0  # passes before, passes at least and most, and for long


def measure(out: Path, params: SpeedView, device: str = "cpu") -> None:
    """Time inference of each backbone of the grid, one after another.

    Args:
        out: JSON to write.
        params: the view of the rule `speed`.
        device: where the models run, in float32 as in evaluation.
    """
    torch.set_num_threads(params.train.threads)
    rows = []
    for backbone, configuration in models(params.benchmark):
        rows.append(_backbone(backbone, configuration, params, device))
        first = rows[-1]["batches"][0]
        print(f"{backbone}: {first['latency_ms']:.3g} ms for one", flush=True)
    content = Speed(
        version=VERSION,
        device=device,
        processor=_processor(device),
        threads=params.train.threads,
        environment=environment(),
        backbones=rows,
    )
    write_json(out, content)


def models(benchmark: ModelLists) -> list[tuple[str, str]]:
    """Return each backbone of the grid with its first configuration."""
    clips = benchmark.clip_backbones if benchmark.clip_tasks else []
    named = [(name, benchmark.configurations[0]) for name in (*benchmark.backbones, *clips)]
    named += [(name, grid.SUPERVISED) for name in benchmark.baselines]
    return list(dict.fromkeys(named))


def _backbone(backbone: str, configuration: str, params: SpeedView, device: str) -> TimedBackbone:
    clips = grid.family(backbone).clips
    parsed = grid.parse(configuration)
    described = dict(
        backbone=backbone,
        configuration=configuration,
        img_size=params.faces.size,
        outputs=1,
        mask_ratio=0.75,  # of training
        head=params.train.head if parsed.auxiliary else "linear",
    )
    torch.manual_seed(0)
    model = rebuild(described | ({"frames": CLIP} if clips else {})).to(device)
    frames = CLIP if clips else None
    batches = [_timed(model, n, frames, device) for n in (1, params.evaluate.batch_size)]
    return TimedBackbone(
        backbone=backbone,
        configuration=str(parsed),
        frames=frames,
        img_size=params.faces.size,
        batches=batches,
    )


def _timed(model: SSAT, batch: int, frames: int | None, device: str) -> TimedBatch:
    """Time `classify` of a batch that is in memory."""
    imgs, codes = _drawn(model, batch, frames, device)
    seconds = passes(lambda: model.classify(imgs, codes), model, device)
    middle = float(np.median(seconds))
    return TimedBatch(
        batch=batch,
        latency_ms=1e3 * middle,
        least_ms=1e3 * min(seconds),
        most_ms=1e3 * max(seconds),
        passes=len(seconds),
        imgs_per_second=batch / middle,
    )


@torch.no_grad()
def passes(run: Callable[[], Any], model: SSAT, device: str) -> list[float]:
    """Return the seconds of each pass, after some that warm up."""
    model.eval()
    seconds: list[float] = []
    for _ in range(WARM):
        run()
    while len(seconds) < LEAST or (len(seconds) < MOST and sum(seconds) < SECONDS):
        _wait(device)
        start = time.perf_counter()
        run()
        _wait(device)
        seconds.append(time.perf_counter() - start)
    return seconds


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _drawn(
    model: SSAT, batch: int, frames: int | None, device: str
) -> tuple[Tensor, Tensor | None]:
    """Draw images or clips, and texture codes where inference looks at them."""
    generator = torch.Generator().manual_seed(0)
    shape = (*(() if frames is None else (frames,)), model.img_size, model.img_size)

    def draw(channels: int) -> Tensor:
        whole = batch, channels, *shape
        return torch.randint(256, whole, dtype=torch.uint8, generator=generator).to(device)

    return draw(3), draw(1) if model.needs_codes else None


def _processor(device: str) -> str:
    if device == "cuda":
        return torch.cuda.get_device_name()
    about = Path("/proc/cpuinfo")
    names = re.findall(r"^model name\s*: (.+)", about.read_text(), re.M) if about.exists() else []
    return names[0] if names else platform.machine()
