"""params.yaml: strict, typed, and read alike by every YAML reader."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers import ROOT
from helpers.preset import LOADED
from ruamel.yaml import YAML
from scipy.stats import t as student

from lssat import grid, metrics, params
from lssat.tables import DataError

PRESETS = [ROOT / "params.yaml", *sorted((ROOT / "presets").glob("*.yaml"))]


@pytest.mark.parametrize("file", PRESETS, ids=lambda file: file.name)
def test_presets_are_valid_and_read_alike_by_both_readers(file: Path) -> None:
    loaded = params.load(file)
    assert loaded.runs()
    ours, dvcs = yaml.safe_load(file.read_text()), YAML(typ="safe").load(file.read_text())
    assert ours == dvcs


def test_params_yaml_is_the_sample_preset() -> None:
    assert (ROOT / "params.yaml").read_text() == (ROOT / "presets/sample.yaml").read_text()


def test_the_sample_preset_trains_its_grid_then_variants() -> None:
    runs, lists = LOADED.runs(), LOADED.benchmark
    grids = (lists.tasks, lists.backbones, lists.configurations, lists.seeds)
    size = math.prod(map(len, grids))
    more = lists.variants
    varied = math.prod(map(len, (more.tasks, more.backbones, more.configurations, lists.seeds)))
    assert len(runs) == len(set(runs)) == size + varied
    of_grid = [grid.parse(run.configuration).shared.slug == run.configuration for run in runs]
    assert of_grid == [True] * size + [False] * varied


def test_the_samples_grid_can_show_something_after_holms_correction() -> None:
    """By the seeds of a pair alone; the page says how great a difference that takes."""
    lists = LOADED.benchmark
    pairs = len(lists.backbones) * math.comb(len(lists.configurations), 2)
    seeds = len(lists.seeds)
    least = student.ppf(1 - 0.05 / (2 * pairs), seeds - 1) / math.sqrt(seeds)
    assert least < 4
    page = (ROOT / "docs/sample.md").read_text()
    assert f"for a difference of {least:.1f} standard deviations" in page


def test_view_gives_a_step_what_it_declares_and_nothing_else() -> None:
    loaded = params.load(ROOT / "params.yaml")
    text = params.section_json(loaded, "faces", task="ffpp")
    view = params.view(text, params.views.FacesView, task="ffpp")
    assert view.faces == loaded.faces
    assert view.datasets["ffpp"] == loaded.datasets.ffpp
    with pytest.raises(AttributeError):
        _ = view.train
    assert list(view.datasets) == ["ffpp"]


def test_of_a_section_a_step_sees_the_keys_that_it_watches_alone() -> None:
    view = params.view(str(ROOT / "params.yaml"), params.views.SpeedView)
    whole = params.load(ROOT / "params.yaml")
    assert view.faces.size == whole.faces.size
    for section, key in ((view.faces, "margin"), (view.evaluate, "seed"), (view.train, "epochs")):
        with pytest.raises(AttributeError, match=f"no attribute '{key}'"):
            getattr(section, key)
    assert params.READS["speed"] == [
        *(f"benchmark.{name}" for name in ("backbones", "configurations", "baselines")),
        *("benchmark.clip_tasks", "benchmark.clip_backbones", "faces.size", "train.threads"),
        *("train.head", "evaluate.batch_size"),
    ]
    assert params.READS["slices_listed"] == ["slices.min_n", "slices.lists.{task}", "evaluate"]
    assert params.READS["formats"] == ["datasets.{task}.shards", "datasets.{task}.root"]
    assert set(params.READS["audit_cross"]) == {
        "audit", "datasets.{task}.shards", "datasets.{home}.shards",
    }  # fmt: skip


def test_view_from_the_file_equals_view_from_the_json() -> None:
    loaded = params.load(ROOT / "params.yaml")
    for rule in params.READS:
        task = "ffpp" if rule == "slices_listed" else "celeba"  # which has a list
        text = params.section_json(loaded, rule, task=task, home="ffpp")
        by_file = params.view(
            str(ROOT / "params.yaml"), params.views.VIEWS[rule], task=task, home="ffpp"
        )
        assert params.view(text, params.views.VIEWS[rule], task=task, home="ffpp") == by_file


def test_a_key_that_is_new_to_lssat_makes_no_finished_run_stale(tmp_path: Path) -> None:
    """Neither left out nor written with its default is it in what a rule's jobs are known by."""
    text = (ROOT / "params.yaml").read_text()
    new = [name for name, field in params.Train.model_fields.items() if not field.is_required()]
    assert "tune" in new
    before, begins, train = text.partition("\ntrain:\n")
    older = re.sub(rf"^  ({'|'.join(new)}): .*\n", "", train, flags=re.MULTILINE)
    (tmp_path / "params.yaml").write_text(before + begins + older)
    both = [params.load(file) for file in (ROOT / "params.yaml", tmp_path / "params.yaml")]
    for rule in ("train", "report"):
        first, second = (params.section_json(loaded, rule) for loaded in both)
        assert first == second
        assert not set(new) & set(json.loads(first)["train"])
    assert (
        params.view(
            first := params.section_json(both[1], "train"), params.views.TrainView
        ).train.tune
        == "full"
    )
    (tmp_path / "params.yaml").write_text(text.replace("tune: full", "tune: norm"))
    changed = params.section_json(params.load(tmp_path / "params.yaml"), "train")
    assert json.loads(changed)["train"].pop("tune") == "norm"
    assert params.view(changed, params.views.TrainView).train.tune == "norm"
    assert changed != first


