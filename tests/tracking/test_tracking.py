"""MLflow: a real SQLite database, logged once, brought up to date, opened by many at once."""

import json
import math
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from helpers import ROOT
from helpers.tracked import measured, trained
from mlflow.tracking import MlflowClient

from lssat.grid import states
from lssat.tables import DataError, read_json, write_json
from lssat.tracking import entry, names, parents, store, view
from lssat.tracking import runs as tracking

NAME = "ffpp/vit_micro/MRGB-RLDP-CRGB/seed0"


def written(folder: Path, digest: str = "abc", auc: float | None = 0.8) -> tracking.Files:
    run = trained(folder, digest=digest)
    write_json(folder / "metrics.json", measured(auc))
    return tracking.Files(
        {NAME: run}, folder / "metrics.json", folder / "mlflow.db", folder / "art",
        folder / "mlflow.json",
    )  # fmt: skip


@pytest.fixture
def client(fresh: Path, tmp_path: Path) -> MlflowClient:
    shutil.copy(fresh, tmp_path / "mlflow.db")
    return MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")


@pytest.mark.slow
def test_a_run_is_logged_whole(tmp_path: Path, client: MlflowClient) -> None:
    tracking.track("ffpp", written(tmp_path), "lssat", None)
    told = json.loads((tmp_path / "mlflow.json").read_text())
    assert told["experiment"] == "lssat-ffpp"
    run = client.get_run(told["runs"][NAME])
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "vit_micro MRGB-RLDP-CRGB seed0"
    assert run.data.params["train.lr"] == "0.001"
    assert run.data.params["configuration"] == "MRGB/RLDP/CRGB"
    parts = [run.data.params[name] for name in ("masked", "reconstructed", "classified")]
    assert parts == ["RGB", "LDP", "RGB"]
    assert run.data.tags["lssat.run"] == NAME
    assert run.data.tags["mlflow.source.git.commit"] == "f" * 40
    assert run.data.tags["mlflow.source.name"] == f"lssat train --run {NAME}"
    assert json.loads(run.data.tags["lssat.data_sha256"]) == {"train": "1", "val": "2"}
    names = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert names == {"record.json", "curve.csv", "curves.svg"}
    note = run.data.tags["mlflow.note.content"]
    assert f"(get-artifact?path=curves.svg&run_uuid={run.info.run_id})" in note
    assert f"`snakemake --cores 8 --forcerun train -- runs/{NAME}/record.json`" in note


@pytest.mark.slow
def test_times_are_those_at_which_things_happened(tmp_path: Path, client: MlflowClient) -> None:
    tracking.track("ffpp", written(tmp_path), "lssat", None)
    run_id = json.loads((tmp_path / "mlflow.json").read_text())["runs"][NAME]
    start, info = 1_700_000_000_000, client.get_run(run_id).info
    assert (info.start_time, info.end_time) == (start, start + 3000)

    def history(name: str) -> list[tuple]:
        found = client.get_metric_history(run_id, name)
        return [(each.step, each.value, each.timestamp - start) for each in found]

    assert history("loss_rec") == [(0, 1.2, 1000), (1, 1.0, 2500)]
    assert history("val_auc") == history("Headline_val") == [(1, 0.75, 2500)]
    assert history("test_video_auc") == [(0, 0.8, 3000)]
    (step, value, at), last = history("Headline_test")  # unknown at first, to be the first of all
    assert (step, at, math.isnan(value), last) == (0, 0, True, (0, 0.8, 3000))
    assert history("run_seconds") == [(0, 1.5, 3000)]


@pytest.mark.slow
def test_charts_are_not_split_by_slashes_and_the_headline_is_first(
    tmp_path: Path, client: MlflowClient
) -> None:
    tracking.track("ffpp", written(tmp_path), "lssat", None)
    run_id = json.loads((tmp_path / "mlflow.json").read_text())["runs"][NAME]
    found = client.get_run(run_id).data.metrics
    assert not [name for name in found if "/" in name]
    assert sorted(found)[:2] == [names.HEADLINE, names.CURVE]  # as MLflow's pages sort charts


