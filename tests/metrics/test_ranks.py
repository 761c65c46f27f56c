"""Friedman's and Nemenyi's tests: against Demsar's own example, scikit-posthocs and enumeration."""

import itertools
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import drawn_results as drawn
from scipy import stats

from lssat import report
from lssat.metrics import statistics
from lssat.report.kit import results
from lssat.report.sections import ranks
from lssat.tables import write_json

# Demsar 2006, table 6: ranks of C4.5, C4.5+m, C4.5+cf and C4.5+m+cf on 14 data sets.
DEMSAR = np.array(
    [[4, 3, 2, 1], [1, 2, 3, 4], [4, 1, 2, 3], [4, 1, 3, 2], [4, 2, 3, 1], [1, 2.5, 4, 2.5],
     [3, 2, 4, 1], [2.5, 2.5, 4, 1], [4, 3, 2, 1], [2.5, 2.5, 2.5, 2.5], [4, 2.5, 1, 2.5],
     [3, 2, 4, 1], [4, 1, 2, 3], [3, 1, 4, 2]]
)  # fmt: skip
# His table 5 (a): critical values for the two-tailed Nemenyi test at 0.05, of k = 2 to 10.
CRITICAL = (1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164)


def test_demsars_example() -> None:
    found = statistics.friedman(-DEMSAR)
    assert found.mean_ranks == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    assert found.cd == pytest.approx(1.25, abs=5e-3)
    n, k = DEMSAR.shape
    untied = 12 * n / (k * (k + 1)) * (found.mean_ranks @ found.mean_ranks - k * (k + 1) ** 2 / 4)
    assert untied == pytest.approx(9.28, abs=0.01)  # his number, before a correction for ties
    sizes = [np.unique(row, return_counts=True)[1] for row in DEMSAR]
    ties = sum(float((each**3 - each).sum()) for each in sizes)
    assert found.statistic == pytest.approx(untied / (1 - ties / (n * k * (k**2 - 1))))
    assert found.p == pytest.approx(stats.chi2.sf(found.statistic, k - 1))
    assert found.groups == [[3, 1, 2, 0]]  # "the post-hoc test is not powerful enough"


def test_critical_differences_are_the_tabulated_ones() -> None:
    rng = np.random.default_rng(0)
    for k, critical in enumerate(CRITICAL[1:], start=3):
        found = statistics.friedman(rng.normal(size=(10, k)))
        assert found.cd == pytest.approx(critical * np.sqrt(k * (k + 1) / 60), rel=3e-4)


def test_pairs_are_those_of_scikit_posthocs() -> None:
    import scikit_posthocs

    values = np.random.default_rng(1).normal(size=(9, 5)) + np.arange(5) / 2
    found = statistics.friedman(values)
    expected = scikit_posthocs.posthoc_nemenyi_friedman(values).to_numpy()
    assert found.p_pairs == pytest.approx(expected, abs=1e-6)
    apart = np.abs(found.mean_ranks[:, None] - found.mean_ranks[None, :])
    assert np.array_equal(found.p_pairs < 0.05, apart > found.cd)
    assert found.statistic == pytest.approx(stats.friedmanchisquare(*values.T)[0])


def test_groups_are_all_sets_that_a_critical_difference_spans() -> None:
    values = np.random.default_rng(2).normal(size=(12, 6)) + 1.2 * np.arange(6)
    found = statistics.friedman(values)
    spans = [
        set(each)
        for size in range(2, 7)
        for each in itertools.combinations(range(6), size)
        if np.ptp(found.mean_ranks[list(each)]) < found.cd
    ]
    largest = [s for s in spans if not any(s < other for other in spans)]
    assert sorted(map(sorted, found.groups)) == sorted(map(sorted, largest))
    assert len(found.groups) > 1


