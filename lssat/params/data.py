"""The sections of data sets: the releases, made of their records, and data of your own."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, create_model, field_validator, model_validator

from lssat.grid.releases import RELEASES, Release
from lssat.metrics import HEADLINES
from lssat.params.base import Count, Place, Section, Share, nearest


class Shards(Section):
    """How the work of a data set is cut."""

    # units of parallel work; a sample's shard is a hash of its id, five digits in names of files
    shards: Annotated[int, Field(ge=1, le=100_000)]


class RootAndShards(Shards):
    """Where a data set lies and how its work is cut."""

    root: Place  # the raw tree, absolute, relative to the project or s3://bucket/prefix; only read


class Dataset(RootAndShards):
    """What every data set has."""

    rejects_limit: Share  # the share of samples that a step may reject before it stops
    partial: bool = False  # only a part is there: listed files that are absent are no losses
    limit: Count | None = None  # groups of each split and class, for a trial run; None: all

    @property
    def stored_frames(self) -> int | None:
        """Frames per video; None of images, and where each n-th frame is taken."""
        return self.frames if isinstance(self, Video) else None


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


class Own(Dataset, Video):
    """A folder of your own (docs/own-data.md). Without `frames` and `every` it holds images."""

    kind: Literal["binary", "multilabel", "multiclass"]
    faces: Literal["detect", "aligned", "box"]  # box: columns x, y, width, height of the list
    csv: Place | None = None  # the list, below the root; None: folders <split>/<class>
    positive: str | None = None  # the class that a binary task detects
    classes: list[str] | None = Field(None, min_length=2)  # their order; None: all, sorted
    # its classes, or attributes -> what they are called here; the others are left out. None: as
    # they are (docs/protocols.md)
    labels: dict[str, str] | None = Field(None, min_length=1)
    title: str | None = None
    metric: str | None = Field(None, validate_default=True)  # the headline
    test_only: bool = False  # for benchmark.cross
    val_share: Share = 0.15  # of a list without the column split
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
            raise ValueError(f"unknown {metric!r}{nearest(metric, list(known))}")
        return metric

    @model_validator(mode="after")
    def _fits(self) -> "Own":
        if (self.positive is not None) != (self.kind == "binary"):
            raise ValueError("positive names the class to detect: a binary task has one, no other")
        if self.kind == "binary" and self.classes and self.positive not in self.classes:
            raise ValueError(f"positive {self.positive!r} is not one of classes")
        if self.kind == "binary" and self.classes and len(self.classes) != 2:
            raise ValueError("a binary task has two classes")
        self._maps()
        if self.val_share + self.test_share >= 1:
            raise ValueError("val_share and test_share leave nothing to train on")
        if self.csv is None and (self.kind == "multilabel" or self.faces == "box"):
            raise ValueError("folders tell one class each and no boxes; name a list in csv")
        return self

    def _maps(self) -> None:
        names = [*(self.labels or {}).values()]
        if self.kind == "multilabel" and (twice := {n for n in names if names.count(n) > 1}):
            raise ValueError(f"labels calls two attributes {', '.join(sorted(twice))}")
        if self.kind != "multilabel" and len(set(names)) == 1:
            raise ValueError(f"labels leaves one class, {names[0]}; name at least two")
        if self.kind == "binary" and names and self.positive not in names:
            raise ValueError(f"positive {self.positive!r} is none of the classes that labels gives")
        if names and self.classes and (more := [n for n in names if n not in self.classes]):
            raise ValueError(f"labels gives {more[0]}, which is not one of classes")


def _section(release: Release) -> type[Dataset]:
    """Return the model of a release's section: what every data set has, and its own keys."""
    bases = (Dataset, Video) if release.task.level == "video" else (Dataset,)
    return create_model(release.words, __base__=bases, **release.options)  # type: ignore[call-overload]


SECTIONS = {name: _section(release) for name, release in RELEASES.items()}


class _Named(Section):
    """One section for each data set of the benchmark, none for others; other names are `Own`."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Own] = Field(init=False)


_FIELDS: Any = {name: (model | None, None) for name, model in SECTIONS.items()}
Datasets: Any = create_model("Datasets", __base__=_Named, **_FIELDS)
