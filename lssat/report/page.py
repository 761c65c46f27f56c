"""The page: everything that the template needs, and the filled template."""

import json
from pathlib import Path
from typing import Any

from lssat.grid import states
from lssat.report.kit import html, pictures, words
from lssat.report.kit.results import Cross, Task
from lssat.report.kit.section import Page, Section
from lssat.report.sections import (
    answers,
    auxiliary,
    calibration,
    comparisons,
    cross,
    curves,
    decoder,
    evidence,
    explained,
    forest,
    heading,
    headline,
    matrix,
    pareto,
    per_class,
    power,
    protocols,
    published,
    ranks,
    robustness,
    sensitivity,
    slices,
    subsets,
    sweep,
    variants,
)
from lssat.tables import face_privacy

# In the order of the page, by the parts of its table of contents; docs/add-a-report-section.md
# says how to add one.
_PARTS = {
    "Evidence": (
        Section("results", "Results"),
        Section("each", "Per class", "Each attribute, each class"),
        Section("comparisons", "Comparisons"),
        Section("published", "Papers", "Beside the papers"),
        Section("costs", "Costs", "Accuracy against cost"),
        Section("sweep", "Lambda sweep"),
        Section("variants", "Variants", "Variants of the recipe", variants.content),
        Section("cross", "Across data sets"),
        Section("protocols", "Unseen", "Unseen manipulations and data", protocols.content),
    ),
    "Diagnosis": (
        Section("slices", "Slices"),
        Section("robustness", "Robustness"),
        Section("sensitivity", "Sensitivity"),
        Section("roc", "ROC", "ROC curves"),
        Section("calibration", "Calibration"),
        Section("training", "Training", "Training curves"),
        Section("reconstruction", "Reconstructions"),
        Section("explained", "Where they look", "Where the models look"),
        Section("embeddings", "Embeddings"),
    ),
    "Provenance": (
        Section("crops", "Crops and texture"),
        Section("data", "Data"),
        Section("rejects", "Rejects"),
        Section("reproduce", "Reproduce"),
    ),
}
# How to fill a section that is not there.
_ASK = {
    "sweep": "a lambda in benchmark.variants of params.yaml",
    "variants": "benchmark.variants of params.yaml",
    "cross": "benchmark.cross of params.yaml",
    "protocols": "train.methods of a variant, or two data sets in benchmark.cross",
    "slices": "slices of params.yaml",
    "sensitivity": sensitivity.ASK,
}


def render(
    params: dict[str, Any],
    tasks: list[Task],
    across: list[Cross],
    families: list[dict],
    rejects: list[dict],
    outputs: str,
) -> str:
    """Return the page as one HTML document that asks the network for nothing.

    Its security policy lets the browser run the two scripts below, by their hashes, and no other;
    and load nothing from anywhere.
    """
    scripts = html.scripts("theme", "page")
    page = Page(params, tasks, across, families)
    titles = {task.name: task.title for task in tasks}
    content = _sections(page, rejects)
    parts = {
        part: [section for section in members if _filled(section, content, page)]
        for part, members in _PARTS.items()
    }
    shown = [section for members in parts.values() for section in members]
    return html.template("page.html.j2", Path(__file__).parent).render(
        **content,
        title=heading.title(params, titles),
        note=heading.note(params, titles),
        page=page,
        parts=parts,
        sections=shown,
        absent=_absent(shown),
        ran=_ran(tasks),
        forests=forest.forests(tasks),
        brief=[auxiliary.brief(tasks), *answers.brief(tasks)],
        answers=answers.answers(tasks, families),
        caveat=words.CAVEAT,
        outputs=outputs,
        scripts=scripts,
        policy=html.policy(scripts),
        style=html.style(),
    )


def _sections(page: Page, rejects: list[dict]) -> dict[str, Any]:
    """Return what the sections' templates show, by the names that they use."""
    params, tasks, across, families = page
    places = {task.name: face_privacy.place(task.name, params) for task in tasks}
    open_ = [task for task in tasks if places[task.name] == "report"]
    every: list[Task | Cross] = [*_by_dataset(tasks), *across]
    return {
        "each_lead": per_class.LEAD,
        "each": [each for task in tasks if (each := per_class.section(task))],
        "ranks_lead": ranks.LEAD,
        "ranks": ranks.section(families),
        "comparisons_lead": comparisons.lead(tasks),
        "published_lead": published.LEAD,
        "costs_lead": pareto.LEAD,
        "costs": [pareto.section(task) for task in tasks],
        "calibration_lead": calibration.LEAD,
        "robustness": robustness.section(tasks, open_),
        "sensitivity": sensitivity.section(tasks),
        "tasks": [_task(task, places[task.name]) for task in tasks],
        "explained_lead": explained.LEAD,
        "explained": [explained.section(task, places[task.name] == "report") for task in tasks],
        "embeddings_lead": explained.EMBEDDINGS_LEAD,
        "embeddings": [(t.title, drawn) for t in tasks if (drawn := explained.embeddings(t))],
        "crops": [_crops(task, places[task.name]) for task in _by_dataset(tasks)],
        "tinted": _tinted(params, tasks),
        "sweep_lead": sweep.LEAD,
        "sweeps": [sweep.section(task) for task in tasks if task.metrics["sweep"]],
        "cross_lead": cross.LEAD,
        "cross": [cross.section(each, tasks) for each in across],
        "slices_lead": slices.LEAD,
        "slices": [each for task in tasks if (each := slices.section(task))["parts"]],
        "data": [evidence.data(task) for task in every],
        "rejects": evidence.rejects(rejects),
        "files": evidence.files([*tasks, *across]),
        "recipe": evidence.recipe(tasks),
        "parameters": json.dumps(params, indent=2),
    }


