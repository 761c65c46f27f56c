"""Faults B2, B3, B4 and C8: a part of the data is a case of its own, and what it lacks is said."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from helpers import ROOT, preset, trees
from helpers.reading import read
from helpers.splits import SETTINGS, cropped

from lssat import params, tables
from lssat.data import datasets, doctor, splits
from lssat.data.datasets import ffpp
from lssat.data.doctor.findings import Inventory
from lssat.data.splits import requirements
from lssat.orchestrate import failures
from lssat.params import init
from lssat.report.kit import words
from lssat.report.sections import headline
from lssat.tables import DataError
from lssat.tables.project import Project
from lssat.use import show

BIN = Path(sys.executable).parent
SHIPPED = json.loads(ffpp.SHIPPED.read_text())
HEAD = b"\0\0\0\x18ftypmp42" + bytes(12)
FOUR = ["Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures"]


def part(root: Path, clips: int, methods: list[str] = FOUR, seed: int = 0) -> Path:
    """As many originals, and fakes of each method, as a download of a part leaves: no list."""
    pairs = [pair for split in ffpp.SPLITS for pair in SHIPPED[split]]
    random.Random(seed).shuffle(pairs)
    names = [name for pair in pairs for name in pair][:clips]
    fakes = [name for a, b in pairs for name in (f"{a}_{b}", f"{b}_{a}")][:clips]
    places = {f"manipulated_sequences/{method}": fakes for method in methods}
    for folder, files in {"original_sequences/youtube": names, **places}.items():
        (root / folder / "c23/videos").mkdir(parents=True)
        for name in files:
            (root / folder / f"c23/videos/{name}.mp4").write_bytes(HEAD)
    return root


def experiment(**sections: params.Dataset) -> params.Params:
    """The paper's preset for these data sets."""
    values = yaml.safe_load((ROOT / "presets/paper.yaml").read_text())
    names = [name for name in sections if name not in ("celebdf", "dfdc", "dfd")]
    values["datasets"] = {name: options.model_dump() for name, options in sections.items()}
    values["benchmark"] |= {
        "tasks": names,
        "cross": dict.fromkeys([n for n in sections if n not in names], "ffpp"),
    }
    preset.grid_alone(values["benchmark"])
    values["slices"] |= {"attributes": {}, "lists": {}}
    return params.Params.model_validate(values)


def with_train(whole: params.Params, **changes: int) -> params.Params:
    return whole.model_copy(update={"train": whole.train.model_copy(update=changes)})


def refused(tmp_path: Path, dataset: str, whole: params.Params) -> str:
    """What the manifest step says; the doctor must say the same of the same options."""
    options = getattr(whole.datasets, dataset)
    table, rejects = tmp_path / "manifest.parquet", tmp_path / "rejects.parquet"
    datasets.write(dataset, options, table, rejects)
    error = requirements.refusal(dataset, table, options, whole)
    found = examined(dataset, options, whole)
    told = [f for f in found.findings if f"the runs of {dataset} need" in f.problem]
    assert [(f.severity, f.problem, f.fix) for f in told] == (
        [("error", error.problem, error.fix)] if error else []
    )
    return str(error).replace(f"{tmp_path}/", "") if error else ""


def examined(dataset: str, options: params.Dataset, whole: params.Params) -> Inventory:
    return doctor.inspect(dataset, options, lacking=requirements.of(whole))


def test_fault_b2_seven_clips_leave_a_split_empty(tmp_path: Path) -> None:
    options = trees.ffpp_options(part(tmp_path / "raw", 7, seed=1), methods=FOUR, partial=True)
    assert refused(tmp_path, "ffpp", experiment(ffpp=options)) == (
        "raw: what the runs of ffpp need is not there, as its lists and files show:\n"
        "  test: no video at all (of 700 listed). "
        "Add them; or write lists of pairs of your own (splits/{train,val,test}.json); or list "
        "your files in a CSV of your own. docs/part-of-the-data.md shows each."
    )


