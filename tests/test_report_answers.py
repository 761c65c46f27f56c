"""What the page says of the paper's three questions follows from the tests and nothing else."""

from types import SimpleNamespace

from lssat.report import published, ranks
from lssat.report.answers import answers


def pair(better: str, worse: str, p: float | None, gap: float = 0.1) -> dict:
    row = {"a": {"backbone": better}, "b": {"backbone": worse}, "difference": gap}
    return {**row, "compared": "backbone", "p_holm": p}


def task(name: str, first: dict[str, float], *pairs: dict) -> SimpleNamespace:
    ranked = [{"backbone": key, "probability": share} for key, share in first.items()]
    metrics = {"comparisons": list(pairs), "ranked_first": ranked}
    return SimpleNamespace(name=name, metrics=metrics, backbones=["small", "large"])


def told(*tasks: SimpleNamespace) -> list[str]:
    (_, role), (_, suits), (_, (*one, ranked)) = answers(list(tasks), FAMILIES)
    assert ranked == ranks.answer(FAMILIES)
    return [" ".join(answer) for answer in (role, suits, one)]


FAMILIES = [
    {
        **{"compared": "backbone", "blocks": "task and configuration", "n_blocks": 4, "p": 0.04},
        **{"treatments": ["a", "b", "c"], "mean_ranks": [2.5, 1.0, 2.5], "p_permuted": 0.0004},
        **{"cd": 1.657, "note": None},
    }
]


def test_ranks_are_answered_with_their_test_and_its_blocks() -> None:
    assert ranks.answer(FAMILIES) == (
        "Mean ranks of the backbones: b 1.00, a 2.50 and c 2.50. Backbones are not all alike over "
        "4 blocks (task and configuration): Friedman’s test, p < 0.001 (chi-square = 0.040); "
        "critical difference 1.66."
    )
    same = [{**FAMILIES[0], "p_permuted": 0.05}]
    assert "Backbones are not shown to differ over 4 blocks" in ranks.answer(same)


def test_a_difference_counts_only_with_a_small_corrected_p_value() -> None:
    role, _, one = told(task("ffpp", {"small": 0.6}, pair("large", "small", 0.05)))
    assert role == "ffpp: none of 1 pair of backbones under one configuration is shown to differ."
    assert one.endswith("small and large are nowhere shown to be worse than another.")
    role, _, one = told(task("ffpp", {"large": 0.6}, pair("large", "small", 0.049)))
    assert role.startswith("ffpp: 1 of 1 pair of backbones under one configuration differ")
    assert role.endswith("at most by 0.100 (large over small).")
    assert one == (
        "large ranks first most often on the one task. "
        "large is nowhere shown to be worse than another."
    )


def test_the_sign_says_who_is_better() -> None:
    role, _, one = told(task("ffpp", {"large": 1.0}, pair("small", "large", 0.001, -0.2)))
    assert "0.200 (large over small)" in role
    assert one.endswith("large is nowhere shown to be worse than another.")


def test_undefined_tests_show_nothing() -> None:
    role, suits, one = told(task("ffpp", {}, pair("large", "small", None)))
    assert "is shown to differ" in role
    assert suits == "ffpp: undefined, no row has finite scores."
    assert one == "It cannot be said: no task has a row with finite scores."


def test_a_lead_in_ranks_is_held_against_the_tests() -> None:
    """`large` leads, with one pair shown in its favour, one shown against it and one open."""
    against = pair("large", "small", 0.01, -0.1)
    pairs = [pair("large", "small", 0.01), against, pair("large", "small", 0.5)]
    _, suits, _ = told(task("ffpp", {"large": 0.8, "small": 0.2}, *pairs))
    assert suits.endswith("1 of its 3 pairs with another backbone shows it to be better.")
    _, suits, _ = told(task("ffpp", {"large": 0.8}, pair("x", "y", 0.01)))
    assert suits == "ffpp: large ranks first in 80.0 % of the resamples."


def test_no_backbone_for_all() -> None:
    _, suits, one = told(
        task("ffpp", {"small": 0.25, "large": 0.75}, pair("large", "small", 0.01)),
        task("celeba", {"small": 0.9, "large": 0.1}, pair("small", "large", 0.01)),
    )
    assert suits == (
        "ffpp: large ranks first in 75.0 % of the resamples; "
        "1 of its 1 pair with another backbone shows it to be better. "
        "celeba: small ranks first in 90.0 % of the resamples; "
        "1 of its 1 pair with another backbone shows it to be better."
    )
    assert one == (
        "No backbone ranks first most often on all 2 tasks: large on ffpp and small on celeba. "
        "Each backbone is shown to be worse than another somewhere."
    )


def test_shares_of_one_backbones_rows_add_up() -> None:
    one = task("ffpp", {})
    rows = [("small", 0.4), ("large", 0.35), ("large", 0.25)]
    one.metrics["ranked_first"] = [{"backbone": n, "probability": s} for n, s in rows]
    assert told(one)[1] == "ffpp: large ranks first in 60.0 % of the resamples."


def test_the_papers_accuracy_on_affectnet_is_read_as_what_it_can_be() -> None:
    """1 - 2 (1 - p) / K = 0.88 gives the top-1 accuracies that the doubt names."""
    (paper, *_) = published.PUBLISHED["affectnet"]
    for classes, said in ((8, "0.52 (8 classes)"), (7, "0.58 (7)")):
        top1 = 1 - classes * (1 - paper.value) / 2
        assert said.startswith(f"{top1:.2f} ({classes}")
        assert said in paper.doubt
    assert 1 - 1 / 8 == 0.875  # a sample is of one class: seven of eight times "no" is right


def test_published_numbers_name_protocol_and_source() -> None:
    for rows in published.PUBLISHED.values():
        for row in rows:
            assert 0 < row.value < 1
            assert row.protocol
            assert row.source
