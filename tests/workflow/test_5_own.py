"""A task of one's own and a data set that is only tested on, by the real programs."""

import json
import sys
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient
from project import Project, copy

sys.path.insert(0, str(Path(__file__).parents[1]))

import trees

OWN = {"shards": 1, "rejects_limit": 0.0, "faces": "aligned"}
VIDEOS = {"shards": 1, "rejects_limit": 0.3, "frames": 2}
BINARY = OWN | {"kind": "binary", "positive": "fake", "test_only": True}


def _draw(project: Project) -> None:
    """Three small raw trees: ffpp in its layout, a list of own images, folders of others."""
    raw = project.path / "data/raw"
    trees.ffpp(raw / "ffpp", moving=True)
    rows = ["path,label"]
    for n in range(40):
        rows.append(f"{n:02}.jpg,{('bright', 'dark')[n % 2]}")
        trees.jpeg(raw / "mine" / f"{n:02}.jpg", trees.face(n, 80) // (1 + 2 * (n % 2)))
        trees.jpeg(raw / "theirs/test" / ("real", "fake")[n % 2] / f"{n}.jpg", trees.face(n, 80))
    (raw / "mine/list.csv").write_text("\n".join(rows) + "\n")
    skin = [f"{number},{'ab'[int(number) % 2]}" for number in _originals(raw / "ffpp")]
    (raw / "skin.csv").write_text("\n".join(["identity,skin", *skin]) + "\n")
    ffpp = VIDEOS | {"root": "data/raw/ffpp", "compression": "c23", "methods": trees.METHODS}
    mine = OWN | {"root": "data/raw/mine", "kind": "multiclass", "csv": "list.csv"}
    theirs = BINARY | {"root": "data/raw/theirs"}
    project.params(
        benchmark={
            "tasks": ["ffpp", "mine"], "cross": ["theirs"], "configurations": ["MRGB-RLDP-CRGB"],
        },
        sample={"trees": []},
        datasets={"ffpp": ffpp, "mine": mine, "theirs": theirs},
        train={"epochs": 1, "batch_size": 4},
        sensitivity={"frames": [1, 2]},
        audit={"near_limit": 1.0},  # all are drawn from few faces
        slices={"attributes": {}, "lists": {"ffpp": "data/raw/skin.csv"}, "min_n": 1},
    )  # fmt: skip


def _originals(tree: Path) -> list[str]:
    return sorted(file.stem for file in tree.glob("original_sequences/youtube/*/videos/*.mp4"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = copy(tmp_path_factory.mktemp("own"))
    _draw(project)
    (project.path / "told.txt").write_text(project.run("snakemake", "--cores", "2"))
    return project


def test_an_own_task_and_a_test_only_set_go_through_the_pipeline(project: Project) -> None:
    told = (project.path / "told.txt").read_text()
    assert "mine" in told
    results = project.path / "results"
    mine = json.loads((results / "tasks/mine/metrics.json").read_text())
    assert (mine["kind"], mine["classes"]) == ("multiclass", ["bright", "dark"])
    assert mine["n"] == {"image": 6}
    cross = json.loads((results / "tasks/ffpp/cross/theirs/metrics.json").read_text())
    assert (cross["task"], cross["dataset"], cross["n"]) == ("ffpp", "theirs", {"image": 40})
    page = (results / "report.html").read_text()
    assert "Runs of ffpp on theirs: 40 images" in page
    flat = json.loads((results / "metrics.json").read_text())
    assert "mine.vit_micro.MRGB-RLDP-CRGB.top1" in flat
    assert "ffpp.cross.theirs.vit_micro.MRGB-RLDP-CRGB.auc" in flat
    ids = json.loads((results / "tasks/ffpp/cross/theirs/mlflow.json").read_text())["runs"]
    client = MlflowClient(f"sqlite:///{project.path}/mlflow.db")
    (logged,) = [client.get_run(id).data.metrics for id in ids.values()]
    assert logged["cross/theirs/image/auc"] == cross["runs"][0]["metrics"]["image/auc"]


def test_sensitivity_is_made_when_it_is_asked_for(project: Project) -> None:
    project.run("snakemake", "--cores", "8", "sensitivity")
    folder = project.path / "results/tasks/ffpp/sensitivity"
    found = json.loads((folder / "sensitivity.json").read_text())
    values = {(row["varied"], row["value"]) for row in found["rows"]}
    assert values == {("margin", m) for m in (1.0, 1.3, 1.6)} | {("frames", n) for n in (1, 2)}
    assert not (project.path / "results/tasks/mine/sensitivity").exists()
    assert project.snakemake_stale() == {"report", "track_report"}
    project.run("snakemake", "--cores", "2")
    assert 'id="sensitivity-ffpp"' in (project.path / "results/report.html").read_text()
    assert "Nothing to be done" in project.run("snakemake", "--cores", "8", "sensitivity")


def test_a_list_of_ones_own_makes_slices_in_the_page_and_in_mlflow(project: Project) -> None:
    results = project.path / "results"
    found = json.loads((results / "tasks/ffpp/slices_listed.json").read_text())
    (sliced,) = found["slices"]
    assert [group["group"] for group in sliced["groups"]] == ["a", "b"]
    assert found["list"]["unknown"] == 0
    assert "data/raw/skin.csv" in (results / "report.html").read_text()
    ids = json.loads((results / "tasks/ffpp/slices_listed.mlflow.json").read_text())["runs"]
    client = MlflowClient(f"sqlite:///{project.path}/mlflow.db")
    (logged,) = [client.get_run(id).data.metrics for id in ids.values()]
    assert logged["slice/skin/gap"] >= 0


def test_dvc_agrees_on_what_an_edit_of_these_makes_stale(project: Project) -> None:
    project.run("dvc", "commit", "--force")  # takes what Snakemake made; minutes less than repro
    assert project.snakemake_stale() == project.dvc_stale() == set()
    stale = {"cross@theirs", "track_cross@theirs", "report", "track_report"}
    file = project.path / "data/raw/theirs/test/fake/1.jpg"
    whole = file.read_bytes()
    file.write_bytes((project.path / "data/raw/theirs/test/real/0.jpg").read_bytes())
    steps = ("manifest", "faces", "texture", "splits", "audit", "lookalikes", "audit_cross")
    data = {f"{step}@theirs" for step in steps}
    assert project.snakemake_stale() == data | stale
    assert project.dvc_stale() == data | stale
    file.write_bytes(whole)
    with open(project.path / "data/raw/skin.csv", "a") as more:
        more.write("999,a\n")
    stale = {"slices_listed@ffpp", "track_slices@ffpp", "report", "track_report"}
    assert project.snakemake_stale() == stale
    assert project.dvc_stale() == stale
