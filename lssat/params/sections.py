"""The grid and the sections of the steps: detection, texture, splits, training, evaluation."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from lssat import grid
from lssat.grid import notation
from lssat.params.base import Address, Count, Name, Place, Section, Seed, Share, nearest, once
from lssat.params.data import Datasets

PerturbationName = Literal[
    "saturation", "contrast", "block_wise", "noise", "blur", "pixelation", "jpeg"
]


class Beside(Section):
    """Runs with other recipes (docs/variants.md); the recipe itself is in the grid."""

    # Empty where a step's JSON leaves them out; a params.yaml has them, since DVC reads them.
    tasks: list[str] = Field(default=[])  # of the grid
    backbones: list[str] = Field(default=[])  # of the grid, or its baselines
    configurations: list[str] = Field(default=[])  # with a variant, or a lambda_cls of their own

    @field_validator("configurations")
    @classmethod
    def _own(cls, names: list[str]) -> list[str]:
        for name in names:
            config = _configuration(name)
            if config.shared == config:
                fix = f"write {name}+<variant> or {name}-lambda<value>, or add it to"
                raise ValueError(
                    f"{name!r} has the recipe as it is; {fix} benchmark.configurations"
                )
            if config.variant is not None and config.lambda_cls is not None:
                fix = f"let the variant {config.variant} change lambda_cls"
                raise ValueError(f"{name!r} has a lambda beside its variant; {fix}")
        return names

    _once = field_validator("*")(once)

    @model_validator(mode="after")
    def _all_or_none(self) -> "Beside":
        empty = [name for name, items in self if not items]
        if 0 < len(empty) < len(type(self).model_fields):
            raise ValueError(f"{', '.join(empty)} is empty; fill all three lists, or none")
        return self


class External(Section):
    """Scores of another program for a test split (docs/rivals.md)."""

    file: Place  # CSV or Parquet
    task: str  # of the grid, or a data set of benchmark.cross
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:+-]*$")]  # a part of paths
    seed: Seed  # of a program that has none 0; DVC reads it


# Where rules see a part of a section, the section is made of its parts: `views` names them.
class TaskNames(Section):
    """The tasks of the grid."""

    tasks: list[str] = Field(min_length=1)

    _once_tasks = field_validator("tasks")(once)


class ModelLists(Section):
    """The models of the grid."""

    backbones: list[Name] = Field(min_length=1)
    configurations: list[str] = Field(min_length=1)
    baselines: list[Name]  # networks, any classifier of timm; each run with none-none-CRGB
    clip_tasks: list[str]  # of the tasks, those whose videos are also read as clips
    clip_backbones: list[str]  # VideoMAE encoders of their clips, with every configuration

    @field_validator("backbones", "configurations", "baselines", "clip_backbones")
    @classmethod
    def _known(cls, names: list[str], info: Any) -> list[str]:
        if info.field_name == "configurations":
            for name in names:
                if _configuration(name).variant is not None:
                    fix = "name it in benchmark.variants.configurations"
                    raise ValueError(f"{name!r} is a variant, which is beside the grid; {fix}")
            return names
        families = [
            family for family in grid.FAMILIES if family.clips == ("clip" in info.field_name)
        ]
        if info.field_name == "baselines":
            families = [family for family in families if not family.masks or family.prefix]
        known = [name for family in families for name in family.sizes]
        for name in names:
            if not any(family.has(name) for family in families):
                raise ValueError(f"unknown {name!r}{nearest(name, known)}")
        return names

    _once_models = field_validator(
        *("backbones", "baselines", "configurations", "clip_tasks", "clip_backbones")
    )(once)


class GridLists(ModelLists):
    """What names the runs of a task."""

    seeds: list[Seed] = Field(min_length=1)
    variants: Beside = Beside()
    more_variants: Beside = Beside()  # a product of its own, such as of one task

    _once_seeds = field_validator("seeds")(once)


class ScoredGrid(GridLists):
    """What names the runs that are scored."""

    # Empty where a step's JSON leaves it out; a params.yaml has it, since DVC reads it.
    external: list[External] = Field(default=[])

    @field_validator("external")
    @classmethod
    def _apart(cls, entries: list[External]) -> list[External]:
        for one in ("file", ("task", "name", "seed")):
            names = (one,) if isinstance(one, str) else one
            once([" ".join(str(getattr(entry, name)) for name in names) for entry in entries])
        return entries


class Benchmark(ScoredGrid, TaskNames):
    """The grid: every task x backbone x configuration x seed is one run."""

    cross: dict[str, str]  # a data set -> the task whose runs are tested on it (docs/protocols.md)

    @field_validator("cross", mode="before")
    @classmethod
    def _tested(cls, sets: Any) -> Any:
        if isinstance(sets, list):  # as it was written when one task alone was tested elsewhere
            named = ", ".join(f"{name}: <task>" for name in sets)
            raise ValueError(f"names no task; write {{{named}}}, the task whose runs are tested")
        return sets


def _configuration(name: str) -> grid.Configuration:
    every = [known for kind in grid.TEXTURES for known in grid.configurations(kind)]
    try:
        parsed = grid.parse(name)
        if parsed.external:
            raise ValueError(f"{name!r} is nothing to train; name tables in benchmark.external")
    except ValueError as error:
        known = name.split("-lambda")[0] in every
        raise ValueError(f"{error}{'' if known else nearest(name, every)}") from None
    if name != parsed.slug:
        raise ValueError(f"{name!r} becomes a part of paths; write {parsed.slug}")
    return parsed


class CropSize(Section):
    """The size of crops."""

    size: Annotated[int, Field(ge=16, le=1024)]  # pixels; crops and model input


class CropMargin(Section):
    """What crops show around a face."""

    margin: Annotated[float, Field(ge=1, le=4)]  # side of the square / longer side of the box


class Faces(CropMargin, CropSize):
    """Detection and cropping."""

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


class TextureKind(Section):
    """Which texture it is, also in paths."""

    kind: Literal[tuple(map(str.lower, grid.TEXTURES))]  # type: ignore[valid-type]


class Codes(TextureKind):
    """What decides the codes of a crop."""

    k: Annotated[int, Field(ge=1, le=8)]  # bits set in an LDP code


class Texture(Codes):
    """The texture codes that are cached and, under augmentation, computed on the fly."""

    encoding: Literal["code", "bits"]  # of a target: a number (MSE), or eight planes (BCE)


class Splits(Section):
    """Splits where a release has no official one, and what selection looks at."""

    seed: Seed
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
    seed: Seed


class RowRecipe(Section):
    """What of the recipe says which variants repeat a run of the grid."""

    # loss = lambda_cls * L_cls + (1 - lambda_cls) * L_rec; learned: by uncertainties (1705.07115)
    lambda_cls: float | str

    @field_validator("lambda_cls")
    @classmethod
    def _share(cls, value: float | str) -> float | str:
        if isinstance(value, str) and value != notation.LEARNED:
            raise ValueError("Input should be a number from 0 to 1, or learned")
        if isinstance(value, float) and not 0 <= value <= 1:
            bound = "greater than or equal to 0" if value < 0 else "less than or equal to 1"
            raise ValueError(f"Input should be {bound}")
        return value


class Threads(Section):
    """The threads of torch: another number changes the last bits of the results."""

    threads: Annotated[int, Field(ge=1, le=1024)]


class ScoringRecipe(RowRecipe, Threads):
    """What scoring needs of the recipe."""


class ModelRecipe(Threads):
    """What a model's speed depends on."""

    head: Literal[
        "linear", "fusion"
    ]  # fusion: of both branches' features (2601.00789, our reading)


