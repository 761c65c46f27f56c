"""What the data steps tell of a data set, typed: the summaries of its splits and audits."""

from typing import NotRequired

from typing_extensions import TypedDict  # pydantic takes no other before Python 3.12

from lssat.tables.analysis_tables import Versioned
from lssat.tables.metric_tables import Number

OfSplits = dict[str, int]  # train, val, test -> a count
Shares = dict[str, Number]  # train, val, test -> a share; None: of nothing


class Unused(TypedDict):
    """What is in no split."""

    samples: int
    crops: int


class Attributes(TypedDict):
    """Of a multi-label data set: how many crops of a split have each attribute."""

    positives: dict[str, list[int]]


class SplitsSummary(Versioned):
    """summary.json of the splits; `lssat.data.splits.counts` says what each part is."""

    dataset: str
    seed: int | None  # None: all splits are the release's
    selection: str  # val | train_holdout
    asked: dict[str, int]
    rejects: dict[str, dict[str, int]]  # step -> reason -> samples
    listed: OfSplits
    samples: OfSplits
    crops: OfSplits
    groups: OfSplits
    unused: Unused
    coverage: Shares
    coverage_present: Shares
    subset_coverage: NotRequired[dict[str, Shares]]
    subset_coverage_present: NotRequired[dict[str, Shares]]
    frame_coverage: NotRequired[Shares]
    frame_coverage_present: NotRequired[Shares]
    classes: NotRequired[dict[str, dict[str, int]]]
    subsets: NotRequired[dict[str, dict[str, int]]]
    attributes: NotRequired[Attributes]
    ids_sha256: dict[str, str]


class Audit(Versioned):
    """audit.json: what was looked at, and how much was found (`lssat.data.audit.leaks`)."""

    dataset: str
    crops: OfSplits
    samples: OfSplits
    identities: OfSplits
    identities_known: bool
    findings: dict[str, int]  # kind -> pairs


class SimilarPair(TypedDict):
    """Samples of a split that have a near-duplicate in another."""

    split: str
    other_split: str
    samples: int
    of: int


class Lookalikes(Versioned):
    """lookalikes.json (`lssat.data.audit.lookalikes`)."""

    dataset: str
    near_distance: int  # bits of 64
    near_limit: float
    crops: OfSplits
    samples: OfSplits
    pairs: list[SimilarPair]


class Across(Versioned):
    """The audit against the training data of another data set (`lssat.data.audit.across`)."""

    dataset: str
    task: str
    near_distance: int
    near_limit: float
    of: int
    crops: OfSplits
    duplicate: int
    near_duplicate: int
