"""The report's data section: audit, choices, and coverage beside the numbers."""

from pathlib import Path

import pytest
from helpers import drawn_results as drawn

from lssat import tables
from lssat.report.kit.cells import Table
from lssat.report.kit.results import Task, read_task
from lssat.report.sections import audited, evidence, headline
from lssat.report.sections import subsets as subsets_of
from lssat.use.show import show


@pytest.fixture
def ffpp(tmp_path: Path) -> Task:
    return task(tmp_path, "ffpp")


def task(root: Path, name: str) -> Task:
    files = drawn.draw(root, (name,), ("vit_micro",), ("MRGB-RLDP-CRGB",))
    return read_task(name, files[name])


def texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def test_findings_are_counted_and_their_pairs_listed(ffpp: Task) -> None:
    found = audited.findings(ffpp)
    assert texts(found["audit"]) == [
        ["identities in two splits", "0", ""],
        ["pairs of videos in two splits that share a crop", "0", ""],
        ["pairs of videos in one split that share a crop", "1", ""],
        ["videos of val with a near-duplicate in train", "0", "243"],
        ["videos of test with a near-duplicate in train", "1", "243"],
        ["videos of test with a near-duplicate in val", "1", "243"],
    ]
    assert "at most 4 of 64 bits" in found["audit"].notes[0]
    assert "a share above 10.0 % stops the run" in found["audit"].notes[0]
    assert texts(found["pairs"])[0] == [
        *("duplicate within", "train", "a/000", "0", "train", "a/001", "0", "0")
    ]
    assert [row[0] for row in texts(found["pairs"])] == ["duplicate within"] + [
        "near duplicate"
    ] * 2


def test_where_no_identities_are_told_none_is_claimed_to_be_apart(tmp_path: Path) -> None:
    found = audited.findings(task(tmp_path, "affectnet"))
    assert "identities" not in str(texts(found["audit"]))
    assert found["audit"].notes[0].startswith("The release tells no identities")


def test_a_clean_data_set_has_no_pairs(ffpp: Task) -> None:
    for file in ffpp.files.findings:
        tables.write_table(file, [], audited.FINDINGS)
    assert audited.findings(ffpp)["pairs"] is None


def test_choices_tell_selection_hashes_imbalance_and_detector(ffpp: Task) -> None:
    for number, (_, table) in enumerate(ffpp.files.faces):
        rows = tables.read_table(table, tables.FACES)
        settings = f'{{"detector": "MTCNN {number}", "margin": 1.3}}'
        header = tables.metadata(rows) | {"settings": settings}
        tables.write_table(table, rows, tables.FACES, header)
    for record, sampler in zip(ffpp.records.values(), ("uniform", "balanced"), strict=True):
        record["params"]["train"] |= {"class_weights": "none", "sampler": sampler}
    shown = dict(texts(audited.choices(ffpp)))
    assert shown == {
        "selection on": "the validation set",
        "seed of the splits": "none: all splits are the release's",
        "in no split": "12 videos, 11 crops",
        "sha256 of the ids of train": "0" * 64,
        "sha256 of the ids of val": "1" * 64,
        "sha256 of the ids of test": "2" * 64,
        "class weights in the loss": "none",
        "sampler": "uniform (1 run) and balanced (1 run)",
        "crops: detector": "MTCNN 0 and MTCNN 1",
        "crops: margin": "1.3",
    }


def test_the_seed_of_affectnets_halves_is_told(tmp_path: Path) -> None:
    assert dict(texts(audited.choices(task(tmp_path, "affectnet"))))["seed of the splits"] == "0"


def test_coverage_stands_in_every_table_by_subset_and_by_frame(ffpp: Task) -> None:
    data = {row[0]: row[1:] for row in texts(evidence.data(ffpp)["table"])}
    assert data["coverage of videos"] == ["99.4 %", "100 %", "98.8 %"]
    assert data["coverage of frames"] == ["99.1 %", "100 %", "97.5 %"]
    assert data["coverage of videos of subset FaceSwap"] == ["95.0 %"] * 3
    measures = headline.measures(ffpp)
    assert measures.columns[-1].label == "Coverage"
    assert {(row[-1].text, row[-1].small) for row in measures.rows} == {("98.8 %", "frames 97.5 %")}
    assert len(measures.foot) == len(measures.columns)
    (_, subsets), *others = subsets_of.chooser(ffpp).tables
    assert all(table.foot == subsets.foot for _, table in others)
    foot = {
        column.label: cell.text for column, cell in zip(subsets.columns, subsets.foot, strict=True)
    }
    assert (foot["FaceSwap"], foot["Deepfakes"]) == ("95.0 %", "100 %")
    assert foot["all together"] == "98.8 %"
    assert subsets.foot[0].text == "coverage (reals 100 %)"


def test_the_terminal_tells_coverage(ffpp: Task, tmp_path: Path, capsys) -> None:
    folder = tmp_path / "results" / "tasks" / "ffpp"
    tables.write_json(folder / "metrics.json", ffpp.metrics)
    show(tmp_path / "results")
    assert "coverage 98.8 %" in capsys.readouterr().out
