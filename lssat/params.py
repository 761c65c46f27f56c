"""The only reader of params.yaml: typed, strict, every problem in one message.

`load` reads and validates the whole file. `section` hands a rule the part that it reads and
`view` gives it back to the step as typed models, so that no step can use an untracked parameter.
"""

import json
import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from types import SimpleNamespace, UnionType
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from lssat import choices, grid
from lssat.tables import DataError
from lssat.yaml12 import read_yaml

# What each rule reads; dvc.yaml watches the same keys (tests/test_workflow.py holds it to this).
_LISTS = ("backbones", "configurations", "seeds", "baselines", "clip_tasks", "clip_backbones")
_GRID = [f"benchmark.{name}" for name in _LISTS]
READS = {
    "sample": ["sample"],
    "manifest": ["datasets.{task}"],
    "faces": ["datasets.{task}", "faces"],
    "texture": ["texture.kind", "texture.k"],
    "splits": ["datasets.{task}", "splits"],
    "audit": [],  # nothing that could be edited and make runs stale
    "lookalikes": ["audit"],
    "train": ["texture", "train"],
    "evaluate": [*_GRID, "evaluate", "train.threads"],
    "cross": [*_GRID, "evaluate", "train.threads"],
    "track": [*_GRID, "tracking"],
    "track_cross": [*_GRID, "tracking"],
    "report": [
        *("benchmark", "sample", "datasets", "faces", "texture", "splits", "audit"),
        *("train", "evaluate", "tracking", "report"),
    ],
}

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:+-]+$")]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A section of params.yaml: unknown keys are refused, text is not turned into numbers."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Benchmark(Section):
    """The grid: every task x backbone x configuration x seed is one run."""

    tasks: list[str] = Field(min_length=1)
    backbones: list[Name] = Field(min_length=1)
    configurations: list[str] = Field(min_length=1)
    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    cross: list[str]  # data sets that the runs of ffpp are only tested on
    baselines: list[str]  # convolutional networks, each run with none-none-CRGB
    clip_tasks: list[str]  # of the tasks, those whose videos are also read as clips
    clip_backbones: list[str]  # VideoMAE encoders of their clips, with every configuration

    @field_validator("backbones", "configurations", "baselines", "clip_backbones")
    @classmethod
    def _known(cls, names: list[str], info: Any) -> list[str]:
        if info.field_name == "configurations":
            for name in names:
                _configuration(name)
            return names
        known = list(grid.VIDEO_ENCODERS if "clip" in info.field_name else grid.BASELINES)
        if info.field_name == "backbones":
            known = [*grid.ENCODERS, *known]
        for name in names:
            timm = info.field_name == "backbones" and name.startswith(grid.TIMM)
            if name not in known and not timm:
                raise ValueError(f"unknown {name!r}{_nearest(name, known)}")
        return names

    @field_validator("*")
    @classmethod
    def _once(cls, items: list) -> list:
        if twice := {item for item in items if items.count(item) > 1}:
            raise ValueError(f"{', '.join(map(str, twice))} stands twice; leave it once")
        return items

    def runs(self) -> list[grid.Run]:
        """List the runs of the grid."""
        return self.runs_of(self.tasks)

    def runs_of(self, tasks: list[str]) -> list[grid.Run]:
        """List the runs of some of the tasks."""
        lists = (self.backbones, self.configurations, self.seeds, self.baselines)
        return grid.runs(tasks, *lists, self.clip_tasks, self.clip_backbones)


def _configuration(name: str) -> None:
    every = grid.configurations("LDP") + grid.configurations("LBP")
    try:
        parsed = grid.parse(name)
    except ValueError as error:
        raise ValueError(f"{error}{_nearest(name, every)}") from None
    if name != parsed.slug:
        raise ValueError(f"{name!r} becomes a part of paths; write {parsed.slug}")


class Dataset(Section):
    """What every data set has: where it lies and how its work is cut."""

    root: str  # the raw tree, absolute or relative to the project; only read
    shards: Count  # units of parallel work; a sample's shard is a hash of its id
    rejects_limit: Share  # the share of samples that a step may reject before it stops


