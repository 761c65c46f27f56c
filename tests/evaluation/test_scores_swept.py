"""The list `sweep` of metrics.json: its shape, its reference, and what it keeps out of."""

import pytest
from helpers.scored import signal_rows, summarise

from lssat.evaluation import scores
from lssat.metrics import statistics

GRID = ["MRGB-RLDP-CRGB", "MRGB-RRGB-CRGB"]
SIGNALS = {
    "MRGB-RLDP-CRGB-lambdalearned": 0.4,
    "MRGB-RLDP-CRGB-lambda0.9": 0.3,
    "MRGB-RLDP-CRGB": 0.4,
    "MRGB-RLDP-CRGB-lambda0.1": 4.0,
    "MRGB-RRGB-CRGB": 0.4,
}
DESIGN = scores.Design(GRID, 0.5)


@pytest.fixture(scope="module")
def found() -> dict:
    return summarise(signal_rows(SIGNALS), design=DESIGN)


def test_rows_rise_with_lambda_and_learned_comes_last(found: dict) -> None:
    rows = found["sweep"]
    assert [row["lambda"] for row in rows] == [0.1, 0.5, 0.9, "learned"]
    assert {row["configuration"] for row in rows} == {"MRGB/RLDP/CRGB"}
    assert [row["reference"] for row in rows] == [False, True, False, False]
    assert all(row["seeds"] == [0, 1] for row in rows)
    headline = {
        row["configuration"]: row
        for row in found["table"]
        if (row["level"], row["metric"]) == (found["level"], found["metric"])
    }
    for name, row in zip(("/lambda0.1", "", "/lambda0.9", "/lambdalearned"), rows, strict=True):
        of = headline["MRGB/RLDP/CRGB" + name]
        assert {key: of[key] for key in of.keys() & row.keys() - {"configuration"}} == {
            key: row[key] for key in of.keys() & row.keys() - {"configuration"}
        }


def test_each_is_held_against_the_recipes_lambda(found: dict) -> None:
    low, reference, high, learned = found["sweep"]
    assert reference["difference"] is None
    paired = low["difference"]
    assert paired["difference"] == pytest.approx(low["mean"] - reference["mean"])
    assert paired["low"] > 0
    assert paired["p"] < 0.05  # of two seeds: corrected for three pairs it is just above
    assert high["difference"]["low"] < 0 < high["difference"]["high"]
    ps = [row["difference"]["p"] for row in (low, high, learned)]
    corrected = [row["difference"]["p_holm"] for row in (low, high, learned)]
    assert corrected == pytest.approx(list(statistics.holm(ps)))


def test_swept_rows_stay_out_of_comparisons_and_ranks(found: dict) -> None:
    plain = summarise(signal_rows({key: SIGNALS[key] for key in GRID}), design=DESIGN)
    assert len(found["comparisons"]) == 1
    assert {row["configuration"] for row in found["ranks"]} == {
        "MRGB/RLDP/CRGB", "MRGB/RRGB/CRGB",
    }  # fmt: skip
    assert [row["compared"] for row in plain["comparisons"]] == ["configuration"]
    swept = {row["configuration"] for row in found["table"] if row["swept"]}
    assert swept == {f"MRGB/RLDP/CRGB/lambda{each}" for each in (0.1, 0.9, "learned")}
    assert plain["sweep"] == []


def test_a_lambda_that_the_grid_itself_names_is_one_of_its_configurations() -> None:
    signals = {"MRGB-RLDP-CRGB": 0.4, "MRGB-RLDP-CRGB-lambda0.1": 4.0}
    own = summarise(signal_rows(signals), design=scores.Design(list(signals), 0.5))
    assert len(own["comparisons"]) == 1
    assert len(own["ranks"]) == 2
    assert not any(row["swept"] for row in own["table"])
    assert [row["lambda"] for row in own["sweep"]] == [0.1, 0.5]


def test_without_the_recipes_row_there_is_no_difference() -> None:
    signals = {key: value for key, value in SIGNALS.items() if "lambda" in key}
    rows = summarise(signal_rows(signals), design=DESIGN)["sweep"]
    assert [row["lambda"] for row in rows] == [0.1, 0.9, "learned"]
    assert all(row["difference"] is None and not row["reference"] for row in rows)


def test_a_row_that_is_not_finite_has_no_difference() -> None:
    rows = signal_rows(dict.fromkeys(list(SIGNALS)[1:3], 1.0))
    rows[0]["logits"] = [float("nan")]
    reference, high = summarise(rows, design=DESIGN)["sweep"]
    assert (high["lambda"], high["collapsed"], high["mean"]) == (0.9, True, None)
    assert high["difference"] is None
    assert reference["reference"]
