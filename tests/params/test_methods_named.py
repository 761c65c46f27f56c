"""`train.methods` and its variants: what is no method of the task is said before the first job."""

from pathlib import Path

import pytest
import yaml
from helpers.preset import FILE, TEXT

from lssat import params
from lssat.params import methods
from lssat.tables import DataError


def refused(tmp_path: Path, section: str, **changes: object) -> str:
    """What is said of the preset with changes of a section."""
    values = yaml.safe_load(TEXT)
    values[section] |= changes
    return said(tmp_path, values)


def varied(tmp_path: Path, methods: list[str], task: str = "ffpp") -> str:
    """What is said of the preset with one variant, of vit_micro."""
    values = yaml.safe_load(TEXT)
    lists = {"tasks": [task], "backbones": ["vit_micro"]}
    values["benchmark"]["variants"] = lists | {"configurations": ["none-none-CRGB+some"]}
    values["variants"] = {"some": {"methods": methods}}
    return said(tmp_path, values)


def said(tmp_path: Path, values: dict) -> str:
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    with pytest.raises(DataError) as caught:
        params.load(tmp_path / "params.yaml")
    return str(caught.value)


def test_methods_of_the_recipe_are_those_of_every_task(tmp_path: Path) -> None:
    told = refused(tmp_path, "train", methods=["Deepfakes"])
    assert "train.methods: celeba has no manipulation methods; write null, or train it" in told


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["Deepfake"], "variants.some.methods: 'Deepfake' is no method of ffpp; did you"),
        (["FaceShifter"], "'FaceShifter' is no method of ffpp; did you mean"),
        ([], "variants.some.methods: List should have at least 1 item"),
        (["Deepfakes", "Deepfakes"], "Deepfakes stands twice; leave it once"),
    ],
)
def test_methods_of_a_variant_are_those_of_its_task(tmp_path: Path, names: list, told: str) -> None:
    assert told in varied(tmp_path, names)


def test_a_variant_of_a_task_without_methods_is_refused(tmp_path: Path) -> None:
    told = varied(tmp_path, ["Deepfakes"], task="affectnet")
    assert "variants.some.methods: affectnet has no manipulation methods" in told


def test_methods_of_ones_own_are_the_classes_that_become_the_positive_one() -> None:
    values = {
        "datasets": {
            "mine": {"positive": "fake", "labels": {"a": "fake", "b": "fake", "c": "real"}},
            "two": {"positive": "fake", "labels": {"a": "fake", "c": "real"}},
            "ff": {"methods": ["x", "y"]},
        }
    }

    def get(*keys: str) -> object:
        found: object = values
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    found = {name: methods.known(get, name) for name in ("mine", "two", "ff", "none")}
    assert found == {"mine": ["a", "b"], "two": [], "ff": ["x", "y"], "none": []}


def test_methods_of_a_test_are_among_those_that_are_read(tmp_path: Path) -> None:
    values = yaml.safe_load(TEXT)
    values["datasets"]["ffpp"]["test_methods"] = ["NeuralTextures", "FaceShifter"]
    assert (
        "datasets.ffpp.test_methods: 'FaceShifter' is not in datasets.ffpp.methods; did you mean"
        in said(tmp_path, values)
    )
    values["datasets"]["ffpp"]["test_methods"] = []
    assert "datasets.ffpp.test_methods: List should have at least 1 item" in said(tmp_path, values)


def test_a_data_set_whose_methods_are_all_tested_is_not_stale_for_the_new_key() -> None:
    loaded = params.load(FILE)
    assert "test_methods" not in params.section_json(loaded, "splits", task="ffpp")
    section = loaded.datasets.ffpp.model_copy(update={"test_methods": ["NeuralTextures"]})
    datasets = loaded.datasets.model_copy(update={"ffpp": section})
    changed = loaded.model_copy(update={"datasets": datasets})
    told = params.section_json(changed, "splits", task="ffpp")
    assert '"test_methods": ["NeuralTextures"]' in told
    assert params.view(told, params.views.SplitsView, task="ffpp").datasets[
        "ffpp"
    ].test_methods == ["NeuralTextures"]