def test_permutations_are_as_many_as_an_enumeration_counts() -> None:
    ranks_of = np.array([[1, 2, 3, 4], [1, 2, 4, 3], [2, 1, 3, 4]])
    found = statistics.friedman(-ranks_of)
    orders = [np.array(each) for each in itertools.permutations(range(1, 5))]
    observed = (ranks_of.sum(axis=0) ** 2).sum()
    as_far = [
        ((a + b + c) ** 2).sum() >= observed for a, b, c in itertools.product(orders, repeat=3)
    ]
    assert found.p_permuted == pytest.approx(np.mean(as_far), abs=1e-12)
    # No p-value is below what the number of permutations allows.
    assert statistics.friedman(np.array([[3, 2, 1]] * 3)).p_permuted == pytest.approx(6 / 216)
    many = np.array([[1, 2, 3, 4], [1, 2, 4, 3], [2, 1, 3, 4], [2, 1, 3, 4]])
    drawn = statistics.friedman(-many)  # 24 ** 3 are more than are enumerated
    apart = sum(
        ((many[0] + a + b + c) ** 2).sum() >= (many.sum(axis=0) ** 2).sum()
        for a, b, c in itertools.product(orders, repeat=3)
    )
    assert drawn.p_permuted == pytest.approx(apart / 24**3, abs=0.003)


@pytest.mark.slow
def test_p_values_of_ranks_are_uniform_where_nothing_differs() -> None:
    rng = np.random.default_rng(3)
    found = [statistics.friedman(rng.normal(size=(12, 4))) for _ in range(300)]
    assert 0.02 < np.mean([each.p_permuted < 0.05 for each in found]) < 0.085
    assert stats.kstest([each.p for each in found], "uniform").pvalue > 0.01
    few = [statistics.friedman(rng.normal(size=(3, 4))).p_permuted for _ in range(300)]
    assert 0.01 < np.mean(np.array(few) < 0.05) < 0.085


def test_case_36_no_test_of_two_treatments_of_one_block_or_of_ties_alone() -> None:
    for values, note in (
        ([[1, 2], [3, 4]], "needs 3 to compare, there are 2"),
        ([[1, 2, 3]], "needs 2 blocks, there is 1"),
        ([[1, 1, 1], [2, 2, 2]], "all are tied in every block"),
    ):
        found = statistics.friedman(np.array(values))
        assert note in found.note
        assert np.isnan([found.statistic, found.p, found.p_permuted, found.cd]).all()
        assert found.groups == []
        assert np.isfinite(found.mean_ranks).all()
    assert statistics.friedman(np.empty((0, 3))).note == "no test: there is no block"


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> list[results.Task]:
    files = drawn.draw(tmp_path_factory.mktemp("ranks"), backbones=("b_a", "b_b", "b_c"))
    return [results.read_task(name, each) for name, each in files.items()]


def _of(found: list[dict], compared: str) -> dict:
    (family,) = [each for each in found if each["compared"] == compared]
    return family


@pytest.mark.slow
def test_fault_c2_blocks_are_tasks_with_the_mean_over_the_other_factor(
    tasks: list[results.Task],
) -> None:
    found = ranks.families(tasks)
    json.dumps(found, allow_nan=False)
    assert [(each["compared"], each["blocks"]) for each in found] == [
        ("backbone", "task"), ("configuration", "task")
    ]  # fmt: skip
    means = [
        [next(r["mean"] for r in task.headline
              if (r["backbone"], r["configuration"]) == (name, configuration))
         for name in ("b_a", "b_b", "b_c")]
        for task in tasks for configuration in task.configurations
    ]  # fmt: skip
    cube = np.array(means).reshape(3, 4, 3)
    for family, averaged in zip(found, (cube.mean(axis=1), cube.mean(axis=2)), strict=True):
        assert (family["n_blocks"], family["block_names"]) == (3, list(drawn.TASKS))
        expected = stats.rankdata(-averaged, axis=1).mean(axis=0)
        assert family["mean_ranks"] == pytest.approx(expected)
        assert family["p"] == pytest.approx(stats.friedmanchisquare(*averaged.T)[1])
    assert found[0]["treatments"] == ["b_a", "b_b", "b_c"]
    assert found[1]["treatments"] == tasks[0].configurations


