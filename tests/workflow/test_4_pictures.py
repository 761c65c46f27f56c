"""The README's pictures: one command takes them from a finished project."""

import re
import sys
from pathlib import Path

import pytest
from helpers import ROOT, chromium
from helpers.project import Project
from PIL import Image

FIVE = {"report", "reconstruction", "predict", "terminal", "mlflow"}
MOST = 200_000  # bytes


def held(folder: Path) -> None:
    """Hold each picture to a size, and to show something."""
    for name in FIVE:
        file = folder / f"{name}.png"
        assert file.stat().st_size <= MOST, name
        with Image.open(file) as picture:
            assert 300 <= picture.width <= 1440, name
            assert 300 <= picture.height <= 1000, name
            shades = picture.convert("L").histogram()
        assert max(shades) < 0.95 * sum(shades), name  # not of one colour


def test_the_readme_shows_five_pictures_that_are_small() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"!\[[^\]]+\]\(docs/images/(\w+)\.png\)", text)) == FIVE
    held(ROOT / "docs/images")


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(chromium.PROGRAM is None, reason="no chromium on this machine")
def test_one_command_renews_the_readmes_pictures(by_snakemake: Project, tmp_path: Path) -> None:
    command = ["docs/images/readme.py", "--events", "events.jsonl", "--out", f"{tmp_path}"]
    told = by_snakemake.run(sys.executable, *command)
    assert {Path(line.split(":")[0]).stem for line in told.splitlines()} == FIVE
    held(tmp_path)
    (by_snakemake.path / ".snakemake/other.jsonl").write_text("")
    command[2] = ".snakemake/other.jsonl"
    told = by_snakemake.run(sys.executable, *command, check=False)
    assert "other.jsonl: no training was in this run. Take the pictures after a first" in told
