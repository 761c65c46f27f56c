"""Slices: each attribute's groups beside each other, the worst of them, and the gap."""

from typing import Any

from lssat.report.kit import traces, words
from lssat.report.kit.cells import ROW, Cell, Column, Table, flag_of, measured, num, shown
from lssat.report.kit.columns import p_value
from lssat.report.kit.figures import Figure, Key, Plot
from lssat.report.kit.results import Task
from lssat.report.kit.section import Section, by_task
from lssat.report.kit.svg import SHAPES, Axis, Trace
from lssat.tables.analysis_tables import (
    AnnotationList,
    Disparity,
    GroupScore,
    GroupSize,
    SliceRow,
    Slices,
)

LEAD = (
    "The same predictions by groups of the test samples. The gap is the largest minus the "
    "smallest group’s mean over seeds; beside it stands the gap that equal groups of these sizes "
    "would show half of the time. The test asks whether any two groups differ, whichever came out "
    "highest and lowest: its critical value is that of the largest of all differences, and Holm’s "
    "correction runs over the rows of the table. " + words.ALONE
)
FEW = {"samples": 100, "clusters": 30}  # below either, the page says what a gap does not mean


def section(task: Task) -> dict[str, Any] | None:
    """Describe a task's slices, if it has any: a part for each attribute."""
    parts = [
        _part(task, sliced, attribute)
        for sliced in task.slices
        for attribute in _attributes(sliced)
    ]
    return {"title": task.title, "parts": parts} if parts else None


def _attributes(sliced: Slices) -> list[str]:
    return list(dict.fromkeys(entry["attribute"] for entry in sliced["slices"]))


def _part(task: Task, sliced: Slices, attribute: str) -> dict[str, Any]:
    rows = [row for row in sliced["rows"] if row["attribute"] == attribute]
    heads = [row for row in rows if row["metric"] == sliced["metric"]]
    others = [row for row in rows if row["metric"] != sliced["metric"]]
    groups = _groups(sliced, attribute)
    id = f"{task.name}-{sliced['source']}-{_attributes(sliced).index(attribute)}"
    return {
        "title": attribute,
        "lead": _source(sliced, groups),
        "text": " ".join([_best(task, heads), _shown(heads)]),
        "caveat": _few(groups),
        "table": _table(f"slices-{id}", task, sliced, attribute, heads),
        "more": _more(f"slices-more-{id}", task, sliced, attribute, others),
        "figure": _figure(f"slices-plot-{id}", task, attribute, heads, _span(_heads(task))),
    }


def _groups(sliced: Slices, attribute: str) -> list[GroupSize]:
    """Return the groups of an attribute; runs on frames and on clips may see other samples."""
    every = [
        group
        for entry in sliced["slices"]
        if entry["attribute"] == attribute
        for group in entry["groups"]
    ]
    return list({group["group"]: group for group in reversed(every)}.values())[::-1]


def _source(sliced: Slices, groups: list[GroupSize]) -> str:
    sizes = [
        f"{group['group']} {words.count(group['n'], 'sample')} in "
        f"{words.count(group['clusters'], 'cluster')}"
        + (f", {group['positives']:,} fake" if group["positives"] is not None else "")
        for group in groups
    ]
    text = "The task’s own labels" if sliced["source"] == "attributes" else _listed(sliced["list"])
    return f"{text}: {'; '.join(sizes)}."


def _listed(source: AnnotationList) -> str:
    parts = [words.count(source["entries"], "entry", "entries") + f" by {source['key']}"]
    parts += [f"{source['repeated']:,} repeated"] if source["repeated"] else []
    parts += [f"{source['unknown']:,} of no sample of this data set"] if source["unknown"] else []
    return f"{source['file']} ({', '.join(parts)})"


def _best(task: Task, heads: list[SliceRow]) -> str:
    """Say what the row with the best mean of the whole task does to its worst group."""
    top = words.best(task.headline)
    row = next((row for row in heads if top and words.pair(row) == words.pair(top)), None)
    if top is None or row is None:
        return "No row has a mean."
    first = f"The row that is best on test, {words.name(row)}"
    if row["gap"] is None:
        return f"{first}, has no gap: {row['note']}."
    worst = next(entry for entry in row["groups"] if entry["group"] == row["worst"])
    gap = f"{words.spanned(row['gap'], row)} below {row['best']}{_beside(row)}"
    worst_at = f"worst group {row['worst']} at {words.number(worst['mean'])}"
    return f"{first}: {worst_at}, {gap}. {_verdict(row)}"


