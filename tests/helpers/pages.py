"""The pages "add a ...": their code blocks, followed in a copy of the package."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
_BLOCK = re.compile(r"^```(?:python|jinja|yaml)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_HEAD = re.compile(
    r"(?:#|\{#) (?P<file>[\w/.]+\.\w+)"
    r"(?:, (?P<how>before|in place of): (?P<anchor>.+?))?(?: #\})?\n"
)


def follow(page: str, folder: Path) -> Path:
    """Do what the code blocks of a page say in a copy of the package; return the copy's folder.

    The first line of a block names its file: `# lssat/new.py` begins one, and
    `# lssat/old.py, before: TEXT` or `..., in place of: TEXT` (with \\n for a new line) edits the
    one place where TEXT stands. A block without a file is for readers, and is left alone.
    """
    shutil.copytree(ROOT / "lssat", folder / "lssat", ignore=shutil.ignore_patterns("__pycache__"))
    steps = 0
    for block in _BLOCK.findall((ROOT / "docs" / page).read_text(encoding="utf-8")):
        if head := _HEAD.match(block):
            _do(folder / head["file"], head["how"], head["anchor"], block[head.end() :])
            steps += 1
    assert steps, f"{page} has no step to follow"
    return folder


def _do(file: Path, how: str | None, anchor: str | None, text: str) -> None:
    if how is None:
        assert not file.exists(), f"{file} is there already"
        file.write_text(text, encoding="utf-8")
        return
    anchor, content = str(anchor).replace("\\n", "\n"), file.read_text(encoding="utf-8")
    assert content.count(anchor) == 1, f"{anchor!r} stands {content.count(anchor)} times in {file}"
    text = text.removesuffix("\n") if how == "in place of" else text + anchor
    file.write_text(content.replace(anchor, text), encoding="utf-8")


def run(folder: Path, code: str) -> str:
    """Run Python code with the copy of the package; return what it prints."""
    path = os.pathsep.join([str(folder), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:lssat", "-c", code],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
