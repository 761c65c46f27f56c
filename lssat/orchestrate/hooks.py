"""What the Snakefile does before and after its jobs, in the main process of a run that does work.

Its object is Snakemake's `workflow`, of which it reads the jobs; nothing here imports Snakemake.
"""

import atexit
import contextlib
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from lssat.orchestrate import cluster, fork_server, guard, lock, object_storage, restore, steps
from lssat.orchestrate.events import Writer
from lssat.orchestrate.failures import tell
from lssat.orchestrate.plan import Costs, machine_of
from lssat.params import Params
from lssat.params.hardware import Hardware
from lssat.tables import close_folder, sha256, source
from lssat.tables.project import Project

# Of Snakemake: these look, or do something else than jobs.
_LOOKS = (
    "--dry",
    *("--summary", "--detailed-summary", "--list", "--lint", "--report", "--unlock", "--archive"),
    *("--dag", "--rulegraph", "--filegraph", "--d3dag", "--containerize", "--export-cwl"),
    *("--generate-unit-tests", "--cleanup-metadata", "--print-compilation", "--conda-list"),
)
_LOOKS_SHORT = re.compile(r"^-[kpqrFfRtT]*[nlDS]")
GRAPH = "LSSAT_GRAPH"  # a file for the jobs of the graph, in a process that only looks
_ONE_KEY = 2.0  # seconds
_IMPORT_MUCH = {"train", "evaluate", "cross", "robustness", "explain"}
_MANY = 4  # jobs of these, of a second's work and seconds of imports each
_HERE = Project()
_WITH_FACES = (_HERE.prepared, _HERE.results.root, _HERE.runs.root)
_RECONSTRUCTION = _HERE.runs.run("").reconstruction.name
_MADE = (*_WITH_FACES, _HERE.code)  # folders, of Snakemake's outputs


def looks(arguments: list[str]) -> bool:
    """Say whether a Snakemake with these arguments only looks: `-n`, `--lint`, `--report` ..."""
    return any(word.startswith(_LOOKS) or _LOOKS_SHORT.match(word) for word in arguments)


