"""The command line: each command is what its Snakemake rule calls, and runs by hand as well.

Imports of a command stand inside it: the entry point itself must stay light.
"""

import contextlib
import gc
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from lssat import grid, params, tables
from lssat.tables import DataError

app = typer.Typer(
    help="The open benchmark of ViT backbones with an MAE auxiliary task (L-SSAT).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
)

ParamsOption = Annotated[
    str, typer.Option("--params", help="A params.yaml, or the JSON of the sections that are read.")
]
Device = Annotated[str, typer.Option(help="cpu or cuda; there is no fallback.")]


@contextlib.contextmanager
def _quick_imports() -> Iterator[None]:
    """Pause the garbage collector: imports make a million objects and no garbage (-15 %)."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _is_file(source: str) -> bool:
    return not source.lstrip().startswith("{")


def _example(line: str) -> str:
    return f"Example: [bold]{line}[/bold]"


@app.command(epilog=_example("lssat sample --tree ffpp --out data/raw/sample/ffpp"))
def sample(
    tree: Annotated[str, typer.Option(help="ffpp, celeba or affectnet.")],
    out: Annotated[Path, typer.Option(help="Folder of the tree.")],
    inventory: Annotated[
        Path | None, typer.Option(help="JSON; default: beside the folder.")
    ] = None,
    params_: ParamsOption = "params.yaml",
) -> None:
    """Draw one tree of the built-in sample from real faces, in its official layout."""
    with _quick_imports():
        from lssat import sample as step

    view = params.view(params_, "sample")
    step.write(tree, out, inventory or out.with_suffix(".json"), view.sample.seed)


@app.command(
    epilog=_example("lssat init --preset paper --ffpp /data/ffpp --celeba /data/celeba"),
)
def init(
    preset: Annotated[str, typer.Option(help="A file of presets/: sample, paper, ...")],
    ffpp: Annotated[Path | None, typer.Option(help="Root of FaceForensics++.")] = None,
    celeba: Annotated[Path | None, typer.Option(help="Root of CelebA.")] = None,
    affectnet: Annotated[Path | None, typer.Option(help="Root of AffectNet.")] = None,
    celebdf: Annotated[Path | None, typer.Option(help="Celeb-DF v2, only tested on.")] = None,
    dfdc: Annotated[Path | None, typer.Option(help="DFDC, only tested on.")] = None,
    dfd: Annotated[Path | None, typer.Option(help="DeepFakeDetection, only tested on.")] = None,
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("params.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Replace an edited file.")] = False,
) -> None:
    """Write a params.yaml from a preset, with its comments, for the data sets given.

    Tasks without a folder are left out.
    A params.yaml that is there is replaced if it equals a preset, or with --force.
    """
    with _quick_imports():
        from lssat import init as step

    given = {"ffpp": ffpp, "celeba": celeba, "affectnet": affectnet}
    given |= {"celebdf": celebdf, "dfdc": dfdc, "dfd": dfd}
    roots = {name: root for name, root in given.items() if root is not None}
    print(step.told(preset, out, step.write(preset, roots, out, force)))


@app.command(epilog=_example("lssat doctor ffpp --root /data/ffpp"))
def doctor(
    dataset: Annotated[
        str | None, typer.Argument(help="One of ffpp, celeba, ...; default: all of params.yaml.")
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="Its tree; params.yaml is then not read.")
    ] = None,
    json_: Annotated[
        str | None, typer.Option("--json", help="Write JSON to this file; - for stdout alone.")
    ] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Decode every image and video.")] = False,
    params_: Annotated[str, typer.Option("--params", help="Another params.yaml.")] = "params.yaml",
) -> None:
    """Look raw trees over before anything runs: an inventory beside the official counts.

    Reads lists, names and the first bytes of every file; changes nothing.

    Exit code 0: the tree fits the official release, or is a consistent part;
    1: something is wrong that would lose or damage samples;
    2: the command was not understood.
    """
    with _quick_imports():
        from lssat import doctor as step

    sys.exit(step.run(dataset, root, params_, json_, deep))


@app.command(epilog=_example("lssat manifest --dataset ffpp --out m.parquet --rejects r.parquet"))
def manifest(
    dataset: Annotated[str, typer.Option(help="A section of datasets.")],
    out: Annotated[Path, typer.Option(help="Manifest table to write.")],
    rejects: Annotated[Path, typer.Option(help="Rejects table to write.")],
    params_: ParamsOption = "params.yaml",
) -> None:
    """List every sample that the release's official lists name."""
    with _quick_imports():
        from lssat import datasets as step

    view = params.view(params_, "manifest", task=dataset)
    step.manifest(dataset, getattr(view.datasets, dataset), out, rejects)


