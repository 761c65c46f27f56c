"""Take report.png beside this file: the first screen of results/report.html, as `make` left it.

python docs/images/report.py
"""

import sys
import tempfile
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))

from helpers import chromium  # noqa: E402

WIDTH, HEIGHT = 1440, 760


def main(page: Path) -> None:
    """Write report.png, in 128 colours: below 300 kB, the text as sharp as it is."""
    out = HERE / "report.png"
    with tempfile.TemporaryDirectory() as folder, chromium.page(Path(folder)) as browser:
        browser.open(page.resolve().as_uri(), WIDTH, HEIGHT)
        browser.wait("document.documentElement.dataset.ready !== undefined")
        assert browser.problems() == []
        browser.picture(out)
    Image.open(out).convert("RGB").quantize(128).save(out, optimize=True)
    assert out.stat().st_size < 300_000


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results/report.html"))