def test_case_16_a_params_file_that_is_not_there_names_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"params\.yaml: does not exist\. Copy one of presets/"):
        params.load(tmp_path / "params.yaml")


def _with(tmp_path: Path, old: str, new: str) -> Path:
    text = (ROOT / "params.yaml").read_text()
    assert old in text
    (tmp_path / "params.yaml").write_text(text.replace(old, new))
    return tmp_path / "params.yaml"


@pytest.mark.parametrize(("frames", "every"), [("null", "null"), ("2", "5")])
def test_either_frames_or_every_decides(tmp_path: Path, frames: str, every: str) -> None:
    file = _with(
        tmp_path, "    frames: 2\n    every: null", f"    frames: {frames}\n    every: {every}"
    )
    with pytest.raises(
        DataError,
        match=r":\d+: datasets\.ffpp\.every: one of frames and every must be a number, the",
    ):
        params.load(file)


def test_every_nth_frame_and_the_fast_detector_may_be_asked_for(tmp_path: Path) -> None:
    file = _with(tmp_path, "    frames: 2\n    every: null", "    frames: null\n    every: 10")
    assert params.load(file).datasets.ffpp.every == 10
    file = _with(tmp_path, "min_face_size: 40.0", "min_face_size: fast")
    assert params.load(file).faces.min_face_size == 20 / 0.709**2
    file = _with(tmp_path, "min_face_size: 40.0", "min_face_size: 7.0")
    with pytest.raises(
        DataError,
        match=r"faces\.min_face_size: Input should be greater than or equal to 8 \(found 7\.0\)",
    ):
        params.load(file)


OWN = """  mine:
    root: /data/mine
    shards: 2
    rejects_limit: 0.0
    kind: binary
    positive: fake
    faces: detect
"""
TASKS = ("tasks: [ffpp,", "tasks: [mine, ffpp,")


def _own(tmp_path: Path, section: str = OWN, *changes: tuple[str, str]) -> Path:
    """The sample preset with a data set of one's own."""
    text = (ROOT / "params.yaml").read_text()
    for old, new in [("\nfaces:\n", f"\n{section}faces:\n"), *changes]:
        assert old in text
        text = text.replace(old, new, 1)
    (tmp_path / "params.yaml").write_text(text)
    return tmp_path / "params.yaml"


def test_a_data_set_of_ones_own_has_a_section_like_any_other(tmp_path: Path) -> None:
    loaded = params.load(_own(tmp_path, OWN, TASKS))
    own = loaded.datasets.mine
    assert isinstance(own, params.Own)
    assert (own.media, own.metric, own.csv) == ("image", None, None)
    text = params.section_json(loaded, "faces", task="mine")
    assert params.view(text, params.views.FacesView, task="mine").datasets["mine"] == own
    assert loaded.runs()[0].task == "mine"
    video = OWN + "    every: 10\n"
    assert params.load(_own(tmp_path, video, TASKS)).datasets.mine.media == "video"


