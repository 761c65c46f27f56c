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
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def revision() -> dict[str, Any]:
    """Return git's revision of the current folder and whether files differ from it."""
    try:
        head = subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
        dirty = subprocess.run(
            ["git", "status", "--porcelain", "--untracked-files=no"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return {"revision": None, "dirty": None}
    return {"revision": head.stdout.strip(), "dirty": bool(dirty.stdout.strip())}