@app.command(epilog=_example("lssat faces --dataset celeba --shard 0 --manifest m.parquet ..."))
def faces(
    dataset: Annotated[str, typer.Option(help="A section of datasets.")],
    shard: Annotated[int, typer.Option(help="Number of the shard, from 0.")],
    manifest: Annotated[Path, typer.Option(help="Manifest table.")],
    out: Annotated[Path, typer.Option(help="NPY shard of crops to write.")],
    table: Annotated[Path, typer.Option(help="Table of the crops to write.")],
    rejects: Annotated[Path, typer.Option(help="Rejects table to write.")],
    device: Device = "cpu",
    params_: ParamsOption = "params.yaml",
) -> None:
    """Detect, crop and store the faces of one shard."""
    with _quick_imports():
        from lssat import faces as step

    view = params.view(params_, "faces", task=dataset)
    options = getattr(view.datasets, dataset)
    step.crop_shard(manifest, dataset, options, view.faces, shard, out, table, rejects, device)


@app.command(epilog=_example("lssat texture --faces shard-00000.npy --out codes.npy ..."))
def texture(
    faces: Annotated[Path, typer.Option(help="NPY shard of crops.")],
    faces_table: Annotated[Path, typer.Option(help="Table of the crops.")],
    out: Annotated[Path, typer.Option(help="NPY shard of codes to write.")],
    table: Annotated[Path, typer.Option(help="Table of the codes to write.")],
    params_: ParamsOption = "params.yaml",
) -> None:
    """Compute the texture codes of one shard of crops."""
    with _quick_imports():
        from lssat import texture_cache as step

    step.write_shard(faces, faces_table, params.view(params_, "texture").texture, out, table)


@app.command(epilog=_example("lssat splits --dataset affectnet --manifest m.parquet ..."))
def splits(
    dataset: Annotated[str, typer.Option(help="A section of datasets.")],
    manifest: Annotated[Path, typer.Option(help="Manifest table.")],
    manifest_rejects: Annotated[Path, typer.Option(help="Its rejects.")],
    faces: Annotated[list[Path], typer.Option(help="Tables of crops; once for each shard.")],
    faces_rejects: Annotated[list[Path], typer.Option(help="Their rejects.")],
    train: Annotated[Path, typer.Option(help="Table to write.")],
    val: Annotated[Path, typer.Option(help="Table to write.")],
    test: Annotated[Path, typer.Option(help="Table to write.")],
    summary: Annotated[Path, typer.Option(help="JSON to write.")],
    params_: ParamsOption = "params.yaml",
) -> None:
    """Assign each crop to train, val or test, and prove that nobody stands in two."""
    with _quick_imports():
        from lssat import splits as step

    view = params.view(params_, "splits", task=dataset)
    files = {"train": train, "val": val, "test": test, "summary": summary}
    lists = (*step.NAMES, step.UNUSED)
    files |= {f"{name}_ids": summary.with_name(f"{name}.txt") for name in lists}
    options = getattr(view.datasets, dataset)
    step.write(
        dataset, manifest, manifest_rejects, faces, faces_rejects, options, view.splits, files
    )


@app.command(epilog=_example("lssat audit --manifest m.parquet --splits splits ..."))
def audit(
    manifest: Annotated[Path, typer.Option(help="Manifest table.")],
    faces: Annotated[list[Path], typer.Option(help="Tables of crops; once for each shard.")],
    splits: Annotated[Path, typer.Option(help="Folder of the splits.")],
    out: Annotated[Path, typer.Option(help="JSON to write if there is no leak.")],
    table: Annotated[Path, typer.Option(help="Table of findings to write.")],
) -> None:
    """Prove before training that nobody and no crop stands in two splits."""
    with _quick_imports():
        from lssat.audit import crops
        from lssat.audit import leaks as step

    step.audit(manifest, faces, crops.files(splits), out, table)