def _filled(section: Section, content: dict[str, Any], page: Page) -> bool:
    """Say whether a section has anything to show; one without is left out."""
    if section.content is not None:
        return bool(section.content(page))
    name = "sweeps" if section.anchor == "sweep" else section.anchor
    tasks = content["tasks"]
    if name in ("roc", "published"):
        return any(task[name] for task in tasks)
    if name == "reconstruction":
        return any(task["strips"] or task["absent"] for task in tasks)
    if name == "sensitivity":
        return bool(content[name]["groups"] or content[name]["old"])
    return bool(content.get(name, True))


def _absent(shown: list[Section]) -> str:
    every = [section for members in _PARTS.values() for section in members]
    names = [
        f"{section.name} ({_ASK[section.anchor]})" if section.anchor in _ASK else section.name
        for section in every
        if section not in shown
    ]
    return words.listing(names)


def _by_dataset(tasks: list[Task]) -> list[Task]:
    """Return one task of each data set."""
    return list({task.metrics["dataset"]: task for task in reversed(tasks)}.values())[::-1]


def _ran(tasks: list[Task]) -> str:
    """Say in a line what was run, and on how much data."""
    records = [record for task in tasks for record in task.records.values()]

    def every(name: str) -> int:
        return len({member for task in tasks for member in getattr(task, name)})

    grid = [
        words.count(every("backbones"), "backbone"),
        words.count(every("configurations"), "configuration"),
        words.count(every("seeds"), "seed"),
    ]
    scored = [
        f"{words.count(task.metrics['n'][task.metrics['level']], task.metrics['level'])} in "
        f"{words.count(task.metrics['groups'], 'group')} ({task.name})"
        for task in tasks
    ]
    beside = [run for task in tasks for row in task.beside for run in row["runs"]]
    more = f"; {len(beside)} of the runs have another recipe" if beside else ""
    theirs = [run for task in tasks for row in task.external for run in row["runs"]]
    more += f"; beside them scores of {words.count(len(theirs), 'external run')}" if theirs else ""
    revisions = dict.fromkeys(evidence.revision(record["git"]) for record in records)
    return (
        f"{words.count(len(records), 'run')}: {words.listing(grid)}, tested on "
        f"{words.listing(scored)}{more}; {'revisions' if len(revisions) > 1 else 'revision'} "
        f"{'; '.join(revisions)}."
    )


def _tinted(params: dict[str, Any], tasks: list[Task]) -> str:
    """Say of the sample's pictures what was done to its faces."""
    ours = [task.title for task in tasks if face_privacy.sample(task.name, params)]
    if not ours:
        return ""
    return (
        "The sample’s labels are drawn over real faces: its fakes are tinted, and its attributes "
        "and emotions are marks, so that a model can learn them in minutes."
    )


def _task(task: Task, place: str) -> dict[str, Any]:
    metrics = task.metrics
    strips, note = _reconstructions(task) if place == "report" else ([], "")
    measured = decoder.rows(task)
    lead = (
        f"{words.where(metrics)} on the {metrics['split']} split; "
        f"{words.confidence(metrics)} of other test sets (this one: "
        f"{words.count(metrics['groups'], 'group')}){_trained(task)}; "
        f"coverage {words.coverage(metrics)}."
    )
    return {
        "name": task.name,
        "title": task.title,
        "power": power.sentence(task.metrics),
        "lead": lead[0].upper() + lead[1:],
        "confidence": words.confidence(metrics),
        "headline": headline.headline(task),
        "matrix": matrix.chooser(task),
        "matrix_lead": matrix.LEAD,
        "measures": headline.measures(task),
        "subsets": subsets.chooser(task),
        "subset_lead": subsets.lead(task),
        "published": published.table(task),
        "pairs": comparisons.tables(task),
        "ranks": comparisons.ranks(task),
        "calibration": calibration.table(task),
        "reliability": calibration.diagram(task),
        "robustness": robustness.table(task),
        "robustness_lead": robustness.lead(task),
        "robustness_curves": robustness.curves(task),
        "roc": curves.roc(task),
        "roc_lead": curves.roc_lead(task),
        "training": curves.training(task),
        "strips": strips,
        "strips_note": note,
        "decoder": decoder.sentence(measured),
        "decoder_table": decoder.table(task, measured),
        "absent": face_privacy.absent(place),
        "runs": evidence.runs(task),
        "mlflow": f"MLflow experiment {task.files.experiment}, parent run "
        f"{states.named(_weights(task))}, which holds this report.",
    }


def _trained(task: Task) -> str:
    """Say whether intervals cover other trainings as well."""
    n = len(task.seeds)
    return f" and other trainings ({n} seeds)" if n > 1 else ", not of other trainings"


def _weights(task: Task) -> dict[str, str]:
    return {run: record["weights_sha256"] for run, record in task.records.items()}


def _reconstructions(task: Task) -> tuple[list[pictures.Picture], str]:
    runs = [row["runs"][0] for row in task.trained if row["runs"]]
    return pictures.reconstructions([(task.files.runs[run], task.records[run]) for run in runs])


def _crops(task: Task, place: str) -> dict[str, Any]:
    if place != "report":
        return {"dataset": task.title, "lead": face_privacy.absent(place), "pictures": []}
    shown, kind = pictures.crops(task.files.faces, task.files.texture)
    lead = (
        f"Stored crops, each above its texture: {kind}."
        if kind
        else (
            "Stored crops. No configuration uses a texture, so there is no texture image to show."
        )
    )
    lead = lead if shown else "No crops are stored for this data set."
    return {"dataset": task.title, "lead": lead, "pictures": shown}
