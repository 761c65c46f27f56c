"""`lssat predict`: a file's logits are those that the evaluation stored; nothing disappears."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest
from helpers import trees
from helpers.drawn_project import project
from matplotlib.figure import Figure
from PIL import Image

from lssat import tables
from lssat.data import media
from lssat.grid import Run, trained
from lssat.metrics import probabilities
from lssat.tables import DataError
from lssat.tables.project import RunFiles
from lssat.use import predict
from lssat.use.predict import picture, terminal

FRAMES = Run("ffpp", "vit_micro", "MLDP-RRGB-CLDP", 0)
CLIPS = Run("ffpp", "videomae_mini", "MRGB-RLDP-CRGB", 0)
ATTRIBUTES = Run("celeba", "vit_micro", "MRGB-RLDP-CRGB", 0)
EMOTION = Run("affectnet", "vit_micro", "none-none-CRGB", 0)
CODES = ("0", "1", "2", "3", "4", "5", "6", "7")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three tasks: detected faces of videos, aligned images, boxes of a release."""
    root = tmp_path_factory.mktemp("home")
    pairs = {"train": [["000", "003"]], "val": [["001", "870"]], "test": [["002", "071"]]}
    raw = trees.ffpp(root / "raw/ffpp", pairs, moving=True)
    clips = {"clips": 1, "clip_frames": 2, "clip_stride": 1}
    project(root, "ffpp", trees.ffpp_options(raw, **clips), [FRAMES, CLIPS])
    names = [f"{number:06}.jpg" for number in range(9)]
    raw = trees.celeba(root / "raw/celeba", names, "000011222", [f"{n}" for n in range(9)])
    project(root, "celeba", trees.celeba_options(raw), [ATTRIBUTES])
    lists = {
        split: [(f"{split}{n}.jpg", trees.BOX, code) for n, code in enumerate(CODES * 2)]
        for split in ("train", "val")
    }
    raw = trees.affectnet_csv(root / "raw/affectnet", lists)
    project(root, "affectnet", trees.affectnet_options(raw), [EMOTION])
    return root


def opened(home: Path, run: Run) -> predict.Opened:
    return predict.open_run(home / "runs" / run.path, home / "results", "cpu")


def scored(home: Path, run: Run, files: list[Path], **how) -> list:
    with media.Decoder(60.0, 512) as decoder:
        scorer = predict.Scorer(opened(home, run), predict.How(**how), decoder, "cpu")
        return [scorer.score(file) for file in predict.files(files, False)]


def stored(home: Path, run: Run) -> dict[str, list[dict]]:
    """What the evaluation stored of a run's test samples: id -> rows, by frame."""
    file = home / "results/tasks" / run.task / "predictions.parquet"
    table = tables.read_table(file, tables.PREDICTIONS)
    mine = table.filter(pc.and_(pc.equal(table["run"], run.path), pc.equal(table["split"], "test")))
    found: dict[str, list[dict]] = {}
    for row in mine.to_pylist():
        found.setdefault(row["id"], []).append(row)
    return found


def path(home: Path, run: Run, id: str) -> Path:
    table = home / "data/prepared" / run.task / "manifest.parquet"
    rows = tables.read_table(table, tables.MANIFEST).to_pylist()
    (row,) = [row for row in rows if row["id"] == id]
    return home / "raw" / run.task / row["path"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("run", "how"),
    [
        (FRAMES, {}),
        (CLIPS, {}),
        (ATTRIBUTES, {"aligned": True}),
        (EMOTION, {"box": tuple(float(value) for value in trees.BOX.split(","))}),
    ],
    ids=lambda value: value.backbone + value.task if isinstance(value, Run) else "",
)
def test_logits_of_test_files_are_those_that_the_evaluation_stored(
    home: Path, run: Run, how: dict
) -> None:
    wanted = stored(home, run)
    assert len(wanted) >= 3
    found = scored(home, run, [path(home, run, id) for id in wanted], **how)
    spread = np.ptp([row["logits"][0] for rows in wanted.values() for row in rows])
    assert spread > 1e-3  # or any file would pass
    for each, rows in zip(found, wanted.values(), strict=True):
        assert [s.frame for s in each.samples] == [row["frame"] for row in rows]
        ours = np.array([sample.logits for sample in each.samples])
        theirs = np.array([row["logits"] for row in rows])
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)
        # the mean over frames of the probabilities, as the metrics of videos take it
        mean = probabilities(opened(home, run).task.kind, theirs).mean(axis=0)
        np.testing.assert_allclose(each.raw, mean, rtol=0, atol=1e-6)