@app.command(epilog=_example("lssat lookalikes --dataset celeba --splits splits ..."))
def lookalikes(
    dataset: Annotated[str, typer.Option(help="Name of the data set.")],
    faces: Annotated[list[Path], typer.Option(help="Tables of crops; once for each shard.")],
    splits: Annotated[Path, typer.Option(help="Folder of the splits.")],
    out: Annotated[Path, typer.Option(help="JSON to write.")],
    table: Annotated[Path, typer.Option(help="Table of findings to write.")],
    params_: ParamsOption = "params.yaml",
) -> None:
    """List near-duplicates across splits by perceptual hash, for a person to look at."""
    with _quick_imports():
        from lssat.audit import crops
        from lssat.audit import lookalikes as step

    view = params.view(params_, "lookalikes")
    step.lookalikes(dataset, faces, crops.files(splits), view.audit, out, table)


@app.command(epilog=_example("lssat train --run ffpp/vit_micro/MRGB-RLDP-CRGB/seed0 ..."))
def train(
    run: Annotated[str, typer.Option(help="<task>/<backbone>/<configuration>/seed<k>.")],
    train: Annotated[Path, typer.Option(help="Training split.")],
    val: Annotated[Path, typer.Option(help="Validation split.")],
    faces: Annotated[Path, typer.Option(help="Folder of the crops' shards.")],
    out: Annotated[Path, typer.Option(help="The run's folder.")],
    codes: Annotated[Path | None, typer.Option(help="Folder of the texture's shards.")] = None,
    checkpoints: Annotated[
        Path, typer.Option(help="Folder of all runs' states while they are under way.")
    ] = Path("checkpoints"),
    minutes: Annotated[
        float, typer.Option(help="Between two saved states.", envvar="LSSAT_MINUTES")
    ] = 10.0,
    device: Device = "cpu",
    devices: Annotated[
        int, typer.Option(help="How many; several share each batch.", envvar="LSSAT_DEVICES")
    ] = 1,
    strategy: Annotated[str, typer.Option(help="auto or ddp.", envvar="LSSAT_STRATEGY")] = "auto",
    compile_: Annotated[
        bool, typer.Option("--compile", help="torch.compile the step.", envvar="LSSAT_COMPILE")
    ] = False,
    energy: Annotated[bool, typer.Option(help="Measure it, with codecarbon.")] = True,
    country: Annotated[
        str | None,
        typer.Option(
            help="Of the machine, such as DEU: estimate CO2 as well.", envvar="LSSAT_COUNTRY"
        ),
    ] = None,
    tracking: Annotated[
        str,
        typer.Option(
            help="JSON of the section tracking: a failure becomes an MLflow run.",
            envvar="LSSAT_TRACKING",
        ),
    ] = "",
    params_: ParamsOption = "params.yaml",
) -> None:
    """Train one run, or go on with it, and keep the weights of its best epoch by validation.

    SIGTERM and SIGUSR1 save its state; the same command then goes on, to the same result.
    """
    with _quick_imports():
        from lssat import train as step

    view = params.view(params_, "train")
    which = grid.Run.of(run)
    needs = grid.parse(which.configuration).texture is not None
    files = step.Files(
        train=train,
        val=val,
        faces=faces,
        codes=codes if needs else None,
        weights=out / "weights.safetensors",
        curve=out / "curve.csv",
        record=out / "record.json",
        reconstruction=out / "reconstruction.npz",
        checkpoints=checkpoints / which.path,
    )
    try:
        machine = step.Machine(device, devices, strategy, compile_, minutes, energy, country)
        step.train(which, files, view, machine)
    except step.Stopped as stopped:
        print(stopped, file=sys.stderr)
        raise typer.Exit(stopped.code) from None
    except DataError as error:
        if tracking:
            from lssat import tracking as mlflow

            mlflow.fail(which, f"{error}", view, json.loads(tracking))
        raise


def _folders(runs: Path, task: str, benchmark: Any) -> dict[str, Path]:
    lists = benchmark.backbones, benchmark.configurations, benchmark.seeds, benchmark.baselines
    clips = benchmark.clip_tasks, benchmark.clip_backbones
    return {run.path: runs / run.path for run in grid.runs([task], *lists, *clips)}


