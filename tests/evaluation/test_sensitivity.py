"""Sensitivity: other margins from the stored boxes, other numbers of frames, paired intervals."""

import csv
import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT, trees
from helpers import drawn_results as drawn
from helpers.training import files as train_files
from helpers.training import view
from helpers.views import changed
from sklearn.metrics import roc_auc_score

from lssat import params, tables
from lssat.data import datasets, faces, media, splits, texture
from lssat.data.faces.crop import crop
from lssat.evaluation import evaluate, logits, sensitivity
from lssat.evaluation.sensitivity import recropped
from lssat.grid import Run
from lssat.report.kit import results
from lssat.report.kit.section import Page
from lssat.report.sections import sensitivity as section
from lssat.tables import PREDICTIONS, DataError
from lssat.training import train as training

pytestmark = pytest.mark.slow

RUNS = [Run("ffpp", "vit_micro", name, 0) for name in ("none-none-CRGB", "none-none-CLDP")]
BOX = (20, 10, 40, 44)  # x, y, width, height


def view_of(rule: str, root: Path, **changes: object) -> object:
    """The view of a rule on a small release of videos."""
    values = params.load(ROOT / "params.yaml")
    own = params.SECTIONS["ffpp"](
        root=str(root), shards=1, rejects_limit=0.5, compression="c23", methods=trees.METHODS,
        frames=2,
    )  # fmt: skip
    data = values.datasets.model_copy(update={"ffpp": own})
    made = values.model_copy(update={"datasets": data})
    made = made.model_copy(update={"faces": values.faces.model_copy(update={"size": 40})})
    made = made.model_copy(update=changes)
    return params.view(
        params.section_json(made, rule, task="ffpp"), params.views.VIEWS[rule], task="ffpp"
    )


