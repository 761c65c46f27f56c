"""Where each file of a project lies: the one place that says it.

Rules, commands, orchestration and tests ask here. A name may be a wildcard, of Snakemake's
(`Project().data("{task}").manifest` is what a rule writes) or of a glob (`find`). Nothing is read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

SNAKEFILE = "Snakefile"  # a folder that holds it is a project
SPLITS = ("train", "val", "test")  # and, in a list alone:
UNUSED = "unused"


@dataclass(frozen=True)
class _Folder:
    """A folder, and what lies in it by name."""

    root: Path

    def find(self, pattern: Path) -> list[Path]:
        """List what is there of a pattern below this folder, such as `task("*").metrics`."""
        return sorted(self.root.glob(str(pattern.relative_to(self.root))))


class _At:
    """A path below the folder that has it."""

    def __init__(self, name: str):
        self.name = name

    def __get__(self, holder: _Folder, kind: Any = None) -> Path:
        return holder.root / self.name


_Kind = TypeVar("_Kind", bound=_Folder)


class _In(Generic[_Kind]):
    """A folder of some kind below the folder that has it."""

    def __init__(self, name: str, kind: type[_Kind]):
        self.name, self.kind = name, kind

    def __get__(self, holder: _Folder, kind: Any = None) -> _Kind:
        return self.kind(holder.root / self.name)


class ShardFiles(NamedTuple):
    """A shard of crops or of texture codes, and the tables beside it."""

    npy: Path
    table: Path
    rejects: Path  # of crops alone


class ShardFolder(_Folder):
    """A folder of shards."""

    def shard(self, number: int | str) -> ShardFiles:
        """Return a shard by its number, or by five digits or what stands for them."""
        name = number if isinstance(number, str) else f"{number:05d}"
        ends = (".npy", ".parquet", ".rejects.parquet")
        return ShardFiles(*(self.root / f"shard-{name}{end}" for end in ends))

    def first(self, count: int) -> list[ShardFiles]:
        """List so many shards, all of a data set."""
        return [self.shard(number) for number in range(count)]


class External(_Folder):
    """Scores of other programs for a data set, and what they must be of."""

    samples = _At("samples.csv")  # id, frame and split of what can be scored

    def scores(self, name: str, seed: int | str) -> Path:
        """Return the rows of a program, held to the splits."""
        return self.root / name / f"seed{seed}.parquet"


class Splits(_Folder):
    """The splits of a data set."""

    train = _At("train.parquet")
    val = _At("val.parquet")
    test = _At("test.parquet")
    summary = _At("summary.json")

    @property
    def tables(self) -> dict[str, Path]:
        """The table of each split."""
        return dict(zip(SPLITS, (self.train, self.val, self.test), strict=True))

    @property
    def files(self) -> dict[str, Path]:
        """All that the step writes: the tables, the summary, the lists of ids and of samples."""
        ids = {f"{name}_ids": self.root / f"{name}.txt" for name in (*SPLITS, UNUSED)}
        samples = External(self.root.with_name("external")).samples
        return {**self.tables, "summary": self.summary, **ids, "samples": samples}


class Findings(NamedTuple):
    """What an audit writes."""

    json: Path
    table: Path


class Data(_Folder):
    """What the data steps make of a data set."""

    manifest = _At("manifest.parquet")
    rejects = _At("manifest.rejects.parquet")
    formats = _At("formats.parquet")
    shards = _At("shards.json")  # stands for all crops and codes
    faces = _In("faces", ShardFolder)  # the crops
    splits = _In("splits", Splits)
    external = _In("external", External)  # scores of other programs

    def texture(self, kind: str) -> ShardFolder:
        """Return where the codes of a texture lie."""
        return ShardFolder(self.root / "texture" / kind)

    def found(self, step: str) -> Findings:
        """Return what the step `audit`, `lookalikes` or `audit_cross` writes."""
        return Findings(self.root / f"{step}.json", self.root / f"{step}.parquet")

    def rejected(self, shards: int) -> list[Path]:
        """List the tables of the samples that steps left out."""
        return [self.rejects, *(shard.rejects for shard in self.faces.first(shards))]


class RunFiles(_Folder):
    """A run that was trained."""

    weights = _At("weights.safetensors")
    curve = _At("curve.csv")
    record = _At("record.json")
    reconstruction = _At("reconstruction.npz")

    def __iter__(self) -> Iterator[Path]:
        yield from (self.weights, self.curve, self.record, self.reconstruction)


class Runs(_Folder):
    """The folder of all runs."""

    def run(self, path: str) -> RunFiles:
        """Return where a run lies, by its path: <task>/<backbone>/<configuration>/seed<k>."""
        return RunFiles(self.root / path)


class Evaluated(_Folder):
    """Runs of a task on the test samples of one data set."""

    predictions = _At("predictions.parquet")
    metrics = _At("metrics.json")


class Sensitivity(_Folder):
    """Other margins and numbers of frames."""

    json = _At("sensitivity.json")
    table = _At("sensitivity.csv")
    picture = _At("sensitivity.svg")

    def variant(self, name: str) -> Path:
        """Return the predictions of a variant, such as `margin-1.6`."""
        return self.root / f"{name}.parquet"


class TaskResults(Evaluated):
    """The results of a task."""

    robustness = _At("robustness.json")
    format = _At("format.json")
    sensitivity = _In("sensitivity", Sensitivity)  # only there where it was asked for

    def slices(self, step: str) -> Path:
        """Return what the step `slices` or `slices_listed` writes."""
        return self.root / f"{step}.json"

    def cross(self, dataset: str) -> Evaluated:
        """Return the results on a data set that the task's runs are only tested on."""
        return Evaluated(self.root / "cross" / dataset)


