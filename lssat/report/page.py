"""The page: its sections in their order, the first screen, and the filled template."""

from pathlib import Path
from typing import Any

from lssat.report.kit import html, words
from lssat.report.kit.results import Cross, Task
from lssat.report.kit.section import Page, Section
from lssat.report.sections import (
    answers,
    auxiliary,
    calibration,
    comparisons,
    crops,
    cross,
    curves,
    evidence,
    explained,
    forest,
    heading,
    pareto,
    per_class,
    power,
    protocols,
    published,
    reconstruction,
    results,
    robustness,
    sensitivity,
    slices,
    sweep,
    variants,
)
from lssat.tables.metric_tables import RankFamily

# In the order of the page, by the parts of its table of contents; docs/add-a-report-section.md
# says how to add one.
PARTS = {
    "Evidence": (
        results.SECTION,
        per_class.SECTION,
        comparisons.SECTION,
        published.SECTION,
        pareto.SECTION,
        sweep.SECTION,
        variants.SECTION,
        cross.SECTION,
        protocols.SECTION,
    ),
    "Diagnosis": (
        slices.SECTION,
        robustness.SECTION,
        sensitivity.SECTION,
        curves.ROC,
        calibration.SECTION,
        curves.TRAINING,
        reconstruction.SECTION,
        explained.SECTION,
        explained.EMBEDDINGS,
    ),
    "Provenance": (
        crops.SECTION,
        evidence.DATA,
        evidence.REJECTS,
        evidence.REPRODUCE,
    ),
}


def render(
    params: dict[str, Any],
    tasks: list[Task],
    across: list[Cross],
    families: list[RankFamily],
    rejects: list[dict],
    outputs: str,
) -> str:
    """Return the page as one HTML document that asks the network for nothing.

    Its security policy lets the browser run its two scripts, by their hashes, and no other;
    and load nothing from anywhere.
    """
    page = Page(params, tasks, across, families, rejects)
    titles = {task.name: task.title for task in tasks}
    sections = [section for members in PARTS.values() for section in members]
    filled = {section.anchor: section.content(page) for section in sections}
    parts = {
        part: [section for section in members if filled[section.anchor]]
        for part, members in PARTS.items()
    }
    return html.render(
        Path(__file__).with_name("page.html.j2"),
        title=heading.title(params, titles),
        note=heading.note(params, titles),
        page=page,
        parts=parts,
        filled=filled,
        absent=_absent([section for section in sections if not filled[section.anchor]]),
        ran=_ran(tasks),
        forests=forest.forests(tasks),
        brief=[auxiliary.brief(tasks), *answers.brief(tasks)],
        answers=answers.answers(tasks, families),
        could=[task for task in tasks if power.sentence(task.metrics)],
        caveat=words.CAVEAT,
        outputs=outputs,
    )


_NAMES = (
    "In names of rows M is what the masked branch is fed, R what it reconstructs, and C what is "
    "classified; none/none has no such branch."
)


def _absent(sections: list[Section]) -> str:
    """Name the sections that are left out, and what fills them."""
    return words.listing([f"{s.name} ({s.ask})" if s.ask else s.name for s in sections])


def _ran(tasks: list[Task]) -> str:
    """Say in a line what was run, and on how much data."""
    records = [record for task in tasks for record in task.records.values()]
    backbones = {name for task in tasks for name in task.backbones}
    configurations = {name for task in tasks for name in task.configurations}
    seeds = {seed for task in tasks for seed in task.seeds}
    grid = [
        words.count(len(tasks), "task"),
        words.count(len(backbones), "backbone"),
        words.count(len(configurations), "configuration"),
        words.count(len(seeds), "seed"),
    ]
    scored = [
        f"{words.count(task.metrics['n'][task.metrics['level']], task.metrics['level'])} in "
        f"{words.count(task.metrics['groups'], 'group')} ({task.name})"
        for task in tasks
    ]
    variants = sum(len(row["runs"]) for task in tasks for row in task.beside)
    modified = f", and {variants} with a modified recipe" if variants else ""
    external = sum(len(row["runs"]) for task in tasks for row in task.external)
    others = f"; beside them scores of {words.count(external, 'external run')}" if external else ""
    revisions = list(dict.fromkeys(evidence.revision(record["git"]) for record in records))
    return (
        f"{words.count(len(records), 'run')}: {words.listing(grid)}{modified}, tested on "
        f"{words.listing(scored)}{others}; {'revisions' if len(revisions) > 1 else 'revision'} "
        f"{'; '.join(revisions)}. {_NAMES}"
    )
