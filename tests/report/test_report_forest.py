"""The figure of the first screen: order, band, ranks, and what is claimed of them."""

import re
from pathlib import Path

import pytest
from helpers import drawn_results as drawn

from lssat.report.kit import results, svg
from lssat.report.sections import answers, calibration, forest, format_alone, headline, power
from lssat.report.sections import results as section
from lssat.use import show


@pytest.fixture
def task(tmp_path: Path) -> results.Task:
    return results.read_task("ffpp", drawn.draw(tmp_path, ("ffpp",))["ffpp"])


def ranked(task: results.Task, tops: int) -> None:
    """Let the tests leave so many of the best rows at the top."""
    task.metrics["ranks"] = [
        dict(backbone=row["backbone"], configuration=row["configuration"], mean=row["mean"],
             top=place < tops, best=1 if place < tops else tops + 1,
             worst=tops if place < tops else len(task.headline))
        for place, row in enumerate(task.best_first)
    ]  # fmt: skip


def test_rows_stand_as_the_terminal_sorts_them(task: results.Task) -> None:
    (shown,) = forest.forests([task])
    names = re.findall(r"<title>(.*?): ", shown.svg)
    wanted = [f"{row['backbone']} {row['configuration']}" for row in show.headline(task.metrics)]
    assert names == wanted
    first = task.best_first[0]
    assert shown.top == (
        f"Highest: {first['mean']:.3f} [{first['low']:.3f}, {first['high']:.3f}], {wanted[0]}"
    )
    assert "80 videos" in shown.what
    assert "2 seeds" in shown.what


@pytest.mark.parametrize(
    ("tops", "keys"),
    [
        (1, ["shown to be better than each of the 7 other rows",
             "shown to be worse than another row"]),
        (3, ["may be first: none of these 3 rows is shown to be worse",
             "shown to be worse than another row"]),
        (8, ["may be first: none of these 8 rows is shown to be worse"]),
    ],
)  # fmt: skip
def test_the_band_holds_the_rows_that_may_be_first(task, tops: int, keys: list[str]) -> None:
    ranked(task, tops)
    (shown,) = forest.forests([task])
    assert [text for _, text in shown.keys] == keys
    assert shown.svg.count('class="band"') == tops
    assert [g.count("top") for g in re.findall(r'<g class="(top|worse)">', shown.svg)] == (
        [1] * tops + [0] * (8 - tops)
    )


def test_many_rows_are_cut_and_counted(task: results.Task, monkeypatch) -> None:
    monkeypatch.setattr(forest, "MOST", 5)
    (shown,) = forest.forests([task])
    assert len(re.findall("<title>", shown.svg)) == 5
    assert "3 rows of lower means stand under Results." in shown.text


def test_a_question_has_one_sentence_by_the_tests_of_the_longer_answer(task) -> None:
    row = task.metrics["backbones"][0]
    row |= {"difference": 0.1, "low": 0.05, "high": 0.15, "p": 0.001}
    role, suits, _ = answers.brief([task])
    assert role[1].startswith("On ffpp, vit_micro beats vit_mini by 0.100 [0.050, 0.150]")
    assert suits[1] == "On ffpp, vit_micro among these trained models."
    row["p"] = 0.2
    role, suits, _ = answers.brief([task])
    assert role[1].startswith("On no task are two backbones shown to differ in the mean")
    about = "With 2 seeds this is about these trained models."
    assert role[1].endswith(f" is 0.100 [0.050, 0.150]. {about}")
    assert suits[1] == "On ffpp, vit_micro and vit_mini cannot be told apart."


def test_bins_are_joined_until_each_holds_its_part() -> None:
    run = {"confidence": [0.1, 0.3, 0.5, 0.9], "frequency": [0.0, 0.5, 0.5, 1.0],
           "count": [1, 1, 2, 12]}  # fmt: skip
    bins = calibration.adaptive([run], parts=8)
    assert bins == [(0.2, 0.25, 2), (0.5, 0.5, 2), (0.9, 1.0, 12)]
    assert sum(n for *_, n in calibration.adaptive([run, run])) == 32


