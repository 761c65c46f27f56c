"""Clips, a task of one's own and a data set that is only tested on, by the real programs."""

import json
import shutil
from pathlib import Path

import pyarrow.compute as pc
import pytest
from helpers import small_sample, trees
from helpers.project import Project, copy
from mlflow.tracking import MlflowClient

from lssat import tables
from lssat.tables import read_json

OWN = {"shards": 1, "rejects_limit": 0.0, "faces": "aligned"}
VIDEOS = {"shards": 1, "rejects_limit": 0.0, "frames": 2}
CLIPS = "ffpp/videomae_mini/MRGB-RLDP-CRGB/seed0"
COUNTS = {"clip": 4, "frame": 8, "video": 4}  # of theirs
HOME = {"clip": 6, "frame": 12, "video": 6}  # two originals and two fakes of each method
FRAMES = "ffpp/vit_micro/MRGB-RLDP-CRGB/seed0"
TIMM = "ffpp/timm:test_resnet/none-none-CRGB/seed0"  # any classifier of timm as a baseline
PROBE = "ffpp/vit_micro/none-none-CRGB+probe/seed0"
UNSEEN = "ffpp/vit_micro/MRGB-RLDP-CRGB+unseen/seed0"  # trained on Deepfakes alone
# MLflow comes last: what follows from a new report.
TRACKED = {"track@ffpp", "track@mine", "track_slices@ffpp", "track_report"}
TRACKED |= {"track_cross@theirs", "track_cross@yours"}
BINARY = {"kind": "binary", "positive": "fake", "test_only": True, "faces": "aligned"}