def test_scores_carry_the_temperature_that_the_evaluation_fitted(home: Path) -> None:
    metrics = tables.read_json(home / "results/tasks/ffpp/metrics.json")
    (mine,) = [each for each in metrics["runs"] if each["run"] == FRAMES.path]
    heat = mine["calibration"]["temperature"]
    id, rows = next(iter(stored(home, FRAMES).items()))
    (found,) = scored(home, FRAMES, [path(home, FRAMES, id)])
    logits = np.array([row["logits"][0] for row in rows], dtype=float)
    assert heat != pytest.approx(1, abs=0.01)
    assert found.scores[0] == pytest.approx(np.mean(1 / (1 + np.exp(-logits / heat))), abs=1e-6)
    assert f"temperature {heat:.3f}" in opened(home, FRAMES).calibration


@pytest.mark.parametrize(("heat", "end"), [(0.01, "0.01"), (99.9995, "100"), (1.5, None)])
def test_fault_c14_a_temperature_at_its_bound_is_said(
    home: Path, tmp_path: Path, heat: float, end: str | None
) -> None:
    metrics = tables.read_json(home / "results/tasks/ffpp/metrics.json")
    for each in metrics["runs"]:
        each["calibration"]["temperature"] = heat
    tables.write_json(tmp_path / "tasks/ffpp/metrics.json", metrics)
    found = predict.open_run(home / "runs" / FRAMES.path, tmp_path, "cpu")
    assert found.temperature == heat
    assert ("at the bound" in found.calibration) == (end is not None)
    assert end is None or f"bound {end} of its search" in found.calibration


def test_without_results_or_with_those_of_other_weights_a_score_is_called_uncalibrated(
    home: Path, tmp_path: Path
) -> None:
    folder = home / "runs" / FRAMES.path
    plain = predict.open_run(folder, tmp_path, "cpu")
    assert "uncalibrated: " in plain.calibration
    file = path(home, FRAMES, next(iter(stored(home, FRAMES))))
    with media.Decoder(60.0, 512) as decoder:
        scorer = predict.Scorer(plain, predict.How(), decoder, "cpu")
        found = scorer.score(predict.files([file], False)[0])
    assert found.scores.tolist() == pytest.approx(found.raw.tolist(), abs=1e-12)
    sample = found.samples[0]
    for n, said in ((1, False), (2, True)):
        told = terminal._face(sample._replace(n_faces=n))
        assert (f", the largest of {n} faces" in told) == said
    metrics = tables.read_json(home / "results/tasks/ffpp/metrics.json")
    metrics["weights"][FRAMES.path] = "0" * 64
    tables.write_json(tmp_path / "tasks/ffpp/metrics.json", metrics)
    other = predict.open_run(folder, tmp_path, "cpu")
    assert (other.temperature, other.calibration.split(":")[0]) == (None, "uncalibrated")
    assert "is of other weights of this run" in other.calibration


def test_a_file_without_a_face_or_without_sense_is_rejected_with_a_reason_and_others_are_scored(
    home: Path, tmp_path: Path
) -> None:
    good = path(home, FRAMES, next(iter(stored(home, FRAMES))))
    trees.video(tmp_path / "wall.mp4", [np.full((192, 192, 3), 128, np.uint8)] * 3)
    trees.video(tmp_path / "late.mp4", [np.full((192, 192, 3), 128, np.uint8), trees.scene(1)])
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.png").write_text("no picture")
    names = ["wall.mp4", "empty.jpg", "text.png", "none.mp4", "late.mp4"]
    *lost, late, whole = scored(home, FRAMES, [*(tmp_path / name for name in names), good])
    assert [each.reason for each in lost] == ["no_face", "unreadable", "format", "missing"]
    assert "frame 0, and 1 more" in lost[0].detail
    assert ([s.frame for s in late.samples], late.missed) == ([1], [(0, 0.0)])
    assert len(whole.samples) == 2
    text = [terminal.line(opened(home, FRAMES), each) for each in (*lost, late)]
    assert text[0] == f"{tmp_path}/wall.mp4: rejected, no_face: frame 0, and 1 more"
    assert "1 of 2 frames have a face" in text[-1]
    assert "·" in text[-1]