@app.command(
    epilog=_example(
        "lssat evaluate --task celeba --runs runs --splits data/prepared/celeba/splits ..."
    )
)
def evaluate(
    task: Annotated[str, typer.Option(help="A section of datasets.")],
    runs: Annotated[Path, typer.Option(help="Folder of all runs.")],
    splits: Annotated[Path, typer.Option(help="Folder of the splits.")],
    faces: Annotated[Path, typer.Option(help="Folder of the crops' shards.")],
    codes: Annotated[Path, typer.Option(help="Folder of the texture's shards.")],
    out: Annotated[Path, typer.Option(help="Folder for predictions.parquet and metrics.json.")],
    device: Device = "cpu",
    params_: ParamsOption = "params.yaml",
) -> None:
    """Predict with each run of a task and measure, once, on the test split."""
    with _quick_imports():
        from lssat import evaluate as step

    view = params.view(params_, "evaluate")
    files = step.Files(
        runs=_folders(runs, task, view.benchmark),
        train=splits / "train.parquet",
        val=splits / "val.parquet",
        test=splits / "test.parquet",
        summary=splits / "summary.json",
        faces=faces,
        codes=codes,
        predictions=out / "predictions.parquet",
        metrics=out / "metrics.json",
    )
    step.evaluate(task, files, view, device)


@app.command(
    epilog=_example(
        "lssat cross --dataset celebdf --train data/prepared/ffpp/splits/train.parquet ..."
    )
)
def cross(
    dataset: Annotated[str, typer.Option(help="A data set of benchmark.cross.")],
    train: Annotated[Path, typer.Option(help="Training split of the task: its baseline.")],
    runs: Annotated[Path, typer.Option(help="Folder of all runs.")],
    splits: Annotated[Path, typer.Option(help="Folder of the data set's splits.")],
    faces: Annotated[Path, typer.Option(help="Folder of the crops' shards.")],
    codes: Annotated[Path, typer.Option(help="Folder of the texture's shards.")],
    out: Annotated[Path, typer.Option(help="Folder for predictions.parquet and metrics.json.")],
    task: Annotated[str, typer.Option(help="The task whose runs are tested.")] = "ffpp",
    device: Device = "cpu",
    params_: ParamsOption = "params.yaml",
) -> None:
    """Test the runs of a task on a data set that they were not trained on."""
    with _quick_imports():
        from lssat import evaluate as step

    view = params.view(params_, "cross")
    files = step.Files(
        runs=_folders(runs, task, view.benchmark),
        train=train,
        val=None,
        test=splits / "test.parquet",
        summary=splits / "summary.json",
        faces=faces,
        codes=codes,
        predictions=out / "predictions.parquet",
        metrics=out / "metrics.json",
    )
    step.evaluate(dataset, files, view, device)


@app.command(
    epilog=_example("lssat track-cross --dataset celebdf --metrics m.json --tracked ids.json ...")
)
def track_cross(
    dataset: Annotated[str, typer.Option(help="A data set of benchmark.cross.")],
    metrics: Annotated[Path, typer.Option(help="The metrics.json of lssat cross.")],
    tracked: Annotated[Path, typer.Option(help="The JSON of MLflow ids of lssat track.")],
    out: Annotated[Path, typer.Option(help="JSON of the MLflow ids to write.")],
    database: Annotated[Path, typer.Option(help="SQLite database.")] = Path("mlflow.db"),
    params_: ParamsOption = "params.yaml",
) -> None:
    """Add the metrics of another data set to the MLflow runs, as cross/<dataset>/..."""
    with _quick_imports():
        from lssat import tracking as step

    view = params.view(params_, "track_cross")
    step.track_cross(dataset, metrics, tracked, database, view.tracking.uri, out)


@app.command(
    epilog=_example("lssat track --task celeba --runs runs --metrics metrics.json --out ids.json")
)
def track(
    task: Annotated[str, typer.Option(help="A section of datasets.")],
    runs: Annotated[Path, typer.Option(help="Folder of all runs.")],
    metrics: Annotated[Path, typer.Option(help="The task's metrics.json.")],
    out: Annotated[Path, typer.Option(help="JSON of the MLflow ids to write.")],
    database: Annotated[Path, typer.Option(help="SQLite database.")] = Path("mlflow.db"),
    artifacts: Annotated[Path, typer.Option(help="Folder of artifacts.")] = Path("mlartifacts"),
    params_: ParamsOption = "params.yaml",
) -> None:
    """Log the runs of a task in MLflow: losses, metrics, parameters, tags."""
    with _quick_imports():
        from lssat import tracking as step

    view = params.view(params_, "track")
    files = step.Files(_folders(runs, task, view.benchmark), metrics, database, artifacts, out)
    step.track(task, files, view.tracking.experiment, view.tracking.uri)


