"""What `train.blend` cannot be run with is said before the first job, with its line."""

import re
from pathlib import Path

import pytest
from helpers.preset import TEXT

from lssat import params
from lssat.tables import DataError


def written(tmp_path: Path, variant: str = "{blend: sbi}", **lists: str) -> Path:
    """Write the sample's params.yaml with a variant `sbi` of ffpp; lists of it may differ."""
    named = {"tasks": "[ffpp]", "backbones": "[vit_micro]"}
    named |= {"configurations": "[none-none-CRGB+sbi]"} | lists
    listed = "".join(f"    {key}: {value}\n" for key, value in named.items())
    text = TEXT
    for begin, new in (
        ("  variants: ", f"  variants:\n{listed}"),
        ("variants: ", f"variants:\n  sbi: {variant}\n"),
    ):
        text = re.sub(
            rf"^{begin}.*?(?=^\w|^  more_variants)",
            new,
            text,
            count=1,
            flags=re.DOTALL | re.MULTILINE,
        )
    (tmp_path / "params.yaml").write_text(text)
    return tmp_path / "params.yaml"


@pytest.mark.parametrize("variant", ["{blend: sbi}", "{blend: xray, epochs: 9}"])
def test_a_variant_of_real_and_fake_may_be_trained_on_blends(tmp_path: Path, variant: str) -> None:
    loaded = params.load(written(tmp_path, variant))
    runs = {run.path for run in loaded.runs()}
    assert "ffpp/vit_micro/none-none-CRGB+sbi/seed0" in runs
    assert loaded.recipe("none-none-CRGB+sbi").blend in variant
    assert loaded.recipe("none-none-CRGB").blend == "none"


@pytest.mark.parametrize(
    ("variant", "lists", "said"),
    [
        ("{blend: sby}", {}, "variants.sbi.blend: Input should be 'none', 'sbi' or 'xray'"),
        (
            "{blend: sbi}",
            {"tasks": "[ffpp, celeba]"},
            "variants.sbi.blend: sbi is trained on the real faces of real and fake, and celeba is "
            "multilabel; name it as a variant with tasks of its own (docs/rivals.md)",
        ),
        (
            "{blend: sbi}",
            {"configurations": "[MRGB-RLDP-CRGB+sbi]"},
            "variants.sbi.blend: sbi is supervised by what it blends, and MRGB-RLDP-CRGB is "
            "another training; write none-none-CRGB, or leave one of them out",
        ),
        (
            "{blend: xray, batch_size: 15}",
            {},
            "variants.sbi.batch_size: 15 is odd, and half of a batch of xray is real, half "
            "blended; write 16",
        ),
        (
            "{blend: xray, sampler: balanced}",
            {},
            "variants.sbi.sampler: balanced does nothing: batches of xray are half real; write "
            "uniform",
        ),
        (
            "{blend: sbi, erase: 0.2}",
            {},
            "variants.sbi.erase: 0.2 is beside sbi, which has its own augmentation; write 0.0",
        ),
        (
            "{blend: sbi, tune: linear, hflip: false}",
            {},
            "variants.sbi.blend: sbi changes the crops, and tune: linear computes the features of "
            "each once; write none",
        ),
    ],
)
def test_what_does_not_go_with_blends_is_named_with_its_line(
    tmp_path: Path, variant: str, lists: dict, said: str
) -> None:
    file = written(tmp_path, variant, **lists)
    with pytest.raises(DataError) as error:
        params.load(file)
    line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if "  sbi: " in text)
    assert f"{file}:{line}: {said}" in str(error.value)


def test_the_recipe_itself_is_held_to_the_same(tmp_path: Path) -> None:
    text = TEXT.replace("blend: none ", "blend: sbi ")
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(DataError) as error:
        params.load(tmp_path / "params.yaml")
    line = next(n for n, each in enumerate(text.splitlines(), 1) if "blend: sbi " in each)
    for said in ("and celeba is multilabel", "and affectnet is multiclass", "MRGB-RLDP-CRGB is"):
        assert said in str(error.value)
    assert f"params.yaml:{line}: train.blend: sbi is trained on" in str(error.value)


OWN = """
  mine:
    root: data/mine
    shards: 1
    rejects_limit: 0.0
    kind: binary
    faces: {faces}
    positive: fake
"""


def test_data_of_your_own_need_faces_that_are_detected(tmp_path: Path) -> None:
    for faces in ("aligned", "detect"):
        file = written(tmp_path, tasks="[mine]")
        text = file.read_text().replace("tasks: [ffpp, ", "tasks: [mine, ffpp, ", 1)
        text = text.replace("\nfaces:\n", OWN.format(faces=faces).rstrip("\n") + "\nfaces:\n", 1)
        file.write_text(text)
        if faces == "detect":
            params.load(file)
            continue
        with pytest.raises(DataError) as error:
            params.load(file)
        assert str(error.value).count("\n") < 2
        assert (
            "variants.sbi.blend: sbi needs landmarks, and mine has faces: aligned; write detect in "
            "datasets.mine.faces, or leave mine out" in str(error.value)
        )