def test_fault_b2_methods_and_reals_that_a_split_lacks_are_told_at_once(tmp_path: Path) -> None:
    root = part(tmp_path / "raw", 100)
    options = trees.ffpp_options(root, methods=FOUR, partial=True, frames=32)
    whole = experiment(ffpp=options)
    assert refused(tmp_path, "ffpp", whole) == ""
    for split, folder in (("train", "FaceSwap"), ("test", ""), ("val", "Face2Face")):
        place = f"manipulated_sequences/{folder}" if folder else "original_sequences/youtube"
        for a, b in SHIPPED[split]:
            for name in (f"{a}_{b}", f"{b}_{a}") if folder else (a, b):
                (root / place / f"c23/videos/{name}.mp4").unlink(missing_ok=True)
    assert refused(tmp_path, "ffpp", whole).splitlines() == [
        "raw: what the runs of ffpp need is not there, as its lists and files show:",
        "  test: no real video (of 140 listed); there are 16 Deepfakes, 16 Face2Face, 16 FaceSwap, "
        "16 NeuralTextures",
        "  train: no video of FaceSwap (of 720 listed); there are 66 Deepfakes, 66 Face2Face, "
        "66 NeuralTextures, 66 original",
        "  val: no video of Face2Face (of 140 listed); there are 18 Deepfakes, 18 FaceSwap, "
        "18 NeuralTextures, 18 original. Add them; or take Face2Face, FaceSwap out of "
        "datasets.ffpp.methods; or write lists of pairs of your own (splits/{train,val,test}.json);"
        " or list your files in a CSV of your own. docs/part-of-the-data.md shows each.",
    ]
    fewer = options.model_copy(update={"methods": ["Deepfakes", "NeuralTextures"]})
    assert "Face" not in refused(tmp_path, "ffpp", experiment(ffpp=fewer)).split("Add")[0]


@pytest.mark.parametrize(("label", "word"), [("FAKE", "real"), ("REAL", "fake")])
@pytest.mark.parametrize("kept", [1, 0], ids=["of one class", "all of the other are absent"])
def test_fault_b3_videos_of_one_class(tmp_path: Path, label: str, word: str, kept: int) -> None:
    other = {"FAKE": "REAL", "REAL": "FAKE"}[label]
    entries = {f"{n}.mp4": {"label": label} for n in range(3)}
    entries |= {} if kept else {f"{n}.mp4": {"label": other} for n in (7, 8)}
    root = trees.dfdc(tmp_path / "raw", {"dfdc_train_part_0": entries})
    for n in (7, 8):
        (root / f"dfdc_train_part_0/{n}.mp4").unlink(missing_ok=True)
    options = trees.options_of_a_test_set("dfdc", root, partial=True)
    ffpp_ = trees.ffpp_options(tmp_path)
    of = "none is listed" if kept else "of 2 listed"
    assert refused(tmp_path, "dfdc", experiment(ffpp=ffpp_, dfdc=options)) == (
        "raw: what the runs of dfdc need is not there, as its lists and files show:\n"
        f"  test: no {word} video ({of}); there are 3 {label.lower()}. "
        "Add them; or take dfdc out of benchmark.cross. docs/part-of-the-data.md shows each."
    )
    found = doctor.inspect(
        "dfdc", doctor.stand_in("dfdc", root), False, lacking=requirements.of(None)
    )
    assert any(f"no {word} video" in f.problem for f in found.findings if f.severity == "error")