def test_long_names_differ_in_what_is_left_of_them() -> None:
    backbones = ("vit_micro", "timm:vit_base_patch16_dinov3.lvd1689m", "timm:vit_base_patch16_clip")
    for collapsed in (False, True):
        rows = [
            {"backbone": name, "configuration": slug, "collapsed": collapsed}
            for name in backbones
            for slug in ("MRGB/RLDP/CRGB", "none/none/CRGB")
        ]
        room = svg.text_width("vit_micro MRGB/RLDP/CRGB ▲") + 60
        labels = [forest._fitted(row, room) for row in rows]
        assert len(set(labels)) == len(rows)
        assert all(svg.text_width(label) <= room for label in labels)
        assert all(row["configuration"] in label for row, label in zip(rows, labels, strict=True))
        assert labels[0] == "vit_micro MRGB/RLDP/CRGB" + (" ▲" if collapsed else "")


def test_where_a_run_is_missing_the_seeds_are_a_range(task: results.Task) -> None:
    """Its row's mean is not over as many seeds as the others', its interval of no training."""
    for row in task.headline[:2]:
        row["seeds"] = row["seeds"][:1]
    (shown,) = forest.forests([task])
    assert "mean over 1 to 2 seeds and 95 % interval" in shown.what
    lead = section._lead(task)
    assert "and, of rows with several seeds, other trainings (1 to 2 seeds);" in lead
    for row in task.headline:
        row["seeds"] = [0]
    assert "groups), not of other trainings;" in section._lead(task)


def test_each_task_says_what_it_could_have_shown(task: results.Task) -> None:
    """Under Comparisons, where the first screen links to; not where it is not known."""
    said = (
        "What could have been shown: with 2 seeds and this test set, a test shows in 80 % of "
        "repetitions a difference of 0.140 between the median pair of configurations (0.170 with "
        "the correction for 6 pairs) and of 0.140 between the median pair of backbones (0.170 with "
        "the correction for 6 pairs)."
    )
    assert power.sentence(task.metrics) == said
    (shown,) = forest.forests([task])
    assert "could have been shown" not in shown.text + shown.more
    made = power.table(task)
    assert len(made.rows) == len(task.metrics["power"])
    first = [row[0].text for row in made.rows[:2]]
    assert first == ["video AUC"] * 2  # the headline's before others
    assert {len(row) for row in made.rows} == {len(made.columns)}
    for row in task.metrics["power"]:
        row |= {"least": 0.9, "least_holm": 1.02}
    said = said.replace("0.140", "0.900").replace("0.170", "more than 1, so none,")
    assert power.sentence(task.metrics) == said  # no AUCs differ by so much
    assert [cell.text for cell in power.table(task).rows[0][2:4]] == ["0.900", "> 1"]
    for row in task.metrics["power"]:
        row |= {"least": None, "least_holm": None, "error": None, "note": "it is not known"}
    assert power.sentence(task.metrics) == ""
    assert power.table(task).notes[0].endswith(": it is not known")
    task.metrics["power"] = []
    assert power.sentence(task.metrics) == ""
    assert power.table(task).rows == []


def test_ranks_stand_in_the_headline_table(task: results.Task) -> None:
    ranked(task, 3)
    undefined = task.metrics["ranks"].pop()
    made = headline.headline(task)
    place = [column.label for column in made.columns].index("Rank")
    shown = {(row[0].text, row[1].text): row[place].text for row in made.rows}
    assert shown.pop((undefined["backbone"], undefined["configuration"])) == "–"
    assert sorted(shown.values()) == ["1 to 3"] * 3 + ["4 to 8"] * 4