def _beside(row: SliceRow) -> str:
    if row["expected"] is None:
        return ""
    return f" (equal groups: {words.number(row['expected'])})"


def _verdict(row: SliceRow) -> str:
    if row["p_holm"] is None:
        return "Whether groups differ is not tested."
    evidence = f"{words.p_is(row['p_holm'])} after Holm’s correction"
    if not words.differs(row):
        return f"That groups differ is not shown ({evidence})."
    about = " by this trained model" if len(row["seeds"]) == 1 else ""
    return f"Groups are served differently{about} ({evidence})."


def _shown(heads: list[SliceRow]) -> str:
    held = [row for row in heads if row["p_holm"] is not None]
    differing = sum(map(words.differs, held))
    return f"Groups are shown to differ in {differing} of {words.count(len(held), 'row')}."


def _few(groups: list[GroupSize]) -> str:
    """Say what a gap does not mean where a group has few samples or clusters."""
    few = [
        f"{group['group']} ({group['n']:,} in {group['clusters']:,})"
        for group in groups
        if group["compared"]
        and (group["n"] < FEW["samples"] or group["clusters"] < FEW["clusters"])
    ]
    if not few:
        return ""
    return (
        f"Few samples or clusters: {words.listing(few)}. With so few, a gap says as much about who "
        "happens to be in the test set as about whom the model serves; a wide interval that holds "
        "0 is no sign of fairness."
    )


def _table(id: str, task: Task, sliced: Slices, attribute: str, heads: list[SliceRow]) -> Table:
    """Make the table of the headline metric: a row per backbone x configuration."""
    groups = _groups(sliced, attribute)
    fair = {
        (words.pair(row), row["metric"]): row
        for row in sliced["disparities"]
        if row["attribute"] == attribute
    }

    def disparity(metric: str) -> Column:
        return Column(*_FAIR[metric], value=lambda row: _cell(fair.get((words.pair(row), metric))))

    columns = [
        *ROW,
        *_columns(groups, sliced),
        *map(disparity, dict.fromkeys(metric for _, metric in fair)),
        Column("Differ", value=_differ),
        flag_of(task),
    ]
    sizes = [num(group["n"], small=_in(group["clusters"])) for group in groups]
    foot = [Cell("n"), Cell(""), *sizes, *[Cell("")] * (len(columns) - 2 - len(sizes))]
    caption = f"{task.title}: {words.measure(task.metrics)} by {attribute}"
    return Table.of(id, caption, columns, heads, foot=foot, notes=_notes(heads))


_FAIR = {
    "demographic_parity_difference": (
        *("Parity difference", "num"),
        "demographic parity: largest gap in the share called fake, of means over seeds",
    ),
    "equalized_odds_difference": (
        *("Odds difference", "num"),
        "equalized odds: largest gap in true or false positive rate, of means over seeds",
    ),
}


def _columns(groups: list[GroupSize], sliced: Slices) -> list[Column]:
    span = words.confidence(sliced)

    def of_group(name: str) -> Column:
        def cell(row: SliceRow) -> Cell:
            return _cell(next((entry for entry in row["groups"] if entry["group"] == name), None))

        return Column(name, "num", f"mean over seeds; below, its {span}", cell)

    return [
        *[of_group(group["group"]) for group in groups],
        Column("Worst group", value=lambda row: row["worst"] or words.DASH),
        Column("Gap", "num", f"largest minus smallest; below, its {span}", _gap),
        Column("Equal groups", "num", "the gap that equal groups would show half of the time",
               "expected"),
        Column("p", "num", "of the largest gap between groups, with Holm’s correction",
               p_value),
    ]  # fmt: skip


def _gap(row: SliceRow) -> Cell:
    return num(row["gap"], small=words.interval(row) if row["gap"] is not None else "")


def _cell(entry: GroupScore | Disparity | None) -> Cell:
    return measured(entry) if entry and entry["mean"] is not None else num(None)


def _in(clusters: int) -> str:
    return f"in {words.count(clusters, 'cluster')}"


def _differ(row: SliceRow) -> Cell:
    if row["p_holm"] is None:
        return Cell(words.DASH)
    return shown(words.differs(row), "bad")