def _rejects(data: Path, shards: int) -> list[Path]:
    names = [f"faces/shard-{number:05d}.rejects.parquet" for number in range(shards)]
    return [data / name for name in ("manifest.rejects.parquet", *names)]


def _faces(data: Path, shards: int) -> list[tuple[Path, Path]]:
    names = [data / f"faces/shard-{number:05d}" for number in range(shards)]
    return [(name.with_suffix(".npy"), name.with_suffix(".parquet")) for name in names]


def _audit(data: Path) -> dict[str, Any]:
    files = {name: data / f"{name}.json" for name in ("audit", "lookalikes")}
    return {**files, "findings": [file.with_suffix(".parquet") for file in files.values()]}


@app.command(epilog=_example("lssat report --runs runs --data data/prepared ..."))
def report(
    runs: Annotated[Path, typer.Option(help="Folder of all runs.")],
    data: Annotated[Path, typer.Option(help="Folder of all tasks' data.")],
    results: Annotated[Path, typer.Option(help="Folder of all tasks' metrics and predictions.")],
    out: Annotated[Path, typer.Option(help="Folder for the page and the tables.")],
    params_: ParamsOption = "params.yaml",
) -> None:
    """Write the report: one page, readable without network, and the same numbers as tables."""
    with _quick_imports():
        from lssat import report as step

    loaded = params.load(params_) if _is_file(params_) else None
    values = params.section(loaded, "report") if loaded else json.loads(params_)
    benchmark = params.view(params_, "report").benchmark
    kind = values["texture"]["kind"]
    files = {}
    for task in benchmark.tasks:
        numbers = range(values["datasets"][task]["shards"])
        names = [f"shard-{number:05d}" for number in numbers]
        faces, codes = data / task / "faces", data / task / "texture" / kind
        files[task] = step.TaskFiles(
            metrics=results / task / "metrics.json",
            predictions=results / task / "predictions.parquet",
            mlflow=results / task / "mlflow.json",
            runs=_folders(runs, task, benchmark),
            faces=[(faces / f"{name}.npy", faces / f"{name}.parquet") for name in names],
            texture=[(codes / f"{name}.npy", codes / f"{name}.parquet") for name in names],
            splits=data / task / "splits" / "summary.json",
            rejects=_rejects(data / task, len(names)),
            **_audit(data / task),
        )
    across = {
        name: step.CrossFiles(
            metrics=results / "ffpp/cross" / name / "metrics.json",
            predictions=results / "ffpp/cross" / name / "predictions.parquet",
            splits=data / name / "splits" / "summary.json",
            rejects=_rejects(data / name, values["datasets"][name]["shards"]),
            faces=_faces(data / name, values["datasets"][name]["shards"]),
            **_audit(data / name),
        )
        for name in benchmark.cross
    }
    written = {name: out / file for name, file in step.OUTPUTS.items()}
    step.write(values, files, written, across)


@app.command(epilog=_example("lssat show"))
def show(
    results: Annotated[Path, typer.Option(help="Folder of results.")] = Path("results"),
) -> None:
    """Print the headline table and where the report is."""
    with _quick_imports():
        from lssat import show as step

    step.show(results)


@app.command(epilog=_example("lssat digest --out data/code.json"))
def digest(out: Annotated[Path, typer.Option(help="JSON to write.")]) -> None:
    """Write the digest of the code of each rule: DVC redoes what an edit of the code changes."""
    with _quick_imports():
        from lssat import digest as step

    tables.write_json(out, {rule: step.code(rule) for rule in step.ENTRY})


@app.command(epilog=_example("lssat sync"))
def sync() -> None:
    """Put Snakemake in step after `dvc pull` or `dvc checkout`, if DVC finds all up to date."""
    with _quick_imports():
        from lssat import orchestrate as step

    sys.exit(step.sync())


@app.command(epilog=_example("lssat run --cores 8"))
def run(cores: Annotated[int, typer.Option(help="Cores for Snakemake.")] = 8) -> None:
    """Run the whole benchmark through Snakemake, with progress, and print the headline table."""
    with _quick_imports():
        from lssat import orchestrate as step

    sys.exit(step.run(cores))


def main() -> None:
    """Run the command line; a DataError is one line on stderr and exit code 1."""
    try:
        app()
    except DataError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
