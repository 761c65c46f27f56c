"""Puts what Snakemake has made into DVC's cache, and into dvc.lock what DVC may vouch for.

Through DVC's Python interface, in one process: `dvc commit` takes as long as a `dvc repro` that
does nothing, stops at the first missing output and vouches for stale results.
"""

import os
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from lssat.orchestrate import guard
from lssat.orchestrate.repository import opened, relative, stages_of
from lssat.tables import sha256, source
from lssat.tables.project import Project

_DRAWN = f"{Project().sample.root}/"  # trees that people edit in place: copied, not linked


@dataclass(frozen=True)
class Made:
    """What a run of Snakemake knows of its files (relative to the project's folder)."""

    params: str = ""  # sha256 of the params.yaml that it ran with
    fresh: frozenset[str] = field(default_factory=frozenset)  # in step with their inputs
    stale: frozenset[str] = field(default_factory=frozenset)  # not, or not known to be
    done: frozenset[str] = field(default_factory=frozenset)  # made by this very run

    def vouches(self, stage: Any) -> bool:
        """Say whether all that a stage makes is in step with what it was made from."""
        if stage.name == "code":
            return not source.changed()
        places = _places(stage)
        return _touches(places, self.fresh) and not _touches(places, self.stale)

    def has_made(self, stage: Any) -> bool:
        """Say whether this run has made something of a stage."""
        return stage.name == "code" or _touches(_places(stage), self.done)


def _places(stage: Any) -> list[str]:
    # A stage without outputs, the gallery, names the file that Snakemake makes in its command.
    return [relative(out) for out in stage.outs] or [stage.cmd.split()[-1]]


def _touches(places: list[str], files: frozenset[str]) -> bool:
    return any(file == place or file.startswith(f"{place}/") for place in places for file in files)


def save(made: Made) -> str:
    """Save every output that is there and has changed; then let DVC work again.

    A stage for which `made` vouches is recorded with what it was made from, and in DVC's run
    cache. Of others the outputs alone are recorded: DVC keeps them and finds the stage stale.

    Returns:
        what was done, in a sentence; "" where DVC keeps nothing here (no git repository).

    Raises:
        DvcException: DVC cannot save; it goes on refusing to work.
    """
    started = time.monotonic()
    with opened() as repo:
        if repo is None:
            guard.remove()
            return ""
        known = not source.changed() and sha256(Project().params) == made.params
        stages = stages_of(repo)
        changed = [stage for stage in stages if _save(stage, made if known else Made())]
        if changed:
            changed[0].dvcfile.dump_stages(changed, update_pipeline=False)
    guard.remove()
    seconds = time.monotonic() - started
    return f"Saved for DVC in {seconds:.1f} s: {len(changed)} of {len(stages)} stages had changed."


def _save(stage: Any, made: Made) -> bool:
    """Save one stage; return whether dvc.lock must be written again."""
    # A folder that a killed step has left empty is no result.
    there = [out for out in stage.outs if out.exists and not out.is_empty]
    changed = [out for out in there if out.workspace_status() or out.changed_cache()]
    drawn = any(relative(out).startswith(_DRAWN) for out in stage.outs)
    vouched = made.vouches(stage) and len(there) == len(stage.outs)
    if vouched and changed and not made.has_made(stage) and all(out.hash_info for out in there):
        # Not by a step: damaged, or edited. What the step made stays recorded.
        for out in changed:
            print(f"{relative(out)}: changed by none of the steps since it was saved, so it is "
                  f"not saved for DVC. `dvc checkout --force {relative(out)}` brings back what "
                  "the step made.", file=sys.stderr)  # fmt: skip
        return False
    if vouched:
        # What this run made anew to the same bytes is a second copy until it is linked.
        if not (changed or made.has_made(stage) or stage.changed_stage() or stage.changed_deps()):
            return False
        stage.save()
    elif changed and not drawn:  # a raw file that is away for a while is not the tree's new truth
        for out in there:
            out.save()
        stage.deps = []  # not recorded: the stage is stale
    else:
        return False
    for out in there:
        before = _times(out.fs_path)
        out.commit(relink=not drawn)
        # Content that the cache had is linked to what it had, with the time of then; Snakemake
        # would find it older than its inputs.
        for file, time_ns in before.items():
            if os.stat(file).st_mtime_ns != time_ns:
                os.utime(file, ns=(time_ns, time_ns))
    return True


def _times(path: str) -> dict[str, int]:
    inside = (os.path.join(top, name) for top, _, names in os.walk(path) for name in names)
    files = inside if os.path.isdir(path) else [path]
    return {file: os.stat(file).st_mtime_ns for file in files}