def _notes(rows: list[SliceRow]) -> list[str]:
    """Say each note of a row or group once; and what a multi-label mean is over."""
    notes = [
        f"{entry['group']}: {entry['note']}" for r in rows for entry in r["groups"] if entry["note"]
    ]
    notes += [row["note"] for row in rows if row["note"]]
    over = {row["over"] for row in rows if "over" in row and row["metric"] != "accuracy"}
    notes += [f"Mean over the {n} attributes that vary in every group." for n in over]
    return list(dict.fromkeys(notes))


def _more(id: str, task: Task, sliced: Slices, attribute: str, rows: list[SliceRow]) -> Table:
    """Make the table of the other metrics: a row per metric, backbone and configuration."""
    columns = [
        Column("Metric", "key", value=lambda row: words.metric(row["metric"])),
        *ROW,
        *_columns(_groups(sliced, attribute), sliced),
        flag_of(task),
    ]
    caption = f"{task.title}: other metrics by {attribute}"
    return Table.of(id, caption, columns, rows, notes=_notes(rows))


def _span(heads: list[SliceRow]) -> tuple[float, float] | None:
    """Return the ends of an axis that holds all of some rows; None where all is undefined."""
    ends = [e[k] for row in heads for e in row["groups"] for k in ("low", "high", "mean")]
    known = [value for value in ends if value is not None]
    return (min(known) - 0.02, max(known) + 0.02) if known else None


def _heads(task: Task) -> list[SliceRow]:
    """Return the rows of the headline metric, of every attribute."""
    return [row for sliced in task.slices for row in sliced["rows"]
            if row["metric"] == sliced["metric"]]  # fmt: skip


def _sized(heads: list[SliceRow]) -> str:
    """Say how many samples, in how many clusters, each group has."""
    sizes = {e["group"]: (e["n"], e["clusters"]) for row in heads for e in row["groups"]}
    return "; ".join(f"{name}: n = {n:,} {_in(groups)}" for name, (n, groups) in sizes.items())


def _figure(
    id: str, task: Task, attribute: str, heads: list[SliceRow], span: tuple[float, float] | None
) -> Figure:
    """Draw a dot with its interval for each group, a line of the plot for each configuration."""
    groups = list(dict.fromkeys(entry["group"] for row in heads for entry in row["groups"]))
    low, high = span or (None, None)
    plots = []
    for backbone in dict.fromkeys(row["backbone"] for row in heads) if _span(heads) else []:
        rows = [row for row in heads if row["backbone"] == backbone][::-1]
        names = [(float(place), row["configuration"]) for place, row in enumerate(rows)]
        y = Axis("", -0.6, len(rows) - 0.4, ticks=names, grid=False)
        x = Axis(words.measure(task.metrics), low, high)
        drawn = [_dots(rows, group, place, len(groups)) for place, group in enumerate(groups)]
        tall = 70 + len(rows) * max(26, 11 * len(groups))
        plots.append(Plot(f"{id}-{backbone}", backbone, drawn, x, y, 420, tall))
    keys = [Key(name, place, shape=SHAPES[place % 9]) for place, name in enumerate(groups)]
    caption = (
        f"Means over seeds, each with its {words.confidence(task.metrics)}; {_sized(heads)}. "
        "All figures of the task have one scale."
    )
    title = words.capital(f"{words.measure(task.metrics)} by {attribute}")
    return Figure(title, _summary(heads), keys, plots, caption=caption)


def _dots(rows: list[SliceRow], group: str, number: int, of: int) -> Trace:
    shift = 0.5 * ((of - 1) / 2 - number) / of  # groups of a row stand above each other
    drawn = [
        (place + shift, entry)
        for place, row in enumerate(rows)
        for entry in row["groups"]
        if entry["group"] == group and entry["mean"] is not None
    ]
    return traces.means(
        [entry for _, entry in drawn],
        [place for place, _ in drawn],
        number,
        group,
        along="x",
        shape=SHAPES[number % 9],
        size=8,
        hints=[f"{group}: {traces.hint(entry)}" for _, entry in drawn],
    )


def _summary(heads: list[SliceRow]) -> str:
    parts = [
        f"{words.name(row)}: "
        + ", ".join(f"{entry['group']} {words.number(entry['mean'])}" for entry in row["groups"])
        for row in heads
    ]
    return f"Mean over seeds by group, {'; '.join(parts)}."


SECTION = Section(
    "slices", "Slices", content=by_task(section), lead=LEAD, ask="slices of params.yaml"
)