class Explained(_Folder):
    """Where the runs of a task look."""

    json = _At("explain.json")
    maps = _At("explain.npz")


# The report: what is written -> the name of its file.
REPORT = {
    "report": "report.html",
    **{
        name: f"{name}.csv"
        for name in (
            *("table", "subsets", "attributes", "classes", "confusion", "comparisons"),
            *("runs", "costs", "curves", "rejects", "slices", "robustness"),
        )
    },
    "latex": "tables.tex",
    "figures": "figures.pdf",
    "metrics": "metrics.json",
    "ranks": "ranks.json",
    "headline": "headline.json",
    "picture": "curves.svg",
}
ATTACHED = ("report", "figures", "latex", "table", "costs")  # what MLflow keeps of them


class Results(_Folder):
    """The folder of results."""

    speed = _At("speed.json")
    gallery = _At("local/gallery.html")  # of faces: DVC does not keep it
    attached = _At("mlflow.json")  # ids of the MLflow runs that hold the report

    def blends(self, task: str) -> Path:
        """Return the page of blends of a task; of faces, as the gallery."""
        return self.root / f"local/blends-{task}.html"

    def task(self, task: str) -> TaskResults:
        """Return where the results of a task lie."""
        return TaskResults(self.root / "tasks" / task)

    def explain(self, task: str) -> Explained:
        """Return where the explanations of a task lie."""
        return Explained(self.root / "explain" / task)

    def mlflow(self, name: str) -> Path:
        """Return the ids of the MLflow runs of a task, or of what was added to them.

        Args:
            name: a task, `slices/<task>`, `slices_listed/<task>` or `cross/<data set>`.
        """
        return self.root / "mlflow" / f"{name}.json"

    def report(self, *names: str) -> dict[str, Path]:
        """Return the files of the report: all that `REPORT` names, or some."""
        return {name: self.root / REPORT[name] for name in names or REPORT}


class Raw(_Folder):
    """The raw trees of the built-in sample."""

    def inventory(self, tree: str) -> Path:
        """Return what was drawn, beside the tree."""
        return self.root / f"{tree}.json"

    def annotations(self, tree: str) -> Path:
        """Return how the people of a tree look."""
        return self.root / f"{tree}.csv"


@dataclass(frozen=True)
class Project(_Folder):
    """A project by its folder; default: the current one."""

    root: Path = Path()

    params = _At("params.yaml")
    code = _At("data/code")  # <rule>.txt: digests, which DVC's stages depend on
    prepared = _At("data/prepared")
    states = _At("checkpoints")  # of runs that are under way
    database = _At("mlflow.db")
    artifacts = _At("mlartifacts")  # of MLflow
    logs = _At("logs")
    features = _At(".lssat/features")  # of frozen encoders, to be made again at any time
    objects = _At(".lssat/objects")  # outlines of raw trees in object storage
    memory = _At(".lssat/trees.sqlite")  # hashes of raw files by size, time and inode
    sample = _In("data/raw/sample", Raw)  # the built-in one
    runs = _In("runs", Runs)
    results = _In("results", Results)

    def data(self, dataset: str) -> Data:
        """Return where the prepared data of a data set lie."""
        return Data(self.prepared / dataset)

    @classmethod
    def of_run(cls, folder: Path) -> "Project":
        """Return the project that the folder of a run lies in."""
        return cls(folder.resolve().parents[4])

    def log(self, rule: str, name: str = "") -> Path:
        """Return the log of a rule, or of one of its jobs."""
        return self.logs / (f"{rule}/{name}.log" if name else f"{rule}.log")

    def kept_rejects(self, dataset: str) -> Path:
        """Return the rejects of a manifest that was refused: Snakemake removes the table."""
        return self.logs / "manifest" / f"{dataset}.rejects.parquet"
