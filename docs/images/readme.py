"""Take the README's five pictures from a finished project.

    python docs/images/readme.py                 # of this folder, after `make`
    python docs/images/readme.py --project FOLDER --out FOLDER

report.png: the first screen of the report. reconstruction.png: faces, masked and filled in again.
predict.png: `lssat predict --pictures` of a test sample. terminal.png: `lssat plan`, and what
`lssat run` showed in the middle of the run. mlflow.png: the runs of a task compared in MLflow.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))

from helpers import chromium, mlflow_ui, project  # noqa: E402

from lssat import grid, params, tables  # noqa: E402
from lssat.orchestrate import events, progress  # noqa: E402
from lssat.tables.project import Project  # noqa: E402

MOST = 200_000  # bytes of a picture
COLOURS = 128  # below MOST, the text as sharp as it is
COLUMNS = 112  # of the terminal
_AXES = "document.querySelector('.js-plotly-plot .parcoords')"
_TERMINAL = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; background: #10141a; }} pre {{ color: #d6dde6; font: 15px/1.35
"DejaVu Sans Mono", monospace; padding: 18px 22px; margin: 0; width: fit-content; }}
</style><body><pre id="terminal">{code}</pre></body>"""


class Shop(NamedTuple):
    """Where pictures are taken: a finished project, a browser, a folder for what is in between."""

    project: Path
    browser: chromium.Page
    work: Path
    events: Path  # of the run that is shown in the terminal

    @property
    def environment(self) -> dict[str, str]:
        """Of commands: as with .venv active, in colour."""
        own = project.Project(self.project.resolve()).environment
        return own | {"COLUMNS": str(COLUMNS), "FORCE_COLOR": "1"}

    @property
    def values(self) -> params.Params:
        """The project's parameters."""
        return params.load(self.project / "params.yaml")

    def run(self, *command: str) -> str:
        """Run a command in the project; return what it printed."""
        done = subprocess.run(
            command, cwd=self.project, env=self.environment, capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}: it failed.\n{done.stdout}{done.stderr}")
        return done.stdout


def report(shop: Shop, file: Path) -> None:
    """The first screen."""
    page = shop.project / "results/report.html"
    shop.browser.open(page.resolve().as_uri(), 1440, 850)
    shop.browser.wait(chromium.READY)
    shop.browser.picture(file)


def reconstruction(shop: Shop, file: Path) -> None:
    """The first strip of reconstructions of the report."""
    page = shop.project / "results/report.html"
    shop.browser.open(page.resolve().as_uri(), 1440, 900)
    shop.browser.wait(chromium.READY)
    shop.browser.element(file, "#reconstruction .strips figure")


def predict(shop: Shop, file: Path) -> None:
    """A test sample, scored by the task's best run."""
    task = shop.values.benchmark.tasks[0]
    options = getattr(shop.values.datasets, task)
    data = Project(shop.project).data(task)
    tested = tables.read_table(data.splits.test, tables.SPLITS)["id"].to_pylist()
    known = tables.read_table(data.manifest, tables.MANIFEST)
    paths = dict(zip(known["id"].to_pylist(), known["path"].to_pylist(), strict=True))
    sample = Path(options.root, paths[min(tested)])
    aligned = ["--aligned"] if task == "celeba" else []  # as the release's images are
    out = shop.work / "predicted"
    shop.run("lssat", "predict", "--task", task, *aligned, "--pictures", f"{out}", f"{sample}")
    shutil.copy(next(out.glob("*.png")), file)


def terminal(shop: Shop, file: Path) -> None:
    """What is planned; and the view of the run, half way through its trainings."""
    reader = events.Reader(shop.events)
    reader.read()
    times = [
        at
        for job in reader.jobs.values()
        if job.rule == "train"
        for at in (job.started, job.finished)
        if at is not None
    ]
    if not times:
        told = f"{shop.events}: no training was in this run. Take the pictures after a first `make`"
        raise SystemExit(f"{told}, or give its events as --events.")
    now = (min(times) + max(times)) / 2
    console = Console(record=True, file=open(os.devnull, "w"), width=COLUMNS, force_terminal=True)  # noqa: SIM115
    console.print(Text("$ lssat plan"))
    console.print(Text.from_ansi(shop.run("lssat", "plan").rstrip()))
    console.print(Text("\n$ lssat run"))
    console.print(progress.Progress(at(reader, now, shop)).screen(now, COLUMNS))
    page = shop.work / "terminal.html"
    page.write_text(console.export_html(inline_styles=True, code_format=_TERMINAL))
    shop.browser.open(page.as_uri(), 1200, 900)
    shop.browser.element(file, "#terminal")


