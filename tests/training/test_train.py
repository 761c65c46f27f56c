"""Training: the same seed gives the same bytes, the loss is the one asked for, NaN stops it."""

import ast
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import torch
from helpers import ROOT
from helpers.drawn_data import write
from helpers.training import RUN, curve, files, view
from sklearn.metrics import roc_auc_score
from torch.optim.optimizer import register_optimizer_step_pre_hook

from lssat import tables
from lssat.evaluation import logits as predict
from lssat.grid import releases
from lssat.models import losses
from lssat.models.checkpoint import load_weights, save_weights
from lssat.tables import DataError, sha256
from lssat.training import train as step
from lssat.training.loader import Crops


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write(folder, {"train": 48, "val": 16})
    return folder


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(
    data: Path, tmp_path: Path
) -> None:
    for name, run in (("a", RUN), ("b", RUN), ("c", RUN._replace(seed=1))):
        step.train(run, files(data, tmp_path / name), view())
    for file in ("weights.safetensors", "curve.csv", "reconstruction.npz"):
        assert sha256(tmp_path / "a" / file) == sha256(tmp_path / "b" / file), file
        assert sha256(tmp_path / "a" / file) != sha256(tmp_path / "c" / file), file


@pytest.mark.parametrize("own", [0.2, "learned"])
def test_a_lambda_of_the_runs_own_is_trained_as_the_recipes(
    data: Path, tmp_path: Path, own: float | str
) -> None:
    swept = RUN._replace(configuration=f"{RUN.configuration}-lambda{own}")
    step.train(swept, files(data, tmp_path / "own"), view(lambda_cls=0.7))
    step.train(RUN, files(data, tmp_path / "recipe"), view(lambda_cls=own))
    assert curve(tmp_path / "own") == curve(tmp_path / "recipe")
    record = json.loads((tmp_path / "own/record.json").read_text())
    assert record["params"]["train"]["lambda_cls"] == own
    assert record["configuration"] == f"MRGB/RLDP/CRGB/lambda{own}"
    assert predict.load_run(tmp_path / "own").configuration.lambda_cls == own


def test_a_run_learns_and_its_record_says_what_it_was(data: Path, tmp_path: Path) -> None:
    step.train(RUN, files(data, tmp_path), view(epochs=6))
    rows = curve(tmp_path)
    assert [row["epoch"] for row in rows] == list("012345")
    assert float(rows[-1]["loss_rec"]) < float(rows[0]["loss_rec"])
    values = [float(row["val_auc"]) for row in rows]
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["best_value"] == max(values) > 0.9  # half of the crops are much darker
    assert record["best_epoch"] == values.index(max(values))
    assert record["run"] == RUN.path
    assert record["configuration"] == "MRGB/RLDP/CRGB"
    assert record["params"]["train"]["epochs"] == 6
    assert record["data"]["train"] == sha256(data / "splits/train.parquet")
    pictures = np.load(tmp_path / "reconstruction.npz")
    assert pictures["output"].shape == pictures["target"].shape == (6, 40, 40, 3)


def test_predictions_of_the_saved_weights_are_those_of_the_best_epoch(
    data: Path, tmp_path: Path
) -> None:
    step.train(RUN, files(data, tmp_path), view())
    from lssat.metrics import evaluate

    crops = Crops(data / "splits/val.parquet", data / "faces", None)
    logits = predict.logits(predict.load_run(tmp_path), crops, 5)
    record = json.loads((tmp_path / "record.json").read_text())
    assert evaluate("binary", crops.labels, logits)["auc"] == pytest.approx(record["best_value"])


@pytest.mark.slow
def test_the_loss_weighs_both_parts_by_lambda_and_the_curve_holds_them_unweighted(
    data: Path, tmp_path: Path
) -> None:
    """One step of SGD on each part alone, put together by hand, is the step on both."""
    states = {}
    for share in (0.0, 1.0, 0.3):
        out = tmp_path / str(share)
        recipe = view(
            epochs=1, lambda_cls=share, optimizer="sgd", momentum=0.0, lr=0.1, min_lr=0.1,
            warmup_epochs=0, weight_decay=0.0, batch_size=48,
        )  # fmt: skip
        step.train(RUN, files(data, out), recipe)
        record = json.loads((out / "record.json").read_text())
        states[share], _ = load_weights(out / "weights.safetensors", record["weights_sha256"])
    rows = [curve(tmp_path / str(share))[0] for share in states]
    for column in ("loss_cls", "loss_rec"):
        assert len({row[column] for row in rows}) == 1
    # lambda_cls weighs the classification: alone it leaves the decoder as it was (zero biases).
    assert states[1.0]["head.bias"].any()
    assert not states[1.0]["decoder.pred.LDP.bias"].any()
    assert not states[0.0]["head.bias"].any()
    assert states[0.0]["decoder.pred.LDP.bias"].any()
    for name, value in states[0.3].items():
        mixed = 0.3 * states[1.0][name] + 0.7 * states[0.0][name]
        torch.testing.assert_close(value, mixed, rtol=1e-4, atol=1e-6)