def test_the_format_alone_is_a_row_beside_the_trivial_baseline(task: results.Task) -> None:
    """In a sentence on the first screen where it tells the labels, and by which feature."""
    made = headline.headline(task)
    (row,) = made.feet
    assert len(row) == len(made.foot) == len(made.columns)
    labels = [column.label for column in made.columns]
    cells = dict(zip(labels, row, strict=True))
    assert (cells["Backbone"].text, cells["Mean"].text) == ("format alone, no pixel", "0.520")
    assert (cells["95 % interval"].text, cells["Beats it"].text) == ("[0.410, 0.630]", "not shown")
    against = "video AUC 0.520 [0.410, 0.630]; the trivial baseline, 0.500."
    assert made.notes[-1] == f"The format alone is not shown to tell the labels: {against}"
    (shown,) = forest.forests([task])
    assert "format" not in shown.text
    assert "The format alone is not shown to tell the labels" in shown.more
    task.format["above"] = True
    (head,) = (row for row in task.format["rows"] if row["metric"] == "auc")
    head |= {"value": 0.8, "low": 0.7, "high": 0.9}
    task.format["permuted"] |= {"fps": 0.85, "side": None}
    (shown,) = forest.forests([task])
    assert (
        "The format alone tells the labels: size, quality and codec of the files and the size of "
        "the faces reach video AUC 0.800 [0.700, 0.900], above the trivial baseline, 0.500, most "
        "by JPEG quality (0.500 where it is shuffled). A score may rest on that."
    ) in shown.more
    assert "The format alone, without a pixel, reaches 0.800 [0.700, 0.900]." in shown.text
    assert headline.headline(task).feet[0][labels.index("Beats it")].flag == "bad"
    head |= {"value": None, "low": None, "high": None}
    assert headline.headline(task).feet == []


def test_the_best_row_of_texture_alone_stands_beside_the_format(task: results.Task) -> None:
    assert "texture alone" not in format_alone.sentence(task)
    alone = [row for row in task.headline if row["configuration"] == "none/none/CRGB"]
    for row, mean in zip(alone, (0.7, 0.6), strict=True):
        row |= {"configuration": "none/none/CLDP", "mean": mean, "low": 0.5, "high": 0.8}
    for above in (True, False):
        task.format["above"] = above
        assert format_alone.sentence(task).endswith(
            f" Of the rows that classify texture alone, {alone[0]['backbone']} · none/none/CLDP "
            "has the highest mean, 0.700 [0.500, 0.800]; no test compares it with the format."
        )
    for row in alone:
        row["mean"] = None
    assert "texture alone" not in format_alone.sentence(task)


def test_an_interval_that_a_mark_hides_shows_by_its_caps(task: results.Task) -> None:
    (shown,) = forest.forests([task])
    arms = re.findall(r'class="arm" d="M(\S+) \S+H(\S+?)M(\S+) (\S+)v(\S+?)M(\S+) ', shown.svg)
    assert len(arms) == len(task.headline)
    for low, high, first, _, tall, second in arms:
        assert (low, high) == (first, second)
        assert float(tall) > 2 * forest._DOT


def test_a_long_label_of_an_axis_keeps_its_ends_and_fits() -> None:
    name = "MRGB/RLDP/CRGB/lambdalearned+a-variant-of-long-name"
    rows = svg.Axis(ticks=[(0.0, name), (1.0, "b")])
    drawn = svg.draw([svg.Trace([0.5], [0.5], shape="circle")], svg.Axis(), rows, width=420)
    (label,) = re.findall(r'<text x="(\S+)" [^>]*>(MRGB[^<]*)', drawn)
    assert label[1].startswith("MRGB/")
    assert label[1].endswith("name")
    assert "…" in label[1]
    assert svg.text_width(label[1]) <= float(label[0])
    assert svg.fitted("MRGB/RLDP/CRGB/lambdalearned", 210) == "MRGB/RLDP/CRGB/lambdalearned"
