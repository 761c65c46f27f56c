"""The first screen's sentences: each follows from one family of tests and says no more than it."""

import itertools
from types import SimpleNamespace

import pytest
from statsmodels.stats.power import TTestPower

from lssat.report.sections import published, ranks
from lssat.report.sections.answers import answers, brief, verdicts

FAMILIES = [
    {
        **{"compared": "backbone", "blocks": "task", "n_blocks": 4, "p": 0.04, "cd": 1.657},
        **{"treatments": ["a", "b", "c"], "mean_ranks": [2.5, 1.0, 2.5], "p_permuted": 0.0004},
        **{"note": None},
    }
]


def pair(a: str, b: str, p: float | None, difference: float | None = 0.1, **more) -> dict:
    """Draw a row of metrics.json's `backbones`: a has the higher mean by default."""
    seeds = more.pop("seeds", [0, 1, 2])
    arms = [{"backbone": name, "configurations": 4, "seeds": seeds} for name in (a, b)]
    ends = (None, None) if difference is None else (difference - 0.02, difference + 0.02)
    size = {"difference": difference, "low": ends[0], "high": ends[1], "p": p}
    row = {"a": arms[0], "b": arms[1], "metric": "auc", **size, "error": 0.01, "freedom": 50.0}
    row["parts"] = [1e-4, 50.0, 0.0, 1.0]
    return row | more


def task(name: str, *pairs: dict, also: tuple[str, ...] = ()) -> SimpleNamespace:
    names = dict.fromkeys(row[arm]["backbone"] for row in pairs for arm in "ab")
    return SimpleNamespace(
        name=name, metrics={"backbones": list(pairs)}, backbones=[*names, *also] or ["only"]
    )


def told(*tasks: SimpleNamespace) -> tuple[list[str], list[str], list[str]]:
    (_, role), (_, suits), (_, (*one, ranked)) = answers(list(tasks), FAMILIES)
    assert ranked == ranks.answer(FAMILIES)
    return role, suits, one


def test_fault_c6_one_family_over_all_tasks_decides_every_sentence() -> None:
    """p = 0.03 shows something of one pair, not of one of two; nor does 0.01 of one of nine."""
    for tasks, pairs, p in ((2, 1, 0.03), (3, 1, 0.02), (3, 3, 0.01)):
        names = ["small", "large", "huge"][: 2 if pairs == 1 else 3]
        each = list(itertools.combinations(names, 2))
        assert len(each) == pairs
        own = [pair(*two, p if n == 0 else 0.9) for n, two in enumerate(each)]
        alone = told(task("ffpp", *own))
        assert "small over large by 0.100 [0.080, 0.120]" in alone[0][0]
        assert "shown to be worse: large" in alone[1][0] or "small, shown" in alone[1][0]
        rest = [task(str(n), *[pair(*two, 0.9) for two in each]) for n in range(1, tasks)]
        together = told(task("ffpp", *own), *rest)
        said = " ".join(itertools.chain(*together))
        assert "ffpp: no difference between backbones is shown" in said
        assert " over small" not in together[0][0]
        assert "small over" not in together[0][0]
        assert "somewhere" not in said
        assert "than another anywhere" in said
    shown = told(task("ffpp", pair("small", "large", 0.02)), task("celeba", pair("a", "b", 0.001)))
    assert "its two backbones are shown to differ" in shown[0][0]  # 0.02 is Holm's second of two


def test_an_undefined_test_is_no_member_of_the_family() -> None:
    """Nor shows it anything."""
    none = pair("large", "small", None)
    found = verdicts([task("ffpp", none), task("celeba", pair("large", "small", 0.04))])
    assert [each.shown for each in found] == [False, True]
    gone = pair("large", "small", None, None, error=None, parts=None)
    role, suits, one = told(task("ffpp", gone))
    assert role == ["ffpp: no two can be compared."]
    assert suits == ["ffpp: large and small cannot be told apart."]
    assert one == [
        "No backbone is shown to be better than the other on the one task, "
        "and none to be worse than another anywhere."
    ]
    assert told(task("ffpp"))[0] == ["ffpp: one backbone, so nothing is compared."]
    assert told(task("ffpp"))[2] == ["It cannot be said: no two backbones are compared."]