@pytest.mark.parametrize(
    ("section", "changes", "said"),
    [
        (OWN, [], "datasets.mine: is not in benchmark.tasks; add it there or leave this out"),
        (OWN.replace("mine", "fpp"), [], "or leave this out; did you mean ffpp?"),
        ("", [TASKS], "unknown 'mine'; known: ffpp, celeba, affectnet; your own data need a"),
        (OWN.replace("mine", "My"), [], "datasets.My: a name is a-z, then a-z, 0-9 and _"),
        (OWN.replace("kind:", "kin:"), [TASKS], "datasets.mine.kin: unknown key; did you mean"),
        (OWN.replace("    positive: fake\n", ""), [TASKS], "a binary task has one, no other"),
        (OWN.replace("binary", "multiclass"), [TASKS], "a binary task has one, no other"),
        (OWN.replace("detect", "box"), [TASKS], "folders tell one class each and no boxes"),
        (OWN + "    metric: eer\n", [TASKS], "datasets.mine.metric: unknown 'eer'; known: auc, ap"),
        (OWN + "    classes: [a, b]\n", [TASKS], "positive 'fake' is not one of classes"),
        (OWN + "    classes: [a, b, fake]\n", [TASKS], "a binary task has two classes"),
        (OWN + "    frames: 2\n    every: 2\n", [TASKS], "one of frames and every must be null"),
        (OWN + "    val_share: 0.9\n", [TASKS], "leave nothing to train on"),
        (OWN, [("cross: {}", "cross: {mine: ffpp}")], "datasets.mine: test_only must be true in"),
        (OWN + "    test_only: true\n", [TASKS], "test_only must be false in benchmark.tasks"),
    ],
)  # fmt: skip
def test_case_04_what_an_own_section_must_say(
    tmp_path: Path, section: str, changes: list, said: str
) -> None:
    with pytest.raises(DataError) as caught:
        params.load(_own(tmp_path, section, *changes))
    assert said in str(caught.value)


def test_case_03_tasks_cross_and_sections_disagree_in_one_message(tmp_path: Path) -> None:
    cross = ("cross: {}", "cross: {celebdf: ffpp, celeba: affectnet, mine: celeba}")
    tasks = ("tasks: [ffpp, celeba", "tasks: [dfdc, celeba")
    own = OWN.replace("binary\n    positive: fake", "multiclass") + "    test_only: true\n"
    with pytest.raises(DataError) as caught:
        params.load(_own(tmp_path, own, cross, tasks))
    message = str(caught.value)
    for said in (
        "benchmark.tasks: dfdc is only tested on; name it in benchmark.cross",
        "benchmark.cross: celebdf has no section datasets.celebdf; add it",
        "benchmark.cross: celeba is trained on; name it in benchmark.tasks",
        "benchmark.cross.celebdf: is tested with the runs of ffpp, which is not in benchmark.tasks",
        "benchmark.cross.mine: mine is multiclass, and the runs of celeba are multilabel; name",
        "datasets.ffpp: is not in benchmark.tasks; add it there or leave this out",
    ):
        assert said in message


def test_headlines_of_own_tasks_have_a_row_and_higher_is_better() -> None:
    for kind, names in metrics.HEADLINES.items():
        assert set(names) <= set(metrics.NAMES[kind])
        assert not set(names) & set(metrics.LOWER_IS_BETTER)


def test_dvc_watches_what_each_rule_reads() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    for rule in params.views.ON_REQUEST:
        assert rule not in stages
    for rule, reads in params.READS.items():
        if rule in params.views.ON_REQUEST:
            continue
        stage = stages[rule].get("do", stages[rule])
        given = stage.get("params", [])
        told = {each for each in given if isinstance(each, str)}
        told |= {key for each in given if isinstance(each, dict) for key in each["params.yaml"]}
        name = "${item.task}" if "matrix" in stage else "${key}"
        wanted = {key.replace("{task}", name).replace("{home}", "${item}") for key in reads}
        # A tree of the sample depends on the seed, not on which other trees are drawn.
        assert wanted <= told | {"sample"}, rule


def test_a_baseline_is_trained_as_any_run_but_for_its_list() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    train, baseline = dict(stages["train"]), dict(stages["baseline"])
    lists = baseline.pop("matrix")
    assert lists["configuration"] == [grid.SUPERVISED]
    assert lists["backbone"] == "${benchmark.baselines}"
    del train["matrix"]
    assert baseline == train
    clips = dict(stages["clips"])
    lists = clips.pop("matrix")
    assert lists["task"] == "${benchmark.clip_tasks}"
    assert lists["backbone"] == "${benchmark.clip_backbones}"
    assert clips == train
    watched = train.pop("params")
    for name in grid.BESIDE:
        varied = dict(stages[name])
        lists = varied.pop("matrix")
        assert lists.pop("seed") == "${benchmark.seeds}"
        assert [*lists.values()] == [f"${{benchmark.{name}.{key}s}}" for key in lists]
        assert varied.pop("params") == [*watched, "variants"]
        assert varied == train


