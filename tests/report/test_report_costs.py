"""Accuracy against cost: the Pareto front against its definition, the table, the CSV, the words."""

import csv
import json
from pathlib import Path

import pytest
from helpers import drawn_results as drawn
from hypothesis import given
from hypothesis import strategies as st

from lssat import report
from lssat.report.kit import results, words
from lssat.report.sections import costs, pareto
from lssat.report.sections.costs import Cost, Priced
from lssat.tables import write_json

CHEAP = Cost("price", "price", "", 1, 0)
FAST = Cost("price", "price", "", 1, 0, more_is_cheaper=True)
ROWS = st.lists(
    st.tuples(st.integers(1, 6), st.one_of(st.none(), st.integers(0, 6)), st.booleans()), max_size=9
)


def made(rows: list[tuple]) -> list[Priced]:
    return [
        Priced({"mean": score, "collapsed": fallen}, {"price": [price]}, ("cpu",))
        for price, score, fallen in rows
    ]


@given(ROWS, st.sampled_from([CHEAP, FAST]))
def test_front_holds_what_nothing_beats_and_no_more(rows: list[tuple], cost: Cost) -> None:
    """Against the definition, written out: no other point is >= in score and <= in price."""
    every = made(rows)
    found = costs.front(every, cost)
    sign = -1 if cost.more_is_cheaper else 1
    points = {
        (sign * price, score) for price, score, fallen in rows if score is not None and not fallen
    }
    wanted = {
        (p, s) for p, s in points
        if not any(q <= p and t >= s and (q, t) != (p, s) for q, t in points)
    }  # fmt: skip
    got = [(sign * (each.mean("price") or 0), each.row["mean"]) for each in found]
    assert set(got) == wanted
    assert got == sorted(got)  # cheapest first, and the score grows with the price
    assert [s for _, s in got] == sorted(s for _, s in got)
    assert not any(each.row["collapsed"] for each in found)


def test_a_row_lacks_a_cost_that_one_of_its_runs_did_not_record() -> None:
    row = {"mean": 0.5, "collapsed": False}
    records = [{"seconds": 2.0, "costs": {"energy_kwh": None}}, {"seconds": 4.0}]
    one = costs._priced(row, records, {})
    assert one.mean("seconds") == 3.0
    assert one.mean("energy_kwh") is None
    assert costs.front([one], costs.COSTS[-1]) == []


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    root = tmp_path_factory.mktemp("costs")
    files = drawn.draw(root, ("ffpp",))
    report.write(drawn.PARAMS, files, drawn.outputs(root))
    return root, files["ffpp"], results.read_task("ffpp", files["ffpp"])


@pytest.mark.slow
def test_csv_holds_the_means_of_the_records(whole) -> None:
    root, files, _ = whole
    with open(drawn.outputs(root)["costs"], newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    for row in rows:
        runs = [
            json.loads((files.runs[run] / "record.json").read_text())
            for run in row["runs"].split(";")
        ]
        assert len(runs) == 2
        energy = [run["costs"]["energy_kwh"] for run in runs]
        assert [float(v) for v in row["energy_kwh_by_seed"].split(";")] == energy
        assert float(row["parameters"]) == runs[0]["parameters"]
        assert float(row["energy_kwh"]) == pytest.approx(runs[0]["costs"]["energy_kwh"])
    assert {row["front_parameters"] for row in rows} == {"True", "False"}


def test_table_says_every_cost_and_where_it_comes_from(whole) -> None:
    task = whole[2]
    table = pareto.section(task).folded[0][1]
    heads = [column.label for column in table.columns]
    assert {len(row) for row in table.rows} == {len(heads)}
    place = heads.index("Training GFLOP")
    assert [row[place].text for row in table.rows][:4] == ["0.120"] * 3 + ["0.072"]
    assert all(row[1].link.startswith("#run-ffpp-") for row in table.rows)
    fallen = [row for row in table.rows if row[-1].flag == "bad"]
    assert [row[heads.index("Fronts")].text for row in fallen] == ["0"]
    assert "MiB" in " ".join(heads)


def test_figure_has_a_plot_a_cost_with_every_row_and_its_interval(whole) -> None:
    task = whole[2]
    (figure,) = pareto.section(task).figures
    assert [plot.title for plot in figure.plots] == [cost.heading for cost in costs.COSTS]
    for plot in figure.plots:
        line, *points = plot.traces
        assert len(points) == len(task.headline)
        assert line.y[-1] == max(row["mean"] for row in task.headline)
        for point, row in zip(points, task.headline, strict=True):
            assert point.y == [row["mean"]]
            assert point.spans == [(row["low"], row["high"])]
            assert point.shape[0].endswith("-open") == row["collapsed"]


def said(task, **comparison) -> str:
    task.metrics["comparisons"] = [comparison] if comparison else []
    return pareto.section(task).said[0]


def test_sentence_claims_a_gain_only_where_a_test_shows_it(whole) -> None:
    task = whole[2]
    for row in task.headline:  # the small model's best, and one of the large that beats it
        row["mean"] = {"vit_micro": 0.7, "vit_mini": 0.6}[row["backbone"]]
    a = next(
        r for r in task.headline if (r["backbone"], r["configuration"][:4]) == ("vit_micro", "none")
    )
    b = next(
        r for r in task.headline if (r["backbone"], r["configuration"][:4]) == ("vit_mini", "none")
    )
    a["mean"], b["mean"] = 0.75, 0.8
    assert "takes 4.00 times what its cheapest takes" in said(task)
    task.metrics["ranks"] = []
    assert "and scores 0.050 more; no test compares these two." in said(task)
    places = {words.pair(a): dict(best=2, worst=4), words.pair(b): dict(best=1, worst=3)}
    rows = [dict(backbone=pair[0], configuration=pair[1], **of) for pair, of in places.items()]
    task.metrics["ranks"] = rows  # two that differ in more than one thing: only ranks test them
    assert "that difference is not shown by their ranks, 1 to 3 and 2 to 4." in said(task)
    rows[1]["worst"] = 2  # the other's may be the same
    assert "is not shown by their ranks, 1 to 2 and 2 to 4." in said(task)
    rows[1]["worst"] = 1
    assert "that difference is shown by their ranks, 1 and 2 to 4." in said(task)
    task.metrics["ranks"] = []
    pair = {"a": a, "b": b}
    assert "difference is shown (p = 0.010" in said(task, **pair, p_holm=0.01)
    assert "difference is not shown (p = 0.500" in said(task, **pair, p_holm=0.5)
    assert "difference is not shown." in said(task, **pair, p_holm=None)
    b["mean"] = 0.7
    assert "holds 1 of 8 rows: vit_micro · none/none/CRGB is both cheapest and best" in said(task)


@pytest.mark.slow
def test_runs_without_costs_leave_the_table_and_say_so(tmp_path: Path) -> None:
    files = drawn.draw(tmp_path, ("affectnet",), ("vit_micro",), ("none-none-CRGB",), (0,))
    path = next(iter(files["affectnet"].runs.values())) / "record.json"
    record = json.loads(path.read_text())
    record["costs"] = {"energy_kwh": None, "energy_note": "not measured"}
    write_json(path, record)
    report.write(drawn.PARAMS, files, drawn.outputs(tmp_path))
    page = drawn.outputs(tmp_path)["report"].read_text()
    assert "Energy: not measured." in page
    assert 'id="pareto-parameters-affectnet"' in page
    assert 'id="pareto-energy_kwh-affectnet"' not in page
