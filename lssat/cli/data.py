"""The commands from raw trees to splits."""

import contextlib
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from lssat import params
from lssat.cli import option, outputs
from lssat.cli.base import answer, app, console, example, quick_imports
from lssat.grid.releases import DRAWN, RELEASES, Release
from lssat.tables import DataError
from lssat.tables.project import Data, Project


@app.command(epilog=example("lssat sample --tree ffpp"))
def sample(
    tree: Annotated[str, typer.Option(help=f"One of {', '.join(DRAWN)}.")],
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """Draw one tree of the built-in sample from real faces, in its official layout."""
    where = project.sample
    inventory, annotations = where.inventory(tree), where.annotations(tree)
    with quick_imports(inventory, annotations):
        from lssat.data import sample as step

    seed = params.view(params_, params.views.SampleView).sample.seed
    step.write(tree, where.root / tree, inventory, seed, annotations)


def _root(release: Release) -> tuple[Any, None]:
    """Return the option for the root of a release, and its default."""
    end = ", only tested on" if release.test_only else ""
    help = f"Root of {release.words}{end}: {release.page}."
    return Annotated[str | None, typer.Option(metavar="PATH", help=help)], None


@app.command(
    epilog=example("lssat init --preset paper --ffpp /data/ffpp --celeba /data/celeba"),
)
@option.given_as("roots", {name: _root(each) for name, each in RELEASES.items()})
def init(
    preset: Annotated[str, typer.Option(help="A file of presets/: sample, paper, ...")],
    out: Annotated[
        Path, option.writes("File to write.", apart=True, endings=(".yaml", ".yml"))
    ] = Path("params.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Replace an edited file.")] = False,
    small: Annotated[
        bool,
        typer.Option("--small", help="A trial of minutes on few samples: does all fit?"),
    ] = False,
    **roots: str | None,
) -> None:
    """Write a params.yaml from a preset, with its comments, for the data sets given.

    Tasks without a folder are left out. A root may be an address, s3://bucket/prefix.
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
        from lssat.orchestrate.plan import terminal

        terminal.tell(written, console())


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

    loaded = step.check(params_)
    tasks, runs = ", ".join(loaded.benchmark.tasks), len(loaded.runs())
    print(f"{params_}: tasks {tasks}, {runs} runs; nothing was found that would stop a job")


@app.command(epilog=example("lssat doctor ffpp --root /data/ffpp"))
def doctor(
    dataset: Annotated[
        str | None, typer.Argument(help=f"One of {', '.join(RELEASES)}, or your own; default: all.")
    ] = None,
    root: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Its tree; params.yaml is then not read."),
    ] = None,
    json_: option.Json = None,
    deep: Annotated[bool, typer.Option("--deep", help="Decode every image and video.")] = False,
    artifacts: Annotated[
        bool,
        typer.Option(
            "--artifacts", help="Instead: read all that was made here, held to its sha256."
        ),
    ] = False,
    params_: Annotated[str, typer.Option("--params", help="Another params.yaml.")] = "params.yaml",
) -> None:
    """Look raw trees over before anything runs: an inventory beside the official counts.

    Reads lists, names and the first bytes of every file; changes nothing.

    Exit code 0: the tree fits the official release, or is a consistent part; the artifacts are
    as they were written;
    1: something is wrong that would stop a job, or lose or damage samples; an artifact is damaged;
    2: the command was not understood.
    """
    if artifacts:
        if dataset is not None or root is not None or deep:
            raise typer.BadParameter("--artifacts stands alone, or with --json")
        sys.exit(_artifacts(json_))
    with quick_imports():
        from lssat.data import doctor as step

    if json_ not in (None, "-") and root is None:
        roots: list[Path] = []
        with contextlib.suppress(DataError):  # the doctor says what is wrong with it
            sections = dict(params.load(params_).datasets).values()
            roots = [Path(section.root) for section in sections if section]
        outputs.outside(Path(str(json_)), roots)
    sys.exit(step.run(dataset, root, params_, json_, deep))


def _artifacts(json_: str | None) -> int:
    with quick_imports():
        from lssat.use import artifacts as step

    artifacts = step.check(Project())
    if not artifacts.checked and not artifacts.damaged:
        raise DataError(Path.cwd(), "has no artifacts", "Run this in a project, after `make`")
    answer(json_, step.told(artifacts), lambda: print("\n".join(step.lines(artifacts))))
    return int(bool(artifacts.damaged))


@app.command(epilog=example("lssat manifest --task ffpp"))
def manifest(
    task: option.Task,
    check: Annotated[
        bool, typer.Option("--check", help="Also: can params.yaml's splits and batches be filled?")
    ] = False,
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """List every sample that the release's official lists name.

    With --check it also refuses what no detection of faces can mend: an empty split, class or
    method, fewer samples than one batch.
    """
    out, kept = project.data(task), project.kept_rejects(task)
    with quick_imports(out.manifest, out.rejects, kept):
        from lssat.data import datasets as step
        from lssat.data.splits import requirements

    options = params.view(params_, params.views.ManifestView, task=task).datasets[task]
    lost = step.write(task, options, out.manifest, out.rejects, kept, project.memory)
    whole = params.load(project.params) if check else None
    lacking = requirements.refusal(task, out.manifest, options, whole) if whole else None
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
    project: option.InProject = option.HERE,
) -> None:
    """Print what the steps left out: how many samples for each reason, and the first of them."""
    from lssat.data import rejected as step

    step.show(files or step.tables_of(task, project), rows, reason)


@app.command(epilog=example("lssat faces --task celeba --shard 0"))
def faces(
    task: option.Task,
    shard: option.Shard,
    device: option.Device = option.MACHINE.device,
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """Detect, crop and store the faces of one shard."""
    data = project.data(task)
    out = data.faces.shard(shard)
    with quick_imports(*out):
        from lssat.data import faces as step

    view = params.view(params_, params.views.FacesView, task=task)
    options = view.datasets[task]
    step.crop_shard(data.manifest, task, options, view.faces, shard, *out, device)


@app.command(epilog=example("lssat texture --task celeba --shard 0"))
def texture(
    task: option.Task,
    shard: option.Shard,
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """Compute the texture codes of one shard of crops."""
    settings = params.view(params_, params.views.TextureView).texture
    crops = project.data(task).faces.shard(shard)
    codes = project.data(task).texture(settings.kind).shard(shard)
    with quick_imports(codes.npy, codes.table):
        from lssat.data import texture as step

    step.write_shard(crops.npy, crops.table, settings, codes.npy, codes.table)


@app.command(epilog=example("lssat shards --task celeba"))
def shards(
    task: option.Task,
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """List the shards of crops and codes with their sha256: one file that stands for all."""
    data = project.data(task)
    with quick_imports(data.shards):
        from lssat.data import shard_list as step

    view = params.view(params_, params.views.ShardsView, task=task)
    codes, count = data.texture(view.texture.kind), view.datasets[task].shards
    step.write(data.faces, codes, count, data.shards)


@app.command(epilog=example("lssat splits --task affectnet"))
def splits(
    task: option.Task,
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """Assign each crop to train, val or test, and prove that nobody stands in two."""
    data = project.data(task)
    with quick_imports(*data.splits.files.values()):
        from lssat.data import splits as step

    view = params.view(params_, params.views.SplitsView, task=task)
    options = view.datasets[task]
    tables, rejects = _tables(data, options.shards), data.rejected(options.shards)[1:]
    files = data.splits.files
    step.write(task, data.manifest, data.rejects, tables, rejects, options, view.splits, files)


def _tables(data: Data, shards: int) -> list[Path]:
    return [shard.table for shard in data.faces.first(shards)]


@app.command(epilog=example("lssat formats --task celeba"))
def formats(
    task: option.Task,
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """List size, quality and codec of the files that were cropped, from their headers."""
    data = project.data(task)
    with quick_imports(data.formats):
        from lssat.data import formats as step

    options = params.view(params_, params.views.FormatsView, task=task).datasets[task]
    step.write(task, options.root, data.manifest, _tables(data, options.shards), data.formats)


@app.command(epilog=example("lssat audit --task celeba"))
def audit(
    task: option.Task,
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """Prove before training that nobody and no crop stands in two splits."""
    data = project.data(task)
    out = data.found("audit")
    with quick_imports(*out):
        from lssat.data.audit import leaks as step

    shards = params.view(params_, params.views.AuditView, task=task).datasets[task].shards
    step.audit(data.manifest, _tables(data, shards), data.splits.tables, *out)


@app.command(epilog=example("lssat lookalikes --task celeba"))
def lookalikes(
    task: option.Task,
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """List near-duplicates across splits by perceptual hash, for a person to look at."""
    data = project.data(task)
    out = data.found("lookalikes")
    with quick_imports(*out):
        from lssat.data.audit import lookalikes as step

    view = params.view(params_, params.views.LookalikesView, task=task)
    tables = _tables(data, view.datasets[task].shards)
    step.lookalikes(task, tables, data.splits.tables, view.audit, *out)


@app.command(epilog=example("lssat audit-cross --task ffpp --dataset celebdf"))
def audit_cross(
    task: option.Trained,
    dataset: option.Dataset,
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """Prove that no crop of a task's train or val is in a data set that it is only tested on."""
    out = project.data(dataset).found("audit_cross")
    with quick_imports(*out):
        from lssat.data.audit import across as step

    view = params.view(params_, params.views.AuditCrossView, task=dataset, home=task)

    def known(name: str) -> tuple[str, list[Path], dict[str, Path]]:
        data, shards = project.data(name), view.datasets[name].shards
        return name, _tables(data, shards), data.splits.tables

    step.across(known(task), known(dataset), view.audit, *out)
