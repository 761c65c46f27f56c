"""The container image: the lock's environment, by the Makefile's own steps, and nothing else."""

import re
import tomllib

import yaml
from helpers import ROOT

LINES = (ROOT / "Dockerfile").read_text().replace("\\\n", "").splitlines()
STEPS = [line.partition(" ") for line in LINES if line and not line.startswith("#")]
RUN = [rest for word, _, rest in STEPS if word == "RUN"]
COPIED = [rest.split() for word, _, rest in STEPS if word == "COPY"]


def test_the_image_is_installed_by_the_makefile_from_the_lock() -> None:
    assert RUN[0] == "make .venv"
    before = {name for *names, _ in COPIED[:2] for name in names}
    target = re.search(r"^\.venv: (.*)$", (ROOT / "Makefile").read_text(), flags=re.M)
    assert target
    assert {"Makefile", *target[1].split(), "lssat/__init__.py"} <= before
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {project["readme"], *project["license-files"]} <= before  # its build reads them


def test_what_is_copied_is_there_and_not_ignored() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if "!" in line}
    for *names, _ in COPIED:
        for name in names:
            assert (ROOT / name).exists()
            assert name.split("/")[0] in kept
    assert COPIED[-1:] == [["lssat", "lssat"]]


def test_the_storage_plugin_is_the_locks_and_installed_without_a_network() -> None:
    (pattern,) = re.findall(r"sed --quiet '/(\^\S+==)/", RUN[1])
    lock = (ROOT / "requirements.lock").read_text()
    profile = yaml.safe_load((ROOT / "profiles/kubernetes/profile.yaml").read_text())
    name = f"snakemake-storage-plugin-{profile['default-storage-provider']}"
    assert pattern == f"^{name}=="
    assert re.search(pattern, lock, flags=re.M)
    assert "--require-hashes" in RUN[1]
    (environment,) = (rest for word, _, rest in STEPS if word == "ENV" and "PIP" in rest)
    assert environment == "PIP_NO_INDEX=1 PIP_FIND_LINKS=/lssat/wheels PIP_NO_DEPS=1"


def test_the_images_version_is_the_projects_and_its_python_one_that_is_supported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    profile = (ROOT / "profiles/kubernetes/profile.yaml").read_text()
    assert re.search(r"^container-image: lssat:(\S+)", profile, flags=re.M)[1] == project["version"]
    (base,) = (rest for word, _, rest in STEPS if word == "FROM")
    minor = int(re.match(r"python:3\.(\d+)-", base)[1])
    assert 11 <= minor < 14