def test_an_image_is_no_clip(home: Path, tmp_path: Path) -> None:
    trees.jpeg(tmp_path / "face.jpg", trees.scene(1))
    (found,) = scored(home, CLIPS, [tmp_path / "face.jpg"])
    assert (found.reason, found.detail) == ("short_video", "one frame; the run reads clips of 2")
    with pytest.raises(DataError, match="reads clips, whose number"):
        scored(home, CLIPS, [tmp_path / "face.jpg"], frames=3)


def test_times_of_frames_are_those_of_the_container(home: Path, tmp_path: Path) -> None:
    trees.video(tmp_path / "long.mp4", [trees.scene(1)] * 11)  # 25 frames a second
    (found,) = scored(home, FRAMES, [tmp_path / "long.mp4"], frames=6)
    assert [(s.frame, s.time) for s in found.samples] == [
        (n, pytest.approx(n / 25)) for n in (0, 2, 4, 6, 8, 10)
    ]


def test_folders_are_searched_and_content_tells_what_a_file_is(tmp_path: Path) -> None:
    trees.jpeg(tmp_path / "in/b/face.png", trees.scene(1))
    trees.video(tmp_path / "in/a.mp4", [trees.scene(1)] * 2)
    shutil.copy(tmp_path / "in/a.mp4", tmp_path / "in/c.jpg")
    (tmp_path / "in/.hidden").mkdir()
    trees.jpeg(tmp_path / "in/.hidden/face.jpg", trees.scene(1))
    (tmp_path / "in/notes.txt").touch()
    found = predict.files([tmp_path / "in", tmp_path / "in/a.mp4"], False)
    names = [(str(file.path.relative_to(tmp_path)), file.media) for file in found]
    assert names == [("in/a.mp4", "video"), ("in/b/face.png", "image"), ("in/c.jpg", "video")]
    assert predict.files([tmp_path / "in"], True) == [(tmp_path / "in", "frames")]
    (tmp_path / "bare").mkdir()
    with pytest.raises(DataError, match="holds no image and no video"):
        predict.files([tmp_path / "bare"], False)


def test_what_a_folder_holds_and_cannot_be_read_is_listed() -> None:
    """A link that leads to nothing and a closed folder were passed over without a word."""
    with tempfile.TemporaryDirectory() as place:  # pytest's own is closed to others
        folder = Path(place)
        for name in ("a/1.jpg", "b/2.jpg", ".c/3.jpg"):
            trees.jpeg(folder / name, trees.picture(1))
        (folder / "gone.jpg").symlink_to("nothing")
        for name, mode in ((".", 0o755), ("b", 0), (".c", 0)):
            (folder / name).chmod(mode)
        with trees.unprivileged():
            images, frames = (predict.files([folder], whole) for whole in (False, True))
            with pytest.raises(DataError) as caught:  # as to score it does
                media.frames_in(folder / "b")
        for name in ("b", ".c"):
            (folder / name).chmod(0o755)
    names = [(str(file.path.relative_to(folder)), file.media) for file in images]
    assert names == [("a/1.jpg", "image"), ("gone.jpg", "image"), ("b", "frames")]
    assert frames == [(folder, "frames")]  # `gone.jpg` is one of its images
    assert str(caught.value).startswith(f"{folder}/b: cannot be read (owner: uid ")


