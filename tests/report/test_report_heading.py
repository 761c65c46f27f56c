"""Title and note of the report follow from what was run, unless the user gives them."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers import ROOT
from helpers import drawn_results as drawn

from lssat import params, report
from lssat.params import init
from lssat.report.sections import heading

OURS = "data/raw/sample/"
TITLES = {"ffpp": "Deepfake detection (FaceForensics++)", "celeba": "Face attributes (CelebA)"}


def asked(roots: dict[str, str], trees: tuple[str, ...] = ("ffpp", "celeba"), **own: Any) -> dict:
    datasets = {name: {"root": root} for name, root in roots.items()}
    return {"report": own, "sample": {"trees": list(trees)}, "datasets": datasets}


@pytest.mark.parametrize(
    ("roots", "title", "note"),
    [
        ({"ffpp": f"{OURS}ffpp", "celeba": f"{OURS}celeba"}, "lssat on its built-in sample", True),
        ({"mine": "data/raw/mine"}, "lssat: Skin", False),
        ({"ffpp": "/data/ffpp"}, "lssat: Deepfake detection (FaceForensics++)", False),
        ({"ffpp": f"{OURS}other"}, "lssat: Deepfake detection (FaceForensics++)", False),
        (
            {"ffpp": f"{OURS}ffpp", "mine": "/mine"},
            "lssat: Deepfake detection (FaceForensics++), built-in sample; Skin",
            "Of the built-in sample: Deepfake detection (FaceForensics++). ",
        ),
    ],
)
def test_fault_c13_title_and_note_follow_from_what_was_run(
    roots: dict[str, str], title: str, note: bool | str
) -> None:
    titles = {name: (TITLES | {"mine": "Skin"})[name] for name in roots}
    values = asked(roots)
    for none in ({}, {"title": None, "note": None}):
        assert heading.title(values | {"report": none}, titles) == title
        wanted = heading.NOTE if note is True else f"{note}{heading.NOTE}" if note else ""
        assert heading.note(values | {"report": none}, titles) == wanted
    own = values | {"report": {"title": "Mine", "note": ""}}
    assert (heading.title(own, titles), heading.note(own, titles)) == ("Mine", "")


def test_fault_c13_trees_that_the_sample_did_not_draw_are_not_the_sample() -> None:
    values = asked({"ffpp": f"{OURS}ffpp"}, trees=())
    assert "sample" not in heading.title(values, TITLES)


@pytest.mark.parametrize("file", ["params.yaml", "presets/sample.yaml"])
def test_fault_c13_the_default_file_names_nothing_that_an_edit_makes_untrue(file: str) -> None:
    loaded = params.load(ROOT / file)
    assert (loaded.report.title, loaded.report.note) == (None, None)
    tasks = dict.fromkeys(loaded.benchmark.tasks, "a")
    plain = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))
    assert heading.title(plain, tasks) == "lssat on its built-in sample"
    assert heading.note(plain, tasks) == heading.NOTE


def test_fault_c13_no_preset_of_real_data_says_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    for preset in init.names():
        for trial in (False, True):
            roots = {} if preset == "sample" else {"ffpp": tmp_path}
            out = tmp_path / f"{preset}-{trial}.yaml"
            written, _ = init.write(preset, roots, out, trial=trial)
            values = written.model_dump()
            titles = {task: TITLES[task] for task in written.benchmark.tasks if task in TITLES}
            told = heading.title(values, titles) + heading.note(values, titles)
            assert ("built-in sample" in told) == (preset == "sample" and not trial)


def test_fault_c13_the_page_of_real_data_does_not_name_the_sample(tmp_path: Path) -> None:
    files = drawn.draw(tmp_path, ("celeba",), ("vit_micro",), ("none-none-CRGB",), (0,))
    values = drawn.PARAMS | {"report": {"faces": "sample"}, "sample": {"trees": []}}
    values |= {"datasets": {"celeba": {"root": "/data/celeba"}}}
    report.write(values, files, drawn.outputs(tmp_path))
    page = drawn.outputs(tmp_path)["report"].read_text(encoding="utf-8")
    assert "<h1>lssat: Face attributes (CelebA)</h1>" in page
    assert "its built-in sample" not in page
    assert heading.NOTE not in page
