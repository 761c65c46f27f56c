"""What steps of evaluation write beside metrics.json, typed: the JSON of each and its rows.

The step that writes a file says how each number is computed. A row has exactly the keys of its
type: one more or one less, and the file is not read.
"""

from typing import Any, NotRequired

from typing_extensions import TypedDict  # pydantic takes no other before Python 3.12

from lssat.tables.metric_tables import Number


class Versioned(TypedDict):
    """What each of these files says of itself."""

    version: NotRequired[int]  # a file that names none was written before there were others


class Pair(TypedDict):
    """A backbone and a configuration, as in the paper: MRGB/RLDP/CRGB."""

    backbone: str
    configuration: str


class Score(TypedDict):
    """A metric over seeds, its mean and interval; undefined is None, with a note."""

    values: list[Number]
    mean: Number
    low: Number
    high: Number
    note: str | None


# Robustness: `lssat.evaluation.robustness`.
class KindScore(Score):
    """The mean over the strengths of one perturbation."""

    perturbation: str


class PointScore(KindScore):
    """The score at one strength of a perturbation."""

    strength: int


class RecodedScore(Score):
    """The score with all samples re-encoded alike, and the share that survives."""

    survives: Number
    survives_low: Number
    survives_high: Number
    survives_note: str | None


class CorruptedScore(Score):
    """The mean over all points, the paired drop from clean and the share that is retained."""

    drop: Number
    drop_low: Number
    drop_high: Number
    retained: Number
    retained_note: str | None


class RobustnessRow(Pair):
    """One row of robustness.json."""

    level: str
    metric: str
    n: int
    groups: int
    seeds: list[int]
    runs: list[str]
    baseline: Number
    clean: Score
    points: list[PointScore]
    kinds: list[KindScore]
    recoded: RecodedScore
    corrupted: CorruptedScore


class Perturbation(TypedDict):
    """One perturbation, and what its strengths 1, 2, ... stand for."""

    name: str
    title: str
    what: str
    levels: list[float]


class Recoding(TypedDict):
    """How all samples are re-encoded alike."""

    scale: float
    quality: int


class Robustness(Versioned):
    """results/tasks/<task>/robustness.json."""

    task: str
    kind: str
    title: str
    metric: str
    split: str
    confidence: float
    seeds: str  # all | first
    strengths: list[int]
    recoded: Recoding
    samples: dict[str, list[int]]  # crop or clip -> scored, of so many
    perturbations: list[Perturbation]
    rows: list[RobustnessRow]


# Slices: `lssat.evaluation.slices`.
class GroupSize(TypedDict):
    """A group of the test samples."""

    group: str
    n: int
    clusters: int
    positives: int | None  # of a binary task
    compared: bool
    note: str | None


class SlicedAttribute(TypedDict):
    """An attribute and its groups, on one level."""

    attribute: str
    level: str
    groups: list[GroupSize]


class GroupScore(Score):
    """A metric in one group."""

    group: str
    n: int
    clusters: int


class _Gap(Pair):
    """What rows and disparities of slices share: a gap between groups, tested."""

    attribute: str
    level: str
    metric: str
    seeds: list[int]
    runs: list[str]
    over: NotRequired[int]  # attributes that a multi-label mean is over
    low: Number
    high: Number
    expected: Number  # the gap that equal groups would show half of the time
    p: Number
    p_holm: Number
    note: str | None


class SliceRow(_Gap):
    """One row of slices: each group's score, the worst and the best group, the gap."""

    groups: list[GroupScore]
    held: list[str]  # the groups that are compared
    worst: str | None
    best: str | None
    gap: Number


class Disparity(_Gap):
    """A difference of binary decisions between groups, by seed and of the means."""

    values: list[Number]
    mean: Number


class RunSlices(TypedDict):
    """The numbers of a run for MLflow: `<attribute>/gap` and so on."""

    run: str
    metrics: dict[str, Number]


class AnnotationList(TypedDict):
    """A user's list of annotations: how many rows, of which some repeat or name no sample."""

    file: str
    key: str  # id | identity
    entries: int
    repeated: int
    unknown: int


# As a name in a class, `list` would hide the type.
class _OfList(TypedDict):
    list: NotRequired[AnnotationList]


