"""Faces of real data stay on the machine: what the report holds, and who may read the files."""

import base64
import io
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import drawn_results as drawn
from helpers.training import RUN, view
from helpers.training import files as files_of_run
from PIL import Image

from lssat import params, report, tables
from lssat.orchestrate import hooks
from lssat.report import gallery
from lssat.report.kit import pictures
from lssat.tables import face_privacy
from lssat.tables.project import ATTACHED
from lssat.training import train as step

REAL = {"datasets": {task: {"root": f"/data/{task}"} for task in drawn.TASKS}}
TREES = ["ffpp", "celeba", "affectnet"]


def asked(faces: str, root: str = "data/raw/sample/ffpp") -> dict[str, Any]:
    given = {"report": {"faces": faces}, "sample": {"trees": TREES}}
    return given | {"datasets": {"ffpp": {"root": root}}}


@pytest.mark.parametrize(
    ("faces", "root", "place"),
    [
        ("sample", "data/raw/sample/ffpp", "report"),
        ("sample", "./data/raw/sample/ffpp/", "report"),
        ("sample", "/data/ffpp", "local"),
        ("sample", "data/raw/sample/mine", "local"),  # beside the sample, and not drawn
        ("sample", "data/raw/sample/ffpp/../../ffpp", "local"),
        ("local", "data/raw/sample/ffpp", "local"),
        ("local", "/data/ffpp", "local"),
        ("none", "data/raw/sample/ffpp", "nowhere"),
        ("none", "/data/ffpp", "nowhere"),
    ],
)
def test_fault_f10_only_the_drawn_samples_faces_are_in_the_report(
    faces: str, root: str, place: str
) -> None:
    assert face_privacy.place("ffpp", asked(faces, root)) == place


def test_fault_f10_what_is_not_known_to_be_the_sample_is_not_shown() -> None:
    assert face_privacy.place("ffpp", {"report": {"title": ""}}) == "local"
    other = asked("sample") | {"sample": {"trees": ["celeba"]}}
    assert face_privacy.place("ffpp", other) == "local"


def test_fault_f10_the_samples_faces_are_the_default() -> None:
    values = {"title": "", "note": ""}
    assert params.Report.model_validate(values).faces == "sample"


def images(page: str) -> Iterator[np.ndarray]:
    for code in re.findall(r'<img src="data:image/\w+;base64,([\w+/=]+)"', page):
        yield np.asarray(Image.open(io.BytesIO(base64.b64decode(code))).convert("RGBA"))[..., :3]


def shown(page: str, crops: np.ndarray) -> int:
    """Count the pictures of a page in which some row of some crop, whole or reduced, stands."""
    tiles = [*crops, *(pictures.tile(crop) for crop in crops)]
    rows = [tile[row].tobytes() for tile in tiles for row in range(0, len(tile), 7)]
    found = (b"\0".join(row.tobytes() for row in image) for image in images(page))
    return sum(any(row in image for row in rows) for image in found)


def crops_of(files: report.TaskFiles) -> np.ndarray:
    """Every stored face: of the shards, and those in the runs' reconstructions."""
    made = [np.load(file) for file, _ in files.faces]
    for folder in files.runs.values():
        if (folder / "reconstruction.npz").exists():
            with np.load(folder / "reconstruction.npz") as arrays:
                made += [arrays[name] for name in ("input", "target") if name in arrays.files]
    return np.concatenate(made)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "some"),
    [({}, True), (REAL, False), ({"report": {**drawn.PARAMS["report"], "faces": "none"}}, False)],
    ids=["sample", "real", "none"],
)
def test_fault_f10_a_report_of_real_data_holds_no_picture_of_a_crop(
    tmp_path: Path, changed: dict, some: bool
) -> None:
    files = drawn.draw(tmp_path, ("ffpp", "celeba"), ("vit_micro",), seeds=(0,))
    out = drawn.outputs(tmp_path)
    report.write(drawn.PARAMS | changed, files, out)
    page = out["report"].read_text(encoding="utf-8")
    every = np.concatenate([crops_of(each) for each in files.values()])
    assert bool(shown(page, every)) == some
    maps = len(re.findall('class="maps"', page))
    assert maps == 2  # mean maps hold no face
    if not some:
        # The others are no pictures of crops: nothing else is a picture, in whatever form.
        assert len(list(images(page))) == page.count(": mean maps over")
        assert page.count("data:image/") == len(list(images(page)))
    assert ("are no part of the report" in page) == (changed == REAL)
    assert not any("local" in name for name in ATTACHED)  # what MLflow gets