def test_what_could_have_been_shown_is_of_the_same_family() -> None:
    """The more tests there are beside it, the larger a difference has to be."""
    found = []
    for tasks in (1, 3, 9):
        every = [task(str(n), pair("large", "small", 0.5)) for n in range(tasks)]
        found.append(verdicts(every)[0].least)
    assert found == sorted(found)
    alone = TTestPower().solve_power(nobs=51, alpha=0.05, power=0.8)  # of a spread of 1
    assert found[0] == pytest.approx(0.01 * alone * 51**0.5, rel=1e-4)
    role, *_ = told(task("ffpp", pair("large", "small", 0.5)))
    assert role == [
        "ffpp: no difference between backbones is shown; the largest is 0.100 [0.080, 0.120]; "
        "of these means, a true difference of 0.029 would be shown with 80 % power, with the "
        "correction over all tasks."
    ]


def test_what_no_test_could_show_is_not_said_in_numbers() -> None:
    """Equal rows have no variance; and no two means differ by more than 1."""
    same = pair("large", "small", 1.0, 0.0, low=None, high=None, parts=[0.0, 50.0, 0.0, 1.0])
    role, *_ = told(task("ffpp", same))
    assert role == ["ffpp: no difference between backbones is shown; the largest is 0.000."]
    wide = pair("large", "small", 0.9, parts=[1.0, 50.0, 0.0, 1.0])
    role, *_ = told(task("ffpp", wide))
    assert "a true difference of more than 1, so none, would be shown with 80 % power" in role[0]


def test_a_count_of_pairs_says_of_how_many() -> None:
    names = ["a", "b", "c", "d"]
    pairs = [
        pair(*two, 1e-6 if n < 4 else 0.9) for n, two in enumerate(itertools.combinations(names, 2))
    ]
    said = dict(brief([task("ffpp", *pairs)]))["What is the backbone’s role?"]
    assert said.startswith("On ffpp, 4 of 6 pairs of backbones are shown to differ")


@pytest.mark.parametrize(("seeds", "few"), [([0], "1 seed"), ([3, 5], "2 seeds")])
def test_fault_c3_with_few_seeds_it_is_about_these_trained_models(seeds: list, few: str) -> None:
    about = f"With {few} this is about these trained models."
    for p in (0.001, 0.5):  # how large a difference may be is about them, too
        role, *_ = told(task("ffpp", pair("large", "small", p, seeds=seeds)))
        assert role[0].endswith(about)
    _, suits, one = told(task("ffpp", pair("large", "small", 0.001, seeds=seeds)))
    end = " among these trained models."
    assert suits == [f"ffpp: large, shown to be better than the other{end}"]
    assert one == [f"large is shown to be better than the other on the one task{end}"]
    tasks = [
        task("ffpp", pair("large", "small", 0.001, seeds=seeds)),
        task("celeba", pair("small", "large", 0.001, seeds=seeds)),
    ]
    assert told(*tasks)[2][1] == f"Each is shown to be worse than another somewhere{end}"
    one_of_them = pair("large", "small", 0.001)
    one_of_them["b"] |= {"seeds": seeds}
    assert told(task("ffpp", one_of_them))[0][0].endswith(about)
    enough = told(task("ffpp", pair("large", "small", 0.001)))
    assert "trained models" not in " ".join(itertools.chain(*enough))


