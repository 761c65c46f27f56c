"""The commands that use results: a run on other files, two runs compared, results verified."""

import math
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from lssat import tables
from lssat.cli import option, outputs
from lssat.cli.base import answer, app, example, quick_imports, write_json


@app.command(
    epilog=example(
        "lssat predict --task ffpp --json - data/raw/sample/ffpp",
    )
)
def predict(
    paths: Annotated[
        list[Path], typer.Argument(help="Images, videos, folders to search.", show_default=False)
    ],
    run: Annotated[
        Path | None, typer.Option(help="Folder of a run, or its name below --runs.")
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="Instead: this task's run that is best by validation.")
    ] = None,
    aligned: Annotated[
        bool, typer.Option("--aligned", help="The images are crops: detect nothing.")
    ] = False,
    box: Annotated[
        str | None, typer.Option(help="x,y,width,height of the face in pixels: detect nothing.")
    ] = None,
    frames: Annotated[
        str | None, typer.Option(help="Of each video, or all; default: as in training, or 32.")
    ] = None,
    frame_folders: Annotated[
        bool, typer.Option("--frame-folders", help="A folder is one video's extracted images.")
    ] = False,
    json_: option.Json = None,
    pictures: Annotated[
        Path | None,
        option.writes(
            "Folder for a PNG of each file: crop, texture, where the model looks.", folder=True
        ),
    ] = None,
    results: Annotated[
        Path, typer.Option(help="Folder of results: where the calibration is.")
    ] = option.HERE.results.root,
    runs: option.Runs = option.HERE.runs.root,
    device: option.Device = option.MACHINE.device,
) -> None:
    """Score images and videos with a trained run, through the code of the benchmark.

    Faces are detected and cropped as in the run's training.
    The score of a video is the mean over its frames or clips.

    Exit code 0: every file has a score; 1: some have none, each with its reason.
    """
    if (run is None) == (task is None):
        raise typer.BadParameter("give one of --run and --task")
    where, count = _box(box), _frames(frames)
    from lssat.grid import trained

    folder, why = (trained.find(run, runs), "") if run else trained.best(str(task), runs)
    with quick_imports():
        from lssat.data import media
        from lssat.use import predict as step
        from lssat.use.predict import picture, terminal

    opened = step.open_run(folder, results, device)
    listed = _listed(paths, frame_folders)
    if json_ not in (None, "-"):
        for file in (item.file if isinstance(item, step.Rejected) else item for item in listed):
            outputs.from_inputs(Path(str(json_)), [("an argument", file.path)])
            outputs.outside(Path(str(json_)), [file.path] if file.media == "frames" else [])
    how = step.How(aligned, where, count)
    about = why, step.notes(opened, how)
    quiet = json_ == "-"
    if not quiet:
        print(terminal.head(opened, *about))
    scores = []
    with media.Decoder(step.TIMEOUT, step.MEMORY) as decoder:
        scorer = step.Scorer(opened, how, decoder, device)
        for item in listed:
            known = item if isinstance(item, step.Rejected) else scorer.score(item)
            scores.append(known)
            if not quiet:
                print(terminal.line(opened, known), flush=True)
            if pictures and isinstance(known, step.Scored):
                picture.write(picture.place(pictures, known.file), opened, known)
    write_json(json_, terminal.document(opened, *about, scores))
    rejected = [item for item in scores if isinstance(item, step.Rejected)]
    if not quiet:
        files = "1 file" if len(scores) == 1 else f"{len(scores)} files"
        print(f"{files}: {len(scores) - len(rejected)} scored, {len(rejected)} rejected")
    sys.exit(1 if rejected else 0)


def _box(text: str | None) -> tuple[float, float, float, float] | None:
    if text is None:
        return None
    try:
        x, y, width, height = map(float, text.split(","))
    except ValueError:
        raise typer.BadParameter(f"--box {text!r} is not x,y,width,height") from None
    if not all(map(math.isfinite, (x, y, width, height))) or min(width, height) <= 0:
        problem = "four finite numbers, width and height above 0"
        raise typer.BadParameter(f"--box {text!r} is not {problem}")
    return x, y, width, height


def _frames(text: str | None) -> Any:
    if text is None or text == "all":
        return text
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise typer.BadParameter(f"--frames {text!r} is neither a number above 0 nor all")
    return int(text)


def _listed(paths: list[Path], frame_folders: bool) -> list[Any]:
    """Return each file to score, and what cannot even be listed as rejected."""
    from lssat.use import predict as step

    listed: dict[Any, None] = {}
    for path in paths:
        try:
            listed |= dict.fromkeys(step.files([path], frame_folders))
        except tables.DataError as error:
            lost = step.Rejected(step.File(path, "folder"), "missing", f"{error}")
            listed[lost] = None
        except OSError as error:  # a name that is too long, a folder that is closed
            listed[step.Rejected(step.File(path, "folder"), "unreadable", f"{error}")] = None
    return list(listed)