def test_fault_b3_own_data_and_affectnet_lack_a_class(tmp_path: Path) -> None:
    codes = {split: {str(c): str(c) for c in range(7)} for split in ("train", "val")}
    codes["val"] |= {f"{c}b": str(c) for c in range(7)}
    root = trees.affectnet(tmp_path / "raw", codes)
    options = trees.affectnet_options(root)
    few = with_train(experiment(affectnet=options), batch_size=2)
    told = refused(tmp_path, "affectnet", few)
    for split in ("train", "val", "test"):
        assert f"\n  {split}: no image of class 7 Contempt (none is listed)" in told
    assert "or write datasets.affectnet.classes: 7; or list your files" in told
    seven = trees.affectnet_options(root, classes=7)
    assert (
        refused(tmp_path, "affectnet", with_train(experiment(affectnet=seven), batch_size=2)) == ""
    )
    for split, name in (("train", "cat"), ("train", "dog"), ("val", "cat"), ("test", "dog")):
        trees.jpeg(tmp_path / f"own/{split}/{name}/{split}.jpg", trees.picture(0, 40, 40))
    values = {"shards": 1, "rejects_limit": 0.0, "kind": "multiclass", "faces": "aligned"}
    own = params.Own(root=str(tmp_path / "own"), **values)
    assert refused(tmp_path, "pets", with_train(experiment(pets=own), batch_size=2)) == (
        "own: what the runs of pets need is not there, as its lists and files show:\n"
        "  val: no image of class 1 dog (none is listed); there are 1 cat\n"
        "  test: no image of class 0 cat (none is listed); there are 1 dog. Add them; or "
        "part your files in another way (split, group, val_share, test_share). "
        "docs/part-of-the-data.md shows each."
    )


@pytest.mark.parametrize(
    ("batch", "accumulate", "said"),
    [
        (32, 1, "train: at most 24 frames (12 videos, 2 of each), less than one batch; "
                "train.batch_size is 32. Lower train.batch_size to 24 or less."),
        (12, 3, "train: at most 24 frames (12 videos, 2 of each), less than one batch; "
                "train.batch_size is 12, times train.accumulate 3. "
                "Lower train.batch_size to 8 or less."),
        (24, 1, ""),
    ],
)  # fmt: skip
def test_fault_b4_less_than_one_batch(
    tmp_path: Path, batch: int, accumulate: int, said: str
) -> None:
    pairs = {**trees.PAIRS, "train": [["000", "003"], ["004", "005"]]}
    root = trees.ffpp(tmp_path / "raw", pairs)
    whole = experiment(ffpp=trees.ffpp_options(root))
    told = refused(tmp_path, "ffpp", with_train(whole, batch_size=batch, accumulate=accumulate))
    assert said in told
    assert bool(said) == bool(told)
    each = experiment(ffpp=trees.ffpp_options(root, frames=None, every=5))
    assert refused(tmp_path, "ffpp", with_train(each, batch_size=320_000)) == ""  # not known yet


def test_fault_b4_images_clips_and_parts_of_the_train_set(tmp_path: Path) -> None:
    root = trees.celeba(tmp_path / "raw", [f"{n}.jpg" for n in range(24)], "0" * 20 + "1122",
                        [str(n) for n in range(24)])  # fmt: skip
    whole = with_train(experiment(celeba=trees.celeba_options(root)), batch_size=20)
    assert refused(tmp_path, "celeba", whole) == ""
    rules = whole.splits.model_copy(update={"selection": "train_holdout", "holdout": 0.2})
    assert "train: at most 16 images, less than one batch; train.batch_size is 20. " in refused(
        tmp_path, "celeba", whole.model_copy(update={"splits": rules})
    )
    clips = trees.ffpp_options(trees.ffpp(tmp_path / "videos"), frames=32, clips=1)
    whole = with_train(experiment(ffpp=clips), batch_size=8)
    known = {"clip_tasks": ["ffpp"], "clip_backbones": ["videomae_mini"]}
    whole = whole.model_copy(update={"benchmark": whole.benchmark.model_copy(update=known)})
    assert "train: at most 6 clips (6 videos, 1 of each), less than one batch" in refused(
        tmp_path, "ffpp", whole
    )


def _own(root: Path) -> params.Own:
    rows = [
        f"{n}.jpg,{'ab'[n % 2]},{split}" for n, split in enumerate(2 * ("train", "val", "test"))
    ]
    for n in range(6):
        trees.jpeg(root / f"{n}.jpg", trees.picture(n, 40, 40))
    (root / "list.csv").write_text("\n".join(["path,label,split", *rows, ""]))
    values = {"shards": 1, "rejects_limit": 0.0, "kind": "multiclass", "faces": "aligned"}
    return params.Own(root=str(root), csv="list.csv", **values)


