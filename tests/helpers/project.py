"""A copy of this project in a folder of its own, with a small grid, for the real programs."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from helpers import ROOT, forked, stale
from lssat.grid import BESIDE

BIN = Path(sys.executable).parent
SMALL = {
    "benchmark": {
        "tasks": ["celeba"],
        "backbones": ["vit_micro"],
        "configurations": ["MRGB-RLDP-CRGB", "none-none-CRGB"],
        "seeds": [0],
        **{key: {"tasks": [], "backbones": [], "configurations": []} for key in BESIDE},
    },
    "sample": {"trees": ["celeba"]},
    "train": {"epochs": 2, "lr": 0.002, "warmup_epochs": 1},
    "evaluate": {"resamples": 200},
    "explain": {"samples": 8, "points": 20},
    "robustness": {"samples": 12, "strengths": [1, 5]},
}


@dataclass
class Project:
    """A folder in which the benchmark's programs are run."""

    path: Path

    def run(self, *command: str, check: bool = True, steps: bool = True, **environment: str) -> str:
        """Run a command as a user with the environment active would; return what it printed.

        Its steps are forked as well, but where that is asked otherwise.

        A library may read variables while it is imported: with some of its own, a program is a
        process from the beginning.
        """
        if command[0] in forked.PROGRAMS and not environment:
            code, told = forked.run(command, self.path, self.environment, steps)
        else:
            done = subprocess.run(
                command, cwd=self.path, env=self.environment | environment, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
            )  # fmt: skip
            code, told = done.returncode, done.stdout
        assert not check or code == 0, f"{command}\n{told[-6000:]}"
        return told

    @property
    def environment(self) -> dict[str, str]:
        """The environment: .venv active, this copy's modules before the installed ones."""
        inherited = {key: value for key, value in os.environ.items() if "DVC" not in key}
        inherited.pop("PYTHONDONTWRITEBYTECODE", None)  # a copy's modules are read many times
        return inherited | {
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.path),
            "GIT_AUTHOR_NAME": "test",
            "GIT_AUTHOR_EMAIL": "test@example.org",
            "GIT_COMMITTER_NAME": "test",
            "GIT_COMMITTER_EMAIL": "test@example.org",
            "COLUMNS": "120",
        }

    def params(self, **changes: dict) -> None:
        """Write params.yaml: the sample preset, made small, with changes by section."""
        values = yaml.safe_load((ROOT / "presets/sample.yaml").read_text())
        for layer in (SMALL, changes):
            for section, update in layer.items():
                values[section] |= update
        named = [*values["benchmark"]["tasks"], *values["benchmark"]["cross"]]
        values["datasets"] = {name: values["datasets"][name] for name in named}
        for found in (values["slices"]["attributes"], values["slices"]["lists"]):
            for name in {*found} - {*named}:
                del found[name]
        (self.path / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))

    def edit(self, section: str, name: str, value: object) -> None:
        """Write params.yaml with one value changed; of each data set where it is one of theirs."""
        self.params(**({} if section == "datasets" else {section: {name: value}}))
        if section == "datasets":
            file = self.path / "params.yaml"
            file.write_text(file.read_text().replace("limit: 0.0", f"limit: {value}"))

    def snakemake_stale(self) -> set[str]:
        """The stages that `snakemake -n` would run, named as DVC names them."""
        told = self.run("snakemake", "-n", "--cores", "2")
        found = set()
        for block in re.split(r"\n(?=(?:local)?rule )", told):
            if match := re.match(r"(?:local)?rule (\w+):", block):
                wild = re.search(r"wildcards: (.*)", block)
                values = dict(part.split("=", 1) for part in wild[1].split(", ")) if wild else {}
                values.pop("shard", None)
                order = ("task", "backbone", "configuration", "seed")
                name = "-".join(values[key] for key in order if key in values)
                rule = "train" if match[1] == "repeat" else match[1]  # one stage of DVC's
                found.add(f"{rule}@{name}" if name else rule)
        return found - {"all", "code"}

    def dvc_stale(self) -> set[str]:
        """The stages that `dvc status` finds changed, and what follows from them."""
        stages = set(self.run("dvc", "stage", "list", "--name-only").split())
        changed = json.loads(self.run("dvc", "status", "--json"))
        return stale.rules(stale.following(stages, stages & {*changed}))

    def dvc_code(self) -> None:
        """Let DVC look at the modules again, as its first stage does in every `dvc repro`."""
        self.run("dvc", "repro", "--quiet", "--single-item", "code")


def copy(folder: Path) -> Project:
    """Copy what git knows or would know of this project to a new folder, a git repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\n")  # fmt: skip
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    # What was compiled, and the digests of code, hold while a module has its size and time.
    for kept in (*ROOT.glob("lssat/**/*.pyc"), *ROOT.glob("lssat/__pycache__/digests.json")):
        (place := folder / kept.relative_to(ROOT)).parent.mkdir(exist_ok=True)
        shutil.copy2(kept, place)
    project = Project(folder)
    project.params()
    project.run("git", "init", "--quiet")
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", "copy")
    return project