class Video(Section):
    """What every data set of videos has besides: which of their frames are used."""

    frames: Count | None = None  # per video, spread evenly, first and last included; or
    every: Count | None = Field(None, validate_default=True)  # each n-th frame, from the first
    clips: Annotated[int, Field(ge=0)] = 0  # per video, for video models; starts spread evenly
    clip_frames: Count = 16
    clip_stride: Count = 2  # each n-th frame of a clip's stretch

    @field_validator("every")
    @classmethod
    def _one_rule(cls, every: int | None, info: Any) -> int | None:
        if "frames" in info.data and (info.data["frames"] is None) == (every is None):
            raise ValueError("one of frames and every must be a number, the other null")
        return every


class Ffpp(Dataset, Video):
    """FaceForensics++."""

    compression: Literal["raw", "c0", "c23", "c40"]
    methods: list[str] = Field(min_length=1)  # folders below manipulated_sequences


class Celeba(Dataset):
    """CelebA, aligned images."""


class Affectnet(Dataset):
    """AffectNet, manually annotated."""

    classes: Literal[7, 8]  # 7 drops Contempt
    layout: Literal["auto", "csv", "npy", "folders"] = "auto"  # auto: by what the root holds


class Celebdf(Dataset, Video):
    """Celeb-DF v2: only tests."""


class Dfdc(Dataset, Video):
    """DFDC: only tests."""


class Dfd(Dataset, Video):
    """DeepFakeDetection, in the tree of FaceForensics++: only tests."""

    compression: Literal["raw", "c0", "c23", "c40"]


class Own(Dataset, Video):
    """A folder of your own (docs/own-data.md). Without `frames` and `every` it holds images."""

    kind: Literal["binary", "multilabel", "multiclass"]
    faces: Literal["detect", "aligned", "box"]  # box: columns x, y, width, height of the list
    csv: str | None = None  # the list, below the root; None: folders <split>/<class>
    positive: str | None = None  # the class that a binary task detects
    classes: list[str] | None = Field(None, min_length=2)  # their order; None: all, sorted
    title: str | None = None
    metric: str | None = Field(None, validate_default=True)  # the headline
    test_only: bool = False  # for benchmark.cross
    val_share: Share = 0.15  # of the groups of a list without the column split
    test_share: Share = 0.15

    @property
    def media(self) -> str:
        """`video` or `image`: the one medium of the data set."""
        return "image" if self.frames is None and self.every is None else "video"

    @field_validator("every")
    @classmethod
    def _one_rule(cls, every: int | None, info: Any) -> int | None:
        if every is not None and info.data.get("frames") is not None:
            raise ValueError("one of frames and every must be null, for images both")
        return every

    @field_validator("metric")
    @classmethod
    def _headline(cls, metric: str | None, info: Any) -> str | None:
        known = HEADLINES.get(info.data.get("kind", ""), ())
        if metric is not None and known and metric not in known:
            raise ValueError(f"unknown {metric!r}{_nearest(metric, list(known))}")
        return metric

    @model_validator(mode="after")
    def _fits(self) -> "Own":
        if (self.positive is not None) != (self.kind == "binary"):
            raise ValueError("positive names the class to detect: a binary task has one, no other")
        if self.kind == "binary" and self.classes and self.positive not in self.classes:
            raise ValueError(f"positive {self.positive!r} is not one of classes")
        if self.kind == "binary" and self.classes and len(self.classes) != 2:
            raise ValueError("a binary task has two classes")
        if self.val_share + self.test_share >= 1:
            raise ValueError("val_share and test_share leave nothing to train on")
        if self.csv is None and (self.kind == "multilabel" or self.faces == "box"):
            raise ValueError("folders tell one class each and no boxes; name a list in csv")
        return self


# The metrics that may be an own task's headline, the default first; higher is better in all.
HEADLINES = {
    "binary": ("auc", "ap", "accuracy", "balanced_accuracy"),
    "multilabel": ("balanced_accuracy", "accuracy", "f1", "auc", "ap"),
    "multiclass": ("top1", "balanced_accuracy", "macro_f1"),
}