def test_silent_error_a_scheduler_that_is_stepped_once(data: Path, tmp_path: Path) -> None:
    """Published code stepped it after training; here every update has a rate of its own."""
    used = []

    def look(optimizer: torch.optim.Optimizer, *_) -> None:
        used.append(optimizer.param_groups[0]["lr"])

    hook = register_optimizer_step_pre_hook(look)
    try:
        recipe = view(epochs=5, warmup_epochs=1, lr=1e-3, min_lr=1e-5)
        step.train(RUN, files(data, tmp_path), recipe)
    finally:
        hook.remove()
    at = np.arange(15)  # three updates an epoch
    cosine = 1e-5 + (1e-3 - 1e-5) * (1 + np.cos(np.pi * (at - 3) / 12)) / 2
    wanted = np.where(at < 3, 1e-3 * at / 3, cosine)
    assert used == pytest.approx(wanted.tolist(), rel=1e-6)
    assert [float(row["lr"]) for row in curve(tmp_path)] == used[2::3]  # an epoch's last


def test_silent_error_validation_auc_as_the_mean_of_its_batches(data: Path, tmp_path: Path) -> None:
    """16 samples in batches of 5: the last, of one, has no AUC, and all have other ones."""
    step.train(RUN, files(data, tmp_path), view(epochs=1, warmup_epochs=0, batch_size=5, lr=3e-5))
    crops = Crops(data / "splits/val.parquet", data / "faces", data / "texture")
    logits = predict.logits(predict.load_run(tmp_path), crops, 16)[:, 0]
    labels = crops.labels[:, 0]
    whole = roc_auc_score(labels, logits)
    parts = [slice(start, start + 5) for start in (0, 5, 10)]
    assert (
        abs(np.mean([roc_auc_score(labels[part], logits[part]) for part in parts]) - whole) > 0.01
    )
    (row,) = curve(tmp_path)
    assert float(row["val_auc"]) == pytest.approx(whole, abs=1e-12)
    # The loss, too, is the mean over samples: that of batches would count the last one five times.
    each = np.logaddexp(0, logits.astype(float)) - labels * logits
    assert float(row["val_loss_cls"]) != pytest.approx(
        np.mean([each[part].mean() for part in (*parts, slice(15, 16))]), rel=1e-3
    )
    weights = losses.balance(
        crops.task, Crops(data / "splits/train.parquet", data / "faces", None).labels
    )
    weighted = each * np.where(labels == 1, *weights[::-1, 0])
    assert float(row["val_loss_cls"]) == pytest.approx(weighted.mean(), rel=1e-4)


def test_silent_error_frames_are_validated_as_if_each_were_a_video() -> None:
    """Frames of one video, whichever batches they came in, are one sample of the headline."""
    ids = ["b", "a", "b", "c", "a", "d", "c", "d"]
    labels = np.array([[1], [0], [1], [0], [0], [1], [0], [1]])
    logits = np.array([[2.0], [1.0], [-3.0], [0.3], [-1.0], [0.2], [0.4], [0.1]])
    crops = SimpleNamespace(labels=labels, table=pa.table({"id": ids}))
    means = {id: [] for id in ids}
    for id, logit in zip(ids, logits[:, 0], strict=True):
        means[id].append(1 / (1 + np.exp(-logit)))
    whole = roc_auc_score([1, 0, 0, 1], [np.mean(means[id]) for id in "bacd"])
    assert step.score(releases.TASKS["ffpp"], crops, logits)["auc"] == whole
    assert whole != roc_auc_score(labels[:, 0], logits[:, 0])
    images = releases.TASKS["ffpp"]._replace(level="image")
    assert step.score(images, crops, logits)["auc"] == roc_auc_score(labels[:, 0], logits[:, 0])


@pytest.mark.parametrize("split", ["train", "val"])
def test_silent_error_celebas_minus_one_is_no_label_to_train_on(tmp_path: Path, split: str) -> None:
    """Binary cross-entropy takes -1 without a word, and pushes the logit to minus infinity."""
    write(tmp_path, {"train": 48, "val": 16}, outputs=3)
    file = tmp_path / f"splits/{split}.parquet"
    table = tables.read_table(file, tables.SPLITS)
    rows = [row | {"labels": [2 * v - 1 for v in row["labels"]]} for row in table.to_pylist()]
    tables.write_table(file, rows, tables.SPLITS, tables.metadata(table))
    half = 3 * len(rows) // 2
    with pytest.raises(DataError, match=rf"{split}\.parquet: {half} labels are out of range.* -1"):
        step.train(RUN._replace(task="celeba"), files(tmp_path, tmp_path / "run"), view())
    assert not (tmp_path / "run/weights.safetensors").exists()


