"""Time the graph of the full data: 5,000 videos, 202,599 and 291,650 images, paper preset.

    python benchmarks/graph.py                    # draws 500,000 small files: a minute, 2 GB
    python benchmarks/graph.py --share 0.01       # a hundredth of them
    python benchmarks/graph.py --finished         # and again where everything is done

Raw trees of that many small files and the official lists are written into a temporary folder
beside a copy of the project, where `snakemake -n` is timed: cold (the first look, which reads
every file), then warm, then after one file was touched. With `--finished` a file of a few bytes
then stands for each output, recorded as made, and `snakemake` without `-n` has nothing to do. No
rival does the same; the bare limit is `os.scandir` with `stat` of each file.
"""

import argparse
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parent.parent
VIDEOS, CELEBA, AFFECTNET = 1000, 202_599, 291_650  # originals; four methods make it 5,000


def draw(folder: Path, names: Iterable[str]) -> None:
    """Write small files, each with its own name as content."""
    folder.mkdir(parents=True)
    for name in names:
        with open(folder / name, "wb", buffering=0) as file:
            file.write(name.encode())


def draw_trees(root: Path, share: float) -> None:
    """Write three raw trees as the releases lay them out; only names and numbers are right."""
    videos = [f"{i:03d}" for i in range(round(share * VIDEOS))]
    (root / "ffpp").mkdir(parents=True)
    draw(root / "ffpp/original_sequences/youtube/c23/videos", (f"{v}.mp4" for v in videos))
    for method in ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures"):
        fakes = (f"{v}_{w}.mp4" for v, w in zip(videos, reversed(videos), strict=True))
        draw(root / f"ffpp/manipulated_sequences/{method}/c23/videos", fakes)
    images = range(1, round(share * CELEBA) + 1)
    draw(root / "celeba/img_align_celeba", (f"{i:06d}.jpg" for i in images))
    rows = "".join(f"{i:06d}.jpg {'-1 ' * 40}\n" for i in images)
    (root / "celeba/list_attr_celeba.txt").write_text(rows)
    images = range(round(share * AFFECTNET))
    for first in range(0, len(images), 400):  # 400 in a folder, as in the CSV release
        names = (f"{i:032x}.jpg" for i in images[first : first + 400])
        draw(root / f"affectnet/Manually_Annotated_Images/{first // 400}", names)
    rows = "".join(f"{i // 400}/{i:032x}.jpg,0,0,224,224,,1,0,0\n" for i in images)
    (root / "affectnet/training.csv").write_text(rows)


def copy(folder: Path, trees: Path) -> None:
    """Copy the project and point the paper's preset at the trees."""
    for name in ("lssat", "workflow", "profiles"):
        shutil.copytree(PROJECT / name, folder / name)
    shutil.copy2(PROJECT / "Snakefile", folder)
    text = (PROJECT / "presets/paper.yaml").read_text()
    for task in yaml.safe_load(text)["datasets"]:
        text = re.sub(rf"root: data/raw/{task}\b", f"root: {trees / task}", text)
    # No network is asked for: which weights are released is not what is timed.
    text = re.sub(r"\n  weights:.*\n(    .*\n)+", "\n  weights: scratch\n", text)
    (folder / "params.yaml").write_text(text)


def children() -> float:
    """Return the CPU seconds of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def dry_run(folder: Path, targets: list[str]) -> tuple[float, float, int]:
    """Run `snakemake -n`; return seconds by the clock, seconds of CPU, and the number of jobs.

    With `targets` it plans what these files need, else everything.
    """
    started, before = time.monotonic(), children()
    said = snakemake(folder, "-n", *targets)
    seconds = time.monotonic() - started
    jobs = re.search(r"^total +(\d+)", said, flags=re.M)
    assert jobs, said[-2000:]
    return seconds, children() - before, int(jobs[1])


def snakemake(folder: Path, *arguments: str, **environment: str) -> str:
    """Run Snakemake in the copy; return what it printed on stdout and stderr."""
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "8", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    ).stdout


def finish(folder: Path, targets: list[str]) -> None:
    """Let a small file stand for each output, as if all jobs had been done."""
    for line in snakemake(folder, "--summary", *targets).splitlines():
        if len(columns := line.split("\t")) > 1 and columns[0] != "output_file":
            file = folder / columns[0]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(file.name)
    snakemake(folder, "--touch", "--forceall", *targets, LSSAT_SYNC="1")


def again(folder: Path, targets: list[str]) -> tuple[float, float]:
    """Run Snakemake where there is nothing to do; return seconds by the clock and of CPU."""
    started, before = time.monotonic(), children()
    assert "Nothing to be done" in snakemake(folder, *targets)
    return time.monotonic() - started, children() - before


def bare(trees: Path) -> tuple[float, int]:
    """Look at every file, nothing else; return seconds and the number of files."""
    started, count, todo = time.monotonic(), 0, [str(trees)]
    while todo:
        with os.scandir(todo.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    todo.append(entry.path)
                else:
                    count += bool(entry.stat().st_size)
    return time.monotonic() - started, count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--share", type=float, default=1.0, help="of the full data")
    parser.add_argument("--repeats", type=int, default=3, help="of the warm dry run")
    parser.add_argument("--targets", nargs="*", default=[], help="files; default: everything")
    parser.add_argument("--finished", action="store_true", help="time it with nothing to do, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder, trees = Path(temporary, "project"), Path(temporary, "raw")
        draw_trees(trees, options.share)
        copy(folder, trees)
        seconds, cpu, jobs = dry_run(folder, options.targets)
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        _, files = bare(trees)
        print(f"snakemake -n, paper preset, {files:,} raw files, {jobs:,} jobs")
        print(f"first look       {seconds:7.2f} s   {cpu:7.2f} s of CPU   {memory} MiB at most")
        warm, limit = [], []
        for _ in range(options.repeats):
            warm.append(dry_run(folder, options.targets)[:2])
            limit.append(bare(trees)[0])
        os.utime(trees / "celeba/img_align_celeba/000001.jpg")
        touched = dry_run(folder, options.targets)
        clock, cpu = (statistics.median(each) for each in zip(*warm, strict=True))
        print(f"warm, median     {clock:7.2f} s   {cpu:7.2f} s of CPU")
        print(f"one file touched {touched[0]:7.2f} s   {touched[1]:7.2f} s of CPU")
        if options.finished:
            finish(folder, options.targets)
            clock, cpu = again(folder, options.targets)
            print(f"nothing to do    {clock:7.2f} s   {cpu:7.2f} s of CPU")
        print(f"bare look        {statistics.median(limit):7.2f} s   scandir and stat alone")


if __name__ == "__main__":
    main()
