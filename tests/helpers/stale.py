"""Case 35: what an edit makes stale, stage by stage, in the small project of tests/workflow."""

import re

# What follows from a stage, by the first part of its name.
_EVALUATED = ["evaluate", "robustness", "cross", "explain", "report"]
_TRAINED = ["train", "baseline", "clips", "variants", "more_variants", *_EVALUATED]
_AFTER = {
    "sample": ["manifest", "slices_listed"],
    "manifest": ["faces", "formats", "splits", "audit", "slices_listed"],
    "faces": [
        "texture",
        "shards",
        "formats",
        "splits",
        "audit",
        "lookalikes",
        "audit_cross",
    ],
    "texture": ["shards"],
    "shards": _TRAINED,
    "formats": ["format_probe"],
    "format_probe": ["report"],
    "splits": ["format_probe", "audit", "lookalikes", "audit_cross", "external", *_TRAINED],
    "audit": ["train", "baseline", "clips", "variants", "more_variants", "cross", "report"],
    "lookalikes": ["report"],
    "audit_cross": ["report"],
    "train": [*_EVALUATED, "track"],
    "baseline": [*_EVALUATED, "track"],
    "clips": [*_EVALUATED, "track"],
    "variants": [*_EVALUATED, "track"],
    "external": ["evaluate", "cross"],
    "more_variants": [*_EVALUATED, "track"],
    "evaluate": ["explain", "track", "slices", "slices_listed", "report"],
    "explain": ["gallery", "report"],
    "speed": ["report"],
    "slices": ["track_slices", "report"],
    "slices_listed": ["track_slices_listed", "report"],
    "track_slices": ["track_report"],
    "track_slices_listed": ["track_report"],
    "robustness": ["report"],
    "cross": ["track_cross", "report"],
    "track": ["track_cross", "track_slices", "track_slices_listed", "track_report"],
    "track_cross": ["track_report"],
    "report": ["track", "track_report"],
}

TRAIN = {f"train@celeba-vit_micro-{c}-0" for c in ("MRGB-RLDP-CRGB", "none-none-CRGB")}
SLICES = {"slices@celeba"}
# MLflow comes last: what follows from a new report.
TRACKED = {"track@celeba", "track_slices@celeba", "track_report"}
LOOK = {"explain@celeba", "gallery"}
END = {"evaluate@celeba", *SLICES, *LOOK, "report"}
HURT = {"robustness@celeba", "report"}
PROBE = {"format_probe@celeba", "report"}
FILES = {"formats@celeba"} | PROBE
SPEED = {"speed"}
AUDIT = {"audit@celeba", "lookalikes@celeba"}
DATA = {f"{step}@celeba" for step in ("manifest", "faces", "texture", "shards", "splits")}
CODES = {"texture@celeba", "shards@celeba"}
ALL = DATA | FILES | AUDIT | TRAIN | END | HURT
EVERY = {"sample@celeba"} | ALL | SPEED | TRACKED
# An edit of params.yaml -> what it makes stale.
PARAMS = {
    ("sample", "seed"): (1, ALL | {"sample@celeba"}),
    ("datasets", "rejects_limit"): ("0.5", ALL),
    ("datasets", "partial"): ("0.0\n    partial: true", ALL),
    ("faces", "margin"): (1.5, ALL - {"manifest@celeba"}),
    ("texture", "k"): (4, CODES | TRAIN | END | HURT),
    ("splits", "seed"): (1, {"splits@celeba"} | PROBE | AUDIT | TRAIN | END | HURT),
    ("audit", "near_distance"): (2, {"lookalikes@celeba", "report"}),
    ("train", "lr"): (0.003, TRAIN | END | HURT),
    ("evaluate", "resamples"): (300, END | PROBE),
    ("evaluate", "confidence"): (0.9, END | HURT | PROBE),
    ("robustness", "seed"): (1, HURT),
    ("slices", "min_n"): (5, SLICES | {"report"}),
    ("tracking", "experiment"): ("other", {"report"}),  # which names the runs
    ("evaluate", "batch_size"): (48, END | HURT | SPEED),
    ("explain", "seed"): (1, LOOK | {"report"}),
    ("report", "title"): ("Other", {"report", "gallery"}),
}
# An edit of a module -> what it makes stale, at least.
MODULES = {
    "data/datasets/celeba.py": ALL,
    "data/faces/sample.py": ALL - {"manifest@celeba"},
    "data/texture.py": CODES | TRAIN | END | HURT,
    "data/formats.py": FILES,
    "evaluation/format_probe.py": PROBE,
    "data/audit/leaks.py": {"audit@celeba"} | TRAIN | END | HURT,
    "data/audit/lookalikes.py": {"lookalikes@celeba", "report"},
    "models/ssat/model.py": TRAIN | END | HURT | SPEED,
    "evaluation/speed.py": SPEED | {"report"},
    "evaluation/evaluate.py": END,
    "evaluation/perturb.py": HURT | {"gallery"},  # the page of the report names them
    "evaluation/slices/differences.py": SLICES | {"report"},
    "tracking/runs.py": TRACKED,
    "evaluation/explain/choose.py": LOOK | {"report"},
    "report/kit/style.css": {"report", "gallery"},
}
# Modules that few import: what their edits make stale is known to the last stage.
EXACT = {
    "tracking/runs.py", "report/kit/style.css", "evaluation/slices/differences.py",
    "evaluation/evaluate.py", "evaluation/perturb.py", "models/ssat/model.py",
    "data/audit/lookalikes.py",
}  # fmt: skip


def following(stages: set[str], changed: set[str]) -> set[str]:
    """Return the stages that changed, of those there are, and all that follow from them."""
    found: set[str] = set()
    todo = [*changed]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            kind, _, rest = name.partition("@")
            for other in _AFTER.get(kind, []):
                todo += [stage for stage in stages if _follows(kind, rest, other, stage)]
    return found


def rules(stages: set[str]) -> set[str]:
    """Name DVC's stages as rules: one of Snakemake is five of DVC, whose matrices are full."""
    named = (
        re.sub(r"^(baseline|clips|variants|more_variants)@", "train@", name)
        for name in stages - {"code"}
    )
    return {name.replace("track_slices_listed@", "track_slices@") for name in named}


def stages_of(rule: str) -> set[str]:
    """Return the small project's stages of a rule."""
    return {stage for stage in EVERY if stage.partition("@")[0] == rule}


def edit_of(name: str) -> bytes:
    """Return what an edit adds to a file of the package."""
    return b"\nbody { margin: 3px }\n" if name.endswith("css") else b"\nEDITED = 1\n"


def ended(stages: set[str]) -> set[str]:
    """Add what always follows the report: MLflow gets its runs and the page."""
    return stages | (TRACKED if "report" in stages else set())


def _follows(kind: str, rest: str, other: str, stage: str) -> bool:
    if stage.split("@")[0] != other:
        return False
    task = rest.split("-")[0]
    # they follow from its crops or runs
    across = other in ("audit_cross", "cross", "track_cross") and task == "ffpp"
    if kind == "report" or other in ("report", "track_report", "gallery"):
        return True
    return across or stage.split("@")[1].split("-")[0] == task