def test_the_section_that_the_page_shows_is_valid() -> None:
    page = (ROOT / "docs/own-data.md").read_text()
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    shown = yaml.safe_load(block)
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    values["benchmark"] |= shown["benchmark"]
    values["datasets"] |= shown["datasets"]
    own = params.Params.model_validate(values).datasets.mine
    assert (own.csv, own.media, own.kind) == ("list.csv", "image", "multiclass")
    keys = set(re.findall(r"`(\w+)`", page)) & set(params.Own.model_fields)
    assert set(params.Own.model_fields) - keys - set(shown["datasets"]["mine"]) == {
        "clips", "clip_frames", "clip_stride",
    }  # fmt: skip


def cut(values: Any, defaulted: set[str]) -> Any:
    """Leave keys out, wherever they stand."""
    if not isinstance(values, dict):
        return values
    return {key: cut(value, defaulted) for key, value in values.items() if key not in defaulted}


@pytest.mark.parametrize("rule", params.READS)
def test_fault_d13_json_without_the_keys_that_have_a_default(rule: str) -> None:
    """Each step gets what it gets from params.yaml, which writes the defaults out."""
    task = "celeba" if rule == "slices" else "ffpp"
    whole = json.loads(
        params.section_json(params.load(ROOT / "params.yaml"), rule, task=task, home="ffpp")
    )
    defaulted = {"choose", "timeout", "memory", "every", "clips", "clip_frames"}
    less = cut(whole, defaulted)
    assert (less != whole) == any(f'"{name}":' in json.dumps(whole) for name in defaulted)
    assert params.view(
        json.dumps(less), params.views.VIEWS[rule], task=task, home="ffpp"
    ) == params.view(str(ROOT / "params.yaml"), params.views.VIEWS[rule], task=task, home="ffpp")


def test_fault_d13_defaults_are_those_of_the_file() -> None:
    given = {"faces": {"size": 80, "margin": 1.3, "min_face_size": 40.0, "threshold": 0.7}}
    given["datasets"] = {"mine": {"root": "x", "shards": 1, "rejects_limit": 0.0}}
    given["datasets"]["mine"] |= {"kind": "multiclass", "faces": "detect"}
    found = params.view(json.dumps(given), params.views.FacesView, task="mine")
    assert found.faces == params.load(ROOT / "params.yaml").faces
    own = found.datasets["mine"]
    assert (own.clip_frames, own.media) == (16, "image")
    assert (
        params.part(json.dumps(given), params.views.FacesView, task="mine")["faces"]["memory"]
        == 1024
    )
    shards = json.dumps({"datasets": {"ffpp": {"shards": 2}}})
    audit = params.view(str(ROOT / "params.yaml"), params.views.AuditView, task="ffpp")
    assert params.view(shards, params.views.AuditView, task="ffpp") == audit


@pytest.mark.parametrize(
    ("rule", "given", "problems"),
    [
        (
            "texture",
            '{"texture": {"kind": "ldp", "k": 3, "kindd": 1}}',
            ["texture.kindd: unknown key; did you mean kind?"],
        ),
        (
            "texture",
            '{"textures": {}}',
            ["textures: unknown key; did you mean texture", "texture.kind: is missing"],
        ),
        (
            "texture",
            '{"texture": {"kind": "ldp", "k": "3"}}',
            ["texture.k: Input should be a valid integer (found '3')"],
        ),
        ("texture", '{"texture": 3}', ["texture: is no section (found 3)"]),
        ("train", "{}", ["texture: is missing", "train: is missing"]),
        ("manifest", '{"datasets": {"celeba": {}}}', ["datasets.ffpp: is missing"]),
        (
            "manifest",
            '{"datasets": {"ffpp": {"root": "x", "rot": 1}}}',
            [
                "datasets.ffpp.rot: unknown key; did you mean root",
                "datasets.ffpp.shards: is missing",
            ],
        ),
        ("texture", '{"texture":', ["is not valid JSON"]),
    ],
)
def test_fault_d13_json_of_unknown_or_missing_keys_is_a_message(
    rule: str, given: str, problems: list[str]
) -> None:
    with pytest.raises(DataError) as caught:
        params.view(given, params.views.VIEWS[rule], task="ffpp")
    assert str(caught.value).startswith("--params: ")
    for problem in problems:
        assert problem in str(caught.value)


def test_fault_d13_known_keys_that_a_rule_does_not_read_do_not_reach_it() -> None:
    given = '{"texture": {"kind": "ldp", "k": 3, "encoding": "code"}, "faces": {"size": 9}}'
    assert vars(params.view(given, params.views.TextureView).texture) == {"kind": "ldp", "k": 3}
