"""Tests across data sets: a class that no output answers is said before the first job."""

from pathlib import Path

import pytest
from helpers import trees
from helpers.own import face
from helpers.preset import TEXT

from lssat.data import preflight

SECTION = """\
  fer:
    root: fer
    shards: 1
    rejects_limit: 0.0
    kind: multiclass
    faces: aligned
    test_only: true
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("anger", "joy"):
        trees.jpeg(tmp_path / "fer/test" / name / "1.jpg", face(0))
    return tmp_path


def told(more: str = "", home: str = "affectnet") -> list[str]:
    text = TEXT.replace("cross: {}", f"cross: {{fer: {home}}}", 1)
    section = f"\n{SECTION}{more}faces:\n"
    Path("params.yaml").write_text(text.replace("\nfaces:\n", section, 1))
    return preflight.problems()[1]


def line_of(text: str) -> int:
    lines = Path("params.yaml").read_text().splitlines()
    return next(n for n, line in enumerate(lines, 1) if text in line)


def test_mapped_classes_pass() -> None:
    assert told("    labels: {anger: Anger, joy: Happy}\n") == []


def test_names_that_the_task_lacks_are_said_with_the_way_to_map_them() -> None:
    (said,) = told()
    assert said.startswith(f"params.yaml:{line_of('  fer:')}: datasets.fer: has classes that")
    assert "affectnet has not: anger, joy; it has Neutral, Happy" in said
    assert "write datasets.fer.labels: {its name: the name in affectnet}" in said


def test_an_unknown_class_is_said_with_the_line_of_its_key() -> None:
    (said,) = told("    labels:\n      anger: Angry\n      joy: Happy\n")
    assert said == (
        f"params.yaml:{line_of('anger: Angry')}: datasets.fer.labels.anger: "
        "'Angry' is no class of affectnet; did you mean Anger?"
    )


def test_a_class_without_image_is_said_in_the_words_of_the_step() -> None:
    (said,) = told("    labels: {anger: Anger, fear: Fear}\n")
    where = f"params.yaml:{line_of('labels: {anger')}: datasets.fer.labels: "
    assert said.startswith(f"{where}fer: has no sample of 'fear', which datasets.fer.labels names")


@pytest.mark.parametrize(
    ("home", "said"),
    [
        ("celeba", "benchmark.cross.fer: fer is multiclass, and the runs of celeba are multilabel"),
        ("afectnet", "which is not in benchmark.tasks; did you mean affectnet?"),
    ],
)
def test_a_task_that_does_not_fit_is_said(home: str, said: str) -> None:
    assert any(said in each for each in told(home=home))


def test_a_list_names_no_task() -> None:
    Path("params.yaml").write_text(TEXT.replace("cross: {}", "cross: [celebdf]", 1))
    said = "names no task; write {celebdf: <task>}, the task whose runs are tested"
    assert any(said in each for each in preflight.problems()[1])