def _draw(project: Project, ffpp: Path) -> None:
    """Three small raw trees: the sample's ffpp, a list of own images, folders of others' videos."""
    raw = project.path / "data/raw"
    shutil.copytree(ffpp, raw / "ffpp")
    rows = ["path,label"]
    for n in range(40):
        rows.append(f"{n:02}.jpg,{('bright', 'dark')[n % 2]}")
        trees.jpeg(raw / "mine" / f"{n:02}.jpg", trees.face(n, 80) // (1 + 2 * (n % 2)))
    (raw / "mine/list.csv").write_text("\n".join(rows) + "\n")
    for n in range(4):
        moving = [trees.scene(n, left=21 + 3 * step) for step in range(small_sample.FRAMES)]
        trees.video(raw / "theirs/test" / ("real", "fake")[n % 2] / f"{n}.mp4", moving)
        shade = ("light", "shade", "half")[n % 3]  # two of them are classes of mine
        trees.jpeg(raw / "yours/test" / shade / f"{n}.jpg", trees.face(50 + n, 80))
    rows = ["identity,skin", *_skin(raw / "ffpp")]
    (raw / "skin.csv").write_text("\n".join(rows) + "\n")
    clips = {name: value for name, value in small_sample.OWN["ffpp"].items() if "clip" in name}
    methods = {"methods": ["Deepfakes", "Face2Face"], "compression": "c23"}
    ffpp = VIDEOS | clips | methods | {"root": "data/raw/ffpp"}
    mine = OWN | {"root": "data/raw/mine", "kind": "multiclass", "csv": "list.csv"}
    theirs = VIDEOS | clips | BINARY | {"root": "data/raw/theirs"}
    yours = OWN | {"root": "data/raw/yours", "kind": "multiclass", "test_only": True}
    yours |= {"labels": {"shade": "dark", "light": "bright"}}
    project.params(
        benchmark={
            "tasks": ["ffpp", "mine"], "cross": {"theirs": "ffpp", "yours": "mine"},
            "configurations": ["MRGB-RLDP-CRGB"], "baselines": ["timm:test_resnet"],
            "clip_tasks": ["ffpp"], "clip_backbones": ["videomae_mini"],
            "variants": {"tasks": ["ffpp"], "backbones": ["vit_micro"],
                         "configurations": ["MRGB-RLDP-CRGB+unseen", "none-none-CRGB+probe"]},
        },
        variants={"unseen": {"methods": ["Deepfakes"]},
                  "probe": {"tune": "linear", "hflip": False}},
        sample={"trees": []},
        datasets={"ffpp": ffpp, "mine": mine, "theirs": theirs, "yours": yours},
        train={"epochs": 1, "batch_size": 4},
        sensitivity={"frames": [1, 2]},
        audit={"near_limit": 1.0},  # all are drawn from few faces
        slices={"attributes": {}, "lists": {"ffpp": "data/raw/skin.csv"}, "min_n": 1},
    )  # fmt: skip


def _skin(tree: Path) -> list[str]:
    """Rows of a list that parts each pair of people."""
    pairs = [
        pair
        for file in sorted(tree.glob("splits/*.json"))
        for pair in tables.read_json(file, sealed=False)
    ]
    return [f"{number},{group}" for pair in pairs for number, group in zip(pair, "ab", strict=True)]


@pytest.fixture(scope="module")
def project(sample_trees: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = copy(tmp_path_factory.mktemp("own"))
    _draw(project, sample_trees["ffpp"])
    (project.path / "told.txt").write_text(project.run("snakemake", "--cores", "2"))
    return project


def test_clips_of_the_sample_stand_beside_its_frames_and_videos(project: Project) -> None:
    folder = project.path / "results/tasks/ffpp"
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["n"] == HOME
    levels = {(row["backbone"], row["level"]) for row in metrics["table"]}
    assert levels == {
        ("vit_micro", "frame"), ("vit_micro", "video"),
        ("videomae_mini", "clip"), ("videomae_mini", "video"),
        ("timm:test_resnet", "frame"), ("timm:test_resnet", "video"),
    }  # fmt: skip
    found = tables.read_table(folder / "predictions.parquet", tables.PREDICTIONS)
    of_clips = found.filter(pc.equal(found["run"], CLIPS))
    assert set(of_clips["level"].to_pylist()) == {"clip"}
    assert "videomae_mini" in (project.path / "results/report.html").read_text()


def test_an_own_task_and_a_test_only_set_go_through_the_pipeline(project: Project) -> None:
    told = (project.path / "told.txt").read_text()
    assert "mine" in told
    results = project.path / "results"
    mine = json.loads((results / "tasks/mine/metrics.json").read_text())
    assert (mine["kind"], mine["classes"]) == ("multiclass", ["bright", "dark"])
    assert mine["n"] == {"image": 6}
    cross = json.loads((results / "tasks/ffpp/cross/theirs/metrics.json").read_text())
    assert (cross["task"], cross["dataset"], cross["n"]) == ("ffpp", "theirs", COUNTS)
    page = (results / "report.html").read_text()
    assert "Runs of ffpp on theirs: 4 clips, 8 frames and 4 videos" in page
    flat = json.loads((results / "metrics.json").read_text())
    assert "mine.vit_micro.MRGB-RLDP-CRGB.top1" in flat
    assert "ffpp.cross.theirs.vit_micro.MRGB-RLDP-CRGB.auc" in flat
    yours = json.loads((results / "tasks/mine/cross/yours/metrics.json").read_text())
    assert (yours["n"], yours["classes"], yours["unasked"]) == (
        {"image": 3},
        ["bright", "dark"],
        [],
    )
    assert "mine.cross.yours.vit_micro.MRGB-RLDP-CRGB.top1" in flat
    left = tables.read_table(
        project.path / "data/prepared/yours/manifest.rejects.parquet", tables.REJECTS
    )
    assert left["detail"].to_pylist() == ["half: not in datasets.yours.labels"]
    ids = json.loads((results / "mlflow/cross/theirs.json").read_text())["runs"]
    client = MlflowClient(f"sqlite:///{project.path}/mlflow.db")
    logged = {run: client.get_run(id).data.metrics for run, id in ids.items()}
    assert set(logged) == {CLIPS, FRAMES, UNSEEN, TIMM, PROBE}
    for run in cross["runs"]:
        assert logged[run["run"]]["cross_theirs_video_auc"] == run["metrics"]["video/auc"]


def test_neighbours_of_a_probe_are_a_row_in_results_report_and_mlflow(project: Project) -> None:
    (row,) = json.loads((project.path / "results/tasks/ffpp/metrics.json").read_text())["nearest"]
    assert (row["runs"], row["level"], row["metric"]) == ([PROBE], "video", "auc")
    assert 'id="nearest-ffpp"' in (project.path / "results/report.html").read_text()
    id = json.loads((project.path / "results/mlflow/ffpp.json").read_text())["runs"][PROBE]
    logged = MlflowClient(f"sqlite:///{project.path}/mlflow.db").get_run(id).data.metrics
    assert logged.get("test_video_knn_auc") == row["mean"]


def test_a_classifier_of_timm_is_a_row_wherever_runs_are(project: Project) -> None:
    results = project.path / "results"
    assert not read_json(project.path / "runs" / TIMM / "record.json")["decoder_parameters"]
    for name in ("tasks/ffpp/metrics.json", "tasks/ffpp/robustness.json", "speed.json"):
        assert "timm:test_resnet" in (results / name).read_text(), name
    assert "timm:test_resnet" in (results / "table.csv").read_text()
    page = (results / "report.html").read_text()
    table = page.split('id="headline-mine"')[1].split("</table>")[0]
    (row,) = (row for row in table.split("<tr")[2:] if "timm:test_resnet" in row)
    assert "none/none/CRGB" in row


def test_a_manipulation_that_was_left_out_is_unseen_in_the_matrix(project: Project) -> None:
    record = json.loads((project.path / "runs" / UNSEEN / "record.json").read_text())
    assert record["params"]["train"]["methods"] == ["Deepfakes"]
    found = json.loads((project.path / "results/tasks/ffpp/metrics.json").read_text())["subsets"]
    mine = [row for row in found if UNSEEN in row["runs"]]
    assert {row["subset"] for row in mine} == {"Deepfakes", "Face2Face"}
    page = (project.path / "results/report.html").read_text()
    matrix = page.split('id="protocol-ffpp-ffpp"')[1].split("</table>")[0]
    row = next(row for row in matrix.split("<tr")[2:] if "+unseen" in row)
    assert matrix.count(" unseen</small>") == row.count(" unseen</small>") == 1


def test_sensitivity_is_made_when_it_is_asked_for(project: Project) -> None:
    project.run("snakemake", "--cores", "8", "sensitivity")
    folder = project.path / "results/tasks/ffpp/sensitivity"
    found = json.loads((folder / "sensitivity.json").read_text())
    values = {(row["varied"], row["value"]) for row in found["rows"]}
    assert values == {("margin", m) for m in (1.0, 1.3, 1.6)} | {("frames", n) for n in (1, 2)}
    assert not (project.path / "results/tasks/mine/sensitivity").exists()
    assert project.snakemake_stale() == {"report", *TRACKED}
    project.run("snakemake", "--cores", "2")
    assert 'id="sensitivity-ffpp"' in (project.path / "results/report.html").read_text()
    assert "Nothing to be done" in project.run("snakemake", "--cores", "8", "sensitivity")


def test_a_list_of_ones_own_makes_slices_in_the_page_and_in_mlflow(project: Project) -> None:
    results = project.path / "results"
    found = json.loads((results / "tasks/ffpp/slices_listed.json").read_text())
    assert len(found["slices"]) == 2  # videos by their frames, and by their clips
    for sliced in found["slices"]:
        assert [group["group"] for group in sliced["groups"]] == ["a", "b"]
    assert found["list"]["unknown"] == 0
    assert "data/raw/skin.csv" in (results / "report.html").read_text()
    ids = json.loads((results / "mlflow/slices_listed/ffpp.json").read_text())["runs"]
    client = MlflowClient(f"sqlite:///{project.path}/mlflow.db")
    logged = [client.get_run(id).data.metrics for id in ids.values()]
    assert len(logged) == 5
    assert all(metrics["slice_skin_gap"] >= 0 for metrics in logged)


def test_dvc_agrees_on_what_an_edit_of_these_makes_stale(project: Project) -> None:
    assert project.snakemake_stale() == project.dvc_stale() == set()
    stale = {"cross@theirs", "report", *TRACKED}
    file = project.path / "data/raw/theirs/test/fake/1.mp4"
    whole = file.read_bytes()
    file.write_bytes((project.path / "data/raw/theirs/test/real/0.mp4").read_bytes())
    steps = ("manifest", "faces", "texture", "shards", "splits", "audit", "lookalikes")
    steps += ("audit_cross",)
    data = {f"{step}@theirs" for step in steps}
    assert project.snakemake_stale() == data | stale
    assert project.dvc_stale() == data | stale
    file.write_bytes(whole)
    with open(project.path / "data/raw/skin.csv", "a") as more:
        more.write("999,a\n")
    stale = {"slices_listed@ffpp", "report", *TRACKED}
    assert project.snakemake_stale() == stale
    assert project.dvc_stale() == stale


def test_dvc_repro_makes_runs_on_clips_and_of_timm_to_the_same_bytes(project: Project) -> None:
    stages = {"clips": CLIPS, "baseline": TIMM}
    weights = [project.path / "runs" / run / "weights.safetensors" for run in stages.values()]
    made = [file.read_bytes() for file in weights]
    for file in weights:
        file.unlink()
    named = (
        f"{stage}@{run.replace('/', '-').replace('seed', '')}" for stage, run in stages.items()
    )
    project.run("dvc", "repro", "--single-item", "--force", *named)
    assert [file.read_bytes() for file in weights] == made
