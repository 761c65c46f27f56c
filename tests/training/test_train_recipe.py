"""Every switch of the recipe does what it says, against a computation by hand."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.drawn_data import write
from helpers.training import RUN, curve, files, view
from torch import nn

from lssat import params
from lssat.grid import Run
from lssat.models.checkpoint import load_weights
from lssat.tables import DataError
from lssat.training import recipe as recipes
from lssat.training import train as step
from lssat.training.loader import Crops
from lssat.training.loop import Trainer


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write(folder, {"train": 48, "val": 16})
    return folder


def trained(data: Path, out: Path, run: Run = RUN, **changes) -> dict[str, torch.Tensor]:
    step.train(run, files(data, out), view(**changes))
    record = json.loads((out / "record.json").read_text())
    return load_weights(out / "weights.safetensors", record["weights_sha256"])[0]


PLAIN = dict(
    epochs=1, optimizer="sgd", momentum=0.0, lr=0.1, min_lr=0.1, warmup_epochs=0,
    weight_decay=0.0, class_weights="none",
)  # fmt: skip


def test_accumulated_batches_are_one_large_batch(data: Path, tmp_path: Path) -> None:
    whole = trained(data, tmp_path / "a", **PLAIN, batch_size=48)
    parts = trained(data, tmp_path / "b", **PLAIN, batch_size=12, accumulate=4)
    for name, value in whole.items():
        torch.testing.assert_close(parts[name], value, rtol=1e-4, atol=1e-6)
    losses = [curve(tmp_path / name)[0]["loss_cls"] for name in "ab"]
    assert float(losses[0]) == pytest.approx(float(losses[1]), rel=1e-5)


def test_gradients_are_clipped_to_a_norm(data: Path, tmp_path: Path) -> None:
    before = trained(data, tmp_path / "0", **PLAIN | {"lr": 1e-12, "min_lr": 0.0}, batch_size=48)
    free = trained(data, tmp_path / "a", **PLAIN, batch_size=48)
    held = trained(data, tmp_path / "b", **PLAIN, batch_size=48, clip_grad=0.01)

    def moved(after: dict) -> float:
        return math.sqrt(sum(float(((after[k] - before[k]) ** 2).sum()) for k in before))

    assert moved(free) > 0.01
    assert moved(held) == pytest.approx(0.1 * 0.01, rel=1e-2)  # lr times the norm


def test_a_scaled_learning_rate_is_per_256_samples() -> None:
    made = view(batch_size=16, accumulate=2, scale_lr=True, lr=1e-3).train
    assert recipes.scale(made) == 32 / 256
    assert recipes.scale(view(scale_lr=False).train) == 1


def _step(lambda_cls: float | str = 0.5) -> recipes.Step:
    torch.manual_seed(0)
    run = Run("ffpp", "vit_mini", "MRGB-RLDP-CRGB", 0)
    described = dict(
        backbone=run.backbone, configuration=run.configuration, img_size=40, outputs=1,
        mask_ratio=0.5, norm_pix_loss=False, encoding="code", head="linear",
    )  # fmt: skip

    def loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return ((logits - labels) ** 2).mean()

    return recipes.Step(step.rebuild(described), loss, lambda_cls)


def test_layer_decay_lowers_the_rate_block_by_block() -> None:
    made = _step()
    recipe = view(layer_decay=0.5, optimizer="adamw", lr=1.0, weight_decay=0.05).train
    optimizer = recipes.optimizer(made, recipe)
    recipes.scheduler(optimizer, recipe.model_copy(update={"warmup_epochs": 0}), 10, 2).step_update(
        0
    )
    names = {id(value): name for name, value in made.named_parameters()}
    rates, decays = {}, {}
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            rates[names[id(parameter)]] = group["lr"]
            decays[names[id(parameter)]] = group["weight_decay"]
    assert set(rates) == {name for name, value in made.named_parameters() if value.requires_grad}
    blocks = [rates[f"model.encoder.blocks.{i}.attn.qkv.weight"] for i in range(4)]
    assert np.divide(blocks[:-1], blocks[1:]).tolist() == [0.5, 0.5, 0.5]
    assert rates["model.encoder.patch_embed.proj.weight"] == blocks[0] / 2
    assert rates["model.head.weight"] == rates["model.decoder.pred.LDP.weight"] == 1
    assert decays["model.head.weight"] == 0.05
    assert decays["model.head.bias"] == decays["model.encoder.cls_token"] == 0


def test_weight_decay_leaves_biases_norms_and_tokens_alone() -> None:
    made = _step()
    optimizer = recipes.optimizer(made, view(optimizer="adamw", weight_decay=0.05).train)
    names = {id(value): name for name, value in made.named_parameters()}
    bare = {
        names[id(p)] for g in optimizer.param_groups if g["weight_decay"] == 0 for p in g["params"]
    }
    assert {"model.encoder.cls_token", "model.decoder.mask_token", "model.head.bias"} <= bare
    assert "model.encoder.norm.weight" in bare
    assert "model.head.weight" not in bare


def test_learned_weights_are_those_of_kendall() -> None:
    made = _step("learned").double()
    cls, rec = torch.tensor(1.3, dtype=torch.double), torch.tensor(0.4, dtype=torch.double)
    with torch.no_grad():
        made.log_var.copy_(torch.tensor([0.2, -0.5]))
    found = made._balanced(cls, rec)
    expected = math.exp(-0.2) * 1.3 + math.exp(0.5) / 2 * 0.4 + (0.2 - 0.5) / 2
    assert found.item() == pytest.approx(expected)
    weights = math.exp(-0.2), math.exp(0.5) / 2
    assert made.share() == pytest.approx(weights[0] / sum(weights))
    # At the best variances each weight is one over its own loss (up to the halves).
    adam = torch.optim.Adam([made.log_var], lr=0.05)
    for _ in range(800):
        adam.zero_grad()
        made._balanced(cls, rec).backward()
        adam.step()
    assert made.log_var.exp().tolist() == pytest.approx([2 * 1.3, 0.4], rel=1e-3)


def test_a_learned_lambda_is_recorded_epoch_by_epoch(data: Path, tmp_path: Path) -> None:
    trained(data, tmp_path, epochs=3, lambda_cls="learned", lr=1e-2)
    shares = [float(row["lambda_cls"]) for row in curve(tmp_path)]
    assert len(set(shares)) == 3
    assert all(0 < share < 1 for share in shares)
    with pytest.raises(Exception, match="lambda_cls"):
        view(lambda_cls="guessed")


@pytest.mark.slow
def test_a_sequential_run_reconstructs_first_and_then_classifies(
    data: Path, tmp_path: Path
) -> None:
    run = RUN._replace(configuration="MRGB-RLDP-thenCRGB")
    state = trained(data, tmp_path, run, pretrain_epochs=2, epochs=3, warmup_epochs=0)
    rows = curve(tmp_path)
    assert [row["epoch"] for row in rows] == list("01234")
    assert [bool(row["loss_rec"]) for row in rows] == [True, True, False, False, False]
    assert [bool(row["loss_cls"]) for row in rows] == [False, False, True, True, True]
    assert [bool(row["val_auc"]) for row in rows] == [False, False, True, True, True]
    rates = [float(row["lr"]) for row in rows]
    assert rates[2] > rates[1]  # the second phase has a schedule of its own
    assert json.loads((tmp_path / "record.json").read_text())["best_epoch"] >= 2
    alone = trained(data, tmp_path / "1", run, pretrain_epochs=1, epochs=3, warmup_epochs=0)
    assert not torch.equal(state["head.weight"], alone["head.weight"])


@pytest.mark.slow
def test_the_best_epoch_is_chosen_by_the_metric_that_is_named(data: Path, tmp_path: Path) -> None:
    trained(data, tmp_path, epochs=4, select_metric="balanced_accuracy")
    rows = [float(row["val_balanced_accuracy"]) for row in curve(tmp_path)]
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["select_metric"] == "val_balanced_accuracy"
    assert record["best_epoch"] == rows.index(max(rows))
    with pytest.raises(DataError, match="select_metric 'top1' is no metric of a binary task"):
        trained(data, tmp_path / "b", select_metric="top1")


@pytest.mark.slow
def test_of_a_metric_where_lower_is_better_the_best_epoch_has_the_lowest(
    data: Path, tmp_path: Path
) -> None:
    """The rate of learning is so high that the rate of errors moves, on any machine."""
    trained(data, tmp_path, epochs=8, select_metric="eer", early_stop=8, lr=3e-2)
    rows = [float(row["val_eer"]) for row in curve(tmp_path)]
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["best_value"] == min(rows) < max(rows)
    assert record["best_epoch"] == rows.index(min(rows))


def test_training_ends_early_where_it_gets_no_better(data: Path, tmp_path: Path) -> None:
    trained(data, tmp_path, epochs=30, lr=1e-9, min_lr=1e-9, warmup_epochs=0, early_stop=2)
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["epochs"] == len(curve(tmp_path)) == record["best_epoch"] + 3 < 30


@pytest.mark.slow
def test_gradient_checkpointing_changes_nothing(data: Path, tmp_path: Path) -> None:
    plain = trained(data, tmp_path / "a", epochs=1)
    saved = trained(data, tmp_path / "b", epochs=1, grad_checkpointing=True)
    for name, value in plain.items():
        torch.testing.assert_close(saved[name], value, rtol=1e-5, atol=1e-7)


def test_case_33_a_gradient_that_is_not_finite_stops_before_the_step(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loss itself is finite: only its gradient is not."""

    class Root(nn.Module):
        def __init__(self, loss):
            super().__init__()
            self.loss = loss

        def forward(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            return self.loss(logits, labels) + (logits - logits.detach()).abs().sqrt().sum()

    made = recipes.Step.__init__

    def rooted(self, model, loss, *more):
        made(self, model, Root(loss), *more)

    monkeypatch.setattr(recipes.Step, "__init__", rooted)
    stepped = []
    monkeypatch.setattr(torch.optim.AdamW, "step", lambda *a, **k: stepped.append(1))
    with pytest.raises(DataError, match=r"its gradient is not finite in epoch 0, step 0: class"):
        step.train(RUN, files(data, tmp_path), view())
    assert not stepped


def test_case_33_out_of_memory_names_a_batch_size_to_try(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(recipes.Step, "forward", full)
    with pytest.raises(DataError, match=r"Try train.batch_size: 8 with train.accumulate: 2"):
        step.train(RUN, files(data, tmp_path), view())


def test_a_sequential_configuration_needs_epochs_for_its_first_phase(tmp_path: Path) -> None:
    text = Path("params.yaml").read_text().replace("none-none-CRGB", "MRGB-RRGB-thenCRGB")
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(DataError, match="pretrain_epochs: is 0, and a configuration with then"):
        params.load(tmp_path / "params.yaml")


def test_the_loop_is_what_the_tests_above_ran() -> None:
    assert step.Trainer is Trainer


def test_the_curve_holds_the_losses_themselves(data: Path, tmp_path: Path) -> None:
    """The one update of an epoch, computed again from the same weights, samples and noise."""
    recipe = view(**PLAIN, batch_size=48)
    step.train(RUN, files(data, tmp_path), recipe)
    crops = Crops(data / "splits/train.parquet", data / "faces", data / "texture")
    model, _, _ = step.make_model(RUN, crops, recipe)
    batch = next(crops.training(48, RUN.seed, 0, recipe.train.hflip, model.num_patches))
    out = model(batch.imgs, batch.codes, batch.noise)
    assert out.logits is not None
    bce = nn.functional.binary_cross_entropy_with_logits(out.logits, batch.labels.float())
    (row,) = curve(tmp_path)
    assert float(row["loss_cls"]) == pytest.approx(bce.item(), rel=1e-5)
    assert out.loss_rec is not None
    assert float(row["loss_rec"]) == pytest.approx(out.loss_rec.item(), rel=1e-5)