class Datasets(Section):
    """One section for each data set of the benchmark, none for others; other names are `Own`."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Own] = Field(init=False)

    ffpp: Ffpp | None = None
    celeba: Celeba | None = None
    affectnet: Affectnet | None = None
    celebdf: Celebdf | None = None
    dfdc: Dfdc | None = None
    dfd: Dfd | None = None


class Faces(Section):
    """Detection and cropping."""

    size: Annotated[int, Field(ge=16, le=1024)]  # pixels; crops and model input
    margin: Annotated[float, Field(ge=1, le=4)]  # side of the square / longer side of the box
    min_face_size: Annotated[float, Field(ge=8)]  # pixels, MTCNN; fast is 20 / 0.709^2
    threshold: Share  # least score of a face, MTCNN's last stage
    choose: Literal["largest", "follow"] = "largest"  # of several faces; follow: the last frame's
    timeout: Annotated[float, Field(gt=0)] = 600.0  # seconds that decoding one file may take
    memory: Annotated[int, Field(ge=64)] = 1024  # MiB that decoding one file may take

    @field_validator("min_face_size", mode="before")
    @classmethod
    def _fast(cls, size: Any) -> Any:
        # The next size but one of the pyramid of 20: the scales that are left stay as they were,
        # and so do the boxes of all but the smallest faces. Any other size moves every box.
        return 20 / 0.709**2 if size == "fast" else size


class Texture(Section):
    """The texture codes that are cached and, under augmentation, computed on the fly."""

    kind: Literal["ldp", "lbp"]
    k: Annotated[int, Field(ge=1, le=8)]  # bits set in an LDP code
    encoding: Literal["code", "bits"]  # of a target: a number (MSE), or eight planes (BCE)


class Splits(Section):
    """Splits where a release has no official one, and what selection looks at."""

    seed: int
    affectnet_test: Annotated[float, Field(gt=0, le=1)]  # share of the validation set
    selection: Literal["val", "train_holdout"]  # val: the official one, or AffectNet's rest
    holdout: Annotated[float, Field(gt=0, lt=1)]  # share of train, for train_holdout


class Audit(Section):
    """Look for leaks between the splits; identities and identical crops are always errors."""

    near_distance: Annotated[int, Field(ge=0, le=8)]  # bits of 64; see docs/splits.md
    near_limit: Share  # of a split's samples that may have a near-duplicate in another split


class Sample(Section):
    """The built-in sample: which trees to draw (none: []), below data/raw/sample."""

    trees: list[str]
    seed: int


class Train(Section):
    """The recipe."""

    # scratch | mae | timm (both from the hub) | path of a safetensors file; one for all backbones
    # and baselines of the grid, or one for each, by name.
    weights: str | dict[str, str]
    head: Literal[
        "linear", "fusion"
    ]  # fusion: of both branches' features (2601.00789, our reading)
    epochs: Count
    pretrain_epochs: Annotated[int, Field(ge=0)]  # of reconstruction, before M-R-thenC's epochs
    batch_size: Count
    accumulate: Count  # batches whose gradients are added up for one update
    optimizer: Literal["adamw", "sgd"]
    lr: Annotated[float, Field(gt=0)]
    min_lr: Annotated[float, Field(ge=0)]
    scale_lr: bool  # times the samples of an update / 256
    layer_decay: Annotated[float, Field(gt=0, le=1)]  # of the learning rate, block by block
    clip_grad: Annotated[float, Field(gt=0)] | None  # greatest norm of all gradients
    warmup_epochs: Annotated[int, Field(ge=0)]
    momentum: Share  # of sgd
    weight_decay: Annotated[float, Field(ge=0)]  # none on biases, norms and tokens
    mask_ratio: Annotated[float, Field(gt=0, lt=1)]
    norm_pix_loss: bool
    # loss = lambda_cls * L_cls + (1 - lambda_cls) * L_rec; learned: by uncertainties (1705.07115)
    lambda_cls: Share | Literal["learned"]
    label_smoothing: Annotated[float, Field(ge=0, lt=1)]
    class_weights: Literal["none", "balanced"]  # in the loss
    sampler: Literal["uniform", "balanced"]  # balanced: every class is drawn equally often
    hflip: bool  # texture is then recomputed from the flipped crop
    crop: Annotated[float, Field(gt=0, le=1)]  # least area of random resized crops; 1: none
    rand_augment: Annotated[float, Field(ge=0, le=10)]  # RandAugment's magnitude; 0: none
    erase: Share  # probability of random erasing
    select_metric: str | None  # of validation, for the best epoch; null: the task's headline
    early_stop: Count | None  # epochs without a better one; null: all epochs are run
    grad_checkpointing: bool  # less memory, a third more work, the same result
    threads: Count  # torch's; another number changes the last bits of the results
    precision: Literal["32-true", "bf16-mixed"]


class Evaluate(Section):
    """Intervals."""

    resamples: Annotated[int, Field(ge=100)]
    confidence: Annotated[float, Field(gt=0, lt=1)]
    seed: int
    batch_size: Count


class Tracking(Section):
    """MLflow."""

    experiment: Name  # experiments are called <experiment>-<task>
    uri: str | None  # None: sqlite, mlflow.db in the project


class Report(Section):
    """The page."""

    title: str
    note: str  # stands on top of the page, e.g. what the data are not


class Params(Section):
    """The whole of params.yaml."""

    benchmark: Benchmark
    sample: Sample
    datasets: Datasets
    faces: Faces
    texture: Texture
    splits: Splits
    audit: Audit
    train: Train
    evaluate: Evaluate
    tracking: Tracking
    report: Report


def load(path: str | Path = "params.yaml") -> Params:
    """Read and validate params.yaml.

    Raises:
        DataError: all problems in one message, each with its line and key.
    """
    raw, lines = read_yaml(path)
    problems = []
    try:
        params = Params.model_validate(raw)
    except ValidationError as error:
        problems = [_say(path, lines, each) for each in error.errors()]
        problems += _across_raw(path, lines, raw)
        raise DataError.of(path, problems) from None
    if problems := _across_raw(path, lines, raw):
        raise DataError.of(path, problems)
    return params


def _say(path: str | Path, lines: dict, error: Any) -> str:
    where = tuple(error["loc"])
    key = ".".join(map(str, where))
    line = next((lines[where[:n]] for n in range(len(where), -1, -1) if where[:n] in lines), 1)
    if error["type"] == "extra_forbidden":
        text = f"unknown key{_nearest(str(where[-1]), _siblings(where[:-1]))}"
    elif error["type"] == "missing":
        text = "is missing; add it (presets/sample.yaml shows each key)"
    else:
        text = f"{error['msg'].removeprefix('Value error, ')} (found {error['input']!r})"
    return f"{path}:{line}: {key}: {text}"


def _siblings(where: tuple) -> list[str]:
    model: Any = Params
    for step in where:
        own = model is Datasets and step not in model.model_fields
        model = Own if own else model.model_fields[step].annotation
        model = get_args(model)[0] if isinstance(model, UnionType) else model
    return list(model.model_fields)


def _nearest(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(close)}?" if close else f"; known: {', '.join(known)}"


def _across_raw(path: str | Path, lines: dict, raw: Any) -> list[str]:
    """Check what two sections say together, as far as both can be read."""
    problems = []

    def say(where: tuple, text: str) -> None:
        problems.append(f"{path}:{lines.get(where, 1)}: {'.'.join(map(str, where))}: {text}")

    def get(*keys: Any) -> Any:
        value = raw
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    size, ratio = get("faces", "size"), get("train", "mask_ratio")
    for name in get("benchmark", "backbones") or []:
        if isinstance(name, str) and isinstance(size, int):
            sound = isinstance(ratio, float) and 0 < ratio < 1
            if problem := grid.backbone_problem(name, size, ratio if sound else 0.5):
                say(("faces", "size"), f"{name}: {problem}")
    named, given = get("benchmark", "tasks") or [], get("datasets") or {}
    for where, text in _sections(named, get("benchmark", "cross") or [], given):
        say(where, text)
    if get("splits", "selection") == "val" and get("splits", "affectnet_test") == 1:
        say(
            ("splits", "affectnet_test"),
            "1.0 leaves no val to select on; lower it or write selection: train_holdout",
        )
    if get("train", "sampler") == "balanced":
        if get("train", "class_weights") == "balanced":
            text = "class_weights is balanced too, which corrects twice; leave one of them balanced"
            say(("train", "sampler"), text)
        for task in named:
            known = grid.TASKS.get(task) if isinstance(task, str) else None
            kind = known.kind if known else get("datasets", task, "kind")
            if kind == "multilabel":
                text = f"{task} has several labels a sample, which no order balances; write uniform"
                say(("train", "sampler"), f"{text} (class_weights: balanced does it)")
    for where, text in choices.problems(get):
        say(where, text)
    return problems


def _sections(named: list, cross: list, given: dict) -> Iterator[tuple[tuple, str]]:
    """Yield where and why tasks, test-only data sets and the sections of `datasets` disagree.

    DVC makes its stages from the sections, Snakemake from the lists.
    """
    for key, names in (("tasks", named), ("cross", cross)):
        official = grid.TASKS if key == "tasks" else grid.CROSS
        other = grid.CROSS if key == "tasks" else grid.TASKS
        for name in filter(lambda each: isinstance(each, str), names):
            where, own = ("benchmark", key), given.get(name)
            if name in other:
                why = (
                    "is only tested on; name it in benchmark.cross"
                    if key == "tasks"
                    else ("is trained on; name it in benchmark.tasks")
                )
                yield where, f"{name} {why}"
            elif name not in given and name in official:
                yield where, f"{name} has no section datasets.{name}; add it"
            elif name not in given:
                hint = _nearest(name, [*dict.fromkeys([*official, *given])])
                yield where, f"unknown {name!r}{hint}; your own data need a section datasets.{name}"
            elif name not in official and isinstance(own, dict):
                if bool(own.get("test_only")) != (key == "cross"):
                    word = "true" if key == "cross" else "false"
                    yield ("datasets", name), f"test_only must be {word} in benchmark.{key}"
                if key == "cross" and own.get("kind") != "binary":
                    yield ("datasets", name), "must be binary, as ffpp is"
    if cross and "ffpp" not in named:
        yield ("benchmark", "cross"), "is tested with the runs of ffpp; add ffpp to benchmark.tasks"
    for name in map(str, given):
        if not re.fullmatch("[a-z][a-z0-9_]*", name):
            yield ("datasets", name), "a name is a-z, then a-z, 0-9 and _"
        elif name not in [*named, *cross]:
            place = "benchmark.cross" if name in grid.CROSS else "benchmark.tasks"
            hint = "" if name in {**grid.TASKS, **grid.CROSS} else _maybe(name)
            yield ("datasets", name), f"is not in {place}; add it there or leave this out{hint}"


def _maybe(name: str) -> str:
    close = get_close_matches(name, [*grid.TASKS, *grid.CROSS], n=1, cutoff=0.75)
    return f"; did you mean {close[0]}?" if close else ""


def section(params: Params, rule: str, **wildcards: str) -> dict[str, Any]:
    """Return the part of the parameters that a rule reads, as plain values."""
    whole = params.model_dump()
    whole["datasets"] = {name: data for name, data in whole["datasets"].items() if data}
    part: dict[str, Any] = {}
    for key in READS[rule]:
        source, target = whole, part
        *parents, last = key.format(**wildcards).split(".")
        for parent in parents:
            source, target = source[parent], target.setdefault(parent, {})
        target[last] = source[last]
    return part


def section_json(params: Params, rule: str, **wildcards: str) -> str:
    """Return `section` as the JSON argument of the rule's command."""
    return json.dumps(section(params, rule, **wildcards), sort_keys=True)


def view(source: str, rule: str, **wildcards: str) -> SimpleNamespace:
    """Give a step its parameters, and only those that its rule declares in READS.

    Args:
        source: path of a params.yaml, or the JSON that `section_json` made.
    """
    if not source.lstrip().startswith("{"):
        part = section(load(source), rule, **wildcards)
    else:
        part = json.loads(source)
    return _typed(Params, part)


def _typed(model: Any, part: dict) -> SimpleNamespace:
    made = {}
    for key, value in part.items():
        inner = model.model_fields[key].annotation if key in model.model_fields else Own
        if isinstance(inner, UnionType):  # Ffpp | None
            inner = get_args(inner)[0]
        if not (isinstance(inner, type) and issubclass(inner, Section)):
            made[key] = value
        elif set(value) == set(inner.model_fields):
            made[key] = inner.model_validate(value)
        else:
            made[key] = _typed(inner, value)
    return SimpleNamespace(**made)
