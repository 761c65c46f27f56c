# What the rules share: the parameters, the digests of code and raw trees, the names of the grid.
import gc
import os
import re
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

from lssat.tables import digest, digest_ahead, face_privacy, source
from lssat.params import hardware
from lssat import grid, params
from lssat.orchestrate import cluster, object_storage, records
from lssat.orchestrate.hooks import Hooks
from lssat.tables import DataError, refused
from lssat.tables.project import ATTACHED, Project
from lssat.tracking import store

# What was imported stays: without this Python looks through all of it for garbage, time and again,
# while the graph grows.
gc.freeze()
# Where all files lie; with a wildcard for a name, the patterns of the rules.
HERE = Project()
DATA, RESULTS, EXPLAINED = (
    each("{task}") for each in (HERE.data, HERE.results.task, HERE.results.explain)
)
ACROSS = HERE.results.task("{home}").cross("{task}")
REPORT = HERE.results.report()
RUN = HERE.runs.run(grid.RUN)
# A profile names its machine's file; without one, this machine.
if not workflow.overwrite_configfiles:

    configfile: "profiles/default/machine.yaml"


# Jobs run elsewhere, on nodes that have what this one lacks?
CLUSTER = workflow.resource_settings.nodes is not None

PROBLEMS = []  # of all that is known before the first job, for one message
try:
    if workflow.is_main_process and not os.environ.get("LSSAT_SYNC"):
        from lssat.data import preflight  # not in jobs, whose start counts

        PARAMS = preflight.check(HERE.params)
    else:
        PARAMS = params.load(HERE.params)
except (DataError, OSError) as error:
    PARAMS = None
    PROBLEMS.append(str((isinstance(error, OSError) and refused(error)) or error))
if found := hardware.problems(
    config,
    batch_size=PARAMS and PARAMS.train.batch_size,
    here=workflow.is_main_process and not CLUSTER,
    partitions=workflow.is_main_process,
):
    PROBLEMS.append(str(DataError.of(hardware.WHERE, found)))
if PROBLEMS:
    raise WorkflowError("\n".join(PROBLEMS))
try:
    object_storage.link(workflow)
    HOOKS = Hooks(workflow)
except DataError as error:
    raise WorkflowError(str(error))

TASKS = PARAMS.benchmark.tasks
CROSS = PARAMS.benchmark.cross  # a data set -> the task whose runs are only tested on it
SETS = [*TASKS, *CROSS]
OWN, LISTED = PARAMS.slices.attributes, PARAMS.slices.lists  # by task: names, and a CSV
TEXTURE = PARAMS.texture.kind
RUNS = PARAMS.named()
EXTERNAL = PARAMS.external()  # path of a run of another program -> the table of its scores
OTHERS = grid.RUN.replace("{configuration}", grid.EXTERNAL)
REPEATS = PARAMS.repeats()  # configuration -> the one that it repeats (rule repeat)
HARDWARE = hardware.read(config)
# A GPU belongs to the process that began with it, and several devices to as many programs.
SHORT = HARDWARE.device == "cpu" and HARDWARE.devices == 1 and not CLUSTER
GPUS = 0 if HARDWARE.device == "cpu" else HARDWARE.devices  # of a job that uses any
hardware.tell(config, PARAMS.tracking.model_dump())
if "gpu" not in workflow.global_resources:  # of all jobs at a time; without it there is no limit
    workflow.global_resources["gpu"] = max(1, GPUS)
# A job of a cluster for each short training would wait longer than it works.
TOGETHER = CLUSTER and cluster.are_short(PARAMS, HARDWARE)
if HARDWARE.cpu_partition:  # of every job that names none itself, as those with a GPU do
    workflow.resource_settings._parsed_default_resources["slurm_partition"] = HARDWARE.cpu_partition


wildcard_constraints:
    task="[a-z][a-z0-9_]*",
    home="[a-z][a-z0-9_]*",
    shard=r"\d{5}",
    backbone=r"[^/]+",
    configuration=r"[^/]+",
    seed=r"\d+",


def device(wildcards):
    """The device of a step. On a cluster its job looks for the GPU, before outputs are touched."""
    if workflow.remote_exec and lacking():
        raise WorkflowError(str(DataError.of(hardware.WHERE, lacking())))
    return HARDWARE.device