class Slices(Versioned, _OfList):
    """A JSON of slices: by a task's own attributes, or by a list of annotations."""

    task: str
    dataset: str
    title: str
    kind: str
    metric: str
    confidence: float
    min_n: int
    source: str  # attributes | list
    slices: list[SlicedAttribute]
    rows: list[SliceRow]
    disparities: list[Disparity]
    runs: list[RunSlices]


# Sensitivity: `lssat.evaluation.sensitivity`.
class SensitivityRow(Pair):
    """One row of sensitivity.json: a variant's score, paired with the default's."""

    seeds: list[int]
    collapsed: bool
    varied: str  # margin | frames
    value: float
    default: float
    level: str
    metric: str
    n: int
    of: int  # samples that the default has
    groups: int
    mean: Number
    low: Number
    high: Number
    reference: Number  # the default's mean on the same samples
    difference: Number
    difference_low: Number
    difference_high: Number
    note: str | None


class Sensitivity(Versioned):
    """results/tasks/<task>/sensitivity.json."""

    task: str
    title: str
    kind: str
    metric: str
    split: str
    confidence: float
    rows: list[SensitivityRow]
    weights: dict[str, str]  # run -> sha256 of the weights that were evaluated


# The probe of formats: `lssat.evaluation.format_probe`.
class FormatRow(TypedDict):
    """A metric of the probe that sees the files alone."""

    metric: str
    value: Number
    low: Number
    high: Number
    baseline: Number
    note: str | None


class FormatProbe(Versioned):
    """results/tasks/<task>/format.json."""

    task: str
    kind: str
    split: str
    metric: str
    level: str
    n: int
    groups: int
    train_n: int
    confidence: float
    above: bool  # the headline's whole interval is better than the trivial baseline
    rows: list[FormatRow]
    permuted: dict[str, Number]  # feature -> the headline metric where it is shuffled


# Explanations: `lssat.evaluation.explain`.
class FirstRun(Pair):
    """A backbone and configuration, seen through the run of its first seed."""

    run: str
    value: Number  # mean over seeds of the validation metric that chose the epoch
    loss: Number


class ExplainedRow(FirstRun):
    """One row of explain.json: what its mean maps are of."""

    maps: str  # in explain.npz, with _rollout or _gradients behind it
    looks_at: list[str]
    level: str
    n: int
    no_rollout: str | None  # why there is none
    missed: Number
    incomplete: int
    note: str | None


class Embedding(FirstRun):
    """Features of samples projected to two dimensions."""

    points: list[list[float]]
    trustworthiness: Number
    method: str
    level: str
    ids: list[str]
    labels: list[str]
    subsets: list[str]


class ExplainedSample(TypedDict):
    """A decision on a sample of the test split, and where its crop lies."""

    id: str
    frame: int
    clip: int
    subset: str
    target: int  # number of the logit
    label: str
    predicted: str
    right: bool
    probability: Number  # of what was predicted, after division by the temperature
    raw: Number  # without it
    shard: int
    row: int
    sha256: str
    missed: Number


class Likeness(TypedDict):
    """How alike the maps are to those of the same encoder with untrained weights."""

    rollout: Number
    gradients: Number


class Explanations(Versioned):
    """results/tasks/<task>/explain.json."""

    task: str
    title: str
    level: str
    metric: str
    target: str  # what the explained logit stands for
    temperature: Number
    chosen: FirstRun
    random: Likeness
    rows: list[ExplainedRow]
    embeddings: list[Embedding]
    examples: list[ExplainedSample]
    errors: list[ExplainedSample]
    maps_sha256: str


# Speed of inference: `lssat.evaluation.speed`.
class TimedBatch(TypedDict):
    """Inference of a batch: the median pass, and images or clips per second."""

    batch: int
    latency_ms: float
    least_ms: float
    most_ms: float
    passes: int
    imgs_per_second: float


class TimedBackbone(Pair):
    """One backbone's inference."""

    frames: int | None
    img_size: int
    batches: list[TimedBatch]


class Speed(Versioned):
    """results/speed.json."""

    device: str
    processor: str
    threads: int
    environment: dict[str, Any]
    backbones: list[TimedBackbone]