@app.command(epilog=example("lssat verify"))
def verify(
    results: Annotated[Path, typer.Option(help="Folder of results.")] = option.HERE.results.root,
    expected: Annotated[Path, typer.Option(help="File of expected numbers.")] = Path(
        "expected/sample.json"
    ),
    rerun: Annotated[bool, typer.Option("--rerun", help="Compute all results first.")] = False,
    cores: Annotated[int, typer.Option(help="Cores for --rerun.")] = 8,
    write: Annotated[
        bool, typer.Option("--write", help="Write the expected file from the results.")
    ] = False,
    others: Annotated[
        list[Path] | None,
        typer.Option("--with", help="With --write: results computed in another way."),
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="With --with: in which way, for the file.")
    ] = None,
    json_: option.Json = None,
    params_: Annotated[Path, typer.Option("--params", help="A params.yaml.")] = option.HERE.params,
) -> None:
    """Hold results to expected numbers, each within its tolerance.

    Exit code 0: all is as expected; 1: a number is off or missing.
    """
    with quick_imports():
        from lssat.orchestrate import run as orchestrate
        from lssat.use import verify as step

    if (others or reason) and not write:
        raise typer.BadParameter("--with and --reason belong to --write")
    if write:
        tables.check_writable(expected)
        outputs.from_inputs(expected, [("--params", params_)])
        outputs.outside(expected, [results, *(others or [])])
    if rerun and (code := orchestrate.run(cores)):
        sys.exit(code)
    if write:
        print(step.write(expected, results, params_, others or [], reason))
        return
    fix = "Make it with --write from results that you trust"
    wanted = tables.read_json(expected, fix, sealed=False)
    findings = step.compare(wanted, step.expected_of(results, params_), expected)
    answer(json_, step.document(findings, wanted), lambda: step.show(findings, wanted))
    sys.exit(1 if step.failed(findings) else 0)


@app.command(
    epilog=example(
        "lssat compare runs/ffpp/vit_mini/MRGB-RLDP-CRGB/seed0",
        "runs/ffpp/vit_mini/none-none-CRGB/seed0",
    )
)
def compare(
    a: Annotated[Path, typer.Argument(metavar="RUN_A", help="Folder of a run, or its name.")],
    b: Annotated[Path, typer.Argument(metavar="RUN_B", help="Another of the same task.")],
    out: Annotated[
        Path | None,
        option.writes(
            "Page to write, readable without network; holds faces.",
            apart=True,
            endings=(".html", ".htm"),
        ),
    ] = None,
    json_: option.Json = None,
    dataset: Annotated[
        str | None, typer.Option(help="Of benchmark.cross; default: the task's own.")
    ] = None,
    results_a: Annotated[
        Path | None, typer.Option(help="Default: results beside the folder of RUN_A's runs.")
    ] = None,
    results_b: Annotated[
        Path | None, typer.Option(help="Default: results beside the folder of RUN_B's runs.")
    ] = None,
    runs: option.Runs = option.HERE.runs.root,
) -> None:
    """Compare two runs of one task on their common test samples.

    Paired tests of the difference, where and on which samples they differ, and what differs in
    how they were made. Nothing is predicted: the evaluation's stored predictions are read.
    """
    with quick_imports():
        from lssat.use import compare as step
        from lssat.use.compare import terminal

    one = step.read("A", a, runs, results_a, dataset)
    two = step.read("B", b, runs, results_b, dataset)
    levels, counts = step.together(one, two)
    comparison = step.compare(one, two, levels, counts)
    answer(json_, comparison, lambda: terminal.show(comparison))
    if out:
        from lssat.use.compare import page

        page.write(out, one, two, levels[-1], comparison)
        if json_ != "-":
            print(f"{out}: holds faces of the data set; it is for you, not for the web")


class Action(StrEnum):
    """What `lssat weights` does."""

    CONVERT = "convert"


@app.command(epilog=example("lssat weights convert checkpoint.pth encoder.safetensors"))
def weights(
    action: Annotated[Action, typer.Argument(help="What to do.")],
    file: Annotated[Path, typer.Argument(metavar="IN", help="A released checkpoint.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Safetensors file to write.")],
    size: Annotated[
        int | None,
        typer.Option(min=1, help="Interpolate positions for images of so many pixels a side."),
    ] = None,
    prefix: Annotated[
        str | None, typer.Option(help="Of the encoder's tensors, where a file holds several.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Where the checkpoint is from; kept in OUT.")
    ] = None,
    licence: Annotated[str | None, typer.Option(help="Of the checkpoint; kept in OUT.")] = None,
) -> None:
    """Take the encoder out of a released checkpoint, for train.weights.

    The file is read by torch's weights-only loader in a process of its own: nothing in it runs.
    """
    tables.check_writable(out)
    outputs.from_inputs(out, [("IN", file)])
    if out.suffix != ".safetensors":
        raise tables.DataError(out, "is no name of a safetensors file", "End it in .safetensors")
    outputs.like(out, (out.suffix,))
    with quick_imports():
        from lssat.models import convert as step

    done = step.convert(file, out, size, source, licence, prefix)
    print(step.told(file, out, done))


@app.command(epilog=example("lssat knn --run affectnet/vit_micro/none-none-CRGB+probe/seed0"))
def knn(
    run: option.RunPath,
    device: option.Device = option.MACHINE.device,
    project: option.InProject = option.HERE,
) -> None:
    """Score a linear probe's frozen encoder by its nearest neighbours among training samples.

    Their number is chosen on validation. Nothing is trained, and no result is written: the
    evaluation of a task does the same for each of its probes.
    """
    from lssat import grid
    from lssat.grid import trained

    folder = trained.find(Path(run), project.runs.root)
    which = grid.Run.of(str(folder))
    with quick_imports():
        from lssat.evaluation import knn as step

    data, kind = project.data(which.task), grid.parse(which.configuration).texture
    files = step.Files(
        run=folder,
        splits=data.splits.tables,
        faces=data.faces.root,
        codes=data.texture(kind or "ldp").root,
        features=project.features,
    )
    print(step.told(step.knn(which, files, device)), flush=True)
