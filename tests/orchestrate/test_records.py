"""Snakemake's records of how files were made: without one it sees no change, so it is refused."""

import base64
from pathlib import Path

import pytest

from lssat.orchestrate import records


def name(output: str, length: int = 254) -> str:
    """A record's name as Snakemake writes it, cut into folders where it is long."""
    text = base64.urlsafe_b64encode(output.encode()).decode()
    parts = [text[at : at + length] for at in range(0, len(text), length)]
    return "/".join([*(f"@{part}" for part in parts[:-1]), parts[-1]])


@pytest.mark.parametrize(
    ("content", "incomplete", "there", "refused"),
    [
        ('{"a": 1}', False, True, False),
        ('{"a": 1}\n', False, True, False),
        ("", False, True, True),
        ('{"a": 1, "b": "c', False, True, True),
        ("\0\0\0\0", False, True, True),
        ("", True, True, False),  # killed while it was written: runs again
        ("", False, False, False),  # of a file that is no more
    ],
)
@pytest.mark.parametrize("output", ["results/a?b>.json", "results/" + "long/" * 60 + "a.json"])
def test_a_record_that_was_cut_is_refused_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    output: str, content: str, incomplete: bool, there: bool, refused: bool,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    whole = tmp_path / ".snakemake/metadata" / name("other.json")
    record = tmp_path / ".snakemake/metadata" / name(output)
    for file, text in ((whole, "{}"), (record, content)):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    if incomplete:
        mark = tmp_path / ".snakemake/incomplete" / name(output)
        mark.parent.mkdir(parents=True)
        mark.touch()
    if there:
        Path(output).parent.mkdir(parents=True)
        Path(output).touch()
    said = records.refusal()
    assert bool(said) == refused
    if refused:
        assert said.startswith(f".snakemake/metadata: a record is cut, of how {output} came to be")
        assert "Run `lssat sync`" in said


def test_results_without_any_record_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert records.refusal().startswith("results/: there are results (from `dvc pull` or")