def _celeba(root: Path) -> params.Dataset:
    names = [f"{n}.jpg" for n in range(6)]
    return trees.celeba_options(trees.celeba(root, names, "000012", [str(n) for n in range(6)]))


def _affectnet(root: Path) -> params.Dataset:
    codes = {split: {str(n): str(n) for n in range(8)} for split in ("train", "val")}
    return trees.affectnet_options(trees.affectnet(root, codes))


def _affectnet_csv(root: Path) -> params.Dataset:
    rows = {split: [(f"{split}/{n}.jpg", trees.BOX, str(n)) for n in range(8)]
            for split in ("train", "val")}  # fmt: skip
    return trees.affectnet_options(trees.affectnet_csv(root, rows))


KINDS = {  # what makes a tree, and a file or folder of samples of it that goes
    "ffpp": (lambda root: trees.ffpp_options(trees.ffpp(root)),
             "manipulated_sequences/Face2Face/c23/videos/000_003.mp4"),
    "celeba": (_celeba, "img_align_celeba/3.jpg"),
    "affectnet": (_affectnet, "train_set/images/3.jpg"),
    "affectnet csv": (_affectnet_csv, "Manually_Annotated_Images/train/3.jpg"),
    "celebdf": (lambda root: trees.options_of_a_test_set("celebdf", trees.celebdf(root)),
                "YouTube-real/00170.mp4"),
    "celebdf, a folder": (lambda root: trees.options_of_a_test_set("celebdf", trees.celebdf(root)),
                          "YouTube-real"),
    "dfdc": (lambda root: trees.options_of_a_test_set("dfdc", trees.dfdc(root)),
             "dfdc_train_part_1/caaa.mp4"),
    "mine": (_own, "3.jpg"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_partial_data_list_what_is_absent_and_are_no_error(tmp_path: Path, kind: str) -> None:
    make, gone = KINDS[kind]
    options, dataset = make(tmp_path / "raw"), kind.split(" ")[0].strip(",")
    path = tmp_path / "raw" / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    key = f"datasets.{dataset}.partial: true"
    if not gone.endswith("real"):  # an absent folder is refused by its name
        with pytest.raises(DataError) as caught:
            read(dataset, options, tmp_path)
        assert str(caught.value).endswith(
            f"1 listed file is absent: if a part is all that you have, write {key}."
        )
        severe = [f for f in doctor.inspect(dataset, options).findings if "missing" in f.problem]
        assert [(f.severity, key in f.fix) for f in severe] == [("error", True)]
    some = options.model_copy(update={"partial": True})
    rows, rejects = read(dataset, some, tmp_path)
    assert [(row["reason"], row["path"].startswith(gone)) for row in rejects] == [("missing", True)]
    inventory = doctor.inspect(dataset, some)
    assert inventory.named == (len(rows), len(rows) + 1)
    assert inventory.verdict == "part"
    severe = [f for f in inventory.findings if "missing" in f.problem]
    assert [(f.severity, key in f.fix) for f in severe] == [("note", True)]


def test_partial_data_still_count_what_is_lost_otherwise(tmp_path: Path) -> None:
    options = _own(tmp_path / "raw").model_copy(update={"partial": True})
    (tmp_path / "raw/3.jpg").unlink()
    text = (tmp_path / "raw/list.csv").read_text()
    (tmp_path / "raw/list.csv").write_text(text.replace("4.jpg", "4.gif"))
    (tmp_path / "raw/4.gif").write_bytes(b"GIF89a")
    with pytest.raises(
        DataError, match=r"manifest: 1 of 5 rejected \(20.0 %, limit 0 %\)"
    ) as error:
        read("mine", options, tmp_path)
    assert "partial: true" not in str(error.value)


def test_partial_data_without_a_list_are_what_is_there(tmp_path: Path) -> None:
    options = trees.options_of_a_test_set("dfd", trees.dfd(tmp_path / "raw"), partial=True)
    rows, rejects = read("dfd", options, tmp_path)
    assert (len(rows), rejects) == (3, [])


def covered(tmp_path: Path, dataset: str, options: params.Dataset, rules: params.Splits) -> dict:
    """The summary of the splits where a crop was found of each frame asked for."""
    table, rejects = tmp_path / "manifest.parquet", tmp_path / "rejects.parquet"
    datasets.write(dataset, options, table, rejects)
    rows = tables.read_table(table, tables.MANIFEST).to_pylist()
    [crops] = cropped(rows, frames=getattr(options, "frames", None) or 1)
    faces, lost = tmp_path / "faces.parquet", tmp_path / "faces.rejects.parquet"
    tables.write_table(faces, crops, tables.FACES)
    tables.write_table(lost, [], tables.REJECTS)
    files = {name: tmp_path / f"{name}.parquet" for name in splits.NAMES}
    files |= {f"{name}_ids": tmp_path / f"{name}.txt" for name in (*splits.NAMES, "unused")}
    files["samples"] = tmp_path / "samples.csv"
    files["summary"] = tmp_path / "summary.json"
    splits.write(dataset, table, rejects, [faces], [lost], options, rules, files)
    return tables.read_json(files["summary"])


@pytest.mark.parametrize("how", [{"partial": True}, {"rejects_limit": 1.0}])
def test_fault_c8_coverage_is_a_share_of_what_the_lists_name(tmp_path: Path, how: dict) -> None:
    root = part(tmp_path / "raw", 20, ["Deepfakes", "Face2Face"])
    options = trees.ffpp_options(root, **how)
    summary = covered(tmp_path, "ffpp", options, SETTINGS)
    n = summary["samples"]
    assert sum(n.values()) == 60
    assert summary["listed"] == {"train": 2160, "val": 420, "test": 420}
    for key in ("coverage", "frame_coverage"):
        shares = {name: n[name] / summary["listed"][name] for name in n}
        assert summary[key] == pytest.approx(shares)
        assert summary[f"{key}_present"] == dict.fromkeys(n, 1.0)
    assert summary["subset_coverage"]["test"] == pytest.approx(
        dict.fromkeys(("Deepfakes", "Face2Face", "original"), n["test"] / 3 / 140)
    )
    assert summary["subset_coverage_present"]["test"]["original"] == 1.0


def test_fault_c8_of_halves_holdouts_and_lists_that_we_part(tmp_path: Path) -> None:
    codes = {split: {str(n): str(n % 8) for n in range(80)} for split in ("train", "val")}
    root = trees.affectnet(tmp_path / "raw", codes)
    for n in range(60):  # of the validation set a quarter is left
        (root / f"val_set/images/{n}.jpg").unlink()
    options = trees.affectnet_options(root, partial=True)
    summary = covered(tmp_path, "affectnet", options, SETTINGS)
    assert summary["coverage"] == pytest.approx({"train": 1.0, "val": 0.25, "test": 0.25}, abs=0.05)
    held = SETTINGS.model_copy(update={"selection": "train_holdout", "affectnet_test": 1.0})
    held = held.model_copy(update={"holdout": 0.3})
    summary = covered(tmp_path, "affectnet", options, held)
    assert summary["coverage"] == pytest.approx({"train": 1.0, "val": 1.0, "test": 0.25}, abs=0.01)
    assert summary["coverage_present"] == dict.fromkeys(splits.NAMES, 1.0)
    rows = [f"{n}.jpg,{'ab'[n % 2]}" for n in range(80)]
    for n in range(0, 80, 2):
        for k in (n, n + 1) if n % 4 else ():
            trees.jpeg(tmp_path / f"own/{k}.jpg", trees.picture(k, 20, 20))
    (tmp_path / "own/list.csv").write_text("\n".join(["path,label", *rows, ""]))
    own = _own(tmp_path / "other").model_copy(update={"root": str(tmp_path / "own")})
    summary = covered(tmp_path, "mine", own.model_copy(update={"partial": True}), SETTINGS)
    assert summary["coverage"] == pytest.approx(dict.fromkeys(splits.NAMES, 0.5))
    assert sum(summary["listed"].values()) == pytest.approx(80, abs=2)


def test_fault_c8_both_figures_stand_beside_the_metrics(tmp_path: Path, capsys) -> None:
    metrics = {"coverage": 16 / 5000, "coverage_present": 1.0}
    said = "0.3 % of what is listed, 100 % of what is there"
    assert words.coverage(metrics) == said
    assert words.coverage(metrics | {"coverage": 1.0}) == "100 %"
    cell = headline.covered(16 / 5000, 1.0)
    assert (cell.text, cell.small) == ("0.3 %", "of those there 100 %")
    assert headline.covered(0.5, 0.5).small == ""
    about = {"title": "T", "level": "video", "metric": "auc", "n": {"video": 16}}
    file = tmp_path / "tasks/ffpp/metrics.json"
    tables.write_json(file, about | metrics | {"confidence": 0.95, "table": []})
    show.show(tmp_path)
    assert f"coverage {said}" in " ".join(capsys.readouterr().out.split())


@pytest.mark.slow
def test_fault_b2_the_step_says_all_at_once_and_an_edit_of_the_batch_is_no_parameter_of_it(
    tmp_path: Path,
) -> None:
    root = part(tmp_path / "raw", 7, seed=1)
    text = (ROOT / "presets/paper.yaml").read_text()
    (tmp_path / "params.yaml").write_text(init.edit(text, {"ffpp": root}))
    whole = params.load(tmp_path / "params.yaml")
    json_ = params.section_json(whole, "manifest", task="ffpp")
    assert "batch_size" not in json_
    assert "splits" not in json_
    command = [sys.executable, "-m", "lssat", "manifest", "--task", "ffpp", "--check"]
    command += ["--params", json_]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    first, second, third = done.stderr.splitlines()
    kept = Project().kept_rejects("ffpp")  # Snakemake removes the table
    assert first.startswith(f"{kept}: manifest: 4,965 of 5,000 rejected (99.3 %, limit 1 %)")
    assert first.endswith("if a part is all that you have, write datasets.ffpp.partial: true.")
    assert (
        second == f"  {root}: what the runs of ffpp need is not there, as its lists and files show:"
    )
    assert third.startswith("    test: no video at all (of 700 listed). Add them; or write lists")
    assert failures.message(done.stderr.rstrip()) == [first, second, third]


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_fault_b2_the_ways_out_of_the_page_work_as_they_stand(tmp_path: Path, seed: int) -> None:
    page = (ROOT / "docs/part-of-the-data.md").read_text()
    commands = [text for text in re.findall(r"```sh\n(.*?)```", page, re.S) if "python" in text]
    root = part(tmp_path / "data/raw/ffpp", 7, seed=seed)
    options = trees.ffpp_options(root, methods=FOUR, partial=True)
    pairs, rows = (
        subprocess.run(["sh", "-ec", command], cwd=tmp_path, capture_output=True, text=True,
                       check=True, env=os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}).stdout
        for command in commands
    )  # fmt: skip
    assert pairs.count("[['") == 3
    assert rows == ""
    small = {"batch_size": 4}
    assert refused(tmp_path, "ffpp", with_train(experiment(ffpp=options), **small)) == ""
    found = examined("ffpp", options, with_train(experiment(ffpp=options), **small))
    assert (found.verdict, found.number("error")) == ("part", 0)
    section = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", page, re.S)[1])["datasets"]["clips"]
    clips = params.Own.model_validate(section | {"root": str(root)})
    assert refused(tmp_path, "clips", with_train(experiment(clips=clips), **small)) == ""