class Detector:
    """Finds the same face in every frame: the test is not of MTCNN."""

    thresholds = (0.6, 0.7, 0.7)

    def __call__(self, frames: np.ndarray) -> list:
        x, y, width, height = BOX
        box = np.array([[x, y, x + width, y + height]], dtype=np.float32)
        return [(box, np.ones(1, np.float32), np.zeros((1, 5, 2), np.float32)) for _ in frames]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw folders of six frames a video, everything up to the evaluation, and three variants."""
    folder = tmp_path_factory.mktemp("sensitive")
    pairs = {"train": [["000", "003"]], "val": [["001", "870"]], "test": [["002", "071"]]}
    pairs["test"] += [["100", "101"], ["102", "103"]]
    root = trees.ffpp(folder / "raw", pairs, moving=True, kind="images")
    for number, frames in enumerate(sorted({file.parent for file in root.rglob("*.png")})):
        for index in range(6):
            picture = trees.picture(10 * number + index, 80, 96) // (1 + number % 2)
            trees.Image.fromarray(picture).save(frames / f"{index:04d}.png")
    shard = folder / "faces/shard-00000"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lssat.data.faces.sample.detector", lambda *_: Detector())
        _prepare(folder, root, shard)
        part = view_of("variant", root)
        where = recropped.Files(
            {run.path: folder / "runs" / run.path for run in RUNS}, folder / "manifest.parquet",
            folder / "splits/test.parquet", folder / "faces", folder,
        )  # fmt: skip
        for name in ("margin-1.0", "margin-1.3", "margin-1.6", "frames-4", "frames-2"):
            file = dataclasses.replace(where, out=folder / f"{name}.parquet")
            recropped.variant("ffpp", name, file, part)
    return folder


def _prepare(folder: Path, root: Path, shard: Path) -> None:
    part = view_of("variant", root)
    own = part.datasets["ffpp"]
    manifest, rejects = folder / "manifest.parquet", folder / "manifest.rejects.parquet"
    lost = shard.with_suffix(".rejects.parquet")
    datasets.manifest("ffpp", own, manifest, rejects)
    ends = (shard.with_suffix(".npy"), shard.with_suffix(".parquet"))
    shard.parent.mkdir()
    faces.crop_shard(manifest, "ffpp", own, part.faces, 0, *ends, lost)
    codes = folder / "texture/shard-00000"
    texture.write_shard(
        *ends, part.texture, codes.with_suffix(".npy"), codes.with_suffix(".parquet")
    )
    paths = {name: folder / f"splits/{name}" for name in splits.FILES}
    paths |= {name: folder / f"splits/{name}.parquet" for name in splits.NAMES}
    chosen = params.load(ROOT / "params.yaml").splits
    splits.write("ffpp", manifest, rejects, [ends[1]], [lost], own, chosen, paths)
    for run in RUNS:
        out = folder / "runs" / run.path
        training.train(run, train_files(folder, out), view(epochs=1, batch_size=8))
    part = params.view(str(ROOT / "params.yaml"), params.views.EvaluateView)
    part = changed(part, evaluate={"resamples": 100})
    where = evaluate.Files(
        runs={run.path: folder / "runs" / run.path for run in RUNS},
        train=folder / "splits/train.parquet", val=folder / "splits/val.parquet",
        test=folder / "splits/test.parquet", summary=folder / "splits/summary",
        faces=folder / "faces", codes=folder / "texture",
        predictions=folder / "predictions.parquet", metrics=folder / "metrics.json",
    )  # fmt: skip
    evaluate.evaluate("ffpp", where, part)


def compared(folder: Path, out: Path) -> dict:
    options = params.Sensitivity(margins=[1.0, 1.6], frames=[1, 4])
    part = view_of("sensitivity", folder / "raw", sensitivity=options)
    names = ("margin-1.0", "margin-1.6", "frames-4")
    where = sensitivity.Files(
        test=folder / "splits/test.parquet", predictions=folder / "predictions.parquet",
        metrics=folder / "metrics.json", faces=[folder / "faces/shard-00000.parquet"],
        variants={name: folder / f"{name}.parquet" for name in names},
        out=out / "s.json", table=out / "s.csv", picture=out / "s.svg",
    )  # fmt: skip
    sensitivity.sensitivity("ffpp", where, part)
    return tables.read_json(where.out)


def rows_of(file: Path) -> list[dict]:
    return tables.read_table(file, PREDICTIONS).to_pylist()


@pytest.mark.parametrize("name", ["margin-1.3", "frames-2"])
def test_the_default_made_anew_gives_the_evaluations_predictions(made: Path, name: str) -> None:
    test = [row for row in rows_of(made / "predictions.parquet") if row["split"] == "test"]
    again = rows_of(made / f"{name}.parquet")
    assert len(again) == len(test) == len(RUNS) * 18 * 2
    for one, two in zip(test, again, strict=True):
        assert one | {"logits": 0} == two | {"logits": 0}
        assert one["logits"] == pytest.approx(two["logits"], abs=1e-5)


def test_another_margin_is_the_crop_of_the_frame_around_the_same_face(made: Path) -> None:
    """The logits are those of the frame, decoded and cut here: the box's 44 px, x 1.6.

    Around the stored crop of 57 px (44 x 1.3), whose middle is half a pixel off the box's.
    """
    x, y, width, height = BOX
    stored, side = round(1.3 * height), round(1.6 * height)
    left, top = (
        math.floor(math.floor(at + (size - stored) / 2 + 0.5) + (stored - side) / 2 + 0.5)
        for at, size in ((x, width), (y, height))
    )
    row = next(r for r in rows_of(made / "margin-1.6.parquet") if r["run"] == RUNS[0].path)
    method, _, video = row["id"].split("/")
    group = f"manipulated_sequences/{method}/c23/images"
    folder = made / "raw" / group / video
    frame = media.read_image(folder / f"{row['frame']:04d}.png")
    cut = crop(frame, left, top, side, 40)
    model = logits.load_run(made / "runs" / RUNS[0].path)
    imgs = logits.torch.from_numpy(cut[None].copy()).movedim(-1, 1)
    assert row["logits"] == pytest.approx(logits.classify(model, imgs, None)[0], abs=1e-3)
    others = rows_of(made / "predictions.parquet")
    default = next(r for r in others if (r["id"], r["frame"]) == (row["id"], row["frame"]))
    assert row["logits"] != pytest.approx(default["logits"], abs=1e-3)


def test_numbers_are_the_aucs_of_the_variants_paired_with_the_default(
    made: Path, tmp_path: Path
) -> None:
    found = compared(made, tmp_path)
    rows = {(r["varied"], r["value"], r["configuration"]): r for r in found["rows"]}
    assert len(rows) == len(found["rows"]) == 2 * (3 + 3)

    def auc(file: str, run: Run, frames: set[int]) -> float:
        videos: dict[str, list] = {}
        for row in rows_of(made / file):
            if row["split"] == "test" and row["run"] == run.path and row["frame"] in frames:
                score = 1 / (1 + np.exp(-np.float64(row["logits"][0])))
                videos.setdefault(row["id"], [row["labels"][0]]).append(score)
        truth = [labels[0] for labels in videos.values()]
        return float(roc_auc_score(truth, [np.mean(v[1:]) for v in videos.values()]))

    for run in RUNS:
        name = run.configuration.replace("-", "/")
        default = auc("predictions.parquet", run, {0, 5})
        for key, file, frames in (
            (("margin", 1.0), "margin-1.0.parquet", {0, 5}),
            (("margin", 1.3), "predictions.parquet", {0, 5}),
            (("margin", 1.6), "margin-1.6.parquet", {0, 5}),
            (("frames", 1), "predictions.parquet", {0}),
            (("frames", 2), "predictions.parquet", {0, 5}),
            (("frames", 4), "frames-4.parquet", {0, 2, 3, 5}),
        ):
            row = rows[*key, name]
            assert row["mean"] == pytest.approx(auc(file, run, frames)), key
            assert row["reference"] == pytest.approx(default)
            assert row["difference"] == pytest.approx(row["mean"] - default)
            assert (row["n"], row["of"], row["groups"]) == (18, 18, 3)
            if row["value"] == row["default"]:
                assert (row["difference_low"], row["difference_high"]) == (0, 0)
            else:
                assert (row["low"] is None) == ("3 clusters are too few" in row["note"])
                assert row["low"] is None or row["low"] <= row["mean"] <= row["high"]
    assert {r["frame"] for r in rows_of(made / "frames-4.parquet")} == {0, 2, 3, 5}
    evaluated = tables.read_json(made / "metrics.json")["runs"]
    fallen = {each["configuration"]: each["collapsed"] for each in evaluated}
    assert {row["configuration"]: row["collapsed"] for row in found["rows"]} == fallen  # case 38
    with open(tmp_path / "s.csv", newline="") as lines:
        listed = list(csv.DictReader(lines))
    assert len(listed) == 12
    assert all(row["collapsed"] == str(fallen[row["configuration"]]) for row in listed)
    picture = (tmp_path / "s.svg").read_bytes()
    assert b"frames per video" in picture
    compared(made, tmp_path / "again")
    assert (tmp_path / "again/s.svg").read_bytes() == picture


def test_videos_that_a_variant_lacks_are_left_out_on_both_sides(made: Path, tmp_path: Path) -> None:
    table = tables.read_table(made / "margin-1.0.parquet", PREDICTIONS)
    keep = [row for row in table.to_pylist() if row["id"] != "Deepfakes/c23/002_071"]
    moved = tmp_path / "made"
    moved.mkdir()
    for file in made.iterdir():
        (moved / file.name).symlink_to(file)
    (moved / "margin-1.0.parquet").unlink()
    tables.write_table(moved / "margin-1.0.parquet", keep, PREDICTIONS)
    rows = compared(moved, tmp_path)["rows"]
    assert {row["n"] for row in rows if row["value"] == 1.0 and row["varied"] == "margin"} == {17}
    assert {row["of"] for row in rows} == {18}


def test_a_raw_tree_that_has_changed_is_refused(made: Path, tmp_path: Path) -> None:
    file = next((made / "raw/manipulated_sequences/Deepfakes/c23/images/100_101").glob("*0.png"))
    whole = file.read_bytes()
    trees.Image.fromarray(trees.picture(999, 80, 96)).save(file)
    where = recropped.Files(
        {}, made / "manifest.parquet", made / "splits/test.parquet", made / "faces",
        tmp_path / "out.parquet",
    )  # fmt: skip
    try:
        with pytest.raises(DataError, match=r"frame 0 is not the one that its crop was cut from"):
            recropped.variant("ffpp", "margin-1.6", where, view_of("variant", made / "raw"))
    finally:
        file.write_bytes(whole)
    assert list(tmp_path.iterdir()) == []  # nothing is left of the crops


def test_the_report_shows_results_of_these_runs_and_how_to_ask_for_others(
    made: Path, tmp_path: Path
) -> None:
    files = drawn.draw(tmp_path, ("ffpp",), backbones=("vit_micro",), seeds=(0,))
    task = results.read_task("ffpp", files["ffpp"])
    page = Page({}, [task], [], [])
    assert section.content(page) == []  # the section is left out
    content = compared(made, tmp_path)
    old = dataclasses.replace(task, sensitivity=content)
    (said,) = section.content(page._replace(tasks=[old]))[0].said
    assert "belongs to other runs" in said
    content["weights"] = {run: each["weights_sha256"] for run, each in task.records.items()}
    (group,) = section.content(
        page._replace(tasks=[dataclasses.replace(task, sensitivity=content)])
    )
    invented = tables.read_json(drawn.sensitive(files["ffpp"], "ffpp").sensitivity)
    assert invented.keys() == content.keys()
    assert {frozenset(row) for row in invented["rows"]} == {frozenset(content["rows"][0])}
    for cells, row in zip(group.tables[0].rows, content["rows"], strict=True):
        assert cells[3].sort == row["value"]
        assert cells[4].text == f"{row['mean']:.3f}"
        assert (cells[5].text == "–") == (row["value"] == row["default"])
        fallen = (row["backbone"], row["configuration"]) in task.collapsed
        assert (cells[-1].flag == "bad") == fallen
    assert len(group.tables[0].columns) == len(group.tables[0].rows[0])


def test_fault_d5_fewer_frames_are_taken_of_those_that_a_short_video_has() -> None:
    spread = sensitivity.compared._spread
    assert spread(100, 4, 2) == {0, 99}
    assert spread(3, 4, 4) == spread(3, 32, 16) == {0, 1, 2}
    assert spread(3, 4, 2) == {0, 2}
    assert spread(20, 32, 8) == set(np.linspace(0, 19, 8).round().astype(int).tolist())