@cache
def lacking():
    """What this machine lacks, looked for once a process."""
    return hardware.problems(config)


def whole_machine():
    """All cores that Snakemake has, so that no job runs beside; on a cluster see its profile."""
    # Not workflow.cores: it raises where there are none, as with --report and --unlock.
    cores = None if CLUSTER else workflow.resource_settings.cores
    return cores or PARAMS.train.threads


def partition(gpus):
    """The partition of a job by its GPUs, for SLURM; None, the cluster's own, if none is named."""
    return HARDWARE.gpu_partition if gpus else HARDWARE.cpu_partition


def code(rule):
    """The digest of the code of a rule; a job's process, which starts often, takes only its own."""
    return lambda wildcards: code_of(rule)


@cache
def code_of(rule):
    """The digest of a rule's code, taken once a process."""
    return source.digest(rule)


def read(rule):
    """The sections that a rule reads, as the JSON argument of its command; changes redo it."""
    return lambda wildcards: params.section_json(
        PARAMS, rule, **{"home": home(wildcards), **wildcards}
    )


def home(wildcards):
    """The task whose runs are tested on a data set that is only tested on; None: of another."""
    return CROSS.get(wildcards.get("task"))


def across(task):
    """The results of the runs that are tested on a data set."""
    return HERE.results.task(CROSS[task]).cross(task)


def shards(task):
    """How many shards a task's data are cut into."""
    return getattr(PARAMS.datasets, task).shards


def detects(task):
    """Are faces detected, in videos? Other releases are cropped, or give boxes."""
    return isinstance(getattr(PARAMS.datasets, task), params.Video)


def drawn(task):
    """The inventory of a task's tree if that is one of the built-in sample, drawn by us."""
    root = getattr(PARAMS.datasets, task).root
    ours = face_privacy.drawn(root, PARAMS.sample.trees)
    return [HERE.sample.inventory(os.path.basename(os.path.relpath(root)))] if ours else []


def raw_input(wildcards):
    """A tree of the built-in sample is drawn first; a user's tree is there or the step says so."""
    return drawn(wildcards.task)


def raw_digest(wildcards):
    """Content of the raw tree: an edited, added or removed file redoes the manifest."""
    root = getattr(PARAMS.datasets, wildcards.task).root
    return digest.tree(root, HERE.memory) if drawn(wildcards.task) else TREES.of(root)


def user_trees():
    """The trees that are looked at once a process: Snakemake asks for parameters several times.

    Not those that are drawn, which come to be, or change, in the same process.
    """
    return [getattr(PARAMS.datasets, task).root for task in SETS if not drawn(task)]


# Jobs of a process of their own seldom ask; the main one always does.
TREES = digest_ahead.Ahead(user_trees() if workflow.is_main_process else [], HERE.memory)


def of_shards(folder, task):
    """The shards of a folder of crops or codes, and their tables, as texts: each run asks."""
    found = folder.first(shards(task))
    return [str(each.npy) for each in found] + [str(each.table) for each in found]


@cache
def crops_of(task):
    """Shards of crops and their tables."""
    return of_shards(HERE.data(task).faces, task)


@cache
def codes_of(task):
    """Shards of texture codes and their tables."""
    return of_shards(HERE.data(task).texture(TEXTURE), task)


def shards_of(task):
    """What stands for all crops and codes, so that each run names one file in place of hundreds.

    Where a job has no files but its inputs, they stand for themselves.
    """
    if object_storage.used(workflow):
        return [*crops_of(task), *codes_of(task)]
    return [str(HERE.data(task).shards)]


def tables_of(task):
    """Tables of crops."""
    return [each.table for each in HERE.data(task).faces.first(shards(task))]


def rejects_of(task):
    """Tables of the samples that a step skipped."""
    return HERE.data(task).rejected(shards(task))


def slices_of():
    """The results by slice: of a task's own attributes, and of a list of annotations."""
    asked = [("slices", task) for task in OWN] + [("slices_listed", task) for task in LISTED]
    return [HERE.results.task(task).slices(step) for step, task in asked]


