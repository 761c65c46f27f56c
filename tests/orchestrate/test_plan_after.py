"""benchmarks/plan.py --after: a `make` that has ended, held to what was said of it."""

import importlib.util
import json
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest
from helpers import ROOT, recorded

from lssat import grid
from lssat.orchestrate import events
from lssat.tables.project import Project

TOLD = recorded.read(recorded.MAKE)
BEGAN = 1_700_000_000.0


@pytest.fixture(scope="module")
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("plan_benchmark", ROOT / "benchmarks/plan.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the recorded `make` left: its events, and when the epochs of its trainings ended."""
    shutil.copy(ROOT / "presets/sample.yaml", tmp_path / "params.yaml")
    run = recorded.run(TOLD)
    jobs, lines = [], []
    for number, (step, share) in enumerate(zip(run.steps, run.shares(), strict=True)):
        jobs.append([number, step.rule, step.wildcards, "", share])
        lines.append({"at": BEGAN + step.start, "started": [number]})
        lines.append({"at": BEGAN + step.end, "finished": number})
        if step.rule == "train":
            values = {**step.wildcards, "seed": int(step.wildcards["seed"])}
            record = Project(tmp_path).runs.run(grid.Run(**values).path).record
            record.parent.mkdir(parents=True)
            epochs = [BEGAN + at for at in step.epochs]
            record.write_text(json.dumps({"times": {"epochs": epochs}}))
    first = {"at": BEGAN, "pid": 1, "since": BEGAN - 4, "cores": 8, "jobs": jobs}
    last = {"at": BEGAN + TOLD["wall"], "ended": "done"}
    written = [first, *sorted(lines, key=lambda line: line["at"]), last]
    (tmp_path / ".snakemake").mkdir()
    (tmp_path / events.FILE).write_text("".join(f"{json.dumps(line)}\n" for line in written))
    return tmp_path


def output(
    program: ModuleType, capsys: pytest.CaptureFixture[str], *arguments: object
) -> dict[str, list[float]]:
    """Run the program; return the numbers of each line that it prints, by what it is of."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["plan.py", *map(str, arguments)])
        speed = program.core_speed  # the plan is that of the reference core on any machine
        patch.setattr(speed, "core", lambda: speed.REFERENCE)
        patch.setattr(speed, "milliseconds", lambda: dict(speed._REFERENCE))
        program.main()
    found = {}
    for line in capsys.readouterr().out.splitlines():
        head, colon, numbers = line.partition(": ")
        head, numbers = (head, numbers) if colon else line.split(maxsplit=1)
        found[head] = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", numbers)]
    return found


def test_a_finished_make_is_compared_with_what_was_said_of_it(
    program: ModuleType,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(program.psutil.Process, "cpu_affinity", lambda _: [0, 1])
    told = output(program, capsys, "--after", ".", "--record", "kept.json")
    run = recorded.run(TOLD)
    planned, took, ratio = told["plan, by the clock"]
    assert took == pytest.approx(TOLD["wall"] + 4, abs=1)  # from the start of Snakemake on
    assert planned == pytest.approx(run.planned, abs=1)
    assert ratio == pytest.approx(planned / took, abs=0.01)
    for part, both in run.phases().items():
        assert told[part][:2] == pytest.approx(both, abs=0.1)
    tenths = [told[f"time left, by the clock, at {tenth}0%"] for tenth in range(1, 10)]
    for (left, was, _), (_, expected, remaining) in zip(
        tenths, run.left(range(10, 100, 10)), strict=True
    ):
        assert (left, was) == pytest.approx((expected, remaining), abs=1.5)
    kept = recorded.read(folder / "kept.json")  # a record, which can be replayed
    assert kept["timeline"] == sorted(TOLD["timeline"], key=lambda row: row[2:4])
    assert kept["beside"] == 4.0
    assert recorded.run(kept).planned == pytest.approx(run.planned, rel=0.05)


def test_a_run_that_did_not_end_well_is_refused(program: ModuleType, folder: Path) -> None:
    lines = (folder / events.FILE).read_text().splitlines(keepends=True)
    (folder / events.FILE).write_text("".join(lines[:-1]))
    with pytest.raises(SystemExit, match=r"events\.jsonl: no run has ended well here\. Run `make`"):
        program.events_of(folder)
