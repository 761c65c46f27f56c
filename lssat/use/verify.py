"""Results beside the expected numbers, each within a measured tolerance.

The expected file holds the metrics of every run with the parameters, versions and revision that
they come from. Counts are exact; metrics have a tolerance, since a training differs in its last
bits between CPUs and a short one lets that grow.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from lssat import params
from lssat.tables import DataError, Metrics, dotted, read_json, read_metrics, write_json
from lssat.tables.environment import environment, revision
from lssat.tables.project import Results

FACTOR = 2.0  # tolerance / largest difference that was seen between computations
_EXACT = ("kind", "metric", "level", "classes", "n", "groups", "coverage")
# The sections that decide the numbers.
_DECIDE = {"benchmark", "sample", "datasets", "faces", "texture", "splits", "train", "variants"}
_DECIDE |= {"evaluate"}
_BAD = ("off", "missing")


class Finding(NamedTuple):
    """One number: where it is, what was expected and what was found."""

    task: str
    run: str  # "": of the task itself
    name: str  # as video/auc
    status: str  # equal | within | off | missing | extra
    expected: Any
    found: Any
    tolerance: float | None = None  # None: must be equal

    @property
    def gap(self) -> float | None:
        """The difference of two numbers."""
        numbers = [v for v in (self.found, self.expected) if isinstance(v, (int, float))]
        return numbers[0] - numbers[1] if len(numbers) == 2 else None


def expected_of(results: Path, yaml: Path) -> dict[str, Any]:
    """Return the results of a folder in the form of an expected file.

    Raises:
        DataError: it holds no metrics, or the parameters cannot be read.
    """
    of_tasks = Results(results).task("**")
    files = Results(results).find(of_tasks.metrics)
    if not files:
        fix = "Run `snakemake --cores 8` first, or name another folder with --results"
        raise DataError(results, "holds no tasks/<task>/metrics.json", fix)
    tasks = {
        str(file.parent.relative_to(of_tasks.root.parent)): read_metrics(file, "runs", *_EXACT)
        for file in files
    }
    return {
        "params": parameters(yaml),
        "environment": environment(),
        "git": revision(),
        "tasks": {name: _task(metrics) for name, metrics in tasks.items()},
    }


def parameters(file: Path) -> dict[str, Any]:
    """Return the parameters that decide numbers, under flat keys."""
    whole = params.section(params.load(file), "report")
    return dotted({key: part for key, part in whole.items() if key in _DECIDE})


def _task(metrics: Metrics) -> dict[str, Any]:
    runs = {run["run"]: run["metrics"] for run in metrics["runs"]}
    facts: Mapping[str, Any] = metrics
    return {name: facts[name] for name in _EXACT} | {"runs": runs}


def compare(wanted: dict[str, Any], actual: dict[str, Any], file: Path) -> list[Finding]:
    """Compare results with an expected file.

    Args:
        wanted: the content of the expected file `file`.
        actual: what `expected_of` returns.

    Raises:
        DataError: the results are of other parameters: another experiment.
    """
    keys = sorted(wanted["params"].keys() | actual["params"].keys())
    other = [key for key in keys if wanted["params"].get(key) != actual["params"].get(key)]
    if other:
        pairs = [
            f"{key} {actual['params'].get(key)}, expected {wanted['params'].get(key)}"
            for key in other[:5]
        ]
        more = f"; and {len(other) - 5} more" if len(other) > 5 else ""
        problem = f"is of other parameters: {'; '.join(pairs)}{more}"
        raise DataError(file, problem, "That is another experiment; name the file of yours")
    tasks = sorted(wanted["tasks"].keys() | actual["tasks"].keys())
    one, two, tolerances = wanted["tasks"], actual["tasks"], wanted["tolerance"]["values"]
    return [
        finding
        for task in tasks
        for finding in _compare_task(task, one.get(task), two.get(task), tolerances.get(task, {}))
    ]


def _compare_task(
    task: str, wanted: dict | None, actual: dict | None, tolerance: dict[str, float]
) -> Iterator[Finding]:
    if wanted is None or actual is None:
        status = "missing" if actual is None else "extra"
        yield Finding(task, "", "results", status, wanted and "there", actual and "there")
        return
    for name in _EXACT:
        status = "equal" if wanted[name] == actual[name] else "off"
        yield Finding(task, "", name, status, wanted[name], actual[name])
    for run in sorted(wanted["runs"].keys() | actual["runs"].keys()):
        one, two = wanted["runs"].get(run), actual["runs"].get(run)
        if one is None or two is None:
            status = "missing" if two is None else "extra"
            yield Finding(task, run, "run", status, one and "there", two and "there")
            continue
        for name in sorted(one.keys() | two.keys()):
            yield _number(task, run, name, one, two, tolerance.get(name))


def _number(
    task: str, run: str, name: str, one: dict, two: dict, tolerance: float | None
) -> Finding:
    if name not in two or name not in one:
        status = "missing" if name not in two else "extra"
        return Finding(task, run, name, status, one.get(name), two.get(name), tolerance)
    a, b = one[name], two[name]
    if a == b:
        status = "equal"
    elif None in (a, b) or tolerance is None or abs(a - b) > tolerance:
        status = "off"
    else:
        status = "within"
    return Finding(task, run, name, status, a, b, tolerance)


def write(out: Path, results: Path, yaml: Path, others: Sequence[Path], reason: str | None) -> str:
    """Write an expected file from results.

    Args:
        others: folders of results of the same parameters, computed in another way (another CPU,
            other threads): tolerances are taken from them. Without them the tolerances of the
            existing file are kept.
        reason: how the others were computed, for the file.

    Returns:
        a sentence for the user.

    Raises:
        DataError: neither others nor an existing file; results of the others lack a run.
    """
    actual = expected_of(results, yaml)
    if others:
        if reason is None:
            raise DataError(out, "would not say why its tolerances are what they are",
                            "Say with --reason how the other results were computed")  # fmt: skip
        recomputed = [expected_of(other, yaml)["tasks"] for other in others]
        actual["tolerance"] = _measured(actual["tasks"], recomputed, reason)
        source = f"measured on {len(others)} more"
    elif out.exists():
        actual["tolerance"] = read_json(out, sealed=False)["tolerance"]
        source = "those of the file before"
    else:
        fix = "Name results that were computed in another way with --with"
        raise DataError(out, "does not exist, so no tolerance is known", fix)
    write_json(out, actual, sealed=False)
    runs = sum(len(task["runs"]) for task in actual["tasks"].values())
    return f"{out}: {runs} runs of {len(actual['tasks'])} tasks; tolerances are {source}"


def _measured(tasks: dict, others: list[dict], reason: str) -> dict[str, Any]:
    values: dict[str, dict[str, float]] = {}
    for task, own in tasks.items():
        names = sorted({name for run in own["runs"].values() for name in run})
        gaps = {
            name: _widest(task, name, own["runs"], [other.get(task) for other in others])
            for name in names
        }
        steps = {name: 1 / own["n"][name.split("/")[0]] for name in names}
        values[task] = {name: max(FACTOR * gaps[name], steps[name]) for name in names}
    return {
        "values": values,
        "reason": f"{FACTOR:g} times the largest difference of any run between {1 + len(others)} "
        f"computations of the same parameters, and never less than one sample, 1 / n. {reason}",
    }


def _widest(task: str, name: str, runs: dict, others: list[dict | None]) -> float:
    gaps = [0.0]
    for other in others:
        for run, metrics in runs.items():
            if other is None or run not in other["runs"]:
                problem = f"the other results lack {run}"
                raise DataError(task, problem, "Compute them with the same parameters")
            a, b = metrics[name], other["runs"][run][name]
            if None not in (a, b):
                gaps.append(abs(a - b))
    return max(gaps)


def failed(findings: list[Finding]) -> bool:
    """Say whether a number is off or missing."""
    return any(finding.status in _BAD for finding in findings)


def show(findings: list[Finding], wanted: dict[str, Any]) -> None:
    """Print a row for each metric of a task, and a line for each unexpected number."""
    console = Console()
    versions = wanted["environment"]
    where = f"torch {versions['torch']}, Python {versions['python']}, {versions['machine']}"
    revision_ = (wanted["git"]["revision"] or "unknown")[:12]
    console.print(f"expected: {where}, revision {revision_}")
    table = Table()
    for name in ("task", "metric"):
        table.add_column(name, no_wrap=True)
    for name in ("equal", "within", "off", "gap", "tolerance"):  # off: or missing
        table.add_column(name, justify="right", no_wrap=True)
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        about = (finding.task, finding.name if finding.run else "counts")
        groups.setdefault(about, []).append(finding)
    for about, rows in groups.items():
        table.add_row(*about, *_summary(rows))
    console.print(table)
    for finding in findings:
        if finding.status not in ("equal", "within"):
            console.print(_line(finding), soft_wrap=True, highlight=False)
    counts = Counter(finding.status for finding in findings)
    verdict = "NOT as expected" if failed(findings) else "as expected"
    console.print(f"{verdict}: {', '.join(f'{n} {status}' for status, n in counts.items())}")


def _summary(rows: list[Finding]) -> list[str]:
    counts = Counter(finding.status for finding in rows)
    gaps = [abs(finding.gap) for finding in rows if finding.run and finding.gap is not None]
    tolerance = rows[0].tolerance
    return [
        *(str(counts[name] or "") for name in ("equal", "within")),
        str(sum(counts[name] for name in _BAD) or ""),
        f"{max(gaps):.4f}" if gaps else "",
        "exact" if tolerance is None else f"{tolerance:.4f}",
    ]


def _line(finding: Finding) -> str:
    where = " ".join(filter(None, (finding.run or finding.task, finding.name)))
    if finding.status == "missing":
        return f"missing: {where} (expected {finding.expected})"
    if finding.status == "extra":
        return f"not in the expected file: {where}"
    within = "" if finding.tolerance is None else f", tolerance {finding.tolerance:.4f}"
    return f"off: {where} is {finding.found}, expected {finding.expected}{within}"


def document(findings: list[Finding], wanted: dict[str, Any]) -> dict[str, Any]:
    """Return everything as one JSON document."""
    rows = [finding._asdict() | {"gap": finding.gap} for finding in findings]
    about = {name: wanted[name] for name in ("environment", "git", "tolerance")}
    return {"as_expected": not failed(findings), "findings": rows, "expected": about}
