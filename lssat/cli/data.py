"""The commands from raw trees to splits."""

import contextlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from lssat import params
from lssat.cli import option, outputs
from lssat.cli.base import app, example, quick_imports
from lssat.grid.releases import DRAWN, HOME, RELEASES
from lssat.tables import DataError


@app.command(epilog=example("lssat sample --tree ffpp --out data/raw/sample/ffpp"))
def sample(
    tree: Annotated[str, typer.Option(help=f"One of {', '.join(DRAWN)}.")],
    out: Annotated[Path, option.writes("Folder of the tree.", folder=True)],
    inventory: Annotated[Path | None, option.writes("JSON; default: beside the folder.")] = None,
    annotations: Annotated[
        Path | None, option.writes("CSV of how the people look; default: beside the folder.")
    ] = None,
    params_: option.Params = "params.yaml",
) -> None:
    """Draw one tree of the built-in sample from real faces, in its official layout."""
    with quick_imports():
        from lssat.data import sample as step

    view = params.view(params_, "sample")
    inventory = inventory or out.with_suffix(".json")
    step.write(tree, out, inventory, view.sample.seed, annotations or out.with_suffix(".csv"))


def _with_roots(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command, in place of `**roots`, an option for the root of each release."""
    signature = inspect.signature(command)
    given = {name: each for name, each in signature.parameters.items() if name != "roots"}
    for name, release in RELEASES.items():
        end = ", only tested on" if release.test_only else ""
        kind = Annotated[
            Path | None, typer.Option(help=f"Root of {release.words}{end}: {release.page}.")
        ]
        command.__annotations__[name] = kind
        given[name] = inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind
        )
    del command.__annotations__["roots"]
    command.__signature__ = signature.replace(parameters=[*given.values()])  # type: ignore[attr-defined]
    return command


@app.command(
    epilog=example("lssat init --preset paper --ffpp /data/ffpp --celeba /data/celeba"),
)
@_with_roots
def init(
    preset: Annotated[str, typer.Option(help="A file of presets/: sample, paper, ...")],
    out: Annotated[Path, option.writes("File to write.", apart=True)] = Path("params.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Replace an edited file.")] = False,
    small: Annotated[
        bool,
        typer.Option("--small", help="A trial of minutes on few samples: does all fit?"),
    ] = False,
    **roots: Path | None,
) -> None:
    """Write a params.yaml from a preset, with its comments, for the data sets given.

    Tasks without a folder are left out.
    A params.yaml that is there is replaced if it equals a preset, or with --force, which keeps it
    as params.yaml.bak.
    """
    with quick_imports():
        from lssat.params import init as step

    outputs.from_inputs(out, [("a preset", file) for file in step.PRESETS.glob("*.yaml")])
    given = {name: root for name, root in roots.items() if root is not None}
    written, before = step.write(preset, given, out, force, small)
    print(step.told(preset, out, written, before))
    if Path("profiles/default").is_dir():  # else it is not known where this will run
        from rich.console import Console

        from lssat.orchestrate.plan import terminal

        terminal.tell(written, Console(markup=False, emoji=False, highlight=False))


@app.command(epilog=example("lssat check"))
def check(
    params_: Annotated[str, typer.Option("--params", help="Another params.yaml.")] = "params.yaml",
) -> None:
    """Say what would stop a job, before the first one: names, files, backbones, weights.

    Snakemake looks at the same before it plans; lssat doctor also looks the raw trees over.

    Exit code 0: nothing was found; 1: there are problems.
    """
    with quick_imports():
        from lssat.data import preflight as step

    found = step.check(params_)
    tasks, runs = ", ".join(found.benchmark.tasks), len(found.runs())
    print(f"{params_}: tasks {tasks}, {runs} runs; nothing was found that would stop a job")


@app.command(epilog=example("lssat doctor ffpp --root /data/ffpp"))
def doctor(
    dataset: Annotated[
        str | None, typer.Argument(help=f"One of {', '.join(RELEASES)}, or your own; default: all.")
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="Its tree; params.yaml is then not read.")
    ] = None,
    json_: option.Json = None,
    deep: Annotated[bool, typer.Option("--deep", help="Decode every image and video.")] = False,
    params_: Annotated[str, typer.Option("--params", help="Another params.yaml.")] = "params.yaml",
) -> None:
    """Look raw trees over before anything runs: an inventory beside the official counts.

    Reads lists, names and the first bytes of every file; changes nothing.

    Exit code 0: the tree fits the official release, or is a consistent part;
    1: something is wrong that would stop a job, or lose or damage samples;
    2: the command was not understood.
    """
    with quick_imports():
        from lssat.data import doctor as step

    if json_ not in (None, "-") and root is None:
        roots: list[Path] = []
        with contextlib.suppress(DataError):  # the doctor says what is wrong with it
            sections = dict(params.load(params_).datasets).values()
            roots = [Path(each.root) for each in sections if each]
        outputs.outside(Path(str(json_)), roots)
    sys.exit(step.run(dataset, root, params_, json_, deep))


@app.command(
    epilog=example(
        "lssat manifest --task ffpp",
        "--out data/prepared/ffpp/manifest.parquet",
        "--rejects data/prepared/ffpp/manifest.rejects.parquet",
    )
)
def manifest(
    task: option.Task,
    out: Annotated[Path, option.writes("Manifest table to write.")],
    rejects: Annotated[Path, option.writes("Rejects table to write.")],
    kept: Annotated[
        Path | None,
        option.writes("Copy of the rejects where there are too many: Snakemake removes the table."),
    ] = None,
    check: Annotated[
        Path | None, typer.Option(help="A whole params.yaml: can its splits and batches be filled?")
    ] = None,
    params_: option.Params = "params.yaml",
) -> None:
    """List every sample that the release's official lists name.

    With --check it also refuses what no detection of faces can mend: an empty split, class or
    method, fewer samples than one batch.
    """
    with quick_imports():
        from lssat.data import datasets as step
        from lssat.data.splits import requirements

    options = getattr(params.view(params_, "manifest", task=task).datasets, task)
    lost = step.write(task, options, out, rejects, kept)
    lacking = requirements.refusal(task, out, options, params.load(check)) if check else None
    if errors := [error for error in (lost, lacking) if error]:
        raise DataError.all_of(errors)


@app.command(epilog=example("lssat rejects --task celeba --reason missing --rows 0"))
def rejects(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Tables of rejects; default: the project's.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="Of this section of datasets alone.")] = None,
    reason: Annotated[str | None, typer.Option(help="This reason alone.")] = None,
    rows: Annotated[int, typer.Option(min=0, help="Samples shown of each reason; 0: all.")] = 10,
    prepared: Annotated[Path, typer.Option(help="Folder of what the steps made.")] = Path(
        "data/prepared"
    ),
    logs: Annotated[Path, typer.Option(help="Folder of the logs.")] = Path("logs"),
) -> None:
    """Print what the steps left out: how many samples for each reason, and the first of them."""
    from lssat.data import rejected as step

    step.show(files or step.tables_of(task, prepared, logs), rows, reason)


@app.command(
    epilog=example(
        "lssat faces --task celeba --shard 0",
        "--manifest data/prepared/celeba/manifest.parquet",
        "--out data/prepared/celeba/faces/shard-00000.npy",
        "--table data/prepared/celeba/faces/shard-00000.parquet",
        "--rejects data/prepared/celeba/faces/shard-00000.rejects.parquet",
    )
)
def faces(
    task: option.Task,
    shard: Annotated[int, typer.Option(help="Number of the shard, from 0.")],
    manifest: option.Manifest,
    out: Annotated[Path, option.writes("NPY shard of crops to write.")],
    table: Annotated[Path, option.writes("Table of the crops to write.")],
    rejects: Annotated[Path, option.writes("Rejects table to write.")],
    device: option.Device = option.MACHINE.device,
    params_: option.Params = "params.yaml",
) -> None:
    """Detect, crop and store the faces of one shard."""
    with quick_imports():
        from lssat.data import faces as step

    view = params.view(params_, "faces", task=task)
    options = getattr(view.datasets, task)
    step.crop_shard(manifest, task, options, view.faces, shard, out, table, rejects, device)


@app.command(
    epilog=example(
        "lssat texture",
        "--faces data/prepared/celeba/faces/shard-00000.npy",
        "--faces-table data/prepared/celeba/faces/shard-00000.parquet",
        "--out data/prepared/celeba/texture/ldp/shard-00000.npy",
        "--table data/prepared/celeba/texture/ldp/shard-00000.parquet",
    )
)
def texture(
    faces: Annotated[Path, typer.Option(help="NPY shard of crops.")],
    faces_table: Annotated[Path, typer.Option(help="Table of the crops.")],
    out: Annotated[Path, option.writes("NPY shard of codes to write.")],
    table: Annotated[Path, option.writes("Table of the codes to write.")],
    params_: option.Params = "params.yaml",
) -> None:
    """Compute the texture codes of one shard of crops."""
    with quick_imports():
        from lssat.data import texture as step

    step.write_shard(faces, faces_table, params.view(params_, "texture").texture, out, table)


@app.command(
    epilog=example(
        "lssat splits --task affectnet",
        "--manifest data/prepared/affectnet/manifest.parquet",
        "--manifest-rejects data/prepared/affectnet/manifest.rejects.parquet",
        "--faces data/prepared/affectnet/faces/shard-00000.parquet",
        "--faces-rejects data/prepared/affectnet/faces/shard-00000.rejects.parquet",
        "--train data/prepared/affectnet/splits/train.parquet",
        "--val data/prepared/affectnet/splits/val.parquet",
        "--test data/prepared/affectnet/splits/test.parquet",
        "--summary data/prepared/affectnet/splits/summary.json",
    )
)
def splits(
    task: option.Task,
    manifest: option.Manifest,
    manifest_rejects: Annotated[Path, typer.Option(help="Its rejects.")],
    faces: option.CropTables,
    faces_rejects: Annotated[list[Path], typer.Option(help="Their rejects.")],
    train: Annotated[Path, option.writes("Table to write.")],
    val: Annotated[Path, option.writes("Table to write.")],
    test: Annotated[Path, option.writes("Table to write.")],
    summary: option.JsonOut,
    params_: option.Params = "params.yaml",
) -> None:
    """Assign each crop to train, val or test, and prove that nobody stands in two."""
    with quick_imports():
        from lssat.data import splits as step

    view = params.view(params_, "splits", task=task)
    files = {"train": train, "val": val, "test": test, "summary": summary}
    lists = (*step.NAMES, step.UNUSED)
    files |= {f"{name}_ids": summary.with_name(f"{name}.txt") for name in lists}
    options = getattr(view.datasets, task)
    step.write(task, manifest, manifest_rejects, faces, faces_rejects, options, view.splits, files)


@app.command(
    epilog=example(
        "lssat audit",
        "--manifest data/prepared/celeba/manifest.parquet",
        "--faces data/prepared/celeba/faces/shard-00000.parquet",
        "--splits data/prepared/celeba/splits",
        "--out data/prepared/celeba/audit.json --table data/prepared/celeba/audit.parquet",
    )
)
def audit(
    manifest: option.Manifest,
    faces: option.CropTables,
    splits: option.Splits,
    out: Annotated[Path, option.writes("JSON to write if there is no leak.")],
    table: option.FindingsOut,
) -> None:
    """Prove before training that nobody and no crop stands in two splits."""
    with quick_imports():
        from lssat.data.audit import crops
        from lssat.data.audit import leaks as step

    step.audit(manifest, faces, crops.files(splits), out, table)


@app.command(
    epilog=example(
        "lssat lookalikes --task celeba",
        "--faces data/prepared/celeba/faces/shard-00000.parquet",
        "--splits data/prepared/celeba/splits",
        "--out data/prepared/celeba/lookalikes.json",
        "--table data/prepared/celeba/lookalikes.parquet",
    )
)
def lookalikes(
    task: option.Task,
    faces: option.CropTables,
    splits: option.Splits,
    out: option.JsonOut,
    table: option.FindingsOut,
    params_: option.Params = "params.yaml",
) -> None:
    """List near-duplicates across splits by perceptual hash, for a person to look at."""
    with quick_imports():
        from lssat.data.audit import crops
        from lssat.data.audit import lookalikes as step

    view = params.view(params_, "lookalikes")
    step.lookalikes(task, faces, crops.files(splits), view.audit, out, table)


@app.command(
    epilog=example(
        "lssat audit-cross --dataset celebdf",
        "--faces data/prepared/celebdf/faces/shard-00000.parquet",
        "--splits data/prepared/celebdf/splits",
        "--trained-faces data/prepared/ffpp/faces/shard-00000.parquet",
        "--trained-splits data/prepared/ffpp/splits",
        "--out data/prepared/celebdf/audit_cross.json",
        "--table data/prepared/celebdf/audit_cross.parquet",
    )
)
def audit_cross(
    dataset: Annotated[str, typer.Option(help="A data set of benchmark.cross.")],
    faces: Annotated[list[Path], typer.Option(help="Its tables of crops; once for each shard.")],
    splits: Annotated[Path, typer.Option(help="Folder of its splits.")],
    trained_faces: Annotated[list[Path], typer.Option(help="Tables of crops of the task.")],
    trained_splits: Annotated[Path, typer.Option(help="Folder of the task's splits.")],
    out: Annotated[Path, option.writes("JSON to write if there is no leak.")],
    table: option.FindingsOut,
    task: Annotated[str, typer.Option(help="The task whose runs are tested.")] = HOME,
    params_: option.Params = "params.yaml",
) -> None:
    """Prove that no crop of a task's train or val is in a data set that it is only tested on."""
    with quick_imports():
        from lssat.data.audit import across as step
        from lssat.data.audit import crops

    trained = task, trained_faces, crops.files(trained_splits)
    tested = dataset, faces, crops.files(splits)
    step.across(trained, tested, params.view(params_, "audit_cross").audit, out, table)
