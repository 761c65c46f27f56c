"""How long does the report of the papers' grid take, and how large and quick is its page?

    python benchmarks/report.py                             # 18, 72 and 270 runs of three tasks
    python benchmarks/report.py --page results/report.html  # of a page that is there

The artifacts are those of `scale.py`, evaluated by the real step: 90 runs of each task at the
largest size. What stands beside them (curves, reconstructions, robustness, maps, slices, faces)
is drawn as the tests draw it, so that no section is absent which this grid has. The report's
step is a process of its own: seconds of CPU and of wall time, the most memory that it held. Its
page is opened in a headless Chromium: megabytes, seconds to the first paint, the right edge of
what reaches furthest at 390 px with all details open, problems that the browser reported.
"""

import argparse
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import scale

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from helpers import chromium, drawn_results  # noqa: E402

from lssat import grid, report  # noqa: E402
from lssat.grid import releases  # noqa: E402

PHONE = 390  # pixels


def draw(root: Path, tasks: list[str], runs: int, share: float) -> dict[str, report.TaskFiles]:
    """Draw and evaluate the runs of each task; return where all of it lies."""
    files = {}
    for name in tasks:
        evaluated = root / "evaluated" / name
        scale.artifacts(releases.TASKS[name], runs, share, evaluated)
        scale.measure("evaluate", name, evaluated)
        drawn = zip(*scale.drawn_runs(name, evaluated), strict=True)
        sides = [tuple(dict.fromkeys(side)) for side in drawn][1:]
        if len(grid.every_run([name], *map(list, sides))) != runs:
            raise SystemExit(f"--sizes: {runs} runs of a task are no whole grid. Take 1, 4 or 15.")
        beside = drawn_results.draw(root / "beside" / name, (name,), *sides)[name]
        metrics, predictions = evaluated / "metrics.json", evaluated / "predictions.parquet"
        files[name] = replace(beside, metrics=metrics, predictions=predictions)
    return files


def written(files: dict[str, report.TaskFiles], root: Path) -> Path:
    """Write the report in a process of its own, print what it took, and return the page."""
    root.mkdir()
    (root / "files.pickle").write_bytes(pickle.dumps(files))
    began = time.perf_counter()
    command = [sys.executable, __file__, "--alone", str(root)]
    used = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    runs = sum(len(each.runs) for each in files.values())
    print(f"report, {runs} runs: {used} {time.perf_counter() - began:6.1f} s wall", flush=True)
    return drawn_results.outputs(root)["report"]


def alone(root: Path) -> None:
    """Write the report in this process, and print what it used."""
    files = pickle.loads((root / "files.pickle").read_bytes())
    report.write(drawn_results.PARAMS, files, drawn_results.outputs(root))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"{used.ru_utime + used.ru_stime:6.1f} s CPU {used.ru_maxrss / 1024**2:6.2f} GiB", end="")


def look(page: Path, folder: Path) -> None:
    """Open a page as on a screen and as on a phone, and print what a reader gets."""
    told = f"page {page.stat().st_size / 1e6:.2f} MB"
    if chromium.PROGRAM is None:
        return print(f"{told}; no chromium on PATH, so nothing else is known of it")
    folder.mkdir(exist_ok=True)
    with chromium.page(folder) as browser:
        browser.open(page.resolve().as_uri(), 1440, 900)
        paint = chromium.first_paint(browser)
        browser.open(page.resolve().as_uri(), PHONE, 844)
        edge = chromium.right_edge(browser)
        problems = len(browser.problems())
    print(
        f"{told}, first paint {paint:.2f} s, at {PHONE} px nothing beyond {edge:.0f} px, "
        f"{problems} problems",
        flush=True,
    )


def main() -> None:
    """Parse the command line, and measure a report of each size, or look at a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    every = list(scale.SAMPLES)
    parser.add_argument("--tasks", nargs="+", default=every, choices=every)
    parser.add_argument(
        "--sizes",
        nargs="+",
        type=int,
        default=[1, 4, 15],
        help=f"x {scale.SMALL} runs of each task",
    )
    parser.add_argument("--share", type=float, default=0.1, help="of the papers' test samples")
    parser.add_argument("--page", type=Path, help="only look at this one")
    parser.add_argument("--alone", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.alone:
        return alone(asked.alone)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if asked.page:
            return look(asked.page, folder / "browser")
        for size in asked.sizes:
            root = folder / f"{size}"
            files = draw(root, asked.tasks, scale.SMALL * size, asked.share)
            look(written(files, root / "report"), folder / f"browser-{size}")


if __name__ == "__main__":
    main()
