"""Time a training step: ours, packed, beside two passes in SSAT's manner, eager and compiled.

    python benchmarks/train_step.py                                  # tiny, small, base on a CPU
    python benchmarks/train_step.py --sizes vit_base vit_large vit_huge16 vit_huge14 \\
        --device cuda --precision bf16 --batch-sizes 32 128 256 --compile --repeats 20

All variants share one model, one batch and one optimizer, and are interleaved in one process;
printed are medians: images/s, the ratio to two passes, peak memory (CUDA), and the share of the
matrix rate, which a product of the encoder's own sizes reaches in the same run. Every variant's
share is of the work that the packed step needs. On a CPU time is the process's CPU time on
`--threads` threads; on CUDA events on the device.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from lssat.grid import ENCODERS, parse
from lssat.models.ssat import SSAT, patchify

Step = Callable[[], Tensor]
SHARE = 0.1  # lambda_cls


def reference(model: SSAT, imgs: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Two passes as SSAT's and MAE's papers describe them, with timm's blocks (fused attention).

    Each branch normalises and embeds the image, the decoder puts all tokens back in place and
    predicts every patch. Written apart from `lssat.models.ssat`; for MRGB/RRGB/CRGB.
    """
    encoder, decoder = model.encoder, model.decoder
    mean = torch.tensor([0.485, 0.456, 0.406], device=imgs.device).reshape(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225], device=imgs.device).reshape(1, 3, 1, 1)
    x = (imgs.float() / 255 - mean) / std
    # Classification of the whole image.
    tokens = encoder.patch_embed(x) + encoder.pos_embed[:, 1:]
    cls = (encoder.cls_token + encoder.pos_embed[:, :1]).expand(len(x), -1, -1)
    logits = model.head(encoder.norm(encoder.blocks(torch.cat([cls, tokens], 1)))[:, 0])
    # Reconstruction of a masked one.
    tokens = encoder.patch_embed(x) + encoder.pos_embed[:, 1:]
    n, length, dim = tokens.shape
    keep = int(length * (1 - model.mask_ratio))
    ids_shuffle = noise.argsort(dim=1)
    ids_restore = ids_shuffle.argsort(dim=1)
    kept = tokens.gather(1, ids_shuffle[:, :keep, None].expand(-1, -1, dim))
    mask = torch.ones(n, length, device=x.device)
    mask[:, :keep] = 0
    mask = mask.gather(1, ids_restore)
    latent = encoder.norm(encoder.blocks(torch.cat([cls, kept], 1)))
    y = decoder.embed(latent)
    removed = decoder.mask_token.expand(n, length - keep, -1).to(y.dtype)
    whole = torch.cat([y[:, 1:], removed], 1)
    whole = whole.gather(1, ids_restore[..., None].expand(-1, -1, y.shape[2]))
    y = torch.cat([y[:, :1], whole], 1) + decoder.pos_embed
    pred = decoder.pred["RGB"](decoder.norm(decoder.blocks(y)))[:, 1:]
    loss = ((pred.float() - patchify(x, model.patch_size)) ** 2).mean(-1)
    return logits, (loss * mask).sum() / mask.sum()


