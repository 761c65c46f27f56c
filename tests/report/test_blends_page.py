"""The page of blends shows what training makes, and goes to nobody else."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from helpers import axe, chromium
from helpers.blends import SIZE, reals, write
from PIL import Image
from typer.testing import CliRunner

from lssat.cli import commands as cli
from lssat.report import blends
from lssat.tables import DataError
from lssat.tables.project import Data


def _page(data: Path, out: Path, seed: int = 0, epoch: int = 0) -> str:
    blends.write(blends.Files(Data(data).splits.train, data / "faces", out), seed, epoch)
    return out.read_text()


def test_the_page_shows_the_pairs_of_an_epoch(tmp_path: Path) -> None:
    write(tmp_path, {"train": 12})
    page = _page(tmp_path, tmp_path / "page.html", seed=2, epoch=5)
    assert (tmp_path / "page.html").stat().st_mode & 0o077 == 0
    shown = re.findall(r'<img src="data:image/png;base64,([^"]+)"', page)
    assert len(shown) == 12  # six real crops, twice
    for kind, pictures in (("sbi", shown[:6]), ("xray", shown[6:])):
        made = reals(tmp_path, kind)
        for place, text in enumerate(pictures):
            strip = np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))[..., :3]
            tiles = [strip[:, n * (SIZE + 3) : n * (SIZE + 3) + SIZE] for n in range(5)]
            pair = made.pair(place, 2, 5, True)
            assert (tiles[0] == made.crop(place)).all()
            assert (tiles[1] == pair.real).all()
            assert (tiles[2] == pair.fake).all()
            for tile, part in zip(tiles[3:], (pair.mask, pair.boundary), strict=True):
                assert np.abs(tile[..., 0] / 255 - part).max() < 0.003
    assert _page(tmp_path, tmp_path / "page.html", seed=3) != page


@pytest.mark.browser
@pytest.mark.skipif(chromium.PROGRAM is None, reason="no chromium on this machine")
def test_the_page_meets_wcag_aa_in_the_window(tmp_path: Path) -> None:
    write(tmp_path, {"train": 12})
    _page(tmp_path, tmp_path / "page.html")
    with chromium.page(tmp_path / "profile") as tab:
        for width, dark in ((1440, False), (390, True)):
            tab.open((tmp_path / "page.html").as_uri(), width, dark=dark)
            assert axe.violations(tab) == []
            assert tab.run("document.documentElement.scrollWidth") <= width
        tab.picture(tmp_path / "page.png")
        assert tab.problems() == []


def test_a_task_without_fakes_has_no_page(tmp_path: Path) -> None:
    from helpers.drawn_data import write as drawn

    drawn(tmp_path, {"train": 16}, multiclass=4)
    with pytest.raises(DataError, match=r"a blend is trained on .* is multiclass"):
        _page(tmp_path, tmp_path / "page.html")


def test_a_project_that_shows_no_faces_has_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from helpers.preset import TEXT

    monkeypatch.chdir(tmp_path)
    text = TEXT.replace("  faces: sample ", "  faces: none ")
    (tmp_path / "params.yaml").write_text(text)
    done = CliRunner().invoke(cli.app, ["blends", "--task", "ffpp"])
    assert "report.faces: none, and the page of blends is made of faces" in str(done.exception)