def _drawn_grid(rng: np.random.Generator, favourite: float) -> list[SimpleNamespace]:
    """Draw three tasks, each with its own favourite of three backbones in five configurations."""
    names, configurations = ("x", "y", "z"), [f"c{n}" for n in range(5)]
    tasks = []
    for name in ("one", "two", "three"):
        means = favourite * rng.normal(size=(3, 1)) + rng.normal(size=(3, 5))
        rows = [
            dict(backbone=b, configuration=c, mean=means[i, j], metric="auc", level="image",
                 collapsed=False)
            for i, b in enumerate(names) for j, c in enumerate(configurations)
        ]  # fmt: skip
        facts = dict(metrics={"table": rows}, backbones=names, configurations=configurations)
        tasks.append(SimpleNamespace(name=name, headline=rows, trained=rows, **facts))
    return tasks


@pytest.mark.slow
def test_fault_c2_favourites_of_single_tasks_are_no_difference_in_general(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No backbone is better in general: at most 5 % of 1,000 grids may say so, of any favour."""
    known: dict[tuple, statistics.Ranked] = {}

    def remembered(values: np.ndarray) -> statistics.Ranked:
        key = tuple(sorted(map(tuple, stats.rankdata(-values, axis=1))))  # it sees nothing else
        if key not in known:
            known[key] = statistics.friedman(values)
        return known[key]

    monkeypatch.setattr(ranks, "statistics", SimpleNamespace(friedman=remembered))
    rng = np.random.default_rng(5)
    for favourite in (1.0, 2.0):
        said = 0
        for _ in range(1000):
            found = ranks._family(ranks._core(_drawn_grid(rng, favourite)), "backbone")
            said += "are not all alike" in ranks.said(found)
        assert said <= 50


def test_no_two_differ_where_none_is_shown_to(tasks: list[results.Task]) -> None:
    """Neither the table, a figure of the page, a page of figures.pdf nor ranks.json says so."""
    family = _of(ranks.families(tasks), "backbone")
    assert family["p_permuted"] > 0.05
    assert not ranks.shown(family)
    assert sorted(family["groups"][0]) == family["treatments"]
    (section,) = ranks.section([family])
    assert section["figure"] is None
    near = [row[2].text for row in section["table"].rows]
    assert all(len(text.split(" and ")) == 2 for text in near)
    assert section["said"].startswith("Backbones are not shown to differ in general, over 3 tasks:")


def test_what_is_shown_to_differ_has_its_figure_and_its_groups() -> None:
    rng = np.random.default_rng(0)
    every = []
    for n in range(9):
        rows = [
            dict(backbone=b, configuration="c", mean=i + rng.normal(0, 0.01), metric="auc",
                 level="image", collapsed=False)
            for i, b in enumerate("xyz")
        ]  # fmt: skip
        facts = dict(metrics={"table": rows}, backbones=["x", "y", "z"], configurations=["c"])
        every.append(SimpleNamespace(name=f"t{n}", headline=rows, trained=rows, **facts))
    (section, _) = ranks.section(ranks.families(every))
    assert section["said"].startswith(
        "Backbones are not all alike over 9 tasks: Friedman’s test, p"
    )
    assert [row[0].text for row in section["table"].rows] == ["z", "y", "x"]
    assert re.search(
        r"p . 0\.\d+ by permutation \(by the chi-square approximation p", section["said"]
    )
    (plot,) = section["figure"].plots
    assert plot.x.ticks == [(1.0, "1"), (2.0, "2"), (3.0, "3")]  # there is no rank of 0
    trace = plot.traces[0]
    cd = ranks.families(every)[0]["cd"]
    assert trace.spans[0][1] - trace.spans[0][0] == pytest.approx(cd)
    assert section["said"] in section["figure"].summary
    assert 1 < cd < 2  # so neighbours are not shown to differ, and x and z are
    assert [row[2].text for row in section["table"].rows] == ["y", "x and z", "y"]


def test_a_baseline_and_an_undefined_number_leave_complete_blocks(
    tasks: list[results.Task],
) -> None:
    rows = [row for task in tasks for row in task.metrics["table"]]
    extra = next(row for row in tasks[0].headline if row["configuration"] == "none/none/CRGB")
    tasks[0].metrics["table"].append({**extra, "backbone": "resnet18"})
    gone = tasks[1].headline[0]
    kept, gone["mean"] = gone["mean"], None
    try:
        family = _of(ranks.families(tasks), "backbone")
    finally:
        tasks[0].metrics["table"].pop()
        gone["mean"] = kept
    assert [row for task in tasks for row in task.metrics["table"]] == rows
    assert family["treatments"] == ["b_a", "b_b", "b_c"]
    assert family["n_blocks"] == 2
    assert family["note"] == "without celeba: undefined; not in every task: resnet18"


def test_backbones_on_clips_are_not_ranked_with_those_on_frames(tasks: list[results.Task]) -> None:
    table = tasks[0].metrics["table"]
    clips = [row for row in table if row["backbone"] == "b_c" and row["level"] == "frame"]
    for row in clips:
        row["level"] = "clip"
    try:
        family = ranks.families(tasks)[0]
    finally:
        for row in clips:
            row["level"] = "frame"
    assert family["treatments"] == ["b_a", "b_b"]
    assert family["note"] == (
        "no test: Friedman's needs 3 to compare, there are 2; not in every task: b_c"
    )


def test_the_page_says_what_was_tested_and_counts_collapsed_rows(tasks: list[results.Task]) -> None:
    found = ranks.families(tasks)
    sections = ranks.section(found)
    assert "over 3 tasks: Friedman’s test, p = " in sections[0]["said"]
    table = sections[0]["table"]
    assert [row[1].sort for row in table.rows] == sorted(found[0]["mean_ranks"])
    assert ranks.answer(found).startswith("Mean ranks over 3 tasks: ")
    # case 38: the drawn results collapse a row of vit_micro alone; here one is made to
    tasks[0].headline[0]["collapsed"] = True
    family = ranks.families(tasks)[0]
    tasks[0].headline[0]["collapsed"] = False
    assert family["collapsed"] == [1, 0, 0]
    flags = [row[-1] for row in ranks.section([family])[0]["table"].rows if row[-1].flag]
    assert [(cell.text, cell.flag) for cell in flags] == [("1 of 12 rows collapsed", "bad")]


@pytest.mark.slow
def test_case_38_is_said_where_ranks_stand(tmp_path: Path) -> None:
    files = drawn.draw(tmp_path)  # vit_micro's MLDP/RRGB/CRGB collapsed in each task
    outputs = drawn.outputs(tmp_path)
    report.write(drawn.PARAMS, files, outputs)
    page = outputs["report"].read_text(encoding="utf-8")
    assert "▲ 3 of 12 rows collapsed" in page
    assert "Mean ranks over 3 tasks: vit_mini" in page
    assert "there is no test of whether they differ in general." in page
    assert "no test: Friedman&#39;s needs 3 to compare, there are 2" in page
    assert len(json.loads(outputs["ranks"].read_text())) == 2


def test_no_finite_number_leaves_no_ranks_and_a_page(tmp_path: Path) -> None:
    files = drawn.draw(tmp_path, ("affectnet",), ("vit_micro",))
    found = json.loads(files["affectnet"].metrics.read_text())
    for row in found["table"]:
        row |= {"mean": None, "low": None, "high": None, "note": "undefined"}
    write_json(files["affectnet"].metrics, found)
    task = results.read_task("affectnet", files["affectnet"])
    families = ranks.families([task])
    assert {each["p"] for each in families} == {None}
    assert "no task" in ranks.answer(families)
    ranks.section(families)