def packed(model: SSAT, imgs: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    out = model(imgs, None, noise)
    assert out.logits is not None
    assert out.loss_rec is not None
    return out.logits, out.loss_rec


def steps(name: str, batch: int, options: argparse.Namespace) -> dict[str, Step]:
    """Make one whole training step of each variant, over one model."""
    device = options.device
    torch.manual_seed(0)
    model = SSAT(name, parse("MRGB-RRGB-CRGB"), 224, 2).to(device)
    model.set_grad_checkpointing(options.checkpointing)
    imgs = torch.randint(0, 256, (batch, 3, 224, 224), dtype=torch.uint8, device=device)
    noise = torch.rand(batch, model.num_patches, device=device)
    labels = torch.randint(0, 2, (batch,), device=device)
    learnt = [p for p in model.parameters() if p.requires_grad]
    kind = {"adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}[options.optimizer]
    optimizer = kind(learnt, lr=1e-5, fused=True)

    def step(forward: Callable[..., tuple[Tensor, Tensor]]) -> Tensor:
        optimizer.zero_grad(set_to_none=True)
        half = options.precision == "bf16"
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=half):
            logits, loss_rec = forward(model, imgs, noise)
            loss = SHARE * F.cross_entropy(logits.float(), labels) + (1 - SHARE) * loss_rec
        loss.backward()
        optimizer.step()
        return loss.detach()

    made = {"two passes, eager": lambda: step(reference), "packed, eager": lambda: step(packed)}
    if options.compile:
        for what, forward in (("two passes", reference), ("packed", packed)):
            compiled = torch.compile(forward)
            made[f"{what}, compiled"] = lambda compiled=compiled: step(compiled)
    return made


def matrix(name: str, batch: int, options: argparse.Namespace) -> tuple[Step, float]:
    """Make the MLP's product over the rows of a packed batch, and say its operations."""
    dim, patches = ENCODERS[name].embed_dim, (224 // ENCODERS[name].patch_size) ** 2
    rows = batch * (patches + 1 + int(patches * 0.25) + 1)
    dtype = torch.bfloat16 if options.precision == "bf16" else torch.float32
    a = torch.randn(rows, dim, device=options.device, dtype=dtype)
    b = torch.randn(dim, 4 * dim, device=options.device, dtype=dtype)
    return (lambda: a @ b), 2.0 * rows * dim * 4 * dim


def timed(work: Step, device: str) -> float:
    """Return the seconds of one call."""
    if device != "cpu":
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        work()
        end.record()
        torch.cuda.synchronize()
        return start.elapsed_time(end) / 1000
    started = time.process_time()
    work()
    return time.process_time() - started


def measure(name: str, batch: int, options: argparse.Namespace) -> None:
    todo = steps(name, batch, options)
    product, product_flops = matrix(name, batch, options)
    with FlopCounterMode(display=False) as counter:
        todo["packed, eager"]()
    flops = counter.get_total_flops()
    peak: dict[str, float] = {}
    for variant, work in todo.items():  # warm, and the peak of each by itself
        if options.device != "cpu":
            torch.cuda.reset_peak_memory_stats()
        for _ in range(2):
            work()
        if options.device != "cpu":
            peak[variant] = torch.cuda.max_memory_allocated() / 2**30
    seconds: dict[str, list[float]] = {variant: [] for variant in todo}
    rates = []
    product()
    for _ in range(options.repeats):
        rates.append(product_flops / timed(product, options.device))
        for variant, work in todo.items():
            seconds[variant].append(timed(work, options.device))
    rate = statistics.median(rates)
    first = statistics.median(seconds["two passes, eager"])
    print(f"{name}, batch {batch}: {flops / batch / 1e9:.0f} GFLOP an image, packed; ", end="")
    print(f"matrix rate {rate / 1e12:.3f} TFLOP/s")
    for variant, all_of_them in seconds.items():
        middle = statistics.median(all_of_them)
        memory = f"{peak[variant]:6.1f} GiB" if peak else "         -"
        print(
            f"  {variant:21s} {batch / middle:9.2f} images/s   x {first / middle:5.2f}   {memory}"
            f"   {flops / middle / rate:6.1%} of the matrix rate"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=["vit_tiny", "vit_small", "vit_base"])
    parser.add_argument("--batch-sizes", nargs="+", type=int, default=[8])
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--precision", choices=["32", "bf16"], default="32")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--optimizer", choices=["adamw", "sgd"], default="adamw")
    parser.add_argument("--checkpointing", action="store_true", help="of activations")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    where = torch.cuda.get_device_name() if options.device != "cpu" else "CPU"
    print(f"{where}, precision {options.precision}, {options.threads} threads, torch ", end="")
    print(f"{torch.__version__}, medians of {options.repeats}, MRGB/RRGB/CRGB at 224 px")
    for name in options.sizes:
        for batch in options.batch_sizes:
            measure(name, batch, options)


if __name__ == "__main__":
    main()
