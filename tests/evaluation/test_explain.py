"""The closer look: what is chosen never looks at the test split, maps and errors are the run's."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from helpers import ROOT, drawn_results
from helpers.drawn_data import write
from helpers.views import changed
from sklearn.manifold import trustworthiness

from lssat import params, tables
from lssat.evaluation import attribution, evaluate
from lssat.evaluation import explain as examine
from lssat.evaluation import logits as predict
from lssat.evaluation.explain import choose, embed
from lssat.evaluation.explain.maps import Look
from lssat.grid import Run, releases
from lssat.tables import DataError
from lssat.training import train as training
from lssat.training.loader import Crops

RUNS = [
    Run("celeba", "vit_micro", configuration, seed)
    for configuration, seed in [("MRGB-RLDP-CLDP", 0), ("none-none-CRGB", 0), ("none-none-CRGB", 1)]
]


def record(configuration: str, seed: int, value: float | None, backbone: str = "a") -> dict:
    return dict(backbone=backbone, configuration=configuration, seed=seed, best_value=value)


def test_the_best_row_is_that_of_the_highest_mean_on_validation() -> None:
    records = {
        "one1": record("MRGB/RLDP/CRGB", 1, 0.9),
        "one0": record("MRGB/RLDP/CRGB", 0, 0.5),
        "two0": record("MLDP/RRGB/CRGB", 0, 0.8),
        "none0": record("none/none/CRGB", 0, 0.6),
        "other": record("none/none/CRGB", 0, 0.7, backbone="b"),
        "sick": record("MRGB/RRGB/CRGB", 0, None),
    }
    every = choose.rows(records)
    assert {row.run: row.value for row in every} == {
        "one0": pytest.approx(0.7), "two0": 0.8, "none0": 0.6, "other": 0.7, "sick": None,
    }  # fmt: skip
    best = choose.best(every, "val_auc")
    assert best.run == "two0"
    assert choose.beside(every, best, "val_auc").run == "none0"  # of the same backbone
    plain = next(row for row in every if row.run == "none0")
    assert choose.beside(every, plain, "val_auc") is None
    assert choose.beside([best], best, "val_auc") is None


def test_of_a_metric_where_lower_is_better_the_best_row_has_the_lowest() -> None:
    values = {"a": 0.4, "b": 0.1, "c": None, "d": 0.3}
    every = [choose.Row(name, "none/none/CRGB", name, value) for name, value in values.items()]
    assert choose.best(every, "val_eer").run == "b"
    one = every[0]._replace(configuration="MRGB/RLDP/CRGB", backbone="e")
    assert choose.beside([one, *every[1:]], one, "val_eer").run == "b"


def test_samples_are_spread_over_the_split_one_of_each_id() -> None:
    ids = [f"{n // 3}" for n in range(30)]
    assert choose.spread(ids, 100).tolist() == list(range(1, 30, 3))
    assert choose.spread(ids, 3).tolist() == [1, 13, 28]
    assert choose.spread(["a"], 5).tolist() == [0]


def predictions(kind: str, labels: list, logits: list, ids: list[str] | None = None) -> pa.Table:
    ids = ids or [f"{n}" for n in range(len(labels))]
    rows = [
        dict(run="r", id=id, frame=n, clip=-1, group="g", subset="", level="image", split="test",
             labels=label, logits=logit)
        for n, (id, label, logit) in enumerate(zip(ids, labels, logits, strict=True))
    ]  # fmt: skip
    rows += [row | {"split": "val"} for row in rows]
    rows += [row | {"run": "other", "logits": [9.0] * len(row["logits"])} for row in rows]
    return pa.Table.from_pylist(rows, schema=tables.PREDICTIONS)


def test_errors_are_the_most_confident_one_of_each_id() -> None:
    """A real's and a fake's frames; the probability is of what was said, after the temperature."""
    task = releases.TASKS["ffpp"]
    labels = [[0], [0], [1], [1], [1], [0]]
    logits = [[1.0], [3.0], [-2.0], [5.0], [float("nan")], [-4.0]]
    table = predictions("binary", labels, logits, ["v", "v", "w", "w", "x", "y"])
    found = choose.errors(table, "r", task, 2.0, 10)
    assert [(row["id"], row["frame"]) for row in found] == [("v", 1), ("w", 2)]
    assert [(row["label"], row["predicted"]) for row in found] == [
        ("real", "fake"),
        ("fake", "real"),
    ]
    assert found[0]["probability"] == pytest.approx(1 / (1 + np.exp(-1.5)))
    assert found[0]["raw"] == pytest.approx(1 / (1 + np.exp(-3.0)))
    assert found[1]["probability"] == pytest.approx(1 / (1 + np.exp(-1.0)))
    assert [row["id"] for row in choose.errors(table, "r", task, 2.0, 1)] == ["v"]
    assert choose.errors(table, "r", task, 2.0, 0) == []


def test_errors_of_classes_and_of_attributes() -> None:
    task = releases.TASKS["affectnet"]._replace(classes=("a", "b", "c"))
    table = predictions("multiclass", [[0], [1], [2]], [[0.0, 2, 1], [0, 9, 0], [3.0, 0, 0]])
    found = choose.errors(table, "r", task, 1.0, 9)
    assert [(row["label"], row["predicted"], row["target"]) for row in found] == [
        ("c", "a", 0), ("a", "b", 1),
    ]  # fmt: skip
    soft = np.exp([3.0, 0, 0]) / np.exp([3.0, 0, 0]).sum()
    assert found[0]["probability"] == pytest.approx(soft[0])
    many = releases.TASKS["celeba"]._replace(classes=("a", "b"))
    table = predictions("multilabel", [[0, 1], [1, 1]], [[1.0, -2.0], [4.0, 4.0]])
    (only,) = choose.errors(table, "r", many, 1.0, 9)
    assert (only["label"], only["predicted"], only["target"]) == ("b: yes", "b: no", 1)
    shown = choose.shown(table, "r", many, 1.0, [("1", 1, -1)], 0)
    assert (shown[0]["predicted"], shown[0]["right"]) == ("a: yes", True)
    assert choose.most_even(predictions("", [[0, 1], [1, 1]], [[1.0, 1.0]] * 2), "celeba") == 0


def test_a_projection_keeps_neighbours_and_is_the_same_again() -> None:
    draw = np.random.default_rng(0)
    features = draw.normal(size=(60, 8)) + 8 * np.repeat(np.eye(3, 8), 20, axis=0)
    found = embed.project(features, 0)
    assert found == embed.project(features, 0)
    points = np.array(found["points"])
    assert found["trustworthiness"] == pytest.approx(
        trustworthiness(features, points, n_neighbors=10), abs=1e-3
    )
    middle = points.reshape(3, 20, 2).mean(axis=1)
    own = np.linalg.norm(points.reshape(3, 20, 2) - middle[:, None], axis=-1).max()
    assert min(np.linalg.norm(middle[a] - middle[b]) for a, b in [(0, 1), (0, 2), (1, 2)]) > own


@pytest.mark.parametrize("n", [1, 2, 3, 11, 12, 13])
def test_a_projection_of_few_samples_has_a_point_for_each(n: int) -> None:
    found = embed.project(np.random.default_rng(0).normal(size=(n, 5)), 0)
    assert np.array(found["points"]).shape == (n, 2)
    assert np.isfinite(found["points"]).all()
    assert ("t-SNE" in found["method"]) == (n >= 12)


def test_features_that_are_all_the_same_fall_on_one_point() -> None:
    found = embed.project(np.ones((30, 5), np.float32), 0)
    assert found["points"] == [[0.0, 0.0]] * 30
    assert found["method"] == "No projection: all features are the same"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, examine.Files]:
    """Three small runs, evaluated and explained."""
    data = tmp_path_factory.mktemp("explained")
    write(data, {"train": 48, "val": 16, "test": 24}, outputs=2)
    tables.write_json(data / "summary.json", {"coverage": {"test": 1.0}})
    splits, folders = data / "splits", {run.path: data / "runs" / run.path for run in RUNS}
    view = params.view(str(ROOT / "params.yaml"), params.views.TrainView)
    recipe = {"epochs": 2, "batch_size": 16, "class_weights": "none"}
    view = changed(view, train=recipe)
    for run in RUNS:
        out = folders[run.path]
        training.train(
            run,
            training.Files(
                train=splits / "train.parquet", val=splits / "val.parquet", faces=data / "faces",
                codes=data / "texture" if run.configuration.endswith("CLDP") else None,
                weights=out / "weights.safetensors", curve=out / "curve.csv",
                record=out / "record.json", reconstruction=out / "reconstruction.npz",
                checkpoints=data / "checkpoints" / run.path,
                features=data / "features",
            ),
            view,
        )  # fmt: skip
    part = params.view(str(ROOT / "params.yaml"), params.views.EvaluateView)
    part = changed(part, evaluate={"resamples": 100})
    where = evaluate.Files(
        runs=folders, train=splits / "train.parquet", val=splits / "val.parquet",
        test=splits / "test.parquet", summary=data / "summary.json", faces=data / "faces",
        codes=data / "texture", predictions=data / "p.parquet", metrics=data / "m.json",
    )  # fmt: skip
    evaluate.evaluate("celeba", where, part)
    files = examine.Files(
        runs=folders, test=splits / "test.parquet", faces=data / "faces",
        codes=data / "texture", predictions=data / "p.parquet", metrics=data / "m.json",
        explain=data / "explain.json", maps=data / "explain.npz",
    )  # fmt: skip
    examine.examine("celeba", files, options())
    return data, files


def options():
    view = params.view(str(ROOT / "params.yaml"), params.views.ExplainView)
    update = {"samples": 10, "steps": 16, "points": 20, "errors": 5}
    view = changed(view, explain=update)
    return view


@pytest.mark.slow
def test_every_row_is_explained_by_its_first_seed(done: tuple[Path, examine.Files]) -> None:
    _, files = done
    found, maps = tables.read_json(files.explain), np.load(files.maps)
    assert [row["run"] for row in found["rows"]] == [RUNS[0].path, RUNS[1].path]
    assert [row["looks_at"] for row in found["rows"]] == [["LDP"], ["RGB"]]
    places = choose.spread([f"{n}" for n in range(24)], 10)
    for row in found["rows"]:
        model = predict.load_run(files.runs[row["run"]])
        batch = Crops(files.test, files.faces, files.codes).batch(places)
        shares = attribution.reach(model, batch.imgs, batch.codes)
        np.testing.assert_allclose(maps[f"{row['maps']}_rollout"], shares.mean(0), rtol=1e-5)
        target = ["a", "b"].index("a")  # most_even: both are half ones, so the first
        size = np.abs(attribution.gradients(model, batch.imgs, batch.codes, target, 16))
        size /= size.sum((1, 2), keepdims=True)
        expected = maps[f"{row['maps']}_gradients"]
        np.testing.assert_allclose(expected, size.mean(0), rtol=1e-3, atol=1e-9)
        assert expected.sum() == pytest.approx(1, abs=1e-5)
        assert row["missed"] < 0.05
    assert found["maps_sha256"] == tables.sha256(files.maps)


def test_the_chosen_run_is_the_best_by_its_records(done: tuple[Path, examine.Files]) -> None:
    _, files = done
    found = tables.read_json(files.explain)
    records = {run: tables.read_json(at / "record.json") for run, at in files.runs.items()}
    means = {
        RUNS[0].path: records[RUNS[0].path]["best_value"],
        RUNS[1].path: np.mean([records[run.path]["best_value"] for run in RUNS[1:]]),
    }
    assert found["chosen"]["run"] == max(means, key=means.get)
    assert found["chosen"]["value"] == pytest.approx(max(means.values()))
    assert found["embeddings"][0]["run"] in means
    assert all(len(each["points"]) == 20 for each in found["embeddings"])


@pytest.mark.slow
def test_another_test_split_moves_no_choice(done: tuple[Path, examine.Files], tmp_path) -> None:
    """All test labels turned around: other errors, the same run."""
    _, files = done
    table = tables.read_table(files.predictions, tables.PREDICTIONS)
    rows = table.to_pylist()
    for row in rows:
        row["labels"] = [1 - x for x in row["labels"]] if row["split"] == "test" else row["labels"]
    tables.write_table(tmp_path / "p.parquet", rows, tables.PREDICTIONS)
    turned = examine.Files(
        **vars(files)
        | dict(
            predictions=tmp_path / "p.parquet", explain=tmp_path / "e.json", maps=tmp_path / "e.npz"
        )
    )
    examine.examine("celeba", turned, options())
    before, after = tables.read_json(files.explain), tables.read_json(tmp_path / "e.json")
    assert before["chosen"] == after["chosen"]
    assert before["errors"] != after["errors"]
    assert before["target"] == after["target"]


@pytest.mark.parametrize("sick", ["head", "block"])
def test_case_36_maps_and_features_that_are_not_finite(
    done: tuple[Path, examine.Files], sick: str
) -> None:
    _, files = done
    run = RUNS[1].path
    model = predict.load_run(files.runs[run])
    weight = model.head.bias if sick == "head" else model.encoder.blocks[0].mlp.fc1.weight
    weight.data.fill_(float("inf") if sick == "head" else float("nan"))
    predicted = tables.read_table(files.predictions, tables.PREDICTIONS)
    crops = Crops(files.test, files.faces, files.codes)
    look = Look(model, crops, predicted, options().explain, "cpu")
    maps, facts = look.mean_maps()
    shown, examples = look.examples(run, 1.0)
    assert all(np.isfinite(each).all() for each in [*maps.values(), *shown.values()])
    assert facts["missed"] is None
    whole = sick == "head"  # an infinite bias leaves attention and gradients as they were
    assert facts["n"] == (10 if whole else 0)
    assert facts["note"] == (None if whole else "10 of 10 samples have maps that are not finite")
    assert maps["gradients"].any() == whole
    flat = look.embedding()
    assert ("a feature is not finite" in flat["method"]) != whole
    tables.json_text([facts, examples, flat, look.likeness(model)])


def test_errors_are_those_of_the_predictions_with_their_crops(
    done: tuple[Path, examine.Files],
) -> None:
    _, files = done
    found, maps = tables.read_json(files.explain), np.load(files.maps)
    assert 0 < len(found["errors"]) <= 5
    assert len(maps["errors_gradients"]) == len(maps["errors_rollout"]) == len(found["errors"])
    test = {row["id"]: row for row in tables.read_table(files.test, tables.SPLITS).to_pylist()}
    model = predict.load_run(files.runs[found["chosen"]["run"]])
    crops = Crops(files.test, files.faces, files.codes)
    known = crops.table["id"].to_pylist()
    for number, error in enumerate(found["errors"]):
        row = test[error["id"]]
        assert (error["shard"], error["row"]) == (row["shard"], row["row"])
        batch = crops.batch(np.array([known.index(error["id"])]))
        wanted = attribution.gradients(model, batch.imgs, batch.codes, error["target"], 16)
        np.testing.assert_allclose(maps["errors_gradients"][number], wanted[0], atol=1e-5)
        logit = model.classify(batch.imgs, batch.codes)[0, error["target"]].item()
        said = 1 / (1 + np.exp(-logit / (found["temperature"] or 1)))
        assert error["probability"] == pytest.approx(max(said, 1 - said), abs=1e-4)
        assert row["labels"][error["target"]] == (said < 0.5)


def test_explaining_again_gives_the_same_bytes(done: tuple[Path, examine.Files], tmp_path) -> None:
    _, files = done
    again = examine.Files(
        **vars(files) | dict(explain=tmp_path / "e.json", maps=tmp_path / "e.npz")
    )
    examine.examine("celeba", again, options())
    assert (tmp_path / "e.json").read_bytes() == files.explain.read_bytes()
    assert (tmp_path / "e.npz").read_bytes() == files.maps.read_bytes()


def test_drawn_results_have_the_keys_of_the_step(
    done: tuple[Path, examine.Files], tmp_path: Path
) -> None:
    _, files = done
    drawn = drawn_results.draw(tmp_path, ("celeba",))["celeba"]
    ours, theirs = (json.loads(each.explain.read_text()) for each in (files, drawn))
    assert ours.keys() == theirs.keys()
    for name in ("chosen", "random"):
        assert ours[name].keys() == theirs[name].keys()
    for name in ("rows", "embeddings", "examples", "errors"):
        assert ours[name][0].keys() == theirs[name][0].keys(), name
    names = {name.split("_", 1)[1] for name in np.load(files.maps).files}
    assert names == {name.split("_", 1)[1] for name in np.load(drawn.maps).files}


def test_runs_that_no_metrics_name_are_refused(done: tuple[Path, examine.Files]) -> None:
    with pytest.raises(DataError, match="names no run celeba/x"):
        examine.temperature({"runs": []}, "celeba/x", "m.json")