class Hooks:
    """Start and end of a run of Snakemake.

    Made while the Snakefile is read: takes the folder, and writes the digests of the code for
    DVC. In a process that only looks, or that runs one job for another, it does nothing of this.

    Raises:
        DataError: another run, or DVC, is at work in the folder.
    """

    def __init__(self, workflow: Any):
        self.workflow = workflow
        self.stopped: int | None = None  # by this signal
        self._since = 0.0
        self._events: Writer | None = None
        self._warm: subprocess.Popen | None = None  # the process that steps are forked from
        self.inside_dvc = "DVC_STAGE" in os.environ
        self.saves = not self.inside_dvc and not os.environ.get("LSSAT_SYNC")
        self.elsewhere = object_storage.used(workflow)  # where DVC cannot save
        self.saves &= not self.elsewhere
        if graph := os.environ.get(GRAPH):
            atexit.register(self._tell_graph, Path(graph))
        self.works = workflow.is_main_process and not looks(sys.argv[1:])
        steps.lead()
        if workflow.remote_exec:
            cluster.pass_on_the_warning()
        make_writable()
        close_faces()
        if self.works:
            lock.hold(self.inside_dvc)
            source.write()
            os.environ[restore.PARAMS] = sha256(_HERE.params)
            atexit.register(self._close)
        # With it begins the shell command of each step that takes long; `false`: it works.
        os.environ["LSSAT_ASK"] = "lssat restore" if self._asks() else "false"

    def _asks(self) -> bool:
        """Do steps ask DVC's run cache? In `dvc repro` DVC has looked itself."""
        return self.saves and restore.PARAMS in os.environ and restore.worth_asking()

    def start(self, values: Params, hardware: Hardware, threads: int | None = None) -> None:
        """Before the first job: save what a killed run left, then make DVC refuse to work.

        Args:
            values, hardware: of the run: by them jobs are weighed, for progress.
            threads: of a step on a CPU of this machine: many short ones share their imports.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        if not self.elsewhere and not os.environ.get("LSSAT_SYNC"):
            if guard.there():
                self._save(None)
            guard.put()
        jobs = [job for job in self.workflow.dag.needrun_jobs() if job.rule.name in _IMPORT_MUCH]
        if threads and len(jobs) >= _MANY:
            self._warm = fork_server.start(threads, _HERE.log("warm"))
        if not os.environ.get("LSSAT_SYNC"):
            self._events = self._listen(values, hardware)

    def _listen(self, values: Params, hardware: Hardware) -> Writer:
        """Write what happens to a file, each job with its share of the time."""
        here = self.workflow.resource_settings.nodes is None
        cores = self.workflow.cores if here else self.workflow.resource_settings.nodes
        gpus = 1
        if hardware.device != "cpu":  # of a cluster each job has its own; see the Snakefile's gpu
            own = int(self.workflow.global_resources["gpu"].value)
            gpus = own if here else int(cores) * hardware.devices
        costs = Costs(values, machine_of(hardware, int(cores), gpus, here=here))
        jobs = []
        for job in self.workflow.dag.needrun_jobs():
            named = dict(job.wildcards_dict)
            weight = costs.share(job.rule.name, named) if job.output else 0.0
            log = str(job.log[0]) if job.log else ""
            jobs.append((job.jobid, job.rule.name, named, log, weight))
        return Writer(jobs, int(cores), cluster=not here)

    def end(self, failed: bool) -> None:
        """After the last job: save what was made for DVC; say last what has failed."""
        if self._warm:
            fork_server.stop(self._warm)
        if self._events:
            self._events.end("stopped" if self.stopped else "failed" if failed else "done")
        if self.stopped:
            pass  # somebody waits for the prompt: the next run saves, and DVC refuses until then
        elif self.saves:
            self._save(self.workflow.dag)
        elif self.inside_dvc and not (failed and self._some_are_done()):
            guard.remove()  # DVC saves the stage itself
        close_faces()
        if failed:
            tell(self._failed(), self.stopped, self._events.words if self._events else None)

    def _some_are_done(self) -> bool:
        dag = self.workflow.dag
        return any(dag.finished(job) for job in dag.jobs if job.output)

    def _failed(self) -> list[Any]:
        """Return the jobs that failed: of a group those that had all they need and are not done."""
        failed = []
        for job in sorted(self.workflow.scheduler.failed, key=str):
            parts = sorted(job.jobs, key=str) if job.is_group() else [job]
            failed += [part for part in parts if not job.is_group() or could(part)]
        return failed

    def _save(self, dag: Any) -> None:
        state: dict[str, Any] = {"params": os.environ[restore.PARAMS]}
        state |= {"fresh": [], "stale": [], "done": []}
        for job in () if dag is None else dag.jobs:  # it is false without jobs to do
            files = [str(file) for file in job.output]
            fresh = dag.finished(job) or not dag.needrun(job)
            state["fresh" if fresh else "stale"] += files
            state["done"] += files if dag.finished(job) else []
        command = [sys.executable, "-m", "lssat", "save", "--made", "-"]
        subprocess.run(command, input=json.dumps(state), text=True, check=False)

    def _stop(self, number: int, _: FrameType | None) -> None:
        """Pass a signal on to the steps, which save their state, and end as after Ctrl-C.

        One Ctrl-C may come twice, from the terminal and from `lssat run`; a later one kills.
        """
        import psutil

        again, self.stopped = self.stopped is not None, self.stopped or number
        if again and time.monotonic() - self._since < _ONE_KEY:
            return
        self._since = time.monotonic()
        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.send_signal(signal.SIGKILL if again else signal.SIGTERM)
        if not again:
            raise KeyboardInterrupt

    def _close(self) -> None:
        """Save what is left unsaved where Snakemake ended without its hooks, or had no job."""
        if self.saves and guard.there() and not self.stopped:
            self._save(getattr(self.workflow, "dag", None) if self._idle() else None)

    def _tell_graph(self, file: Path) -> None:
        """Write the jobs of the graph for `lssat status`: those to do with Snakemake's reason."""
        dag: Any = getattr(self.workflow, "dag", None)
        jobs = [
            [
                job.rule.name,
                dict(job.wildcards_dict),
                str(job.log[0]) if job.log else "",
                str(dag.reason(job)) if dag.needrun(job) else None,
            ]
            for job in (() if dag is None else dag.jobs)  # it is false without jobs to do
            if job.output
        ]
        file.write_text(json.dumps(jobs), encoding="utf-8")

    def _idle(self) -> bool:
        dag = getattr(self.workflow, "dag", None)
        return dag is not None and not any(True for _ in dag.needrun_jobs())


def could(job: Any) -> bool:
    """Say whether all inputs of a job are there, and not all outputs."""
    ins, outs = ([Path(str(file)) for file in files] for files in (job.input, job.output))
    return all(file.exists() for file in ins) and not all(file.exists() for file in outs)


def close_faces() -> None:
    """Close the folders and files of faces again to all but their owner, where DVC has been.

    It gives what it links a mode for all readers, and what it puts back the umask's.
    """
    close_folder(Path(".dvc/cache"))
    for top in _WITH_FACES:
        for path, _, names in os.walk(top):
            closed = close_folder(Path(path))
            for name in names if closed else {_RECONSTRUCTION} & set(names):
                with contextlib.suppress(PermissionError):
                    os.chmod(os.path.join(path, name), 0o600)


def make_writable() -> None:
    """Let Snakemake replace what DVC has linked to its cache.

    DVC takes the owner's right to write from linked files; Snakemake would take them for outputs
    that it must not touch. All writers here replace files: none writes into one.
    """
    for folder in _MADE:
        for path, _, names in os.walk(folder):
            for name in names:
                file = os.path.join(path, name)
                known = os.lstat(file)
                ours = stat.S_ISREG(known.st_mode) and known.st_uid == os.geteuid()
                if ours and not known.st_mode & stat.S_IWUSR:
                    os.chmod(file, known.st_mode | stat.S_IWUSR)