@pytest.mark.slow
def test_splits_are_inputs_and_weights_a_model_with_its_metrics(
    tmp_path: Path, client: MlflowClient
) -> None:
    files = written(tmp_path)
    for _ in range(2):
        tracking.track("ffpp", files, "lssat", None)
    run = client.get_run(json.loads((tmp_path / "mlflow.json").read_text())["runs"][NAME])
    inputs = [(each.dataset.name, each.dataset.digest) for each in run.inputs.dataset_inputs]
    assert sorted(inputs) == [("ffpp train", "1"), ("ffpp val", "2")]
    (output,) = run.outputs.model_outputs
    model = client.get_logged_model(output.model_id)
    assert (model.status, model.source_run_id) == ("READY", run.info.run_id)
    measured = {each.key: each.value for each in model.metrics}
    assert measured["Headline_test"] == measured["test_video_auc"] == 0.8
    (file,) = client.list_logged_model_artifacts(model.model_id)
    assert file.path == "weights.safetensors"
    stored = Path(model.artifact_location.removeprefix("file://")) / file.path
    assert stored.samefile(files.runs[NAME] / "weights.safetensors")  # it lies on the disk once


@pytest.mark.slow
def test_a_record_without_times_is_logged_once_too(tmp_path: Path, client: MlflowClient) -> None:
    """Of a run that was trained before records had them."""
    files = written(tmp_path)
    old = read_json(files.runs[NAME] / "record.json")
    del old["times"], old["predicts"]
    write_json(files.runs[NAME] / "record.json", {k: v for k, v in old.items() if k != "seal"})
    ids = []
    for _ in range(2):
        tracking.track("ffpp", files, "lssat", None)
        ids.append(json.loads((tmp_path / "mlflow.json").read_text())["runs"][NAME])
    assert ids[0] == ids[1]
    info = client.get_run(ids[0]).info
    assert info.end_time - info.start_time == 1500


@pytest.mark.slow
def test_the_experiment_opens_a_table_that_says_what_each_run_is(
    tmp_path: Path, client: MlflowClient
) -> None:
    tracking.track("ffpp", written(tmp_path), "lssat", None)
    tags = client.get_experiment_by_name("lssat-ffpp").tags
    shown = json.loads(tags["mlflow.sharedViewState.lssat"])
    wanted = [f"params.`{name}`" for name in ("backbone", "configuration", "seed", "variant")]
    assert shown["selectedColumns"][:5] == ["metrics.`Headline_test`", *wanted]
    assert shown["orderByKey"] == "metrics.`Headline_test`"
    assert "&viewStateShareKey=lssat)" in tags["mlflow.note.content"]


@pytest.mark.slow
def test_a_new_view_comes_to_an_old_experiment_and_leaves_what_its_owner_wrote(
    tmp_path: Path, client: MlflowClient
) -> None:
    connect = (None, tmp_path / "mlflow.db", "lssat-ffpp", tmp_path / "art")
    _, own = tracking.connect(*connect)
    client.set_experiment_tag(own, "mlflow.sharedViewState.lssat", "{}")
    client.set_experiment_tag(own, "mlflow.note.content", "mine")
    tracking.connect(*connect)
    tags = client.get_experiment(own).tags
    assert tags["mlflow.sharedViewState.lssat"] == view.shared()
    assert tags["mlflow.note.content"] == "mine"


@pytest.mark.slow
def test_logging_again_changes_nothing_and_a_retrained_run_stands_beside_the_old(
    tmp_path: Path, client: MlflowClient
) -> None:
    ids = []
    for digest, auc in (("abc", 0.8), ("abc", 0.8), ("abc", 0.9), ("new", 0.7)):
        tracking.track("ffpp", written(tmp_path, digest, auc), "lssat", None)
        ids.append(json.loads((tmp_path / "mlflow.json").read_text())["runs"][NAME])
    assert ids[0] == ids[1] == ids[2] != ids[3]
    assert client.get_run(ids[0]).data.metrics["test_video_auc"] == 0.9
    assert client.get_run(ids[3]).data.metrics["test_video_auc"] == 0.7


