"""The commands of results and of the whole graph."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from lssat import params, tables
from lssat.cli import option
from lssat.cli.base import app, example, quick_imports, run_folders
from lssat.grid.releases import HOME


def _rejects(data: Path, shards: int) -> list[Path]:
    names = [f"faces/shard-{number:05d}.rejects.parquet" for number in range(shards)]
    return [data / name for name in ("manifest.rejects.parquet", *names)]


def _faces(data: Path, shards: int) -> list[tuple[Path, Path]]:
    names = [data / f"faces/shard-{number:05d}" for number in range(shards)]
    return [(name.with_suffix(".npy"), name.with_suffix(".parquet")) for name in names]


def _audit(data: Path, *more: str) -> dict[str, Any]:
    files = {name: data / f"{name}.json" for name in ("audit", "lookalikes")}
    findings = [data / f"{name}.parquet" for name in (*files, *more)]
    return {**files, "findings": findings}


def _slices(folder: Path, task: str, asked: dict[str, Any]) -> tuple[Path, ...]:
    names = {"slices": "attributes", "slices_listed": "lists"}
    return tuple(folder / f"{name}.json" for name, key in names.items() if task in asked[key])


def _asked(file: Path) -> Path | None:
    return file if file.exists() else None


@app.command(
    epilog=example(
        "lssat report --runs runs --data data/prepared --results results/tasks",
        "--explained results/explain --speed results/speed.json --out results",
    )
)
def report(
    runs: option.Runs,
    data: Annotated[Path, typer.Option(help="Folder of all tasks' data.")],
    results: Annotated[Path, typer.Option(help="Folder of all tasks' metrics and predictions.")],
    explained: Annotated[Path, typer.Option(help="Folder of what `lssat explain` wrote.")],
    speed: Annotated[Path, typer.Option(help="What `lssat speed` wrote.")],
    out: Annotated[Path, option.writes("Folder for the page and the tables.", folder=True)],
    params_: option.Params = "params.yaml",
) -> None:
    """Write the report: one page, readable without network, and the same numbers as tables."""
    with quick_imports():
        from lssat import report as step

    values = params.part(params_, "report")
    view = params.view(params_, "report")
    benchmark = view.benchmark
    kind = values["texture"]["kind"]
    files = {}
    for task in benchmark.tasks:
        numbers = range(values["datasets"][task]["shards"])
        names = [f"shard-{number:05d}" for number in numbers]
        faces, codes = data / task / "faces", data / task / "texture" / kind
        files[task] = step.TaskFiles(
            robustness=results / task / "robustness.json",
            sensitivity=_asked(results / task / "sensitivity/sensitivity.json"),
            metrics=results / task / "metrics.json",
            predictions=results / task / "predictions.parquet",
            experiment=f"{values['tracking']['experiment']}-{task}",
            explain=explained / task / "explain.json",
            maps=explained / task / "explain.npz",
            runs=run_folders(runs, task, view),
            faces=[(faces / f"{name}.npy", faces / f"{name}.parquet") for name in names],
            texture=[(codes / f"{name}.npy", codes / f"{name}.parquet") for name in names],
            splits=data / task / "splits" / "summary.json",
            rejects=_rejects(data / task, len(names)),
            speed=speed,
            slices=_slices(results / task, task, values["slices"]),
            **_audit(data / task),
        )
    across = {
        name: step.CrossFiles(
            metrics=results / HOME / "cross" / name / "metrics.json",
            predictions=results / HOME / "cross" / name / "predictions.parquet",
            splits=data / name / "splits" / "summary.json",
            rejects=_rejects(data / name, values["datasets"][name]["shards"]),
            faces=_faces(data / name, values["datasets"][name]["shards"]),
            across=data / name / "audit_cross.json",
            **_audit(data / name, "audit_cross"),
        )
        for name in benchmark.cross
    }
    written = {name: out / file for name, file in step.OUTPUTS.items()}
    step.write(values, files, written, across)


@app.command(epilog=example("lssat show"))
def show(
    results: Annotated[Path, typer.Option(help="Folder of results.")] = Path("results"),
    everything: Annotated[
        bool, typer.Option("--all", help="What the params.yaml beside it does not ask for, too.")
    ] = False,
) -> None:
    """Print the headline table of what params.yaml asks for, and where the report is."""
    with quick_imports():
        from lssat.use import show as step

    step.show(results, everything)


@app.command(epilog=example("lssat digest --out data/code"))
def digest(
    out: Annotated[Path, option.writes("Folder for a file a rule.", folder=True)],
) -> None:
    """Write the digest of the code of each rule: DVC redoes what an edit of the code changes."""
    with quick_imports():
        from lssat.tables import source

    source.write(out)


@app.command(epilog=example("lssat save"))
def save(
    made: Annotated[
        str, typer.Option(help="JSON of what Snakemake knows of its files; - for stdin.")
    ] = "",
) -> None:
    """Save finished results for DVC after a run that was killed; Snakemake's runs end with this."""
    with quick_imports():
        from lssat.orchestrate import lock
        from lssat.orchestrate import save as step

    if not made:  # by hand: not beside a run that is at work
        lock.hold(inside_dvc=False)
    known = json.loads(sys.stdin.read() if made == "-" else made or "{}")
    sets = {name: frozenset(known.get(name, ())) for name in ("fresh", "stale", "done")}
    if told := step.save(step.Made(known.get("params", ""), **sets)):
        print(told, flush=True)