def at(reader: events.Reader, now: float, shop: Shop) -> events.Reader:
    """Return what a reader knew at a time of the run, with the logs as they were then."""
    known = events.Reader(reader.file, began=reader.began)
    for number, job in reader.jobs.items():
        began = job.started is not None and job.started <= now
        ended = job.finished is not None and job.finished <= now
        log = shop.project / job.log
        if began and not ended and job.rule == "train":
            log = _log_at(log, now, shop.work / f"{number}.log", Project(shop.project), job)
        known.jobs[number] = replace(
            job,
            log=f"{log}",
            started=job.started if began else None,
            finished=job.finished if ended else None,
        )
    known.finished = [job for job in known.jobs.values() if job.finished is not None]
    return known


def _log_at(log: Path, now: float, old: Path, layout: Project, job: events.Job) -> Path:
    """Write a training's log as it was at a time: the epochs' ends stand in its record."""
    named = job.name.removeprefix("train ")
    ends = tables.read_json(layout.runs.run(named).record)["times"]["epochs"]
    done = [end for end in ends if end <= now]
    lines = [line for line in log.read_text().splitlines() if ": epoch " in line]
    old.write_text("".join(f"{line}\n" for line in lines[: len(done)]))
    if done:
        os.utime(old, (done[-1], done[-1]))
    return old


def mlflow(shop: Shop, file: Path) -> None:
    """MLflow's page that compares the first seeds of a task's grid, by the headline on test."""
    chosen, page = shop.values.benchmark, shop.browser
    task, first = chosen.tasks[0], min(chosen.seeds)
    known = mlflow_ui.runs(shop.project, task)
    wanted = grid.every_run([task], chosen.backbones, chosen.configurations, [first])
    ids = [known[run.path] for run in wanted]
    with mlflow_ui.served(shop.project, shop.environment, shop.work / "mlflow.log") as address:
        page.open(f"{address}/{mlflow_ui.compare(shop.project, task, ids)}", 1280, 720)
        page.wait(f"document.body.innerText.includes('Comparing {len(ids)} Runs')")
        page.wait(f"{_AXES} !== null")
        mlflow_ui.choose(page, ["backbone", "reconstructed", "classified"], "Headline_test")
        page.wait(f"{_AXES}.textContent.includes('Headline_test')")
        page.picture(file)


# The one that asks the most of its project comes first.
PICTURES: dict[str, Callable[[Shop, Path], None]] = {
    "terminal": terminal,
    "mlflow": mlflow,
    "report": report,
    "reconstruction": reconstruction,
    "predict": predict,
}


def take(folder: Path, out: Path, record: Path | None = None) -> None:
    """Write all pictures to a folder.

    Args:
        folder: of a finished project. out: of pictures.
        record: the events of the run that the terminal shows; None: of the last one.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, chromium.page(Path(name)) as browser:
        shop = Shop(folder, browser, Path(name), record or folder / events.FILE)
        for picture, draw in PICTURES.items():
            file = out / f"{picture}.png"
            draw(shop, file)
            Image.open(file).convert("RGB").quantize(COLOURS).save(file, optimize=True)
            size = file.stat().st_size
            print(f"{file}: {size / 1000:.0f} kB", flush=True)
            if size > MOST:
                raise SystemExit(f"{file}: {size} bytes are more than {MOST}. Show less in it.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=Path(), help="A finished project.")
    parser.add_argument("--out", type=Path, default=HERE, help="Folder for the pictures.")
    parser.add_argument("--events", type=Path, help="Of the run to show; default: the last run.")
    asked = parser.parse_args()
    take(asked.project, asked.out, asked.events)