@pytest.mark.slow
def test_case_34_a_run_that_a_killed_process_left_open_is_completed(
    tmp_path: Path, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = written(tmp_path)
    for place, name in ((entry, "log_epochs"), (tracking, "_log_weights"), (tracking, "_costs")):
        with monkeypatch.context() as broken:
            broken.setattr(place, name, lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                tracking.track("ffpp", files, "lssat", None)
    tracking.track("ffpp", files, "lssat", None)
    experiment = client.get_experiment_by_name("lssat-ffpp").experiment_id
    (found,) = client.search_runs([experiment], f"tags.`lssat.run` = '{NAME}'")
    assert found.info.status == "FINISHED"
    assert len(client.get_metric_history(found.info.run_id, "loss_rec")) == 2


@pytest.mark.slow
def test_an_undefined_metric_is_left_out(tmp_path: Path, client: MlflowClient) -> None:
    tracking.track("ffpp", written(tmp_path, auc=None), "lssat", None)
    run_id = json.loads((tmp_path / "mlflow.json").read_text())["runs"][NAME]
    assert set(client.get_run(run_id).data.metrics) >= {"test_frame_auc", "run_seconds"}
    assert "test_video_auc" not in client.get_run(run_id).data.metrics
    assert math.isnan(client.get_run(run_id).data.metrics["Headline_test"])


@pytest.mark.slow
def test_case_34_many_jobs_open_a_new_database_at_once_and_all_succeed(tmp_path: Path) -> None:
    """Forked from a process that has imported MLflow, so that they meet at the file."""
    code = """
import os, sys
from pathlib import Path
import mlflow.store.tracking.sqlalchemy_store
from lssat.tracking import runs as tracking
jobs = []
for n in range(4):
    if not (job := os.fork()):
        tracking.connect(None, Path("mlflow.db"), f"lssat-{n % 2}", Path("art"))
        sys.exit()
    jobs.append(job)
print([os.waitpid(job, 0)[1] for job in jobs])
"""
    line = [sys.executable, "-c", code]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "[0, 0, 0, 0]\n", done.stderr
    found = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db").search_experiments()
    assert {each.name for each in found} == {"Default", "lssat-0", "lssat-1"}


@pytest.mark.slow
def test_results_across_data_sets_are_added_to_the_run(
    tmp_path: Path, client: MlflowClient
) -> None:
    files = written(tmp_path)
    tracking.track("ffpp", files, "lssat", None)
    metrics = {"runs": [{"run": NAME, "metrics": {"video/auc": 0.6, "frame/auc": None}}]}
    write_json(tmp_path / "cross.json", metrics)
    out = tmp_path / "cross_ids.json"
    given = "cross/celebdf/", tmp_path / "cross.json", files.out, files.database, None, out
    for _ in range(2):
        tracking.track_more(*given)
    told = read_json(out)
    tracked = read_json(files.out)
    assert told == {key: tracked[key] for key in ("experiment", "runs")}
    found = client.get_run(told["runs"][NAME]).data.metrics
    assert found["cross_celebdf_video_auc"] == 0.6
    assert found["test_video_auc"] == 0.8
    assert "cross_celebdf_frame_auc" not in found
    assert len(client.get_metric_history(told["runs"][NAME], "cross_celebdf_video_auc")) == 1
    with pytest.raises(DataError, match=r"mlflow\.json: names the experiment lssat-ffpp, which"):
        tracking.track_more(*given[:3], tmp_path / "other.db", None, out)


@pytest.mark.slow
def test_case_37_slices_are_added_under_names_that_mlflow_takes(
    tmp_path: Path, client: MlflowClient
) -> None:
    files = written(tmp_path)
    tracking.track("ffpp", files, "lssat", None)
    told = {"Male/gap": 0.25, "skin (I-VI) @ 50%/worst": 0.5}
    told |= {"skin [I-VI] @ 50%/worst": 0.25, "skin {I-VI} @ 50%/worst": 0.75}  # spelt alike there
    told |= {"<script>$x_=1+1\n/gap": 0.125, "a//b/../gap": 0.75, f"{'long' * 90}/gap": 0.875}  # 37
    write_json(tmp_path / "slices.json", {"runs": [{"run": NAME, "metrics": told}]})
    out = tmp_path / "slices.mlflow.json"
    tracking.track_more("slice/", tmp_path / "slices.json", files.out, files.database, None, out)
    found = client.get_run(json.loads(out.read_text())["runs"][NAME]).data.metrics
    assert found["slice_Male_gap"] == 0.25
    assert found["slice_skin _I-VI_ _ 50__worst"] == 0.5
    assert found["slice_skin _I-VI_ _ 50__worst 2"] == 0.25
    assert found["slice_skin _I-VI_ _ 50__worst 3"] == 0.75
    assert found["slice__script__x__1_1__gap"] == 0.125
    assert found["slice_a__b_.._gap"] == 0.75
    assert found[f"slice_{'long' * 20}_gap"] == 0.875


THEIRS = "ffpp/xception/external/seed0"


def with_others(content: dict, run: str, sha256: str, auc: float = 0.9) -> dict:
    """Add a row of another program to the parts of a metrics.json."""
    about = {"run": run, "backbone": "xception", "configuration": "external", "seed": 0}
    own = {**content["runs"][0], **about, "external": {"file": "x.csv", "sha256": sha256}}
    own["metrics"] = {f"video/{name}": auc for name in ("auc", "accuracy", "balanced_accuracy")}
    row = {**content["table"][0], "backbone": "xception", "configuration": "external"}
    row |= {"runs": [run], "mean": auc, "values": [auc]}
    return {**content, "runs": [*content["runs"], own], "table": [*content["table"], row]}


@pytest.mark.slow
def test_rows_of_other_programs_are_runs_that_are_marked(
    tmp_path: Path, client: MlflowClient
) -> None:
    files, told = written(tmp_path), []
    near = {**measured(0.65)["table"][0], "neighbours": [20]}
    del near["swept"], near["collapsed"]
    for sha256 in ("one", "one", "two"):
        content = with_others(measured(0.8), THEIRS, sha256) | {"nearest": [near]}
        write_json(files.metrics, content)
        tracking.track("ffpp", files, "lssat", None)
        told.append(read_json(files.out))
    first, again, changed = (each["runs"][THEIRS] for each in told)
    assert first == again != changed
    run = client.get_run(changed)
    assert run.info.status == "FINISHED"
    assert run.data.tags["lssat.external"] == "x.csv"
    assert run.data.tags["mlflow.parentRunId"] == told[-1]["parent"]
    assert run.data.params == {
        "backbone": "xception", "configuration": "external", "seed": "0",
        "file": "x.csv", "file_sha256": "two",
    }  # fmt: skip
    ours = client.get_run(told[-1]["runs"][NAME]).data
    assert "lssat.external" not in ours.tags
    assert (run.data.metrics["Headline_test"], ours.metrics["Headline_test"]) == (0.9, 0.8)
    assert run.data.metrics["test_baseline"] == 0.5
    assert ours.metrics["test_video_knn_auc"] == 0.65
    assert "test_video_knn_auc" not in run.data.metrics
    parent = client.get_run(told[-1]["parent"])
    assert parent.info.run_name == states.named({NAME: "abc"})
    assert parent.data.params["backbones"] == "vit_micro"
    assert "| xception | external | 0.900 | " in parent.data.tags["mlflow.note.content"]
    # What is measured later knows them too: slices, and other data sets with rows of their own.
    away = "celebdf/xception/external/seed0"
    for prefix, more in (
        ("slice/", {"runs": [{"run": THEIRS, "metrics": {"Male/gap": 0.25}}]}),
        ("cross/celebdf/", with_others(measured(0.6), away, "three", 0.7)),
    ):
        write_json(tmp_path / "more.json", more)
        given = tmp_path / "more.json", files.out, files.database, None, tmp_path / "out.json"
        for _ in range(2):
            tracking.track_more(prefix, *given)
    assert client.get_run(changed).data.metrics["slice_Male_gap"] == 0.25
    added = client.get_run(read_json(tmp_path / "out.json")["runs"][away])
    assert added.data.metrics["cross_celebdf_video_auc"] == 0.7
    assert added.data.tags["mlflow.parentRunId"] == told[-1]["parent"]
    assert len(entry.runs(client, added.info.experiment_id, away)) == 1


@pytest.mark.slow
def test_a_state_of_the_grid_is_one_parent_of_its_runs(
    tmp_path: Path, client: MlflowClient
) -> None:
    told = []
    for digest in ("abc", "abc", "new"):
        tracking.track("ffpp", written(tmp_path, digest), "lssat", None)
        told.append(json.loads((tmp_path / "mlflow.json").read_text()))
    first, again, retrained = told
    assert first == again
    assert first["parent"] != retrained["parent"]
    for each in (first, retrained):
        child = client.get_run(each["runs"][NAME])
        assert child.data.tags["mlflow.parentRunId"] == each["parent"]
    parent = client.get_run(first["parent"])
    assert parent.info.status == "FINISHED"
    assert parent.data.metrics == {}  # charts are of runs
    row = "| vit_micro | MRGB/RLDP/CRGB | 0.800 | 0.700 to 0.900 |"
    assert row in parent.data.tags["mlflow.note.content"]
    assert parent.data.params["backbones"] == "vit_micro"


def test_a_state_is_its_runs_and_weights_in_any_order() -> None:
    one = states.state({"a": "1", "b": "2"})
    assert one == states.state({"b": "2", "a": "1"})
    assert len({one, states.state({"a": "2", "b": "1"}), states.state({"a": "1"})}) == 3


@pytest.mark.slow
def test_metrics_have_names_that_every_task_has(tmp_path: Path, client: MlflowClient) -> None:
    tracking.track("ffpp", written(tmp_path), "lssat", None)
    run_id = json.loads((tmp_path / "mlflow.json").read_text())["runs"][NAME]
    found = client.get_run(run_id).data.metrics
    wanted = {"baseline": 0.5, "accuracy": 0.6, "balanced_accuracy": 0.55, "collapsed": 0}
    assert {name: found[f"test_{name}"] for name in wanted} == wanted
    assert found["Headline_test"] == 0.8
    content = measured(None) | {"kind": "multiclass", "metric": "top1", "level": "image"}
    mine = {"image/top1": 0.3, "image/balanced_accuracy": 0.2}
    content["runs"][0]["metrics"] = mine
    content["table"][0] |= {"level": "image", "metric": "top1", "baseline": 0.125}
    assert parents.alike(content, content["runs"][0]) == {
        "headline": 0.3, "baseline": 0.125, "accuracy": 0.3, "balanced_accuracy": 0.2,
        "collapsed": 0.0,
    }  # fmt: skip


@pytest.mark.slow
def test_the_report_is_attached_to_the_parent_once(tmp_path: Path, client: MlflowClient) -> None:
    files = written(tmp_path)
    tracking.track("ffpp", files, "lssat", None)
    page, out = tmp_path / "report.html", tmp_path / "held.json"
    parent = json.loads(files.out.read_text())["parent"]
    copies = []
    for text in ("one", "one", "two"):
        page.write_text(text)
        tracking.track_report([files.out], [page], files.database, None, out)
        (held,) = client.list_artifacts(parent, "report")
        copies.append(Path(client.download_artifacts(parent, held.path)).stat().st_mtime_ns)
        assert Path(client.download_artifacts(parent, held.path)).read_text() == text
    assert copies[0] == copies[1] != copies[2]
    assert read_json(out) == {"lssat-ffpp": parent}


@pytest.mark.parametrize("name", ["a?b", "it's 5\" wide"])
def test_a_folder_that_mlflow_cannot_name_is_refused_and_nothing_is_written_beside_it(
    name: str, tmp_path: Path
) -> None:
    """An address ends at its question mark: the database would be the file `a`."""
    (tmp_path / name).mkdir()
    with pytest.raises(DataError) as told:
        store.client(None, tmp_path / name / "mlflow.db")
    assert str(told.value).startswith(f"{tmp_path / name}/mlflow.db: MLflow takes no database")
    assert [*tmp_path.rglob("*")] == [tmp_path / name]


@pytest.mark.parametrize("name", ["50%", "it's", "a#b", "sp ace", "é", "%3F", "{x}", "a:b"])
def test_other_names_of_folders_are_good(name: str, tmp_path: Path) -> None:
    store.check_place(tmp_path / name / "mlflow.db")


@pytest.mark.slow
def test_a_report_of_pulled_results_is_attached_to_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    tracked, out = tmp_path / "ids.json", tmp_path / "held.json"
    write_json(tracked, {"experiment": "x", "parent": "f" * 32, "runs": {}})
    page = tmp_path / "report.html"
    page.write_text("")
    tracking.track_report([tracked], [page], tmp_path / "new.db", None, out)
    assert read_json(out) == {"x": None}
    assert "ids.json: names the run ffff" in capsys.readouterr().out


def _garbage(file: Path) -> None:
    file.write_bytes(b"garbage" * 1000)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _torn(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[4096:20480] = bytes(16384)
    file.write_bytes(data)


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> tracking.Files:
    files = written(tmp_path_factory.mktemp("logged"))
    tracking.track("ffpp", files, "lssat", None)
    return files


@pytest.mark.slow
@pytest.mark.parametrize("damage", [_garbage, _cut, _torn])
def test_fault_f4_a_damaged_database_is_named_in_one_message(
    tmp_path: Path, logged: tracking.Files, damage: Callable[[Path], None]
) -> None:
    database = tmp_path / "mlflow.db"
    shutil.copy(logged.database, database)
    damage(database)
    before, out = database.read_bytes(), tmp_path / "o.json"
    for step in (
        lambda: tracking.connect(None, database, "lssat-ffpp", tmp_path),
        lambda: tracking.track_report([logged.out], [], database, None, out),
        lambda: tracking.track_more("slice/", logged.out, logged.out, database, None, out),
    ):
        with pytest.raises(DataError, match=r"mlflow\.db: is damaged \(.*\)\. Put back") as caught:
            step()
        assert "\n" not in str(caught.value)
    assert database.read_bytes() == before
    assert not out.exists()


def _nothing(file: Path) -> None:
    file.touch()


def _no_tables(file: Path) -> None:
    with closing(sqlite3.connect(file)) as base, base:
        base.execute("CREATE TABLE alembic_version (version_num)")


def _half_way(file: Path) -> None:
    """As MLflow leaves it when it is killed while it makes its tables."""
    with closing(sqlite3.connect(file)) as base, base:
        base.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
        base.execute("DROP TABLE tags")
        base.execute("DELETE FROM experiments")


@pytest.fixture
def quick(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow takes seconds to make its tables: here it copies them."""

    class Quick:
        def __init__(self, tracking_uri: str):
            place = Path(tracking_uri.removeprefix("sqlite:///"))
            if not place.exists():
                shutil.copy(fresh, place)

        def search_experiments(self, max_results: int) -> None:
            pass

    monkeypatch.setattr("mlflow.tracking.MlflowClient", Quick)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("half", [_nothing, _no_tables, _half_way])
def test_fault_f4_a_half_made_database_is_made_anew(
    tmp_path: Path, fresh: Path, half: Callable[[Path], None], capsys: pytest.CaptureFixture
) -> None:
    file = tmp_path / "mlflow.db"
    if half is _half_way:
        shutil.copy(fresh, file)
    half(file)
    Path(f"{file}-journal").touch()
    store.client(None, file)
    said = f"{file}: was half made, and nothing is in it; made anew\n"
    assert capsys.readouterr().err == said
    assert file.read_bytes() == fresh.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]


@pytest.mark.usefixtures("quick")
def test_fault_f4_a_database_that_is_whole_is_kept(
    tmp_path: Path, fresh: Path, logged: tracking.Files, capsys: pytest.CaptureFixture
) -> None:
    """`mlflow ui` before the first run makes one, and holds it open."""
    for whole in (fresh, logged.database):
        file = tmp_path / whole.parent.name / "mlflow.db"
        file.parent.mkdir()
        shutil.copy(whole, file)
        inode = file.stat().st_ino
        store.client(None, file)
        assert file.stat().st_ino == inode
        assert [path.name for path in file.parent.iterdir()] == ["mlflow.db"]
    assert capsys.readouterr().err == ""


def test_fault_f4_a_full_disk_leaves_no_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def __init__(self, tracking_uri: str):
            Path(tracking_uri.removeprefix("sqlite:///")).write_bytes(b"half")

        def search_experiments(self, max_results: int) -> None:
            raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("mlflow.tracking.MlflowClient", Full)
    said = r"mlflow\.db: cannot be written: database or disk is full \([\d,]+ bytes free\)\. Free"
    with pytest.raises(DataError, match=said):
        tracking.connect(None, tmp_path / "mlflow.db", "x", tmp_path / "art")
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db.lock"]


@pytest.mark.parametrize("scheme", ["http", "postgresql", "nothing"])
def test_fault_d16_a_server_that_does_not_answer_is_one_message(
    tmp_path: Path, scheme: str
) -> None:
    files = written(tmp_path)
    with socket.socket() as held:  # a port that nobody listens at
        held.bind(("127.0.0.1", 0))
        uri = f"{scheme}://me:secret@127.0.0.1:{held.getsockname()[1]}"
        with pytest.raises(DataError) as caught:
            tracking.track("ffpp", files, "lssat", uri)
    said = str(caught.value)
    place = uri.replace("me:secret@", "")
    assert said.startswith(f"params.yaml: tracking.uri {place}: MLflow's server gives no answer")
    assert "secret" not in said
    assert "\n" not in said
    assert not files.out.exists()


def test_fault_d16_a_server_is_asked_once_and_later_with_patience() -> None:
    """MLflow's own retries take four minutes; they are right once a server has answered."""
    names = ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT")
    before = [os.environ.get(name) for name in names]
    with store._impatient():
        assert int(os.environ[names[0]]) == 0
        assert int(os.environ[names[1]]) <= 10
    assert [os.environ.get(name) for name in names] == before


def test_fault_d16_the_report_comes_first_and_waits_for_nothing_of_mlflow() -> None:
    root = ROOT
    stages = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]
    needed = [dep for dep in stages["report"]["deps"] if isinstance(dep, str)]
    assert not [dep for dep in needed if "results/mlflow/x.json".startswith(f"{dep}/")]
    assert "results/report.html" in stages["track"]["deps"]
    rules = (root / "workflow/rules/runs.smk").read_text().split("\n\n\nrule ")
    report, track = (next(r for r in rules if r.startswith(f"{n}:")) for n in ("report", "track"))
    assert "mlflow" not in report
    assert 'REPORT["report"]' in track.split("output:")[0]


def test_a_parents_description_flags_what_collapsed() -> None:
    """As every table does: one row of the sample's read 0.634 there, and nothing else."""
    told: dict[str, str] = {}
    client = SimpleNamespace(set_tag=lambda _, key, text: told.update({key: text}))
    row = dict(level="video", metric="auc", configuration="none/none/CRGB", low=0.5, high=0.75)
    row |= dict(mean=0.625, baseline=0.5)
    rows = [row | dict(backbone=name, collapsed=name == "b") for name in "ab"]
    parents.describe(
        client, "parent", dict(level="video", metric="auc", confidence=0.95, table=rows)
    )
    assert told["mlflow.note.content"].splitlines() == [
        "video auc on the test split, mean over seeds with its 95 % interval; the trivial baseline "
        "has 0.500:",
        "",
        "| backbone | configuration | mean | interval | flag |",
        "|---|---|---|---|---|",
        "| a | none/none/CRGB | 0.625 | 0.500 to 0.750 |  |",
        "| b | none/none/CRGB | 0.625 | 0.500 to 0.750 | collapsed |",
    ]
