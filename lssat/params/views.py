"""What each rule sees of params.yaml: a type each, from which the keys follow that DVC watches.

A field is a section, or a part that the section is made of (`sections`), of which only the part's
keys are seen. A mark in braces is filled in: only that key of the dict is seen.
"""

from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import ConfigDict, Field, create_model, field_validator
from pydantic.fields import FieldInfo

from lssat.params import sections
from lssat.params.base import Section
from lssat.params.data import SECTIONS, Dataset, Own, RootAndShards, Shards

T = TypeVar("T")
V = TypeVar("V", bound="View")
OfTask = Annotated[dict[str, T], "{task}"]


class View(Section):
    """What a step is given."""

    model_config = ConfigDict(defer_build=True)  # a process validates one or two of them

    @field_validator("datasets", mode="before", check_fields=False)
    @classmethod
    def _of_release(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Let the section of a data set that is seen as a whole have all of its own keys."""
        kind = _kind(cls.model_fields["datasets"])
        return {name: _model(kind, name).model_validate(own) for name, own in values.items()}


class SampleView(View):
    """Of the rule `sample`."""

    sample: sections.Sample


class ManifestView(View):
    """Of the rule `manifest`."""

    datasets: OfTask[Dataset]


class FacesView(View):
    """Of the rule `faces`."""

    datasets: OfTask[Dataset]
    faces: sections.Faces


class TextureView(View):
    """Of the rule `texture`."""

    texture: sections.Codes


class ShardsView(View):
    """Of the rule `shards`."""

    datasets: OfTask[Shards]
    texture: sections.TextureKind


class SplitsView(View):
    """Of the rule `splits`."""

    datasets: OfTask[Dataset]
    splits: sections.Splits


class FormatsView(View):
    """Of the rule `formats`."""

    datasets: OfTask[RootAndShards]


class AuditView(View):
    """Of the rule `audit`: nothing that could be edited and make runs stale."""

    datasets: OfTask[Shards]


class LookalikesView(View):
    """Of the rule `lookalikes`."""

    audit: sections.Audit
    datasets: OfTask[Shards]


class AuditCrossView(View):
    """Of the rule `audit_cross`."""

    audit: sections.Audit
    datasets: Annotated[dict[str, Shards], "{task}", "{home}"]


class TrainView(View):
    """Of the rule `train`."""

    texture: sections.Texture
    train: sections.Train


class EvaluateView(View):
    """Of the rules `evaluate` and `cross`."""

    benchmark: sections.ScoredGrid
    evaluate: sections.Evaluate
    texture: sections.TextureKind
    train: sections.ScoringRecipe


class RobustnessView(View):
    """Of the rule `robustness`."""

    benchmark: sections.GridLists
    robustness: sections.Robustness
    texture: sections.Codes
    train: sections.ScoringRecipe
    evaluate: sections.ScoringOptions


class FormatProbeView(View):
    """Of the rule `format_probe`."""

    evaluate: sections.IntervalOptions


class SlicesView(View):
    """Of the rule `slices`."""

    slices: sections.SlicesByAttribute
    evaluate: sections.Evaluate


class SlicesListedView(View):
    """Of the rule `slices_listed`."""

    slices: sections.SlicesByList
    evaluate: sections.Evaluate


class ExplainView(View):
    """Of the rule `explain`."""

    benchmark: sections.GridLists
    explain: sections.Explain
    texture: sections.TextureKind
    train: sections.ScoringRecipe


class GalleryView(View):
    """Of the rule `gallery`."""

    benchmark: sections.TaskNames
    texture: sections.TextureKind
    report: sections.Report
    sample: sections.Sample
    datasets: dict[str, Dataset]


class VariantView(View):
    """Of the rule `variant`."""

    benchmark: sections.GridLists
    datasets: OfTask[Dataset]
    faces: sections.Faces
    texture: sections.Codes
    train: sections.ScoringRecipe
    evaluate: sections.BatchSize


class SensitivityView(View):
    """Of the rule `sensitivity`."""

    benchmark: sections.GridLists
    datasets: OfTask[Dataset]
    faces: sections.CropMargin
    sensitivity: sections.Sensitivity
    train: sections.RowRecipe
    evaluate: sections.Confidence


class SpeedView(View):
    """Of the rule `speed`."""

    benchmark: sections.ModelLists
    faces: sections.CropSize
    train: sections.ModelRecipe
    evaluate: sections.BatchSize


class TrackView(View):
    """Of the rules `track` and `track_cross`."""

    benchmark: sections.GridLists
    train: sections.RowRecipe
    tracking: sections.Tracking


class TrackSlicesView(View):
    """Of the rule `track_slices`."""

    tracking: sections.Tracking


class ReportView(View):
    """Of the rule `report`."""

    benchmark: sections.Benchmark
    sample: sections.Sample
    datasets: dict[str, Dataset]
    faces: sections.Faces
    texture: sections.Texture
    splits: sections.Splits
    audit: sections.Audit
    train: sections.Train
    variants: dict[str, dict[str, Any]]
    evaluate: sections.Evaluate
    robustness: sections.Robustness
    slices: sections.Slices
    explain: sections.Explain
    tracking: sections.Tracking
    report: sections.Report


class TrackReportView(View):
    """Of the rule `track_report`."""

    benchmark: sections.TaskNames
    tracking: sections.Tracking


ON_REQUEST = ("variant", "sensitivity")  # rules that are asked for by name, of Snakemake alone
VIEWS: dict[str, type[View]] = {
    "sample": SampleView,
    "manifest": ManifestView,
    "faces": FacesView,
    "texture": TextureView,
    "shards": ShardsView,
    "splits": SplitsView,
    "formats": FormatsView,
    "audit": AuditView,
    "lookalikes": LookalikesView,
    "audit_cross": AuditCrossView,
    "train": TrainView,
    "external": View,  # its file is an input
    "evaluate": EvaluateView,
    "cross": EvaluateView,
    "robustness": RobustnessView,
    "format_probe": FormatProbeView,
    "slices": SlicesView,
    "slices_listed": SlicesListedView,
    "explain": ExplainView,
    "gallery": GalleryView,
    "variant": VariantView,
    "sensitivity": SensitivityView,
    "speed": SpeedView,
    "track": TrackView,
    "track_cross": TrackView,
    "track_slices": TrackSlicesView,
    "report": ReportView,
    "track_report": TrackReportView,
}


def keys(view: type[View]) -> list[str]:
    """Return the keys of params.yaml that a view shows, such as `train` and `faces.margin`."""
    return [key for name, field in view.model_fields.items() for key in _keys(name, field)]


def shape(view: type[View], **wildcards: str) -> type[Section]:
    """Return the model of what a view shows as plain values, with its data sets by name."""
    fields: dict[str, Any] = {}
    for name, field in view.model_fields.items():
        whole, seen = sections.Params.model_fields[name], field.annotation
        if marks := _marks(field):
            asked = [mark.format(**wildcards) for mark in marks]
            own: Any = {dataset: (_model(_kind(field), dataset), ...) for dataset in asked}
            seen = create_model("Asked", __base__=_Asked, **own)
        if _is_whole(name, seen):
            fields[name] = (whole.annotation, whole)
        else:  # each of its keys may be lacking
            fields[name] = (seen, Field(default={}, validate_default=True))
    return create_model("Part", __base__=Section, **fields)


def _is_whole(name: str, seen: Any) -> bool:
    return seen is sections.Params.model_fields[name].annotation or get_origin(seen) is dict


class _Asked(Section):
    """The data sets that are asked for; others may stand beside them."""

    model_config = ConfigDict(extra="ignore")


def _model(kind: type[Section], dataset: str) -> type[Section]:
    """Return the section of a data set, where the whole of it is seen."""
    return SECTIONS.get(dataset, Own) if kind is Dataset else kind


def _kind(datasets: FieldInfo) -> type[Section]:
    return get_args(datasets.annotation)[1]


def _marks(field: FieldInfo) -> list[str]:
    return [mark for mark in field.metadata if isinstance(mark, str)]


def _keys(name: str, field: FieldInfo) -> list[str]:
    if marks := _marks(field):
        places = [f"{name}.{mark}" for mark in marks]
        if _kind(field) is Dataset:
            return places
        return [f"{place}.{key}" for place in places for key in _kind(field).model_fields]
    seen: Any = field.annotation
    if _is_whole(name, seen):
        return [name]
    return [".".join([name, key, *_marks(part)]) for key, part in seen.model_fields.items()]
