"""The commands that keep Snakemake, DVC and the code in step."""

import json
import sys
from typing import Annotated

import typer

from lssat.cli import option
from lssat.cli.base import app, example, quick_imports


@app.command(epilog=example("lssat digest"))
def digest(project: option.InProject = option.HERE) -> None:
    """Write the digest of the code of each rule: DVC redoes what an edit of the code changes."""
    from lssat.orchestrate.run import check_project
    from lssat.tables import source

    check_project()
    source.write(project.code)


@app.command(epilog=example("lssat save"))
def save(
    made: Annotated[
        str, typer.Option(help="JSON of what Snakemake knows of its files; - for stdin.")
    ] = "",
) -> None:
    """Save finished results for DVC after a run that was killed; Snakemake's runs end with this."""
    with quick_imports():
        from lssat.orchestrate import account, lock
        from lssat.orchestrate import save as step
        from lssat.orchestrate.run import check_project

    check_project()
    account.check()
    if not made:  # by hand: not beside a run that is at work
        lock.hold(inside_dvc=False)
    known = json.loads(sys.stdin.read() if made == "-" else made or "{}")
    sets = {name: frozenset(known.get(name, ())) for name in ("fresh", "stale", "done")}
    if text := step.save(step.Made(known.get("params", ""), **sets)):
        print(text, flush=True)
    elif not made:
        print(
            "Nothing was saved: DVC keeps nothing here, where there is no git repository with it."
        )


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
