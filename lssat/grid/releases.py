"""The public data sets: one record each, and nothing elsewhere lists them (docs/add-a-data-set.md).

A record says what must be known before a file is read; `lssat/data/datasets/<name>.py` reads the
files. The steps that look here are followed into this module, and training is not one of them.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import MinLen

from lssat.grid.labels import ATTRIBUTES, DEEPFAKE, EMOTIONS
from lssat.grid.tasks import Task


@dataclass(frozen=True)
class Release:
    """What a public data set is.

    Args:
        task: its name, kind, headline, level (`video`: of videos, whose frames are used; their
            section of params.yaml says which), title and classes.
        words: what the release is called.
        page: where one gets it, and what must lie where.
        test_only: runs of another task are tested on it (`benchmark.cross`); nothing is trained.
        options: its own keys of params.yaml, each with type and default (...: none).
        bare: their values for `lssat doctor` of a tree without a params.yaml.
        halved: it has no public test set: its validation set is parted into val and test.
        paired: the name of a fake, `<target>_<source>`, says who is in it, whatever lists say.
        drawn: the built-in sample has a tree of it.
        size: its videos or images of train, val and test, with `methods` those of each folder,
            for a plan; small: those of the built-in sample's tree.
        ways: what can be done where a part does not fill the splits: if that class alone is
            missing, or ("") in any case.
    """

    task: Task
    words: str
    page: str
    test_only: bool = False
    options: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    bare: dict[str, Any] = field(default_factory=dict)
    halved: bool = False
    paired: bool = False
    drawn: bool = False
    size: tuple[int, int, int] = (0, 0, 0)
    small: tuple[int, int, int] = (0, 0, 0)
    ways: dict[str, str] = field(default_factory=dict)


_COMPRESSION = (Literal["raw", "c0", "c23", "c40"], ...)
_METHODS = {
    "methods": (Annotated[list[str], MinLen(1)], ...),  # folders of manipulated_sequences
    # those of the test split's fakes; None: all of them (docs/protocols.md)
    "test_methods": (Annotated[list[str], MinLen(1)] | None, None),
}
_RECORDS = (
    Release(
        Task("ffpp", "binary", "auc", "video", "Deepfake detection (FaceForensics++)", DEEPFAKE),
        words="FaceForensics++",
        page="docs/data-ffpp.md",
        options={"compression": _COMPRESSION, **_METHODS},
        bare={"compression": "c23", "methods": []},
        paired=True,
        drawn=True,
        size=(720, 140, 140),
        small=(34, 8, 48),
        ways={"": "write lists of pairs of your own (splits/{train,val,test}.json)"},
    ),
    Release(
        Task(
            *("celeba", "multilabel", "balanced_accuracy", "image", "Face attributes (CelebA)"),
            ATTRIBUTES,
        ),
        words="CelebA",
        page="docs/data-celeba.md",
        drawn=True,
        size=(162_770, 19_867, 19_962),
        small=(288, 64, 180),
    ),
    Release(
        Task(
            *("affectnet", "multiclass", "top1", "image", "Emotion recognition (AffectNet)"),
            EMOTIONS,
        ),
        words="AffectNet",
        page="docs/data-affectnet.md",
        options={
            "classes": (Literal[7, 8], ...),  # 7 drops Contempt
            "layout": (Literal["auto", "csv", "npy", "folders"], "auto"),  # auto: what is there
        },
        bare={"classes": 8},
        halved=True,
        drawn=True,
        size=(287_651, 2_000, 2_000),
        small=(240, 128, 128),
        ways={"7": "write datasets.affectnet.classes: 7"},
    ),
    Release(
        Task("celebdf", "binary", "auc", "video", "Celeb-DF v2", DEEPFAKE),
        words="Celeb-DF v2",
        page="docs/data-celebdf-dfdc.md",
        test_only=True,
        size=(0, 0, 518),
    ),
    Release(
        Task("dfdc", "binary", "auc", "video", "DFDC", DEEPFAKE),
        words="DFDC",
        page="docs/data-celebdf-dfdc.md",
        test_only=True,
        size=(0, 0, 5_000),
    ),
    Release(
        Task("df40", "binary", "auc", "video", "DF40", DEEPFAKE),
        words="DF40",
        page="docs/data-df40-dfeval.md",
        test_only=True,
        options={"sets": (Annotated[list[str], MinLen(1)], ...)},  # lists, such as simswap_ff
        bare={"sets": ["simswap_ff"]},
    ),
    Release(
        Task("dfeval", "binary", "auc", "video", "Deepfake-Eval-2024", DEEPFAKE),
        words="Deepfake-Eval-2024",
        page="docs/data-df40-dfeval.md",
        test_only=True,
        options={"part": (Literal["all", "test"], "all")},
    ),
    *(  # its test split at another compression than the runs were trained on
        Release(
            Task(f"ffpp_{name}", "binary", "auc", "video", f"FaceForensics++ ({name})", DEEPFAKE),
            words=f"FaceForensics++ ({name})",
            page="docs/data-ffpp.md",
            test_only=True,
            options=dict(_METHODS),
            bare={"methods": ["Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures"]},
            paired=True,
            size=(0, 0, 140),
        )
        for name in ("raw", "c23", "c40")
    ),
    Release(  # in the tree of FaceForensics++
        Task("dfd", "binary", "auc", "video", "DeepFakeDetection", DEEPFAKE),
        words="DeepFakeDetection",
        page="docs/data-ffpp.md",
        test_only=True,
        size=(0, 0, 3_431),
        options={"compression": _COMPRESSION},
        bare={"compression": "c23"},
    ),
)
RELEASES = {record.task.name: record for record in _RECORDS}
TASKS = {name: record.task for name, record in RELEASES.items() if not record.test_only}
CROSS = {name: record.task for name, record in RELEASES.items() if record.test_only}
HALVED = {name for name, record in RELEASES.items() if record.halved}
PAIRED = {name for name, record in RELEASES.items() if record.paired}
DRAWN = tuple(name for name, record in RELEASES.items() if record.drawn)
