"""The only reader of params.yaml: typed, strict, every problem in one message.

`load` reads and validates the whole file. `section` hands a rule the part that it reads and
`view` gives it back to the step as typed models, so that no step can use an untracked parameter.
"""

from lssat.metrics import HEADLINES
from lssat.params import views
from lssat.params.data import SECTIONS, Dataset, Own, Video
from lssat.params.reader import READS, examine, load, part, section, section_json, view
from lssat.params.sections import (
    Audit,
    Codes,
    Confidence,
    Evaluate,
    Explain,
    Faces,
    GridLists,
    IntervalOptions,
    ModelLists,
    Params,
    Report,
    RowRecipe,
    Sensitivity,
    Splits,
    Texture,
    Train,
)

__all__ = [
    "HEADLINES",
    "READS",
    "SECTIONS",
    "Audit",
    "Codes",
    "Confidence",
    "Dataset",
    "Evaluate",
    "Explain",
    "Faces",
    "GridLists",
    "IntervalOptions",
    "ModelLists",
    "Own",
    "Params",
    "Report",
    "RowRecipe",
    "Sensitivity",
    "Splits",
    "Texture",
    "Train",
    "Video",
    "examine",
    "load",
    "part",
    "section",
    "section_json",
    "view",
    "views",
]
