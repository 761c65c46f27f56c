"""JSON between steps is held to its types; what is wrong is named with the way out."""

import copy
import re
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from helpers import drawn_cross, drawn_results
from helpers.scored import deepfake_rows, summarise

from lssat import tables
from lssat.tables import DataError, Metrics, Record, contracts, read_as, read_metrics, read_record
from lssat.tables import analysis_tables as analysis
from lssat.tables import data_tables as data
from lssat.training import record as record_of

RUN = "ffpp/vit_micro/MRGB-RLDP-CRGB/seed0"


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    return summarise(deepfake_rows([RUN], 20, 2.5), "ffpp")


def test_what_is_written_is_as_the_type_says(content: dict, tmp_path: Path) -> None:
    tables.write_json(tmp_path / "metrics.json", content)
    assert read_metrics(tmp_path / "metrics.json", *content) == content
    added = {"weights", "coverage_present", "unasked", "nearest"}  # by `lssat evaluate`
    assert content.keys() == get_type_hints(Metrics).keys() - added
    assert content["version"] == contracts.VERSION
    (row, *_), (run, *_) = content["table"], content["runs"]
    assert row.keys() == get_type_hints(tables.Row).keys() - {"val_loss"}
    assert run.keys() <= get_type_hints(tables.RunMetrics).keys()


def test_the_record_is_written_with_the_keys_of_its_type() -> None:
    source = Path(record_of.__file__).read_text()
    names = set(re.findall(r"^        (\w+)=", source, re.M)) - {"energy_kwh"}
    vouched = {"weights_sha256", "curve_sha256", "reconstruction_sha256", "costs"}
    of_run = {"task", "backbone", "configuration", "seed"}
    of_a_share = {"train_groups"}
    assert names | vouched | of_run | of_a_share == set(get_type_hints(Record))


def broken(content: dict[str, Any], change: Any) -> dict[str, Any]:
    found = copy.deepcopy(content)
    change(found)
    return found


def _set(*way: Any) -> Any:
    *places, name, value = way

    def change(content: Any) -> None:
        for place in places:
            content = content[place]
        content[name] = value

    return change


WRONG = [
    (lambda content: content.pop("table"), "lacks the key table"),
    (lambda content: content.pop("level"), "lacks the key level"),
    (_set("coverage", "much"), "coverage: "),
    (_set("classes", "real"), "classes: "),
    (_set("table", 0, "mean", "0.9"), "table.0.mean"),
    (lambda content: content["table"][1].pop("swept"), "table.1.swept: Field required"),
    (_set("runs", 0, "seed", None), "runs.0.seed: "),
    (_set("runs", 0, "sed", 0), "runs.0.sed: Extra inputs are not permitted"),
    (_set("table", 0, "maen", 0.9), "table.0.maen: Extra inputs are not permitted"),
    (_set("subsets", 0, "subsett", "x"), "subsets.0.subsett: Extra inputs"),
    (lambda content: content["subsets"][0].pop("subset"), "subsets.0.subset: Field required"),
    (lambda content: content["roc"][0].pop("fpr"), "roc.0.fpr: Field required"),
    (_set("roc", 0, "tpr", 0, "x"), "roc.0.tpr.0: "),
    (_set("ranks", 0, "best", 1.5), "ranks.0.best: "),
    (_set("n", "video", 1.5), "n.video: "),
]


@pytest.mark.parametrize(("change", "said"), WRONG)
def test_what_is_not_as_agreed_is_named_by_file_and_key(
    content: dict, tmp_path: Path, change: Any, said: str
) -> None:
    file = tmp_path / "metrics.json"
    tables.write_json(file, broken(content, change))
    with pytest.raises(DataError) as caught:
        read_metrics(file, "table", "level")
    assert f"{file}: " in str(caught.value)
    assert said in str(caught.value)
    assert "Run its step again" in str(caught.value)


def test_all_that_is_wrong_stands_in_one_message(content: dict, tmp_path: Path) -> None:
    file = tmp_path / "metrics.json"
    tables.write_json(file, content | {"coverage": "x", "level": 3} | {"groups": None})
    with pytest.raises(DataError, match=r"(?s)coverage.*level|level.*coverage"):
        read_metrics(file)


@pytest.mark.parametrize("read", [read_metrics, read_record])
@pytest.mark.parametrize(
    ("version", "said"),
    [(0, "again: remove"), (2, "Update lssat"), ("1", "again: remove"), (None, "again: remove")],
)
def test_another_version_says_what_to_do(
    tmp_path: Path, read: Any, version: Any, said: str
) -> None:
    tables.write_json(tmp_path / "x.json", {"version": version})
    with pytest.raises(DataError, match=rf"version is {version!r}, and this lssat reads 1.*") as e:
        read(tmp_path / "x.json")
    assert said in str(e.value)


def test_files_of_before_there_were_versions_are_read(content: dict, tmp_path: Path) -> None:
    """A finished project is carried over by `lssat sync --code`: nothing is trained again."""
    old = {key: value for key, value in content.items() if key != "version"}
    tables.write_json(tmp_path / "metrics.json", old)
    assert read_metrics(tmp_path / "metrics.json", "table") == old


