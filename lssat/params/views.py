"""What each rule sees of params.yaml: a type each, from which the keys follow that DVC watches.

A field is a section, or a part that the section is made of (`sections`), of which only the part's
keys are seen. A mark in braces is filled in: only that key of the dict is seen.
"""

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from lssat.params import sections
from lssat.params.base import Section
from lssat.params.data import SECTIONS, Dataset, Own, RootAndShards, Shards

T = TypeVar("T")
V = TypeVar("V", bound="View")
OfTask = Annotated[dict[str, T], "{task}"]


@dataclass(frozen=True)
class View:
    """What a step is given."""


@dataclass(frozen=True)
class SampleView(View):
    """Of the rule `sample`."""

    sample: sections.Sample


@dataclass(frozen=True)
class ManifestView(View):
    """Of the rule `manifest`."""

    datasets: OfTask[Dataset]


@dataclass(frozen=True)
class FacesView(View):
    """Of the rule `faces`."""

    datasets: OfTask[Dataset]
    faces: sections.Faces


@dataclass(frozen=True)
class TextureView(View):
    """Of the rule `texture`."""

    texture: sections.Codes


@dataclass(frozen=True)
class ShardsView(View):
    """Of the rule `shards`."""

    datasets: OfTask[Shards]
    texture: sections.TextureKind


@dataclass(frozen=True)
class SplitsView(View):
    """Of the rule `splits`."""

    datasets: OfTask[Dataset]
    splits: sections.Splits


@dataclass(frozen=True)
class FormatsView(View):
    """Of the rule `formats`."""

    datasets: OfTask[RootAndShards]


@dataclass(frozen=True)
class AuditView(View):
    """Of the rule `audit`: nothing that could be edited and make runs stale."""

    datasets: OfTask[Shards]


@dataclass(frozen=True)
class LookalikesView(View):
    """Of the rule `lookalikes`."""

    audit: sections.Audit
    datasets: OfTask[Shards]


@dataclass(frozen=True)
class AuditCrossView(View):
    """Of the rule `audit_cross`."""

    audit: sections.Audit
    datasets: Annotated[dict[str, Shards], "{task}", "{home}"]


@dataclass(frozen=True)
class TrainView(View):
    """Of the rule `train`."""

    texture: sections.Texture
    train: sections.Train


@dataclass(frozen=True)
class EvaluateView(View):
    """Of the rules `evaluate` and `cross`."""

    benchmark: sections.ScoredGrid
    evaluate: sections.Evaluate
    texture: sections.TextureKind
    train: sections.ScoringRecipe


@dataclass(frozen=True)
class RobustnessView(View):
    """Of the rule `robustness`."""

    benchmark: sections.GridLists
    robustness: sections.Robustness
    texture: sections.Codes
    train: sections.ScoringRecipe
    evaluate: sections.ScoringOptions


@dataclass(frozen=True)
class FormatProbeView(View):
    """Of the rule `format_probe`."""

    evaluate: sections.IntervalOptions


@dataclass(frozen=True)
class SlicesView(View):
    """Of the rule `slices`."""

    slices: sections.SlicesByAttribute
    evaluate: sections.Evaluate


@dataclass(frozen=True)
class SlicesListedView(View):
    """Of the rule `slices_listed`."""

    slices: sections.SlicesByList
    evaluate: sections.Evaluate


@dataclass(frozen=True)
class ExplainView(View):
    """Of the rule `explain`."""

    benchmark: sections.GridLists
    explain: sections.Explain
    texture: sections.TextureKind
    train: sections.ScoringRecipe


@dataclass(frozen=True)
class GalleryView(View):
    """Of the rule `gallery`."""

    benchmark: sections.TaskNames
    texture: sections.TextureKind
    report: sections.Report
    sample: sections.Sample
    datasets: dict[str, Dataset]


@dataclass(frozen=True)
class VariantView(View):
    """Of the rule `variant`."""

    benchmark: sections.GridLists
    datasets: OfTask[Dataset]
    faces: sections.Faces
    texture: sections.Codes
    train: sections.ScoringRecipe
    evaluate: sections.BatchSize


@dataclass(frozen=True)
class SensitivityView(View):
    """Of the rule `sensitivity`."""

    benchmark: sections.GridLists
    datasets: OfTask[Dataset]
    faces: sections.CropMargin
    sensitivity: sections.Sensitivity
    train: sections.RowRecipe
    evaluate: sections.Confidence


@dataclass(frozen=True)
class SpeedView(View):
    """Of the rule `speed`."""

    benchmark: sections.ModelLists
    faces: sections.CropSize
    train: sections.ModelRecipe
    evaluate: sections.BatchSize


@dataclass(frozen=True)
class TrackView(View):
    """Of the rules `track` and `track_cross`."""

    benchmark: sections.GridLists
    train: sections.RowRecipe
    tracking: sections.Tracking


@dataclass(frozen=True)
class TrackSlicesView(View):
    """Of the rule `track_slices`."""

    tracking: sections.Tracking


@dataclass(frozen=True)
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


@dataclass(frozen=True)
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
    return [key for name, hint in _hints(view).items() for key in _keys(name, hint)]


def seen(view: type[V], values: dict[str, Any]) -> V:
    """Return a view of plain values, which have its keys and no other."""
    fields = {}
    for name, hint in _hints(view).items():
        if name == "datasets":
            (_, kind) = get_args(_plain(hint))
            fields[name] = {
                dataset: _model(kind, dataset).model_validate(own)
                for dataset, own in values[name].items()
            }
        else:
            is_section = isinstance(hint, type) and issubclass(hint, Section)
            fields[name] = hint.model_validate(values[name]) if is_section else values[name]
    return view(**fields)


def _hints(view: type[View]) -> dict[str, Any]:
    return get_type_hints(view, include_extras=True)


def _plain(hint: Any) -> Any:
    return hint.__origin__ if hasattr(hint, "__metadata__") else hint


def _model(kind: type[Section], dataset: str) -> type[Section]:
    """Return the section of a data set, where the whole of it is seen."""
    return SECTIONS.get(dataset, Own) if kind is Dataset else kind


def _keys(name: str, hint: Any) -> list[str]:
    if marks := getattr(hint, "__metadata__", ()):
        (_, kind) = get_args(_plain(hint))
        places = [f"{name}.{mark}" for mark in marks]
        if kind is Dataset:
            return places
        return [f"{place}.{key}" for place in places for key in kind.model_fields]
    if hint is sections.Params.model_fields[name].annotation or get_origin(hint) is dict:
        return [name]
    return [
        ".".join([name, key, *(mark for mark in field.metadata if isinstance(mark, str))])
        for key, field in hint.model_fields.items()
    ]
