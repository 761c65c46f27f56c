"""From a released checkpoint to a safetensors file that `train.weights` takes.

The encoder is found by its patch embedding: whatever stands before that name (containers such as
`model`, prefixes such as `module.`, `backbone.`, `encoder.`) is the prefix of all its tensors.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save
from timm.layers import resample_abs_pos_embed
from torch import Tensor

from lssat.models.backbones.vit import positions
from lssat.tables import DataError, sha256, write_whole

_KERNEL = re.compile(r"(.*?)(patch_embed\.proj|embeddings\.patch_embeddings\.projection)\.weight")
_PARTS = re.compile(
    r"(cls_token|pos_embed|reg_token|register_tokens|(patch_embed|norm|fc_norm|norm_pre)\..+"
    r"|blocks\.\d+\..+|embeddings\.patch_embeddings\..+|encoder\.layer\.\d+\..+|layernorm\..+)"
)
# Of several encoders in a file the one that its authors evaluate; `model` before its average.
_FIRST = ("teacher", "model", "state_dict", "model_state", "module")


class Converted(NamedTuple):
    """What became of a checkpoint."""

    kept: dict[str, Tensor]
    dropped: list[str]  # places in the file
    about: dict[str, Any]  # of the metadata: prefix, positions, source, licence, sha256


def convert(
    source: Path, out: Path, size: int | None, origin: str | None, licence: str | None,
    prefix: str | None,
) -> Converted:  # fmt: skip
    """Write the encoder of a checkpoint, with where it is from, as safetensors.

    Args:
        size: side of the images, in pixels, for which positions are interpolated; None: as they
            are.
        origin: where the checkpoint was fetched, for the metadata.
        prefix: of the encoder's tensors, with its containers; None: the one there is.

    Raises:
        DataError: the file cannot be read without running code, or holds no ViT, or several.
    """
    if not source.is_file():
        raise DataError(source, "does not exist, or is no file", "Name a checkpoint")
    digest = sha256(source)
    given, others = tensors(source)
    chosen = _prefix(source, given, prefix)
    names = _kept(given, chosen)
    kept = _plain({key: given[name] for key, name in names.items()})
    _check(source, kept)
    about = {"origin": origin, "licence": licence, "file": source.name, "sha256": digest}
    about |= {"prefix": chosen, "positions": _resize(source, kept, size)}
    used = {name for key, name in names.items() if key in kept or key.endswith("_bias")}
    dropped = sorted((given.keys() - used) | set(others))
    # One metadata key only: safetensors writes several in no fixed order.
    data = save(kept, metadata={"lssat": json.dumps(about, sort_keys=True)})
    write_whole(out, lambda file: file.write(data), len(data))
    return Converted(kept, dropped, about)


def tensors(source: Path) -> tuple[dict[str, Tensor], list[str]]:
    """Read a checkpoint in a process of its own; return its tensors and the names of all else."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "all.safetensors"
        line = [sys.executable, "-m", "lssat.models.unpickle", str(source), str(out)]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            problem = f"the process that read it ended with {done.returncode} ({last[:150]})"
            raise DataError(source, problem, "Is there memory and room for it? Try again")
        return read(source, json.loads(done.stdout.splitlines()[-1]), out)


def read(source: Path, verdict: dict[str, Any], out: Path) -> tuple[dict[str, Tensor], list[str]]:
    """Take over what the process said and wrote.

    Raises:
        DataError: it refused the file.
    """
    if "refused" in verdict:
        fix = "Ask its authors for the bare state_dict, or for safetensors"
        raise DataError(source, f"was not read: {verdict['refused']}", fix)
    return load_file(out), verdict["others"]


def _prefix(source: Path, names: Iterable[str], wanted: str | None) -> str:
    prefixes = sorted({match[1] for name in names if (match := _KERNEL.fullmatch(name))})
    listed = ", ".join(map(repr, prefixes))
    if not prefixes:
        fix = "Convert a plain ViT's checkpoint; a convolutional network's loads by timm's name"
        raise DataError(source, "holds no patch embedding of a ViT (patch_embed.proj.weight)", fix)
    if wanted is not None and wanted not in prefixes:
        raise DataError(source, f"holds no encoder at {wanted!r}", f"Name one of {listed}")
    if wanted is not None or len(prefixes) == 1:
        return prefixes[0] if wanted is None else wanted
    for word in _FIRST:
        if len(named := [prefix for prefix in prefixes if word in re.split(r"[/.]", prefix)]) == 1:
            return named[0]
    raise DataError(
        source, f"holds {len(prefixes)} encoders", f"Choose by --prefix one of {listed}"
    )


