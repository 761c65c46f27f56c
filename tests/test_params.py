"""params.yaml: strict, typed, and read alike by every YAML reader."""

from pathlib import Path

import pytest
import yaml
from ruamel.yaml import YAML

from lssat import params
from lssat.tables import DataError

ROOT = Path(__file__).parent.parent
PRESETS = [ROOT / "params.yaml", *sorted((ROOT / "presets").glob("*.yaml"))]


@pytest.mark.parametrize("file", PRESETS, ids=lambda file: file.name)
def test_presets_are_valid_and_read_alike_by_both_readers(file: Path) -> None:
    loaded = params.load(file)
    assert loaded.benchmark.runs()
    ours, dvcs = yaml.safe_load(file.read_text()), YAML(typ="safe").load(file.read_text())
    assert ours == dvcs


def test_params_yaml_is_the_sample_preset() -> None:
    assert (ROOT / "params.yaml").read_text() == (ROOT / "presets/sample.yaml").read_text()


def test_the_sample_preset_has_48_runs() -> None:
    assert len(params.load(ROOT / "presets/sample.yaml").benchmark.runs()) == 48


def test_view_gives_a_step_what_it_declares_and_nothing_else() -> None:
    loaded = params.load(ROOT / "params.yaml")
    text = params.section_json(loaded, "faces", task="ffpp")
    view = params.view(text, "faces", task="ffpp")
    assert view.faces == loaded.faces
    assert view.datasets.ffpp == loaded.datasets.ffpp
    with pytest.raises(AttributeError):
        _ = view.train
    with pytest.raises(AttributeError):
        _ = view.datasets.celeba


def test_view_from_the_file_equals_view_from_the_json() -> None:
    loaded = params.load(ROOT / "params.yaml")
    for rule in params.READS:
        text = params.section_json(loaded, rule, task="celeba")
        by_file = params.view(str(ROOT / "params.yaml"), rule, task="celeba")
        assert params.view(text, rule, task="celeba") == by_file


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
