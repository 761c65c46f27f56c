"""The sentence on the auxiliary task: which pairs it is about, their signs, their one family."""

from types import SimpleNamespace

import pytest

from lssat.report.sections import auxiliary

AUX, ALONE, TEXTURE = "MRGB/RLDP/CRGB", "none/none/CRGB", "none/none/CLDP"


def row(a: str, b: str, p: float | None, difference: float | None = 0.1, **more) -> dict:
    """Draw a row of metrics.json's `comparisons`: a has the higher mean by default."""
    arms = [{"backbone": "vit", "configuration": name, "seeds": [0, 1, 2]} for name in (a, b)]
    ends = (None, None) if difference is None else (difference - 0.02, difference + 0.03)
    size = {"difference": difference, "low": ends[0], "high": ends[1], "p": p}
    drawn = {"compared": "configuration", "a": arms[0], "b": arms[1], "metric": "auc", **size}
    return drawn | more


def task(name: str, *rows: dict) -> SimpleNamespace:
    return SimpleNamespace(name=name, metrics={"comparisons": list(rows)})


def said(*tasks: SimpleNamespace) -> str:
    return auxiliary.brief(list(tasks))[1]


def test_it_is_about_rows_with_and_without_on_the_same_input() -> None:
    others = [
        row(AUX, TEXTURE, 0.001),  # another input
        row(ALONE, TEXTURE, 0.001),  # neither has it
        row(AUX, "MRGB/RRGB/CRGB", 0.001),  # both have it
        row(AUX, "external", 0.001),
        row(AUX, ALONE, 0.001, compared="backbone"),
    ]
    assert said(task("ffpp", *others)).startswith("It cannot be said")
    assert len(auxiliary.gains([task("ffpp", *others, row(AUX, ALONE, 0.001))])) == 1


@pytest.mark.parametrize("metric", ["auc", "eer"])
def test_the_side_of_a_row_and_the_direction_of_the_metric_decide_the_sign(metric: str) -> None:
    better = "help" if metric == "auc" else "harm"
    worse = "harm" if metric == "auc" else "help"
    ahead, behind = row(AUX, ALONE, 0.001, metric=metric), row(ALONE, AUX, 0.001, metric=metric)
    where = f"{AUX} with vit by 0.100 [0.080, 0.130]"
    assert said(task("ffpp", ahead)) == f"On ffpp it is shown to {better}: {where}."
    assert said(task("ffpp", behind)) == f"On ffpp it is shown to {worse}: {where}."


def test_one_family_over_all_tasks_decides() -> None:
    alone = task("ffpp", row(AUX, ALONE, 0.03))
    assert "is shown to help" in said(alone)
    rest = task("celeba", row(AUX, ALONE, 0.9, -0.01))
    text = said(alone, rest)
    assert text == (
        f"On ffpp and celeba no difference is shown, the largest, {AUX} with vit on ffpp, is "
        "0.100 [0.080, 0.130]."
    )
    assert said(task("ffpp", row(AUX, ALONE, 0.02)), rest) == (
        f"On ffpp it is shown to help: {AUX} with vit by 0.100 [0.080, 0.130]; "
        f"on celeba no difference is shown, the largest, {AUX} with vit on celeba, is "
        "−0.010 [−0.030, 0.020]."
    )


def test_what_is_not_known_is_not_said() -> None:
    assert said(task("ffpp", row(AUX, ALONE, None, None))).startswith("It cannot be said")
    few = row(AUX, ALONE, 0.001)
    for arm in "ab":
        few[arm]["seeds"] = [0]
    assert said(task("ffpp", few)).endswith("these trained models.")
    many = [row(AUX, ALONE, 0.001) for _ in range(4)]
    assert said(task("ffpp", *many)) == "On ffpp it is shown to help in 4 of 4 rows."
    more = [row(AUX, ALONE, 0.9) for _ in range(3)]
    assert "shown to help in 4 of 7 rows." in said(task("ffpp", *many, *more))
    assert f"shown to help in 1 of 4 rows: {AUX}" in said(task("ffpp", many[0], *more))


def test_an_interval_keeps_the_sign_of_each_of_its_ends() -> None:
    wide = {"low": -0.02, "high": 0.22}
    assert "by 0.100 [−0.020, 0.220]" in said(task("ffpp", row(AUX, ALONE, 0.001, **wide)))
    assert "by 0.100 [−0.020, 0.220]" in said(
        task("ffpp", row(ALONE, AUX, 0.001, -0.1, low=-0.22, high=0.02))
    )