def local_page(tmp_path: Path, place: str) -> tuple[str, np.ndarray]:
    (files,) = drawn.draw(tmp_path, ("ffpp",), ("vit_micro",), seeds=(0,)).values()
    folders = files.faces[0][0].parent, files.texture[0][0].parent
    where = gallery.Files(files.explain, files.maps, *folders, tmp_path / "runs")
    out = tmp_path / face_privacy.LOCAL
    gallery.write("Title", {"ffpp": where}, out, {"ffpp": place})
    return out.read_text(encoding="utf-8"), crops_of(files)


@pytest.mark.slow
def test_fault_f10_this_machines_page_has_what_the_report_lacks(tmp_path: Path) -> None:
    page, crops = local_page(tmp_path / "a", "local")
    for title in (
        "Crops and texture",
        "Reconstructions",
        "Where the row that is best on validation looks",
    ):
        assert f"<h3>{title}</h3>" in page
    other, _ = local_page(tmp_path / "b", "report")
    assert shown(page, crops) > shown(other, crops) > 0
    none, _ = local_page(tmp_path / "c", "nowhere")
    assert shown(none, crops) == 0
    assert "No face is shown: params.yaml says report.faces: none" in none


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def test_fault_f10_files_of_faces_are_their_owners_whatever_the_umask(
    tmp_path: Path, umask: None
) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain").chmod(0o755)
    for name in ("data/prepared/x/faces", "data/prepared/x/texture/ldp", "results/local"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        folder.chmod(0o755)  # Snakemake makes it before the step
        with tables.confidential():
            tables.write_text(folder / "a.html", "face")
            tables.write_text(tmp_path / "plain/a.html", "face")
        assert mode(folder / "a.html") == 0o600
        assert mode(folder) == 0o700
    assert mode(tmp_path / "plain/a.html") == 0o600
    assert mode(tmp_path / "plain") == 0o755  # holds other things too
    tables.write_text(tmp_path / "plain/b.html", "no face")
    assert mode(tmp_path / "plain/b.html") == 0o666 & ~_mask()


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_fault_f10_crops_texture_and_reconstructions_are_closed(
    sample_data: dict[str, Path], tmp_path: Path
) -> None:
    made = sample_data["celeba"]
    for folder in (made / "faces", made / "texture/ldp"):
        assert mode(folder) == 0o700
        assert {mode(file) for file in folder.iterdir()} == {0o600}, folder
    where = replace(files_of_run(made, tmp_path), codes=made / "texture/ldp")
    step.train(RUN._replace(task="celeba"), where, view(epochs=1, batch_size=8))
    assert mode(where.reconstruction) == 0o600
    assert mode(where.weights) != 0o600


def test_fault_f10_folders_that_dvc_has_put_back_are_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    closed = ["data/prepared/a/faces", "data/prepared/a/texture/ldp", "results/local", ".dvc/cache"]
    others = ["data/prepared/a/splits", "results/tasks", "runs"]
    for name in (*closed, *others):
        Path(name).mkdir(parents=True)
        Path(name).chmod(0o755)
    linked = [Path(closed[0]) / "shard.npy", Path(others[2]) / "reconstruction.npz"]
    plain = Path(others[2]) / "weights.safetensors"
    for file in (*linked, plain):
        file.touch(0o444)
        file.chmod(0o444)
    hooks.close_faces()
    assert {mode(file) for file in linked} == {0o600}
    assert mode(plain) == 0o444
    assert {mode(Path(name)) for name in closed} == {0o700}
    assert {mode(Path(name)) for name in others} == {0o755}