class Train(ScoringRecipe, ModelRecipe):
    """The recipe."""

    # scratch | mae | timm (both from the hub) | path of a safetensors file; one for all backbones
    # and baselines of the grid, or one for each, by name.
    weights: str | dict[str, str]
    tune: str = "full"  # full | linear | norm | lora | lora:<rank> | blocks:<k> (`grid.tuning`)
    share: Annotated[float, Field(ge=0.01, le=1)] = 1.0  # of the training groups: docs/variants.md
    # Fakes that are blended of real faces, in place of the split's own: docs/rivals.md.
    blend: Literal["none", *grid.BLENDS] = "none"  # type: ignore[valid-type]
    # manipulations that are trained on and chosen by, beside all reals (docs/protocols.md); null:
    # all. The test split keeps all.
    methods: Annotated[list[str], Field(min_length=1)] | None = None
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
    encoding: Literal["code", "bits"] | None = None  # of texture targets; null: texture.encoding
    label_smoothing: Annotated[float, Field(ge=0, lt=1)]
    class_weights: Literal["none", "balanced"]  # in the loss
    sampler: Literal["uniform", "balanced"]  # balanced: every class is drawn equally often
    hflip: bool  # texture is then recomputed from the flipped crop
    crop: Annotated[float, Field(gt=0, le=1)]  # least area of random resized crops; 1: none
    rand_augment: Annotated[float, Field(ge=0, le=10)]  # RandAugment's magnitude; 0: none
    erase: Share  # probability of random erasing
    mixup: Annotated[float, Field(ge=0)]  # alpha of the Beta of a sample's share; 0: none
    select_metric: str | None  # of validation, for the best epoch; null: the task's headline
    early_stop: Count | None  # epochs without a better one; null: all epochs are run
    # decay of the average of weights that validation, selection and the stored weights are of
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    grad_checkpointing: bool  # less memory, a third more work, the same result
    precision: Literal["32-true", "bf16-mixed"]

    _once = field_validator("methods")(once)

    @field_validator("tune")
    @classmethod
    def _tuned(cls, text: str) -> str:
        grid.tune(text)
        return text


class Confidence(Section):
    """How sure an interval is."""

    confidence: Annotated[float, Field(gt=0, lt=1)]


class BatchSize(Section):
    """Crops, or clips, that a model sees at once."""

    batch_size: Count


class ScoringOptions(Confidence, BatchSize):
    """What new predictions and their intervals need."""