def test_the_sign_says_who_is_better() -> None:
    for row in (
        pair("large", "small", 0.001, 0.2),
        pair("small", "large", 0.001, -0.2),
        pair("small", "large", 0.001, 0.2, metric="eer"),
    ):
        role, suits, one = told(task("ffpp", row))
        assert role == [
            "ffpp: its two backbones are shown to differ, in the mean over 4 configurations: "
            "large over small by 0.200 [0.180, 0.220]."
        ]
        assert suits == ["ffpp: large, shown to be better than the other."]
        assert one == ["large is shown to be better than the other on the one task."]


def test_one_configuration_is_no_mean() -> None:
    row = pair("large", "small", 0.001)
    for arm in "ab":
        row[arm]["configurations"] = 1
    assert told(task("ffpp", row))[0] == [
        "ffpp: its two backbones are shown to differ: large over small by 0.100 [0.080, 0.120]."
    ]


def three(name: str, **ps: float) -> SimpleNamespace:
    """Draw a task of a, b and c; `ab` is the p-value of a over b."""
    every = itertools.combinations("abc", 2)
    return task(name, *[pair(*two, ps.get("".join(two), 0.9)) for two in every])


def test_better_than_every_other_needs_all_to_be_shown() -> None:
    _, suits, one = told(three("ffpp", ab=0.001, ac=0.001))
    assert suits == ["ffpp: a, shown to be better than the 2 others."]
    assert one == ["a is shown to be better than the 2 others on the one task."]
    # c is worse than b, which is worse than a
    _, suits, _ = told(three("ffpp", ab=0.001, bc=0.001))
    assert suits == ["ffpp: a, shown to be better than the 2 others."]
    role, suits, one = told(three("ffpp", ab=0.001))
    assert role[0].startswith("ffpp: 1 of 3 pairs of backbones is shown to differ, in the mean ")
    assert suits == ["ffpp: a and c cannot be told apart; shown to be worse: b."]
    assert one == [
        "No backbone is shown to be better than the 2 others on the one task.",
        "a and c are nowhere shown to be worse than another; b is somewhere.",
    ]


def test_on_all_tasks_needs_each_task_with_each_backbone() -> None:
    won = {"ab": 0.001, "ac": 0.001}
    _, _, one = told(three("ffpp", **won), three("celeba", **won))
    assert one == ["a is shown to be better than the 2 others on all 2 tasks."]
    _, _, one = told(three("ffpp", **won), three("celeba", ab=0.001))
    assert one[0] == "No backbone is shown to be better than the 2 others on all 2 tasks."
    lacks = task("celeba", pair("a", "b", 0.001))  # without c
    assert told(three("ffpp", **won), lacks)[2][0].startswith("No backbone is shown to be better")
    assert told(three("ffpp", **won), task("celeba"))[2][0].startswith("No backbone is shown")


def test_another_best_on_another_task() -> None:
    _, suits, one = told(
        task("ffpp", pair("large", "small", 0.01)), task("celeba", pair("small", "large", 0.01))
    )
    assert suits == [
        "ffpp: large, shown to be better than the other.",
        "celeba: small, shown to be better than the other.",
    ]
    assert one == [
        "No backbone is shown to be better than the other on all 2 tasks.",
        "Each is shown to be worse than another somewhere.",
    ]


def test_what_is_not_compared_is_named_and_never_counted_as_beaten() -> None:
    mine = task("ffpp", pair("large", "small", 0.001), also=("resnet18",))
    _, suits, one = told(mine)
    assert suits == ["ffpp: large, shown to be better than the other; not compared: resnet18."]
    assert one == [
        "large is shown to be better than the other that can be compared on the one task."
    ]


def test_ranks_are_no_verdict_on_the_first_screen() -> None:
    assert ranks.answer(FAMILIES) == (
        "Mean ranks over 4 tasks: b 1.00, a 2.50 and c 2.50; "
        "Comparisons says whether they differ in general."
    )
    untested = [FAMILIES[0] | {"p": None, "p_permuted": None}]
    assert ranks.answer(untested).endswith("there is no test of whether they differ in general.")


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