def test_case_33_a_loss_that_is_not_finite_names_step_samples_losses_and_rate(
    data: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError) as caught:
        step.train(RUN, files(data, tmp_path), view(lr=1e30, min_lr=1e30, warmup_epochs=0))
    said = str(caught.value)
    assert "the loss or its gradient is not finite in epoch 0, step " in said
    assert "learning rate 1e+30, samples ['0000" in said
    assert not (tmp_path / "weights.safetensors").exists()


def test_case_14_fewer_samples_than_one_batch(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds 48 samples, less than one batch of 64"):
        step.train(RUN, files(data, tmp_path), view(batch_size=64))


def test_the_recipes_sampler_reaches_the_run_and_its_record(data: Path, tmp_path: Path) -> None:
    short = {"class_weights": "none", "epochs": 1, "warmup_epochs": 0}
    for sampler in ("uniform", "balanced"):
        step.train(RUN, files(data, tmp_path / sampler), view(sampler=sampler, **short))
        record = json.loads((tmp_path / sampler / "record.json").read_text())
        assert record["params"]["train"]["sampler"] == sampler
    assert curve(tmp_path / "uniform") != curve(tmp_path / "balanced")


def test_the_balanced_sampler_refuses_several_labels_a_sample(tmp_path: Path) -> None:
    write(tmp_path, {"train": 48, "val": 16}, outputs=2)
    balanced = view(sampler="balanced", class_weights="none")
    with pytest.raises(DataError, match=r"sampler is balanced, and a sample has several labels"):
        step.train(RUN, files(tmp_path, tmp_path / "run"), balanced)


@pytest.mark.slow
def test_only_evaluate_is_given_the_test_split() -> None:
    """By what the code and the rules say; `test_selection` shows it by what training does."""
    assert "test" not in step.Files.__annotations__
    users = set()
    for file in (ROOT / "lssat").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            named = isinstance(node, ast.Constant) and node.value in ("test", "test.parquet")
            asked = isinstance(node, ast.Attribute) and re.search(
                r"\bsplits\.(test|tables|files)$", ast.unparse(node)
            )
            if named or asked:
                users.add(file.stem)
    # splits writes it, the data modules know the official name, scores filters by it.
    assert not users & {"train", "loader", "ssat", "tasks", "predict", "tracking"}
    text = "".join(file.read_text() for file in sorted((ROOT / "workflow/rules").glob("*.smk")))
    rules = dict(re.findall(r"^rule (\w+):\n(.*?)(?=^rule |\Z)", text, re.MULTILINE | re.DOTALL))
    fed = {name for name, body in rules.items() if re.search(r"splits\.(test|tables|files)", body)}
    # The audit compares identities and crops, and has no run. The evaluation has four steps: on
    # the test split, on that of another data set, on the test split's crops perturbed, and a
    # closer look at where runs look and what they are wrong about.
    asked = {"sensitivity_variant", "sensitivity_table"}  # the same, if somebody asks for them
    evaluation = {"evaluate", "cross", "robustness", "explain", "format_probe"}
    # external holds the scores of other programs to the test split.
    evaluation.add("external")
    assert fed - {"audit", "lookalikes", "audit_cross"} == {"splits", *evaluation, *asked}
    # Its labels stand in the manifest too: that goes to the steps that make and check the splits,
    # to annotations of what was predicted, and, for paths and boxes, to those that cut crops.
    listed = {name for name, body in rules.items() if re.search(r"DATA\.manifest\b", body)}
    assert listed == {
        "manifest",
        "faces",
        "formats",
        "splits",
        "audit",
        "slices_listed",
        "sensitivity_variant",
    }
    # What was predicted on it goes to what is said of the test, and to nothing that chooses.
    told = {
        name for name, body in rules.items() if re.search(r"(RESULTS|ACROSS)\.predictions\b", body)
    }
    said = {"slices", "slices_listed", "sensitivity_table", "report"}
    assert told == {"evaluate", "cross", "explain"} | said


def test_weights_that_differ_from_the_record_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    digest = save_weights(file, {"a": torch.ones(3)}, {"backbone": "vit_micro"})
    state, model = load_weights(file, digest)
    assert model == {"backbone": "vit_micro"}
    assert torch.equal(state["a"], torch.ones(3))
    whole = bytearray(file.read_bytes())
    whole[-1] ^= 1
    file.write_bytes(whole)
    with pytest.raises(DataError, match="its record says"):
        load_weights(file, digest)
