"""Runs on clips: what they are fed, what they learn, what is measured; every configuration."""

import json
import re
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest
import torch
from helpers import ROOT
from helpers.drawn_data import SETTINGS, SIZE, crops
from helpers.training import files, view
from helpers.views import changed
from safetensors.torch import save_file
from transformers import VideoMAEConfig, VideoMAEForVideoClassification

from lssat import grid, params, tables, texture
from lssat.evaluation import evaluate
from lssat.evaluation import logits as predict
from lssat.grid import Run, releases
from lssat.models.backbones import load_weights
from lssat.models.ssat import VideoSSAT
from lssat.tables import DataError
from lssat.training import recipe as recipes
from lssat.training import train as step
from lssat.training.loader import Crops

pytestmark = pytest.mark.slow

FRAMES = 4
RUN = Run("ffpp", "videomae_mini", "MRGB-RLDP-CRGB", 0)
MORE = ["none-none-CLDP", "MRGB-RRGB+RLDP-CRGB", "MLDP-RRGB-thenCRGB"]
COUNTS = {"train": 24, "val": 8, "test": 12}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Videos of two frames for image encoders and one clip each, in one shard; label 1 is dark."""
    folder = tmp_path_factory.mktemp("clips")
    total = sum(COUNTS.values())
    per = 2 + FRAMES
    imgs = np.repeat(crops(total), per, axis=0)
    imgs = (imgs.astype(int) + np.arange(len(imgs))[:, None, None, None] % per).clip(0, 255)
    imgs = imgs.astype(np.uint8)
    rows = []
    for video in range(total):
        places = [(0, -1), (9, -1), *((frame, 0) for frame in range(3, 3 + FRAMES))]
        for frame, clip in places:
            rows.append(dict(id=f"v/{video:03}", frame=frame, clip=clip, shard=0, row=len(rows)))
    file = folder / "faces/shard-00000.npy"
    file.parent.mkdir(parents=True)
    digest = tables.write_shard(file, imgs)
    rest = dict(
        box=[], landmarks=[], score=1.0, n_faces=1, n_frames=9, sha256="", phash=0
    )  # fmt: skip
    head = {"sha256": digest, "settings": SETTINGS}
    tables.write_table(
        file.with_suffix(".parquet"), [row | rest for row in rows], tables.FACES, head
    )
    codes = folder / "texture/shard-00000.npy"
    codes.parent.mkdir()
    head = {"sha256": tables.write_shard(codes, texture.codes(imgs, "ldp", 3))}
    head |= {"faces_sha256": digest, "kind": "ldp", "k": "3", "spec": texture.SPEC}
    tables.write_table(codes.with_suffix(".parquet"), rows, tables.TEXTURE, head)
    first = 0
    for split, count in COUNTS.items():
        mine = []
        for video in range(first, first + count):
            of = dict(subset="", labels=[video % 2], split=split, group=f"{video}", seed=None)
            mine += [row | of for row in rows if row["id"] == f"v/{video:03}"]
        mine.sort(key=lambda row: (row["id"], row["clip"], row["frame"]))
        where = folder / f"splits/{split}.parquet"
        tables.write_table(where, mine, tables.SPLITS, releases.TASKS["ffpp"].header())
        first += count
    summary = {"coverage": dict.fromkeys(COUNTS, 1.0)}
    tables.write_json(folder / "splits/summary.json", summary)
    return folder


def opened(data: Path, clips: bool = True) -> Crops:
    return Crops(data / "splits/train.parquet", data / "faces", data / "texture", clips)


def test_a_sample_is_a_clip_with_its_frames_in_order(data: Path) -> None:
    samples = opened(data)
    assert len(samples) == 24
    assert samples.frames == FRAMES
    assert samples.table["frame"].to_pylist()[:2] == [3, 3]
    batch = samples.batch(np.array([5, 2]))
    assert batch.imgs.shape == (2, 3, FRAMES, SIZE, SIZE)
    assert batch.codes is not None
    assert batch.codes.shape == (2, 1, FRAMES, SIZE, SIZE)
    stored = np.load(data / "faces/shard-00000.npy")
    for frame in range(FRAMES):
        expected = torch.from_numpy(stored[5 * 6 + 2 + frame]).permute(2, 0, 1)
        assert torch.equal(batch.imgs[0, :, frame], expected)
    assert len(opened(data, clips=False)) == 48
    assert opened(data, clips=False).frames == 1


def test_a_flipped_clip_has_the_codes_of_its_flipped_frames(data: Path) -> None:
    samples = opened(data)
    rows, flip = np.array([0, 1]), np.array([True, False])
    plain, turned = samples.batch(rows), samples.batch(rows, flip)
    assert torch.equal(turned.imgs[0], plain.imgs[0].flip(-1))
    assert torch.equal(turned.imgs[1], plain.imgs[1])
    frames = turned.imgs[0].permute(1, 2, 3, 0).numpy()
    assert turned.codes is not None
    assert np.array_equal(turned.codes[0, 0].numpy(), texture.codes(frames, "ldp", 3))


@pytest.mark.parametrize("encoding", ["code", "bits"])
@pytest.mark.parametrize(
    "slug",
    [*grid.configurations("LDP")[:8], *MORE],
)
def test_every_configuration_runs_on_clips(data: Path, slug: str, encoding: str) -> None:
    made = grid.parse(slug)
    torch.manual_seed(0)
    model = VideoSSAT("videomae_mini", made, SIZE, 1, 0.5, True, encoding, frames=FRAMES)  # type: ignore[arg-type]
    batch = opened(data).batch(np.arange(4))
    noise = torch.rand(4, model.num_patches)
    phase = "reconstruct" if made.sequential else "joint"
    out = model(batch.imgs, batch.codes, noise, phase)  # type: ignore[arg-type]
    if made.masked is None:
        assert out.loss_rec is None
    else:
        assert out.losses is not None
        assert set(out.losses) == set(made.targets)
        assert out.loss_rec is not None
        out.loss_rec.backward()
    logits = model.classify(batch.imgs, batch.codes)
    assert logits.shape == (4, 1)
    if out.logits is not None:
        torch.testing.assert_close(out.logits, logits)


def test_the_loss_counts_removed_cubes_only(data: Path) -> None:
    model = VideoSSAT("videomae_mini", grid.parse("MRGB-RRGB-CRGB"), SIZE, 1, 0.5, frames=FRAMES)
    batch = opened(data).batch(np.arange(3))
    with torch.no_grad():
        out = model(batch.imgs, None, torch.rand(3, model.num_patches))
    assert out.mask is not None
    assert out.pred is not None
    target = model.target("RGB", batch.imgs, None).double()
    total, count = 0.0, 0
    for sample in range(3):
        for place, token in enumerate(out.mask.ids_remove[sample].tolist()):
            pred = out.pred["RGB"][sample, place].double()
            total += float(((pred - target[sample, token]) ** 2).mean())
            count += 1
    assert out.loss_rec is not None
    assert float(out.loss_rec) == pytest.approx(total / count, rel=1e-5)
    assert count == 3 * 2 * 2  # half of four places, in both slots


def test_a_fused_head_reads_all_of_c_and_of_m_what_is_kept_or_all(data: Path) -> None:
    """While training what the mask keeps, at inference all of it; each computed by itself."""
    torch.manual_seed(0)
    made = grid.parse("MLDP-RRGB-CRGB")
    model = VideoSSAT("videomae_mini", made, SIZE, 2, 0.5, head="fusion", frames=FRAMES).double()
    batch = opened(data).batch(np.arange(3))
    out = model(batch.imgs, batch.codes, torch.rand(3, model.num_patches))
    given = model.inputs(batch.imgs, batch.codes)
    assert list(given) == ["RGB", "LDP"]

    def feature(kind: str, sample: int, ids: torch.Tensor | None = None) -> torch.Tensor:
        clip = given[kind][sample : sample + 1].expand(-1, 3, -1, -1, -1)
        tokens = model.encoder.tokens(clip)
        tokens = tokens if ids is None else tokens[:, ids]
        for block in model.encoder.blocks:
            tokens = block(tokens)
        return model.encoder.fc_norm(tokens.mean(1))[0]

    assert out.mask is not None
    for found, kept in (
        (out.logits, out.mask.ids_keep),
        (model.classify(batch.imgs, batch.codes), [None] * 3),
    ):
        assert found is not None
        for sample, ids in enumerate(kept):
            joined = torch.cat([feature("RGB", sample), feature("LDP", sample, ids)])
            expected = model.head.weight @ joined + model.head.bias
            torch.testing.assert_close(found[sample], expected, rtol=1e-10, atol=1e-10)
    with pytest.raises(ValueError, match="no two branches to fuse"):
        VideoSSAT(
            "videomae_mini", grid.parse("none-none-CRGB"), SIZE, 1, head="fusion", frames=FRAMES
        )


@pytest.fixture(scope="module")
def trained(data: Path) -> Path:
    out = data / "runs" / RUN.path
    step.train(RUN, files(data, out), view(epochs=6, batch_size=8, lr=3e-3))
    return out


def test_a_run_on_clips_learns_and_can_be_predicted_with(data: Path, trained: Path) -> None:
    record = json.loads((trained / "record.json").read_text())
    assert record["best_value"] > 0.9  # half of the clips are much darker
    pictures = np.load(trained / "reconstruction.npz")
    assert pictures["output"].shape == pictures["target"].shape == (6, SIZE, SIZE, 3)
    assert pictures["mask"].shape == (6, 4)
    val = Crops(data / "splits/val.parquet", data / "faces", None, clips=True)
    found = predict.logits(predict.load_run(trained), val, 3)
    assert found.shape == (8, 1)


def test_frames_and_clips_stand_side_by_side_in_the_results(
    data: Path, trained: Path, tmp_path: Path
) -> None:
    image = RUN._replace(backbone="vit_micro")
    step.train(image, files(data, data / "runs" / image.path), view(epochs=1, batch_size=8))
    part = params.view(str(ROOT / "params.yaml"), params.views.EvaluateView)
    part = changed(part, evaluate={"resamples": 100, "batch_size": 7})
    splits = data / "splits"
    evaluate.evaluate(
        "ffpp",
        evaluate.Files(
            runs={run.path: data / "runs" / run.path for run in (image, RUN)},
            train=splits / "train.parquet", val=splits / "val.parquet",
            test=splits / "test.parquet", summary=splits / "summary.json",
            faces=data / "faces", codes=data / "texture",
            predictions=tmp_path / "predictions.parquet", metrics=tmp_path / "metrics.json",
        ),
        part,
    )  # fmt: skip
    table = tables.read_table(tmp_path / "predictions.parquet", tables.PREDICTIONS)
    test = table.filter(pc.equal(table["split"], "test"))
    of_clips = test.filter(pc.equal(test["run"], RUN.path))
    assert set(of_clips["level"].to_pylist()) == {"clip"}
    assert set(of_clips["clip"].to_pylist()) == {0}
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["n"] == {"clip": 12, "frame": 24, "video": 12}
    levels = {(row["backbone"], row["level"]) for row in metrics["table"]}
    assert levels == {
        ("vit_micro", "frame"), ("vit_micro", "video"),
        ("videomae_mini", "clip"), ("videomae_mini", "video"),
    }  # fmt: skip


def test_weights_of_transformers_are_taken_from_a_file(tmp_path: Path) -> None:
    sizes = grid.VIDEO_ENCODERS["videomae_mini"]
    config = VideoMAEConfig(
        image_size=SIZE, patch_size=sizes.patch_size, num_frames=FRAMES, tubelet_size=2,
        hidden_size=sizes.embed_dim, num_hidden_layers=sizes.depth, num_labels=3,
        num_attention_heads=sizes.num_heads, intermediate_size=4 * sizes.embed_dim,
    )  # fmt: skip
    theirs = VideoMAEForVideoClassification(config)
    save_file(theirs.state_dict(), tmp_path / "a.safetensors")
    model = VideoSSAT("videomae_mini", grid.parse("none-none-CRGB"), SIZE, 1, frames=FRAMES)
    load_weights(model.encoder, "videomae_mini", str(tmp_path / "a.safetensors"))
    expected = theirs.state_dict()["videomae.embeddings.patch_embeddings.projection.weight"]
    assert torch.equal(model.encoder.state_dict()["patch_embed.proj.weight"], expected)
    save_file({"x": torch.ones(1)}, tmp_path / "b.safetensors")
    with pytest.raises(DataError, match="does not fit videomae_mini: missing"):
        load_weights(model.encoder, "videomae_mini", str(tmp_path / "b.safetensors"))


def test_a_split_without_clips_is_refused(data: Path, tmp_path: Path) -> None:
    head = tables.read_table(data / "splits/val.parquet", tables.SPLITS)
    without = head.filter(pc.equal(head["clip"], -1))
    file = tmp_path / "val.parquet"
    tables.write_table(file, without, tables.SPLITS, tables.metadata(head))
    with pytest.raises(DataError, match="holds no clip"):
        Crops(file, data / "faces", None, clips=True)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("clip_backbones: []", "clip_backbones: [videomae_mini]", "goes with benchmark.clip_back"),
        ("clip_tasks: []", "clip_tasks: [ffpp]", "ffpp has no clips; set datasets.ffpp.clips"),
        ("clip_backbones: []", "clip_backbones: [vit_micro]", "unknown 'vit_micro'"),
    ],
)
def test_case_03_04_what_does_not_go_together_is_named(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    text = (ROOT / "params.yaml").read_text()
    assert old in text
    (tmp_path / "params.yaml").write_text(text.replace(old, new))
    with pytest.raises(DataError) as caught:
        params.load(tmp_path / "params.yaml")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (
            "clips: 0",
            "benchmark.cross.dfdc: dfdc has no clips, which videomae_mini reads; set datasets",
        ),
        ("clips: 1", "datasets.dfdc.clip_frames: 16 frames, and videomae_mini is trained on ffpp"),
    ],
)
def test_case_03_04_clips_are_tested_on_clips_of_as_many_frames(
    tmp_path: Path, section: str, said: str
) -> None:
    text = (ROOT / "params.yaml").read_text()
    text = text.replace("clip_tasks: []", "clip_tasks: [ffpp]").replace(
        "cross: {}", "cross: {dfdc: ffpp}"
    )
    text = text.replace("clip_backbones: []", "clip_backbones: [videomae_mini]")
    text = text.replace("    clips: 0 ", "    clips: 1 ").replace("frames: 16", "frames: 8")
    other = f"{{root: x, shards: 1, rejects_limit: 0.1, frames: 2, {section}}}"
    text = text.replace("\nfaces:\n", f"\n  dfdc: {other}\nfaces:\n")
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(DataError) as caught:
        params.load(tmp_path / "params.yaml")
    assert said in str(caught.value)
    assert "params.yaml: 1 problem." in str(caught.value)


def test_the_grid_has_the_runs_on_clips(tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text()
    text = text.replace("clip_tasks: []", "clip_tasks: [ffpp]")
    text = text.replace("clip_backbones: []", "clip_backbones: [videomae_mini]")
    text = re.sub(r"(\n    clips:) 0", r"\1 1", text, count=1)
    (tmp_path / "params.yaml").write_text(text)
    runs = params.load(tmp_path / "params.yaml").runs()
    clips = [run for run in runs if run.backbone == "videomae_mini"]
    assert {run.task for run in clips} == {"ffpp"}
    assert len(clips) == 4 * 3


def test_the_frames_of_a_clip_are_augmented_alike(data: Path, tmp_path: Path) -> None:
    """A clip of one still frame stays one, and its codes are those of the augmented frames."""
    seen = []

    def look(self, imgs, codes, noise, labels, phase, **more):
        seen.append((imgs, codes))
        return plain(self, imgs, codes, noise, labels, phase, **more)

    plain = recipes.Step.forward
    recipe = view(epochs=1, batch_size=8, crop=0.5, rand_augment=9.0, erase=0.5, hflip=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes.Step, "forward", look)
        step.train(RUN, files(data, tmp_path), recipe)
    imgs, codes = seen[0]
    assert imgs.shape == (8, 3, FRAMES, SIZE, SIZE)
    for clip, code in zip(imgs, codes, strict=True):
        frames = clip.permute(1, 2, 3, 0).numpy()
        assert np.array_equal(code[0].numpy(), texture.codes(frames, "ldp", 3))
        # Stored frames differ by their number only, so augmented alike they stay near each other.
        assert abs(frames[0].astype(int) - frames[1].astype(int)).mean() < 12
