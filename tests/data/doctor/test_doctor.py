"""`lssat doctor`: an inventory that agrees with the readers and does not stop at the first."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from helpers import ROOT, sick, trees

from lssat.data import datasets, doctor
from lssat.data.datasets import celeba
from lssat.data.doctor import first_bytes

CASES = [(name, kind) for name, kinds in sick.DAMAGE.items() for kind in kinds]


@pytest.mark.parametrize("dataset", sick.MAKE)
@pytest.mark.parametrize("asked", [True, False], ids=["of params.yaml", "of a folder alone"])
def test_a_consistent_part_of_a_release_is_no_error(
    tmp_path: Path, dataset: str, asked: bool
) -> None:
    root = sick.MAKE[dataset](tmp_path / "raw")
    inventory = sick.inspect(dataset, root, asked)
    assert sick.said(inventory) == []
    assert inventory.verdict == "part"
    assert inventory.files == sum(path.is_file() for path in root.rglob("*"))


@pytest.mark.parametrize("dataset", sick.MAKE)
def test_counts_are_the_readers(tmp_path: Path, dataset: str) -> None:
    root = sick.MAKE[dataset](tmp_path / "raw")
    rows, _ = datasets.reader(dataset).read(sick.OPTIONS[dataset](root))
    wanted = Counter((row["subset"], row["split"]) for row in rows)
    inventory = sick.inspect(dataset, root)
    found = {
        (row.part.removesuffix(" c23").replace("samples", ""), row.split): row.found
        for row in inventory.counts
        if row.split
    }
    assert found == wanted
    assert all(row.missing == 0 for row in inventory.counts if row.split)
    assert all(row.listed == row.found for row in inventory.counts if row.split)


@pytest.mark.parametrize(("dataset", "kind"), CASES, ids=[f"{a}: {b}" for a, b in CASES])
def test_doctor_finds_an_error_where_the_reader_would_lose_something(
    tmp_path: Path, dataset: str, kind: str
) -> None:
    root = sick.MAKE[dataset](tmp_path / "raw")
    assert sick.reader_is_content(dataset, root)
    sick.DAMAGE[dataset][kind](root)
    assert not sick.reader_is_content(dataset, root)
    inventory = sick.inspect(dataset, root)
    assert inventory.verdict == "wrong"
    assert doctor.terminal.as_json([inventory], [])["exit_code"] == 1


@pytest.mark.parametrize("dataset", sick.MAKE)
def test_all_problems_at_once(tmp_path: Path, dataset: str) -> None:
    """Damage in two places gives the findings of both (where they are not of one list)."""
    alone = []
    kinds = {"ffpp": ["list a page", "video missing"], "celeba": ["list cut", "image missing"],
             "affectnet": ["annotation a page", "folder missing"]}[dataset]  # fmt: skip
    for number, kind in enumerate(kinds):
        root = sick.MAKE[dataset](tmp_path / f"{number}")
        sick.DAMAGE[dataset][kind](root)
        alone.append({line.split(":")[0] for line in sick.said(sick.inspect(dataset, root))})
    root = sick.MAKE[dataset](tmp_path / "both")
    if dataset == "affectnet":
        kinds = ["annotation a page", "image missing"]
        alone = [{"val_set/annotations/7_exp.npy"}, {"val_set/images"}]
        (root / "val_set/images/0.jpg").unlink()
        sick.DAMAGE[dataset][kinds[0]](root)
    else:
        for kind in kinds:
            sick.DAMAGE[dataset][kind](root)
    together = {line.split(":")[0] for line in sick.said(sick.inspect(dataset, root))}
    assert all(together & each for each in alone)


def test_the_whole_release_is_told_from_a_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = sick.celeba(tmp_path / "raw")
    monkeypatch.setattr(celeba, "IMAGES", {"train": 6, "val": 2, "test": 2})
    monkeypatch.setattr(celeba, "IDENTITIES", 9)
    assert sick.inspect("celeba", root).verdict == "whole"
    (root / "img_align_celeba/more.jpg").write_bytes(
        (root / "img_align_celeba/000001.jpg").read_bytes()
    )
    inventory = sick.inspect("celeba", root)
    assert inventory.verdict == "whole"
    assert sick.said(inventory, "note") == ["img_align_celeba: 1 file is in no list. Not used."]


def test_official_counts_stand_beside_the_found_ones(tmp_path: Path) -> None:
    inventory = sick.inspect("ffpp", sick.ffpp(tmp_path / "raw"))
    official_ = {(row.part, row.split): row.official for row in inventory.counts}
    assert official_[("Deepfakes c23", "train")] == 720
    assert official_[("original c23", "test")] == 140
    assert sick.said(inventory, "note")[-1].startswith(
        ".: the lists name fewer samples than the release has: original c23 train 2 of 720, "
    )


def test_extra_files_beside_short_lists_show_that_a_list_was_cut(tmp_path: Path) -> None:
    root = sick.ffpp(tmp_path / "raw")
    sick.more_pairs(root)
    assert sick.said(sick.inspect("ffpp", root)) == []
    (root / "splits/train.json").write_text('[["000", "003"]]')
    inventory = sick.inspect("ffpp", root)
    assert len(sick.said(inventory)) == 3  # originals and two methods
    assert sick.said(inventory)[0] == (
        "manipulated_sequences/Deepfakes/c23/videos: 2 files are in no list, and the lists name "
        "fewer samples than the release: a list was cut. Fetch the lists again, or say that a part "
        "is meant: datasets.ffpp.partial: true."
    )
    assert sum(row.extra or 0 for row in inventory.counts) == 6


def test_other_compressions_are_counted_and_do_not_make_an_error(tmp_path: Path) -> None:
    root = sick.ffpp(tmp_path / "raw")
    for folder in list(root.rglob("c23")):
        copy = folder.parent / "c40/videos"
        copy.mkdir(parents=True)
        for video in sorted((folder / "videos").iterdir())[1:]:
            (copy / video.name).write_bytes(video.read_bytes())
    asked, alone = sick.inspect("ffpp", root), sick.inspect("ffpp", root, configured=False)
    missing = {row.part: row.missing for row in asked.counts if row.split == "train"}
    assert missing == {
        **dict.fromkeys(["original c23", "Deepfakes c23", "Face2Face c23"], 0),
        **dict.fromkeys(["original c40", "Deepfakes c40", "Face2Face c40"], 1),
    }
    assert sick.said(asked) == []  # params.yaml asks for c23
    assert len(sick.said(alone)) == 3


def test_misspelt_method_is_told_by_the_official_name(tmp_path: Path) -> None:
    root = sick.ffpp(tmp_path / "raw")
    (root / "manipulated_sequences/Deepfakes").rename(root / "manipulated_sequences/DeepFakes")
    (root / "manipulated_sequences/mine").mkdir()
    inventory = sick.inspect("ffpp", root, configured=False)
    assert sick.said(inventory) == [
        "manipulated_sequences/DeepFakes: is not a folder of the release; Deepfakes is. "
        "Name it Deepfakes."
    ]
    assert sick.said(inventory, "warning") == [
        "manipulated_sequences/mine: is no method of the release. It is not read."
    ]


def test_a_person_in_two_splits(tmp_path: Path) -> None:
    root = sick.celeba(tmp_path / "raw")
    sick.edit(root / "identity_CelebA.txt", "000010.jpg 9", "000010.jpg 1")
    inventory = sick.inspect("celeba", root)
    assert sick.said(inventory) == [
        ".: identities in more than one split: 1. Fetch the lists of the splits again."
    ]
    [finding] = [each for each in inventory.findings if each.severity == "error"]
    assert finding.examples == ("1",)


def test_examples_are_bounded_and_counts_are_not(tmp_path: Path) -> None:
    root = sick.celeba(tmp_path / "raw")
    for name in sick.NAMES[:8]:
        (root / "img_align_celeba" / name).unlink()
    [finding] = [f for f in sick.inspect("celeba", root).findings if f.severity == "error"]
    assert finding.count == 8
    assert finding.examples == tuple(sick.NAMES[:5])
    assert finding.problem == "8 files of the lists are missing"


@pytest.mark.parametrize(
    ("suffix", "head", "wanted"),
    [
        (".jpg", b"\x89PNG\r\n\x1a\n", ""),  # formats are told by content
        (".png", b"\xff\xd8\xff\xe0", ""),
        (".mp4", b"\0\0\0\x18ftypmp42", ""),
        (".avi", b"RIFF\0\0\0\0AVI ", ""),
        (".mp4", b"#EXTM3U\n/etc/passwd", "is not a video"),
        (".jpg", b"II*\0", "is not an image that is read (JPEG, PNG, BMP, WebP) but a TIFF"),
        (
            ".jpg",
            b"PK\x03\x04",
            "is not an image that is read (JPEG, PNG, BMP, WebP) but an archive",
        ),
        (".npy", b"PK\x03\x04", "is not an array but an archive"),
        (".txt", b"202599\nArched", ""),
        (".txt", b"\0\0", "is not a text list"),
        (".json", b"\xef\xbb\xbf\n  <HTML>", "is a web page"),
        (".zip", b"PK\x03\x04", ""),
        (".jpg", b"../../.git/annex/objects/Zq/x", "is a pointer of git-annex, not the file that"),
    ],
)
def test_first_bytes(suffix: str, head: bytes, wanted: str) -> None:
    found = first_bytes.problem(first_bytes.KINDS[suffix], head)
    assert found.startswith(wanted) if wanted else found == ""


@pytest.mark.slow
def test_deep_decodes_everything(tmp_path: Path) -> None:
    root = trees.ffpp(tmp_path / "raw", {**trees.PAIRS, "train": []}, moving=True)
    video = root / "original_sequences/youtube/c23/videos/001.mp4"
    frames = [trees.scene(n % 100) for n in range(40)]
    trees.video(video, frames, movflags="faststart")
    video.write_bytes(video.read_bytes()[: video.stat().st_size * 2 // 3])
    (root / "original_sequences/youtube/c23/videos/870.mp4").write_bytes(
        b"\0\0\0\x18ftypmp42" + bytes(12)
    )
    assert sick.said(sick.inspect("ffpp", root)) == []
    inventory = sick.inspect("ffpp", root, deep=True)
    [error], [warning] = sick.said(inventory), sick.said(inventory, "warning")
    folder = "original_sequences/youtube/c23/videos: decoded in full, 1 file: "
    assert error.startswith(f"{folder}no_frames (the first: damaged: ")
    assert warning.startswith(f"{folder}fewer frames than announced (the first: ")
    assert " of 40)" in warning


def lssat(*words: str, folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "lssat", "doctor", *words],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_the_command_prints_a_table_and_its_exit_code_tells(tmp_path: Path) -> None:
    root = sick.celeba(tmp_path / "raw")
    done = lssat("celeba", "--root", str(root), "--json", "found.json", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "samples     train   162,770       6      6        0" in done.stdout
    assert "celeba: consistent, a part of the official release (0 errors" in done.stdout
    told = json.loads((tmp_path / "found.json").read_text())
    assert told["exit_code"] == 0
    assert told["datasets"][0]["verdict"] == "part"
    (root / "img_align_celeba/000002.jpg").unlink()
    done = lssat("celeba", "--root", str(root), "--json", "-", folder=tmp_path)
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["exit_code"] == 1
    [finding] = [f for f in told["datasets"][0]["findings"] if f["severity"] == "error"]
    assert finding == {
        "severity": "error",
        "path": "img_align_celeba",
        "problem": "1 file of the lists is missing",
        "fix": "Fetch it, or do without the share that datasets.celeba.rejects_limit allows; "
        "if a part is all that you have, write datasets.celeba.partial: true",
        "count": 1,
        "examples": ["000002.jpg"],
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("celebA", "--root", "."), "doctor: unknown data set 'celebA'. Name one of ffpp, celeba"),
        (("--root", "."), "doctor: --root needs a data set. Name one of ffpp, celeba"),
        (("--shallow",), "No such option"),
        (("pets",), "doctor: params.yaml has no section datasets.pets."),
    ],
)
def test_what_the_command_does_not_understand_is_exit_code_2(
    tmp_path: Path, words: tuple, said: str
) -> None:
    text = (ROOT / "presets/sample.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text)
    done = lssat(*words, folder=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.slow
def test_all_data_sets_of_params_yaml(tmp_path: Path) -> None:
    text = (ROOT / "presets/sample.yaml").read_text()
    codes = {split: {str(n): str(n % 8) for n in range(16)} for split in ("train", "val")}
    whole = {"affectnet": lambda root: trees.affectnet(root, codes)}
    for name, make in (sick.MAKE | whole).items():
        text = text.replace(f"data/raw/sample/{name}", str(make(tmp_path / name)))
    text = text.replace("FaceSwap, NeuralTextures", "").replace("Face2Face, ]", "Face2Face]")
    text = text.replace("batch_size: 16", "batch_size: 6")
    text = re.sub(r"  lists: \{.*?\}", "  lists: {}", text)
    (tmp_path / "params.yaml").write_text(text)
    done = lssat(folder=tmp_path)
    assert done.returncode == 0, done.stdout
    assert [line for line in done.stdout.splitlines() if line.startswith(("ffpp in", "celeba in"))]
    assert "affectnet: consistent" in done.stdout
    assert lssat("affectnet", folder=tmp_path).stdout.startswith("affectnet in ")