KINDS = [
    *((analysis.Robustness, "robustness"), (analysis.Explanations, "explain")),
    *((analysis.FormatProbe, "format"), (analysis.Speed, "speed")),
    *((analysis.Sensitivity, "sensitivity"), (analysis.Slices, "slices")),
    *((data.SplitsSummary, "splits"), (data.Audit, "audit"), (data.Lookalikes, "lookalikes")),
    (data.Across, "across"),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A file of each kind, as tests of the step and of the report hold them."""
    of_tasks, across = drawn_cross.draw(tmp_path_factory.mktemp("drawn"))
    task = drawn_results.sensitive(of_tasks["ffpp"], "ffpp")
    return vars(task) | {"slices": task.slices[0], "across": across["celebdf"].across}


@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_each_key_that_a_kind_requires_must_be_there(
    files: dict[str, Path], tmp_path: Path, kind: Any, name: str
) -> None:
    """Also one that an lssat of before did not write."""
    content = tables.read_json(files[name])
    assert read_as(files[name], kind) == content
    for key in kind.__required_keys__:
        others = {other: value for other, value in content.items() if other != key}
        tables.write_json(tmp_path / "x.json", others)
        with pytest.raises(DataError, match=rf"x\.json: lacks the key {key}\. Run its step again"):
            read_as(tmp_path / "x.json", kind)


@pytest.mark.parametrize(
    ("kind", "name", "change", "said"),
    [
        (analysis.Robustness, "robustness", _set("rows", 0, "maen", 1), "rows.0.maen: Extra"),
        (analysis.Robustness, "robustness", _set("rows", 0, "clean", "low", "x"), "0.clean.low: "),
        (analysis.Slices, "slices", _set("rows", 0, "groups", 0, "n", 1.5), "rows.0.groups.0.n: "),
        (analysis.Explanations, "explain", _set("errors", 0, "shard", None), "errors.0.shard: "),
        (data.Lookalikes, "lookalikes", _set("pairs", 0, "of", "1"), "pairs.0.of: "),
    ],
)
def test_a_value_of_another_type_is_named_in_every_kind(
    files: dict[str, Path], tmp_path: Path, kind: Any, name: str, change: Any, said: str
) -> None:
    tables.write_json(tmp_path / "x.json", broken(tables.read_json(files[name]), change))
    with pytest.raises(DataError, match=rf"x\.json: .*{re.escape(said)}.*Run its step again"):
        read_as(tmp_path / "x.json", kind)


def test_a_kind_of_another_version_says_what_to_do(files: dict[str, Path], tmp_path: Path) -> None:
    for version, said in ((0, "Run its step again"), (2, "Update lssat")):
        content = tables.read_json(files["robustness"]) | {"version": version}
        tables.write_json(tmp_path / "x.json", content)
        with pytest.raises(DataError, match=rf"version is {version}, .*reads 1\. {said}"):
            read_as(tmp_path / "x.json", analysis.Robustness)


PLACE = "celeba/vit_micro/MRGB-RLDP-CRGB/seed0"


@pytest.mark.parametrize(
    ("place", "run", "said"),
    [
        (f"runs/{PLACE}", PLACE, None),
        (
            f"runs/{PLACE}",
            PLACE.replace("seed0", "seed1"),
            f"is of the run {PLACE[:-1]}1, not of {PLACE}",
        ),
        (f"runs/{PLACE}", PLACE.replace("celeba", "ffpp"), "is of the run ffpp/"),
        (f"runs/{PLACE.replace('CRGB/', 'CRGB-lambda0.1/')}", PLACE, None),  # repeats it
        (f"copies/{PLACE}", PLACE.replace("seed0", "seed1"), None),  # any folder may hold a copy
        ("best", PLACE, None),
    ],
)
def test_a_record_of_another_run_in_a_runs_folder_is_refused(
    tmp_path: Path, place: str, run: str, said: str | None
) -> None:
    file = tmp_path / place / "record.json"
    tables.write_json(file, {"version": 1, "run": run})
    if said is None:
        assert read_record(file)["run"] == run
    else:
        with pytest.raises(DataError) as caught:
            read_record(file)
        assert said in caught.value.problem


@pytest.mark.parametrize(
    ("place", "dataset", "said"),
    [
        ("results/tasks/celeba", "celeba", None),
        ("results/tasks/celeba", "ffpp", "is of ffpp, not of celeba"),
        ("results/tasks/ffpp/cross/dfdc", "dfdc", None),
        ("results/tasks/ffpp/cross/dfdc", "ffpp", "is of ffpp, not of dfdc"),
        ("elsewhere/celeba", "ffpp", None),
    ],
)
def test_metrics_of_another_data_set_in_a_tasks_folder_are_refused(
    tmp_path: Path, place: str, dataset: str, said: str | None
) -> None:
    file = tmp_path / place / "metrics.json"
    tables.write_json(file, {"version": 1, "dataset": dataset})
    if said is None:
        assert read_metrics(file)["dataset"] == dataset
    else:
        with pytest.raises(DataError) as caught:
            read_metrics(file)
        assert said == caught.value.problem
