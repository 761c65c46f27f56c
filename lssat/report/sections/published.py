"""Numbers of papers, each with its protocol, to stand beside ours. None was measured here."""

from typing import NamedTuple

from lssat.report.kit import words
from lssat.report.kit.cells import Column, Table, num
from lssat.report.kit.results import Task
from lssat.report.kit.section import Part, Section, by_task


class Published(NamedTuple):
    """One number of a paper, or one of ours beside them."""

    what: str  # method or model
    metric: str
    value: float | None
    protocol: str
    source: str
    doubt: str = ""
    backbone: str = ""  # of a number of 2603.22190, where it is known
    interval: str = ""  # papers give none


_A, _A_SAID = "2603.22190", "2603.22190, by its reviews"
PUBLISHED = {
    "ffpp": [
        Published("L-SSAT, ViT-H", "average accuracy", 0.94, "compression not stated", _A,
                  "what is averaged is not defined", "ViT-H"),
        Published("SSAT and texture", "accuracy", 0.9868, "c23", "2409.19582",
                  "stands beside an AUC of 0.965"),
        Published("Xception", "frame AUC", 0.9637, "c23, trained on it", "DeepfakeBench"),
        Published("EfficientNet-B4", "frame AUC", 0.9567, "c23, trained on it", "DeepfakeBench"),
        Published("Face X-ray", "frame AUC", 0.9592, "c23, trained on it", "DeepfakeBench"),
        Published("UCF", "frame AUC", 0.9705, "c23, trained on it", "DeepfakeBench"),
        Published("Xception", "accuracy", 0.9573, "c23", "FaceForensics++"),
        Published("Self-Blended Images", "video AUC", 0.905, "as rerun by others", "SBI"),
    ],
    "celeba": [
        Published("L-SSAT, ViT-B", "best mean accuracy", 0.87, "number of attributes not stated",
                  _A, "its table 2 says 0.85", "ViT-B"),
        Published("L-SSAT, ViT-B", "average of table 2", 0.85, "number of attributes not stated",
                  _A_SAID, "what is averaged is not defined", "ViT-B"),
        Published("L-SSAT, ViT-L", "average of table 2", 0.55, "number of attributes not stated",
                  _A_SAID, "below the majority baseline of about 0.80: a collapsed run", "ViT-L"),
        Published("FaceXFormer", "mean accuracy", 0.918, "40 attributes, official test",
                  "FaceXFormer", "its users measure 0.900"),
        Published("FaRL", "mean accuracy", 0.914, "40 attributes, official test", "FaRL",
                  "its users measure 0.893"),
    ],
    "affectnet": [
        Published("L-SSAT", "accuracy", 0.88, "random half of validation, seed not recorded", _A,
                  "no top-1: as one-vs-rest accuracy it means a top-1 of 0.52 (8 classes) or "
                  "0.58 (7), and saying no to every class gives 0.875"),
        Published("POSTER++", "top-1 accuracy", 0.675, "7 classes, whole validation", "POSTER++"),
        Published("POSTER++", "top-1 accuracy", 0.638, "8 classes, whole validation", "POSTER++"),
    ],
}  # fmt: skip
LEAD = (
    "Copied from papers, not measured here, and each under its own protocol: none of them has an "
    "interval, and only numbers of one protocol can be held against each other."
)


def of_backbones(task: str) -> dict[str, list[Published]]:
    """Return the numbers of 2603.22190 by its backbone; "" where it contradicts itself."""
    by_backbone: dict[str, list[Published]] = {}
    for number in PUBLISHED.get(task, []):
        if number.source in (_A, _A_SAID):
            by_backbone.setdefault(number.backbone, []).append(number)
    return by_backbone


def table(task: Task) -> Table | None:
    """Make the table of published numbers with ours on top; None for a data set without any."""
    published = PUBLISHED.get(task.name)
    if not published:
        return None
    columns = [
        Column("Method", value=lambda row: row.what),
        Column("Metric", value=lambda row: row.metric),
        Column("Value", "num", value=lambda row: num(row.value, small=row.interval)),
        Column("Protocol", value=lambda row: row.protocol),
        Column("Source", value=lambda row: row.source),
        Column("Doubt", "pre", value=lambda row: row.doubt),
    ]
    caption = f"{task.title}: published numbers"
    return Table.of(f"published-{task.name}", caption, columns, [*_ours(task), *published])


def _ours(task: Task) -> list[Published]:
    """Return the best row of ours in the metrics that papers report for this task."""
    best = words.best(task.headline)
    if best is None:
        return []
    doubt = "best on test by the headline metric, so chosen on this very split"
    return [
        Published(
            f"{words.name(row)}, ours",
            words.measure(row),
            row["mean"],
            f"{task.metrics['split']} split, {words.count(row['n'], row['level'])}",
            "this report",
            f"collapsed; {doubt}" if row["collapsed"] else doubt,
            interval=words.interval(row),
        )
        for row in task.metrics["table"]
        if words.pair(row) == words.pair(best) and (row["level"], row["metric"]) in _SHOWN
    ]


_SHOWN = [
    *(("video", "auc"), ("frame", "auc"), ("video", "accuracy")),
    *(("image", "accuracy"), ("image", "top1"), ("image", "mean_ovr_accuracy")),
]


def _part(task: Task) -> Part | None:
    shown = table(task)
    return Part(task.title, tables=[shown]) if shown else None


SECTION = Section("published", "Papers", "Beside the papers", by_task(_part), LEAD)