def _kept(names: Iterable[str], prefix: str) -> dict[str, str]:
    """Return the encoder's names, and where they stand in the file."""
    inside = {name.removeprefix(prefix): name for name in names if name.startswith(prefix)}
    kept = {key: name for key, name in inside.items() if _PARTS.fullmatch(key)}
    outside = prefix.removesuffix("videomae.")  # transformers: the norm beside its encoder
    norm = {name.removeprefix(outside): name for name in names if name.startswith(outside)}
    return kept | {key: name for key, name in norm.items() if key.startswith("fc_norm.")}


def _plain(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Give VideoMAE's own tensors timm's names: one bias for query, key (which has none), value."""
    out = {key: value for key, value in state.items() if not key.endswith((".q_bias", ".v_bias"))}
    for key, query in state.items():
        if key.endswith(".q_bias"):
            value = state[f"{key.removesuffix('q_bias')}v_bias"]
            bias = torch.cat([query, torch.zeros_like(query), value])
            out[f"{key.removesuffix('q_bias')}qkv.bias"] = bias
    if out.get("patch_embed.proj.weight", torch.empty(0)).ndim == 5:
        out.pop("pos_embed", None)  # a fixed table, which the backbone makes for its clips
    return out


def _check(source: Path, kept: dict[str, Tensor]) -> None:
    if bad := [key for key, value in kept.items() if not torch.isfinite(value).all()]:
        fix = "It is damaged, or its training diverged: fetch it again"
        raise DataError(source, f"holds nan or infinity in {', '.join(bad[:5])}", fix)
    kernel = kept.get("embeddings.patch_embeddings.projection.weight")
    if kernel is not None and kernel.ndim == 4:
        fix = "Convert the release of the same model that has timm's names"
        raise DataError(source, "has the transformers library's names of an image ViT", fix)


def _resize(source: Path, kept: dict[str, Tensor], size: int | None) -> str | None:
    """Interpolate the positions where that is asked; say for the metadata what they are."""
    table, kernel = kept.get("pos_embed"), kept.get("patch_embed.proj.weight")
    if table is None or kernel is None or kernel.ndim != 4:
        if size is not None:
            fix = "Leave out --size"
            raise DataError(source, "has no table of positions to interpolate", fix)
        return None
    side = int((table.shape[1]) ** 0.5)
    first, patch = table.shape[1] - side**2, kernel.shape[-1]
    fixed = torch.allclose(table.float(), positions(side, table.shape[2], first), atol=1e-4)
    kind = "MAE's fixed table" if fixed else "learned"
    if size is None:
        return f"{kind}, {side}x{side}"
    if size < patch or size % patch:
        fix = "Give a multiple"
        raise DataError(source, f"--size {size} is no multiple of its patches' {patch} px", fix)
    new = size // patch
    kept["pos_embed"] = resample_abs_pos_embed(table, [new, new], [side, side], first)
    return f"{kind}, {side}x{side}, interpolated to {new}x{new} (bicubic, antialiased)"


def told(source: Path, out: Path, done: Converted) -> str:
    """Say what was kept and dropped, each group of names with how many tensors it has."""
    about = done.about
    count = sum(value.numel() for value in done.kept.values())
    lines = [
        f"{source}: sha256 {about['sha256']}",
        f"kept {len(done.kept)} tensors, {count:,} numbers, from {about['prefix'] or 'the top'!r}: "
        + _groups(done.kept),
        f"dropped {len(done.dropped)}: {_groups(done.dropped) or 'nothing'}",
    ]
    if about["positions"]:
        lines.append(f"positions: {about['positions']}")
    if (about["positions"] or "").startswith("learned"):
        lines.append("vit_* have MAE's fixed positions: take a timm: backbone for learned ones")
    if missing := [f"--{option}" for option, key in _ORIGIN.items() if not about[key]]:
        lines.append(f"{' and '.join(missing)} not given: the file does not say")
    return "\n".join([*lines, f"written: {out}"])


_ORIGIN = {"source": "origin", "licence": "licence"}


def _groups(names: Iterable[str]) -> str:
    counted = Counter(name.partition(".")[0] for name in names)
    return ", ".join(f"{name} ({count})" for name, count in sorted(counted.items()))