def tracked_more():
    """What was added to MLflow's runs: slices, and results on other data sets."""
    names = [f"slices/{task}" for task in OWN] + [f"slices_listed/{task}" for task in LISTED]
    return [HERE.results.mlflow(name) for name in names + [f"cross/{task}" for task in CROSS]]


def runs_of(task):
    """The records of all runs of a task; each vouches for its weights by their sha256.

    Where a job has no files but its inputs, all that the runs have left.
    """
    runs = [HERE.runs.run(run.path) for run in RUNS if run.task == task]
    if object_storage.used(workflow):
        return [file for run in runs for file in run]
    return [run.record for run in runs]


def external_of(task):
    """The scores of other programs for a data set's test split."""
    runs = [run for run in map(grid.Run.of, EXTERNAL) if run.task == task]
    return [HERE.data(task).external.scores(run.backbone, run.seed) for run in runs]


def repeated(wildcards):
    """The run that a run repeats."""
    configuration = REPEATS[wildcards.configuration]
    return grid.RUN.format(**{**wildcards, "configuration": configuration})


def kept():
    """All files between the raw trees and the report: of the data, the runs and the results."""
    files = [HERE.results.speed, *slices_of()]
    for data in map(HERE.data, SETS):
        files += [data.manifest, data.found("audit").json, data.found("lookalikes").json]
        files += [*data.splits.tables.values(), data.splits.summary]
    for task in SETS:
        files += [*crops_of(task), *codes_of(task), *shards_of(task), *rejects_of(task)]
    for run in RUNS:
        files += HERE.runs.run(run.path)
    for task in TASKS:
        files += [HERE.data(task).formats, HERE.results.task(task).format]
        made, explained = HERE.results.task(task), HERE.results.explain(task)
        files += [made.metrics, made.predictions, made.robustness, explained.json, explained.maps]
        files += external_of(task)
    for task in CROSS:
        made = across(task)
        files += [made.metrics, made.predictions, HERE.data(task).found("audit_cross").json]
        files += external_of(task)
    return list(dict.fromkeys(files))


def resizable(task):
    """Are a task's faces cut out of frames, so that they can be cut again with another margin?"""
    own = getattr(PARAMS.datasets, task)
    cut = own.faces != "aligned" if isinstance(own, params.Own) else True
    return cut and isinstance(own, params.Video)


def variants(task):
    """The variants of a task's test crops that must be made; the others are parts of the stored."""
    stored = getattr(PARAMS.datasets, task).frames
    return PARAMS.sensitivity.variants(PARAMS.faces.margin, stored)


def asked():
    """Results of sensitivity that are there, for the report."""
    files = [HERE.results.task(task).sensitivity.json for task in TASKS]
    return [file for file in files if file.exists()]


def refuse_what_lacks():
    """Before the first job: can manifests that stay as they are fill the splits and batches?

    A manifest that is made anew is asked by its own step. Nothing else depends on the verdict: an
    edited batch size redoes no manifest and no faces.
    """
    try:
        cluster.refuse_a_silent_slurm(workflow.executor_settings)
        if PARAMS.tracking.uri is None:
            store.check_place(HERE.database)
    except DataError as error:
        raise WorkflowError(str(error))
    if os.environ.get("LSSAT_SYNC") or object_storage.used(workflow):  # it is elsewhere
        return
    from lssat.data.splits import requirements

    dag = workflow.dag
    there = {job.wildcards.task for job in dag.jobs if job.rule.name == "manifest"}
    there -= {job.wildcards.task for job in dag.needrun_jobs() if job.rule.name == "manifest"}
    said = []
    for task in sorted(there):
        table, options = HERE.data(task).manifest, getattr(PARAMS.datasets, task)
        try:
            said.append(requirements.refusal(task, table, options, PARAMS))
        except DataError as error:
            said.append(error)
    if errors := [str(error) for error in said if error]:
        raise WorkflowError("\n".join(errors))


# Without Snakemake's records changed parameters and code go unnoticed: refuse to guess.
if (
    not {"LSSAT_SYNC", "DVC_STAGE"} & set(os.environ)  # DVC itself knows what is stale
    and workflow.is_main_process
    and HERE.results.find(HERE.results.task("*").metrics)
    and (unknown := records.refusal())
):
    raise WorkflowError(unknown)