class IntervalOptions(Confidence):
    """What intervals need, also those of resamples."""

    resamples: Annotated[int, Field(ge=100, le=100_000)]
    seed: Seed


class Evaluate(IntervalOptions, ScoringOptions):
    """Scores and intervals."""


class Robustness(Section):
    """The headline metric on perturbed test crops (docs/robustness.md)."""

    perturbations: list[PerturbationName] = Field(min_length=1)
    strengths: list[Annotated[int, Field(ge=1, le=5)]] = Field(min_length=1)
    seeds: Literal["first", "all"]  # of each backbone and configuration
    samples: Count | None  # crops, or clips, of the test split, in whole groups; null: all
    seed: Seed  # of the part of the test split, and of what is random in a perturbation

    _once = field_validator("perturbations", "strengths")(once)


class LeastGroup(Section):
    """Which groups are shown."""

    min_n: Count  # samples of a group that gets a number


class SlicesByList(LeastGroup):
    """Slices by the user's annotations."""

    # task -> CSV of annotations, absolute or relative to the project
    lists: Annotated[dict[str, Place], "{task}"]


class SlicesByAttribute(LeastGroup):
    """Slices by a task's own attributes."""

    # task -> of its own labels
    attributes: Annotated[dict[str, Annotated[list[str], Field(min_length=1)]], "{task}"]

    @field_validator("attributes")
    @classmethod
    def _once(cls, tasks: dict[str, list[str]]) -> dict[str, list[str]]:
        for names in tasks.values():
            once(names)
        return tasks


class Slices(SlicesByAttribute, SlicesByList):
    """Groups of the test samples that are held against each other (docs/slices.md)."""


class Explain(Section):
    """A closer look: where the first seed of each row looks, embeddings, confident errors."""

    samples: Count  # of the test split, whose maps are averaged
    steps: Annotated[int, Field(ge=2)]  # points of the integral of gradients
    points: Annotated[int, Field(ge=3)]  # samples in an embedding
    errors: Annotated[int, Field(ge=0)]  # the most confident ones, for the gallery
    seed: Seed  # of the projection, and of untrained weights


class Sensitivity(Section):
    """What `snakemake --cores 8 sensitivity` varies beside the defaults (docs/robustness.md)."""

    margins: list[Annotated[float, Field(ge=1, le=4)]]  # as faces.margin
    frames: list[Count]  # per video, as datasets.<task>.frames

    _once = field_validator("margins", "frames")(once)

    def variants(self, margin: float, frames: int | None) -> list[str]:
        """Name the variants that must be made; the others are the stored crops, or some of them.

        Args:
            margin, frames: of what is stored; frames: None where each n-th frame is taken.
        """
        more = [n for n in self.frames if frames and n > frames]
        others = [m for m in self.margins if m != margin]
        return [f"margin-{m}" for m in others] + [f"frames-{n}" for n in more]


class Tracking(Section):
    """MLflow."""

    experiment: Name  # experiments are called <experiment>-<task>
    uri: Address | None  # None: sqlite, mlflow.db in the project


class Report(Section):
    """The page."""

    title: str | None = None  # null: what was run (`lssat.report.sections.heading`)
    note: str | None = None  # on top of the page, e.g. what the data are not; null: the sample's
    # Whose faces it holds: those of the built-in sample; none, and results/local/ has them all
    # (local); or no page shows any (none).
    faces: Literal["none", "sample", "local"] = "sample"


class Params(Section):
    """The whole of params.yaml."""

    benchmark: Benchmark
    sample: Sample
    # A name -> keys of train that differ; `benchmark.variants` says which are run, and where.
    variants: dict[str, dict[str, Any]] = Field(default={})
    datasets: Datasets
    faces: Faces
    texture: Texture
    splits: Splits
    audit: Audit
    train: Train
    evaluate: Evaluate
    robustness: Robustness
    sensitivity: Sensitivity
    slices: Slices
    explain: Explain
    tracking: Tracking
    report: Report

    def runs(self) -> list[grid.Run]:
        """List the runs of the grid, each once."""
        return grid.runs_of(self.benchmark, self.benchmark.tasks, self.train.lambda_cls)

    def external(self) -> dict[str, str]:
        """Map each run of another program, by its path, to the table of its scores."""
        tasks = [*self.benchmark.tasks, *self.benchmark.cross]
        return grid.external(self.benchmark.external, tasks)

    def named(self) -> list[grid.Run]:
        """List what the grid names: its runs, and those that only repeat one (`repeats`)."""
        return grid.named(self.benchmark, self.benchmark.tasks)

    def recipe(self, configuration: str) -> Train:
        """Return the recipe of a configuration's runs: `train`, with what its variant changes."""
        variant = grid.parse(configuration).variant
        if variant is None:
            return self.train
        return Train.model_validate({**self.train.model_dump(), **self.variants[variant]})

    def repeats(self) -> dict[str, str]:
        """Map each configuration that repeats another, since its lambda is the recipe's, to it."""
        return grid.repeats(self.benchmark, self.train.lambda_cls)
