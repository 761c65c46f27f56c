"""The page: everything that the template needs, and the filled template."""

import json
from pathlib import Path
from typing import Any

from lssat.grid import states
from lssat.report.kit import figures, html, pictures, words
from lssat.report.kit.results import Cross, Task
from lssat.report.kit.section import Page, Section
from lssat.report.sections import (
    answers,
    calibration,
    comparisons,
    cross,
    evidence,
    explained,
    heading,
    headline,
    matrix,
    pareto,
    per_class,
    published,
    ranks,
    robustness,
    sensitivity,
    slices,
    subsets,
    sweep,
)
from lssat.tables import face_privacy

# In the order of the page; docs/add-a-report-section.md says how to add one.
_SECTIONS = (
    Section("results", "Results"),
    Section("each", "Per class", "Each attribute, each class"),
    Section("comparisons", "Comparisons"),
    Section("published", "Papers", "Beside the papers"),
    Section("costs", "Costs", "Accuracy against cost"),
    Section("sweep", "Lambda sweep"),
    Section("cross", "Across data sets"),
    Section("slices", "Slices"),
    Section("robustness", "Robustness"),
    Section("sensitivity", "Sensitivity"),
    Section("roc", "ROC", "ROC curves"),
    Section("calibration", "Calibration"),
    Section("training", "Training", "Training curves"),
    Section("reconstruction", "Reconstructions"),
    Section("explained", "Where they look", "Where the models look"),
    Section("embeddings", "Embeddings"),
    Section("crops", "Crops and texture"),
    Section("data", "Data"),
    Section("rejects", "Rejects"),
    Section("reproduce", "Reproduce"),
)


def render(
    params: dict[str, Any],
    tasks: list[Task],
    across: list[Cross],
    families: list[dict],
    rejects: list[dict],
    outputs: str,
) -> str:
    """Return the page as one HTML document that asks the network for nothing.

    Its security policy lets the browser run the three scripts below, by their hashes, and no
    other; and load nothing from anywhere.
    """
    scripts = html.scripts("theme", "page", "plotly")
    sets: list[Task | Cross] = [*_by_dataset(tasks), *across]
    places = {task.name: face_privacy.place(task.name, params) for task in tasks}
    titles = {task.name: task.title for task in tasks}
    open_ = [task for task in tasks if places[task.name] == "report"]
    return html.template("page.html.j2", Path(__file__).parent).render(
        title=heading.title(params, titles),
        note=heading.note(params, titles),
        parameters=json.dumps(params, indent=2),
        sections=_SECTIONS,
        page=Page(params, tasks, across, families),
        facts=_facts(tasks),
        cards=[_card(task) for task in tasks],
        answers=answers.answers(tasks, families),
        caveat=words.CAVEAT,
        each_lead=per_class.LEAD,
        each=[found for task in tasks if (found := per_class.section(task))],
        ranks_lead=ranks.LEAD,
        ranks=ranks.section(families),
        comparisons_lead=comparisons.lead(tasks),
        published_lead=published.LEAD,
        costs_lead=pareto.LEAD,
        costs=[pareto.section(task) for task in tasks],
        calibration_lead=calibration.LEAD,
        robustness=robustness.section(tasks, open_),
        sensitivity=sensitivity.section(tasks),
        tasks=[_task(task, places[task.name]) for task in tasks],
        explained_lead=explained.LEAD,
        explained=[explained.section(task, places[task.name] == "report") for task in tasks],
        embeddings_lead=explained.EMBEDDINGS_LEAD,
        embeddings=[(task.title, explained.embeddings(task)) for task in tasks],
        crops=[_crops(task, places[task.name]) for task in _by_dataset(tasks)],
        sweep_lead=sweep.LEAD,
        sweep_none=sweep.NONE,
        sweeps=[sweep.section(task) for task in tasks if task.metrics["sweep"]],
        cross_lead=cross.lead(across),
        cross=[cross.section(per_class, tasks) for per_class in across],
        slices_lead=slices.LEAD,
        slices=[slices.section(task) for task in tasks],
        data=[evidence.data(task) for task in sets],
        rejects=evidence.rejects(rejects),
        files=evidence.files([*tasks, *across]),
        recipe=evidence.recipe(tasks),
        outputs=outputs,
        scripts=scripts,
        policy=html.policy(scripts),
        style=html.style(),
    )


def _by_dataset(tasks: list[Task]) -> list[Task]:
    """Return one task of each data set."""
    return list({task.metrics["dataset"]: task for task in reversed(tasks)}.values())[::-1]


def _facts(tasks: list[Task]) -> list[tuple[str, str]]:
    records = [record for task in tasks for record in task.records.values()]

    def every(name: str) -> str:
        return words.listing(list(dict.fromkeys(x for task in tasks for x in getattr(task, name))))

    scored = [
        f"{words.count(task.metrics['n'][task.metrics['level']], task.metrics['level'])} "
        f"({task.name})"
        for task in tasks
    ]
    revisions = dict.fromkeys(evidence.revision(record["git"]) for record in records)
    return [
        ("Tasks", words.listing([task.name for task in tasks])),
        ("Backbones", every("backbones")),
        ("Configurations", every("configurations")),
        ("Seeds", every("seeds")),
        ("Runs", words.number(len(records))),
        ("Test samples", words.listing(scored)),
        ("Git revision", words.listing(list(revisions))),
    ]


def _card(task: Task) -> dict[str, Any]:
    metrics, top = task.metrics, words.best(task.headline)
    what = f"best {words.where(metrics)}, {words.confidence(metrics)}"
    if top:
        n = words.count(top["n"], metrics["level"])
        what += f"; mean over {words.count(len(top['seeds']), 'seed')}, {n}"
    return {
        "title": task.title,
        "value": words.number(top["mean"] if top else None),
        "interval": words.interval(top) if top else "",
        "row": f"{top['backbone']} · {top['configuration']}" if top else "no row",
        "what": what,
        "text": " ".join(filter(None, words.headline(metrics, task.headline))),
    }


def _task(task: Task, place: str) -> dict[str, Any]:
    metrics = task.metrics
    strips, note = _reconstructions(task) if place == "report" else ([], "")
    lead = (
        f"{words.where(metrics)} on the {metrics['split']} split; "
        f"{words.confidence(metrics)} of other test sets (this one: "
        f"{words.count(metrics['groups'], 'group')}){_trained(task)}; "
        f"coverage {words.coverage(metrics)}."
    )
    return {
        "title": task.title,
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
        "reliability": calibration.diagrams(task),
        "robustness": robustness.table(task),
        "robustness_lead": robustness.lead(task),
        "robustness_curves": robustness.curves(task),
        "roc": figures.roc(task),
        "roc_lead": headline.roc_lead(task),
        "training": figures.training(task),
        "strips": strips,
        "strips_note": note,
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
    runs = [row["runs"][0] for row in task.headline if row["runs"]]
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