def test_scores_of_a_cut_video_are_json(home: Path, tmp_path: Path) -> None:
    """Times of the frames before the cut were nan, and no file had a score."""
    frames = [trees.scene(n % 12) for n in range(20)]
    trees.video(tmp_path / "whole.mp4", frames, movflags="faststart")
    data = (tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: 3 * len(data) // 5])
    (found,) = scored(home, FRAMES, [tmp_path / "cut.mp4"], frames="all")
    assert 1 < found.n_frames < 20
    told = terminal.document(opened(home, FRAMES), "", [], [found])
    tables.write_json(tmp_path / "told.json", told, sealed=False)
    times = [each["time"] for each in told["files"][0]["frames"]]
    assert times == sorted(times)


def test_files_that_are_framed_otherwise_than_in_training_are_said_to_be(home: Path) -> None:
    ffpp, celeba = (opened(home, run)._replace(collapsed=None) for run in (FRAMES, ATTRIBUTES))
    assert (
        predict.notes(ffpp, predict.How()) == predict.notes(celeba, predict.How(aligned=True)) == []
    )
    assert "outside of what was tested" in predict.notes(celeba, predict.How())[0]
    assert "detected faces" in predict.notes(ffpp, predict.How(aligned=True))[0]


def test_words_name_the_most_probable_first(home: Path) -> None:
    one, many = opened(home, EMOTION), opened(home, ATTRIBUTES)
    scores = np.array([0.1, 0.5, 0.02, 0.2, 0.03, 0.05, 0.04, 0.06])
    names = one.task.classes
    first = f"{names[1]} 0.500, {names[3]} 0.200, {names[0]} 0.100, "
    assert terminal._says(one, scores).startswith(first)
    assert terminal._predicted(one, scores) == names[1]
    scores = np.linspace(0.0125, 0.9875, 40)
    assert terminal._says(many, scores) == "20 of 40 attributes"
    assert terminal._predicted(many, scores) == list(many.task.classes[20:])
    rows = terminal._attributes(many, scores)
    listed = dict(re.findall(r"(\S+) +(\d\.\d{3})", "\n".join(rows)))
    assert listed == {
        name: f"{score:.3f}" for name, score in zip(many.task.classes, scores, strict=True)
    }
    down = [row.split()[0] for row in rows]
    assert down == list(many.task.classes[::-1][: len(rows)])


@pytest.mark.parametrize(("run", "how"), [(FRAMES, {}), (ATTRIBUTES, {"aligned": True})])
def test_case_36_a_score_that_is_not_finite_is_no_class(home: Path, run: Run, how: dict) -> None:
    one = opened(home, run)
    one.model.head.bias.data[0] = float("nan")
    file = path(home, run, next(iter(stored(home, run))))
    with media.Decoder(60.0, 512) as decoder:
        scorer = predict.Scorer(one, predict.How(**how), decoder, "cpu")
        found = scorer.score(predict.files([file], False)[0])
    assert (
        terminal.line(one, found)
        .splitlines()[0]
        .startswith(f"{file}: undefined, a score is not finite  (")
    )
    assert "nan" not in terminal.line(one, found).removeprefix(f"{file}")
    (told,) = json.loads(tables.json_text(terminal.document(one, "", [], [found])))["files"]
    assert told["predicted"] is None
    assert set(told["scores"].values()) == {None}
    assert told["frames"][0]["logits"][0] is None


def test_case_38_scores_of_a_run_that_collapsed_come_with_a_note(
    home: Path, tmp_path: Path
) -> None:
    folder = home / "runs" / FRAMES.path
    content = tables.read_json(home / "results/tasks/ffpp/metrics.json")
    (mine,) = [each for each in content["runs"] if each["run"] == FRAMES.path]
    file = tmp_path / "tasks/ffpp/metrics.json"
    for fallen, notes in ((True, ["the run collapsed on the test split: it says 1"]), (False, [])):
        mine |= {"collapsed": fallen, "notes": {"collapsed": "says 1"} if fallen else {}}
        tables.write_json(file, content)
        run = predict.open_run(folder, tmp_path, "cpu")
        assert predict.notes(run, predict.How()) == notes
        assert all(f"note   {note}" in terminal.head(run, "", notes) for note in notes)
    other = predict.notes(opened(home, FRAMES)._replace(collapsed="x"), predict.How(aligned=True))
    assert len(other) == 2


@pytest.mark.slow
def test_case_37_names_of_files_and_classes_are_shown_on_one_line(
    home: Path, tmp_path: Path
) -> None:
    """A name may hold a line break, a terminal's escape, bytes that are no text, or mathematics."""
    name = "a\nb\x1b[31m\udcff$x_$^{[b]<script>=1+1.mp4"
    shutil.copy(path(home, FRAMES, next(iter(stored(home, FRAMES)))), tmp_path / name)
    (good,) = scored(home, FRAMES, [tmp_path / name])
    (bad,) = scored(home, FRAMES, [tmp_path / f"no {name}"])
    run = opened(home, FRAMES)
    nasty = run._replace(task=run.task._replace(title="T\x1b", classes=("real", "fa\nke")))
    spelt = r"a\nb\x1b[31m\udcff$x_$^{[b]<script>=1+1.mp4"
    shown = terminal.line(nasty, good).splitlines()
    assert shown[0].startswith(rf"{tmp_path}/{spelt}: fa\nke 0.")
    assert len(shown) == 2  # and the curve
    assert terminal.line(nasty, bad).startswith(f"{tmp_path}/no {spelt}: rejected, missing")
    assert r"probability of fa\nke" in terminal.head(nasty, "", [])
    assert "\x1b" not in terminal.head(nasty, "", []) + "".join(shown)
    told = json.loads(tables.json_text(terminal.document(nasty, "", [], [good, bad])))
    assert told["files"][0]["path"] == f"{tmp_path}/{name}"
    figure = Figure()
    title = figure.suptitle(picture._title(nasty, good))
    figure.canvas.draw()
    assert title.get_text().startswith(spelt.replace("$", r"\$"))


def test_the_best_run_is_chosen_by_validation(tmp_path: Path) -> None:
    values = {"a": 0.7, "b": 0.9, "c": None, "d": 0.9}
    for name, value in values.items():
        record = {"select_metric": "val_auc", "best_value": value, "test_auc": 1.0}
        tables.write_json(tmp_path / f"ffpp/{name}/MRGB-RLDP-CRGB/seed0/record.json", record)
    folder, why = trained.best("ffpp", tmp_path)
    assert folder.parts[-3] == "b"
    assert why == "best of 4 by val_auc, 0.900; the first of 2 that are equal"
    with pytest.raises(DataError, match=r"holds no trained run of ff\. Trained are runs of ffpp"):
        trained.best("ff", tmp_path)
    other = {"select_metric": "val_eer", "best_value": 0.1}
    tables.write_json(tmp_path / "ffpp/e/MRGB-RLDP-CRGB/seed0/record.json", other)
    with pytest.raises(DataError, match="selected by val_auc and val_eer"):
        trained.best("ffpp", tmp_path)


@pytest.mark.parametrize("links", [True, False])
def test_fault_a4_a_repeated_run_has_two_folders_and_is_chosen_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    run, again = (tmp_path / f"ffpp/a/MRGB-RLDP-CRGB{end}/seed0" for end in ("", "-lambda0.5"))
    record = {"run": "ffpp/a/MRGB-RLDP-CRGB/seed0", "select_metric": "val_auc", "best_value": 0.9}
    for file in RunFiles(run):
        tables.write_json(file, record)
    if not links:
        monkeypatch.setattr(Path, "hardlink_to", lambda *_: (_ for _ in ()).throw(OSError()))
    for _ in range(2):
        trained.repeat(RunFiles(run), RunFiles(again))
    assert sorted(again.iterdir()) == sorted(RunFiles(again))
    for file, other in zip(RunFiles(run), RunFiles(again), strict=True):
        assert other.read_bytes() == file.read_bytes()
        assert other.samefile(file) == links
    assert trained.best("ffpp", tmp_path) == (run, "best of 1 by val_auc, 0.900")
    with pytest.raises(DataError, match=r"record\.json: does not exist"):
        trained.repeat(RunFiles(run / "no"), RunFiles(again))


def test_an_unknown_run_is_named_with_close_ones(tmp_path: Path) -> None:
    name = "ffpp/vit_micro/MRGB-RLDP-CRGB/seed0"
    tables.write_json(tmp_path / "runs" / name / "record.json", {})
    assert trained.find(Path(name), tmp_path / "runs") == tmp_path / "runs" / name
    with pytest.raises(DataError, match=rf"Did you mean {tmp_path}/runs/{name}\?"):
        trained.find(tmp_path / "runs/ffpp/vit_mirco/MRGB-RLDP-CRGB/seed0", Path("runs"))


def test_damaged_weights_predict_nothing(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / FRAMES.path
    shutil.copytree(home / "runs" / FRAMES.path, folder)
    whole = bytearray((folder / "weights.safetensors").read_bytes())
    whole[-1] ^= 1
    (folder / "weights.safetensors").write_bytes(whole)
    with pytest.raises(DataError, match="its record says"):
        predict.open_run(folder, home / "results", "cpu")


@pytest.mark.slow
def test_the_command_tells_scores_and_rejects_as_text_and_json(home: Path, tmp_path: Path) -> None:
    name, *_ = stored(home, ATTRIBUTES)
    good = path(home, ATTRIBUTES, name)
    Image.fromarray(trees.picture(1, 8, 8)).save(tmp_path / "small.png")
    command = [sys.executable, "-m", "lssat", "predict", "--task", "celeba", "--aligned"]
    command += [f"{good}", f"{tmp_path}/small.png", "--json", f"{tmp_path}/all.json"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert "best of 1 by val_balanced_accuracy" in done.stdout
    assert "small.png: rejected, too_small" in done.stdout
    assert "2 files: 1 scored, 1 rejected" in done.stdout
    told = json.loads((tmp_path / "all.json").read_text())
    assert [each["reason"] for each in told["rejects"]] == ["too_small"]
    (file,) = told["files"]
    assert len(file["scores"]) == 40
    logits = np.array(stored(home, ATTRIBUTES)[name][0]["logits"], dtype=float)
    np.testing.assert_allclose(
        list(file["uncalibrated"].values()), 1 / (1 + np.exp(-logits)), atol=1e-6
    )


def told_of(home: Path, folder: Path, *words: str, **env: str) -> tuple[int, str, str]:
    """Run `lssat predict` in a folder, with names as they are typed there."""
    command = [sys.executable, "-m", "lssat", "predict", "--run", f"{home}/runs/{FRAMES.path}"]
    command += ["--results", f"{home}/results", *words]
    environment = {**os.environ, **env}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_fault_d4_no_file_costs_another_its_score(home: Path, tmp_path: Path) -> None:
    """Names that look like protocols, given without a folder; files that are none; no files."""
    good = path(home, FRAMES, next(iter(stored(home, FRAMES))))
    for name in ("10:30.mp4", "a%d.mp4", "two\nlines.mp4"):
        shutil.copy(good, tmp_path / name)
    (tmp_path / "empty").mkdir()
    (tmp_path / "http:bad.mp4").write_text("no video")
    given = ["10:30.mp4", "a%d.mp4", "two\nlines.mp4", "empty", "http:bad.mp4", "none.mp4"]
    given += ["x" * 300, "10:30.mp4"]
    code, out, err = told_of(home, tmp_path, "--json", "all.json", *given, "./10:30.mp4")
    assert (code, err) == (1, "")
    assert "7 files: 3 scored, 4 rejected" in out
    told = json.loads((tmp_path / "all.json").read_text())
    scores = [each["uncalibrated"] for each in told["files"]]
    assert scores == [scores[0]] * 3
    assert [(each["path"][:12], each["reason"]) for each in told["rejects"]] == [
        ("empty", "missing"),
        ("http:bad.mp4", "format"),
        ("none.mp4", "missing"),
        ("x" * 12, "unreadable"),
    ]


@pytest.mark.slow
def test_fault_d12_a_video_is_not_written_over_by_its_scores(home: Path, tmp_path: Path) -> None:
    for name in ("v.mp4", "folder/w.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(path(home, FRAMES, next(iter(stored(home, FRAMES)))), tmp_path / name)
    os.symlink("v.mp4", tmp_path / "link.mp4")
    before = (tmp_path / "v.mp4").read_bytes()
    for given, out, why in (
        ("v.mp4", "link.mp4", "is to be written, and is read as well (an argument: "),
        ("folder", "folder/w.mp4", "is there already, and is no .json file"),
    ):
        code, said, err = told_of(home, tmp_path, given, "--json", out)
        assert (code, said) == (1, "")
        assert err.startswith(f"{out}: {why}")
    assert (tmp_path / "v.mp4").read_bytes() == before
    assert (tmp_path / "folder/w.mp4").read_bytes() == before


@pytest.mark.slow
def test_fault_d13_scores_are_told_where_the_terminal_has_only_ascii(
    home: Path, tmp_path: Path
) -> None:
    shutil.copy(path(home, FRAMES, next(iter(stored(home, FRAMES)))), tmp_path / "Gesicht é.mp4")
    code, out, err = told_of(home, tmp_path, "Gesicht é.mp4", PYTHONIOENCODING="ascii")
    assert (code, err) == (0, "")
    assert r"Gesicht \xe9.mp4: " in out


@pytest.mark.slow
def test_fault_d5_a_short_video_is_scored_with_all_it_has(home: Path, tmp_path: Path) -> None:
    trees.video(tmp_path / "v.mp4", [trees.scene(1), trees.scene(1, left=30), trees.scene(1)])
    (found,) = scored(home, FRAMES, [tmp_path / "v.mp4"], frames=32)
    assert [sample.frame for sample in found.samples] == [0, 1, 2]
    assert (found.n_frames, found.requested) == (3, 32)
    words = "3 of 3 frames have a face; the video has no more, 32 are asked for, a mean of few"
    assert words in terminal.line(opened(home, FRAMES), found)
    assert terminal.values(opened(home, FRAMES), found)["n_frames"] == 3
    (every,) = scored(home, FRAMES, [tmp_path / "v.mp4"], frames="all")
    assert [sample.frame for sample in every.samples] == [0, 1, 2]
    assert every.requested is None
    assert "(3 of 3 frames have a face)" in terminal.line(opened(home, FRAMES), every)
    trees.video(tmp_path / "w.mp4", [trees.scene(1)])
    (lost,) = scored(home, CLIPS, [tmp_path / "w.mp4"])
    assert (lost.reason, lost.detail) == (
        "short_video",
        "0 of 1 clips: 1 frames, a clip spans 2",
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("run", "how", "rows"), [(FRAMES, {}, 2), (CLIPS, {}, 1), (ATTRIBUTES, {"aligned": True}, 1)]
)
def test_a_picture_of_each_kind_of_file_is_drawn(
    home: Path, tmp_path: Path, run: Run, how: dict, rows: int
) -> None:
    (found,) = scored(home, run, [path(home, run, next(iter(stored(home, run))))], **how)
    file = picture.place(tmp_path / "new", found.file)
    for name in (file, tmp_path / "again.png"):
        picture.write(name, opened(home, run), found)
    assert len(found.samples) == rows
    assert file.read_bytes() == (tmp_path / "again.png").read_bytes()
    drawn = np.asarray(Image.open(file).convert("RGB")).astype(int)
    assert min(drawn.shape[:2]) > 300
    crop = found.crops[0, 1] if run is CLIPS else found.crops[0]
    colours = {tuple(pixel) for pixel in crop.reshape(-1, 3)[::37].tolist()}
    shown = {tuple(pixel) for pixel in drawn.reshape(-1, 3).tolist()}
    assert len(colours & shown) > 0.9 * len(colours)  # the crop itself stands in it
    orange = (
        (drawn[..., 0] > drawn[..., 2] + 80).mean(),
        (drawn[..., 2] > drawn[..., 0] + 80).mean(),
    )
    assert min(orange) > 0.001  # pixels that raise the score, and that lower it
