"""The tables of metrics.json, row by row; `lssat.evaluation.scores` says how each is computed.

A row has exactly the keys of its type: one more or one less, and the file is not read.
"""

from typing import Any, NotRequired

from typing_extensions import TypedDict  # pydantic takes no other before Python 3.12

Number = float | None  # None: undefined, with a note


class RunMetrics(TypedDict):
    """One run of metrics.json."""

    run: str
    backbone: str
    configuration: str  # as in the paper: MRGB/RLDP/CRGB
    seed: int
    metrics: dict[str, Number]  # by <level>/<metric>
    notes: dict[str, str]
    collapsed: bool
    calibration: NotRequired[dict[str, Any]]
    external: NotRequired[dict[str, str]]  # of another program: file and sha256 of its scores


class OverSeeds(TypedDict):
    """A metric of a backbone and configuration: its mean over seeds, beside the baseline."""

    backbone: str
    configuration: str
    level: str
    metric: str
    n: int
    groups: int
    seeds: list[int]
    values: list[Number]
    mean: Number
    low: Number
    high: Number
    note: str | None
    baseline: Number
    beats_baseline: bool


class Measured(OverSeeds):
    """What rows of runs share."""

    collapsed: bool


class Row(Measured):
    """One row of the `table`."""

    runs: list[str]
    swept: bool
    val_loss: NotRequired[Number]


class SubsetRow(Measured):
    """One row of `subsets`: a manipulation method against all reals."""

    runs: list[str]
    subset: str


# `class` is no name in Python: it can stand only here.
_OfClass = TypedDict("_OfClass", {"class": str})


class ClassRow(Measured, _OfClass):
    """One row of `each`: an attribute, or a class against the rest."""

    prevalence: Number  # in the test split, 0 to 1
    train_prevalence: Number


class Confusion(TypedDict):
    """One confusion matrix (K, K): rows are the true class; None where a score is not finite."""

    backbone: str
    configuration: str
    level: str
    n: int
    seeds: list[int]
    runs: list[str]
    classes: list[str]
    counts: list[list[int]] | None
    shares: list[list[float] | None] | None  # None in it: the class is absent
    note: str | None
    collapsed: bool


class Curve(TypedDict):
    """One ROC curve, of a run; empty where it is undefined."""

    run: str
    level: str
    fpr: list[float]
    tpr: list[float]
    auc: Number


class Difference(TypedDict):
    """What is known of a difference a - b of the headline metric."""

    level: str
    metric: str
    note: str | None
    difference: Number
    low: Number
    high: Number
    effect: Number
    p: Number
    p_holm: Number
    error: Number
    freedom: Number
    parts: NotRequired[list[float] | None]  # of error squared: test set, training, each with its df
    least: Number


class ComparedRow(TypedDict):
    """One side of a row of `comparisons`."""

    backbone: str
    configuration: str
    seeds: list[int]


class ComparedBackbone(TypedDict):
    """One side of a row of `backbones`: a mean over so many configurations."""

    backbone: str
    configurations: int
    seeds: list[int]


class Comparison(Difference):
    """One row of `comparisons`: two rows that differ in what is `compared`."""

    compared: str  # configuration, backbone or external
    a: ComparedRow
    b: ComparedRow
    n: int
    groups: int


class BackboneComparison(Difference):
    """One row of `backbones`."""

    a: ComparedBackbone
    b: ComparedBackbone


class Rank(TypedDict):
    """One row of `ranks`: between which ranks a row may stand."""

    backbone: str
    configuration: str
    mean: float
    best: int
    worst: int
    top: bool


class RankFamily(TypedDict):
    """One entry of ranks.json: ranks over tasks of what is compared; None where undefined."""

    compared: str  # backbone or configuration
    blocks: str  # always task, with the mean over the other factor
    n_blocks: int
    block_names: list[str]
    treatments: list[str]
    mean_ranks: list[Number]
    rows: list[int]  # of each treatment
    collapsed: list[int]  # how many of them
    statistic: Number
    p: Number
    p_permuted: Number
    cd: Number
    p_pairs: list[list[Number]]
    groups: list[list[str]]  # not shown to differ: all where Friedman's test shows nothing
    note: str | None


class Power(TypedDict):
    """One row of `power`: what the pairs of a family could have shown in 80 % of repetitions."""

    level: str
    metric: str
    compared: str  # configuration or backbone
    n: int
    groups: int
    seeds: int  # of the row that has fewest
    tests: int
    error: Number  # of the median pair
    least: Number  # at 0.05
    least_holm: Number  # at 0.05 / tests
    note: str | None


# What the rows are held to when they are read. Readers of these still take them as plain dicts.
class Against(Measured):
    """What rows of `sweep` and `variants` share: a row held against one with the recipe."""

    runs: list[str]
    reference: bool
    difference: dict[str, Any] | None  # difference, low, high, effect, p, p_holm, note


# `lambda` is no name in Python: the recipe's or the row's own lambda_cls.
_OfLambda = TypedDict("_OfLambda", {"lambda": float | str | None})


class SweepRow(Against, _OfLambda):
    """One row of `sweep`."""


class VariantRow(Against):
    """One row of `variants`."""

    variant: str  # base: the recipe as it is


class Gain(TypedDict):
    """One row of `gains`: what the auxiliary task adds with a variant, and with base."""

    backbone: str
    configuration: str
    supervised: str
    variant: str
    seeds: list[int]
    gain: float
    base_gain: float
    difference: Number
    low: Number
    high: Number
    p: Number
    p_holm: Number
    note: str | None


class Nearest(OverSeeds):
    """One row of `nearest`: the k-NN score of a probe's frozen features, in the headline metric."""

    runs: list[str]
    neighbours: list[int]  # that each seed's validation chose