@app.command(hidden=True, epilog=example("lssat restore results/tasks/celeba/metrics.json"))
def restore(outputs: Annotated[list[str], typer.Argument(help="Of one step.")]) -> None:
    """Take a step's outputs from DVC's run cache; exit code 1 if they are not there."""
    with quick_imports():
        from lssat.orchestrate import restore as step

    if not step.restore(outputs):
        sys.exit(1)
    print("The same work was done before: its outputs were taken from DVC's cache.")


@app.command(epilog=example("lssat sync"))
def sync(
    code: Annotated[
        bool,
        typer.Option("--code", help="The code has changed, and no result: keep what is there."),
    ] = False,
) -> None:
    """Put Snakemake in step after `dvc pull` or `dvc checkout`, if DVC finds all up to date.

    After an update of lssat itself, `--code` keeps finished results: you say that it changes none.
    """
    with quick_imports():
        from lssat.orchestrate import sync as step

    sys.exit(step.sync(code))


@app.command(epilog=example("lssat run --task celeba --seed 0"))
def run(
    cores: Annotated[int, typer.Option(help="Cores for Snakemake.")] = 8,
    task: Annotated[list[str] | None, typer.Option(help="Only this task; may be repeated.")] = None,
    backbone: Annotated[list[str] | None, typer.Option(help="Only this backbone.")] = None,
    configuration: Annotated[list[str] | None, typer.Option(help="Only this one.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Only this seed.")] = None,
) -> None:
    """Run the benchmark through Snakemake, with progress, and print the headline table.

    A part of the grid is trained alone; it is evaluated where it holds all runs of a task. What
    is done stays done: `lssat run` later makes the rest.
    """
    with quick_imports():
        from lssat.orchestrate import part
        from lssat.orchestrate import run as step

    asked = task, backbone, configuration, seed
    if not any(asked):
        sys.exit(step.run(cores))
    step.check_project()
    values = params.load("params.yaml")
    chosen = part.part(values, *(each or [] for each in asked))  # type: ignore[arg-type]
    if not (code := step.run(cores, chosen.targets)):
        print(part.told(values, chosen))
    sys.exit(code)


@app.command(epilog=example("lssat status"))
def status(json_: option.Json = None) -> None:
    """Say what is done, at work, still to do and why, and what failed with its last words."""
    with quick_imports():
        from lssat.orchestrate import status as step

    found = step.status()
    if json_ != "-":
        from rich.console import Console

        step.show(found, Console(markup=False, emoji=False, highlight=False))
    if json_ == "-":
        print(tables.json_text(step.document(found)), end="")
    elif json_:
        tables.write_json(json_, step.document(found), sealed=False)
