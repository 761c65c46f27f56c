"""What a run was made with: versions, machine, git revision."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from typing import Any

_PACKAGES = (
    *("lssat", "torch", "torchvision", "timm", "numpy", "pillow", "av"),
    *("lightning-fabric", "facenet-pytorch"),
)


def environment() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide results."""
    versions = {"python": platform.python_version(), "machine": platform.machine()}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "absent"
    return versions


def revision() -> dict[str, Any]:
    """Return git's revision of the current folder and whether files differ from it."""
    try:
        head, differ = _git("rev-parse", "HEAD"), _git("status", "--porcelain", "-uno")
    except (OSError, subprocess.CalledProcessError):
        return {"revision": None, "dirty": None}
    return {"revision": head, "dirty": bool(differ)}


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()
