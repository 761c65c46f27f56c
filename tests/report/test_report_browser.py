"""The report in a real browser: what runs, what it asks for, what a reader can do."""

import base64
import re

import pytest
from helpers import chromium
from helpers import drawn_results as drawn

from lssat import report
from lssat.evaluation.perturb import PERTURBATIONS
from lssat.report.kit import pictures
from lssat.report.sections import costs

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium.PROGRAM is None, reason="no chromium on PATH"),
]
READY = chromium.READY
TABLE = "document.querySelector('#headline-ffpp table')"
PLOT = "document.getElementById('robust-jpeg-ffpp-vit_mini')"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium.page(tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    root = tmp_path_factory.mktemp("report")
    files = drawn.draw(root, ("ffpp",))
    files["ffpp"] = drawn.sensitive(files["ffpp"], "ffpp")
    report.write(drawn.PARAMS, files, drawn.outputs(root))
    return drawn.outputs(root)["report"].as_uri()


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    root = tmp_path_factory.mktemp("classes")
    files = drawn.draw(root, ("affectnet",), ("vit_micro",))
    report.write(drawn.PARAMS, files, drawn.outputs(root))
    return drawn.outputs(root)["report"].as_uri()


@pytest.fixture
def page(browser, address):
    browser.events.clear()
    browser.open(address)
    browser.wait(READY)
    return browser


def column(page, index, table=TABLE):
    cells = f"[...{table}.tBodies[0].rows].filter(r => !r.hidden).map(r => r.cells[{index}])"
    return page.run(f"{cells}.map(c => c.textContent.trim())")


def press(page, key, selector):
    page.run(f"document.querySelector({selector!r}).focus()")
    page.press(key)


# What the drawn results of ffpp have plots and pictures of, section by section.
ROWS = len(drawn.BACKBONES) * len(drawn.CONFIGURATIONS)
MASKED = sum(not name.startswith("none") for name in drawn.CONFIGURATIONS)
PLOTS = {
    "costs": len(costs.COSTS),
    "slices": len(drawn.BACKBONES),  # one list of annotations with one attribute
    "robustness": len(drawn.BACKBONES) * len(PERTURBATIONS),
    "roc": 1 + len(drawn.BACKBONES),  # the best row of each, then each
    "calibration": ROWS,
    "training": len(drawn.BACKBONES) * 4,  # three losses and the metric that chose
    "embeddings": 1,
}
PICTURES = {
    "robustness": 1,
    "reconstruction": len(drawn.BACKBONES) * MASKED,
    "explained": ROWS + 1,  # mean maps of each row, a few samples of the best
    "crops": pictures.CROPS,
}


def by_section(page, selector):
    """Count what a selector finds in each section that has any; and on the whole page."""
    found = f"[s.id, s.querySelectorAll('{selector}').length]"
    counts = page.run(f"[...document.querySelectorAll('main > section')].map(s => {found})")
    whole = page.run(f"document.querySelectorAll('{selector}').length")
    return {name: count for name, count in counts if count}, whole


def test_every_plot_is_drawn_without_an_error_or_a_request(page, address):
    assert by_section(page, ".plot svg") == (PLOTS, 1 + sum(PLOTS.values()))  # 1: first screen
    empty = "[...document.querySelectorAll('.plot')].filter(p => !p.querySelector('circle, .line')).length"  # noqa: E501
    assert page.run(empty) == 0
    drawn_svg = "[...document.querySelectorAll('.plot')].map(p => p.innerHTML).join()"
    assert not re.search(r"\bnan\b|\binf\b|NaN", page.run(drawn_svg))
    assert page.problems() == []
    assert page.requests() == [address]


def test_no_text_of_a_plot_is_cut_at_its_edge(page):
    page.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    cut = page.run("""
      [...document.querySelectorAll(".plot svg")].filter(s => s.clientWidth).flatMap(s => {
        const edge = s.getBoundingClientRect();
        return [...s.querySelectorAll("text")].filter(t => {
          const box = t.getBoundingClientRect();
          return box.left < edge.left - 1 || box.right > edge.right + 1 ||
            box.top < edge.top - 1 || box.bottom > edge.bottom + 1;
        }).map(t => `${s.parentElement.id}: ${t.textContent}`);
      })""")
    assert cut == []


def test_pictures_are_shown(page):
    assert by_section(page, "img") == (PICTURES, sum(PICTURES.values()))
    assert page.run("[...document.images].every(i => i.complete && i.naturalWidth > 0)")


def test_a_script_that_is_not_ours_does_not_run(page):
    page.run(
        "{const s = document.createElement('script'); s.textContent = 'window.foreign = 1';"
        "document.body.append(s)}"
    )
    assert page.run("window.foreign ?? null") is None
    assert any("Content Security Policy" in problem for problem in page.problems())


def test_headings_sort_with_mouse_and_keyboard(page):
    before = column(page, 2)
    assert before == sorted(before, key=float, reverse=True)  # as `lssat show` sorts
    page.run(f"{TABLE}.tHead.rows[0].cells[2].querySelector('button').click()")
    assert column(page, 2) == before
    head = "#headline-ffpp thead th:nth-child(3)"
    assert page.run(f"document.querySelector('{head}').getAttribute('aria-sort')") == "descending"
    press(page, "Enter", f"{head} button")
    assert column(page, 2) == sorted(before, key=float)
    assert page.run("document.querySelectorAll('#headline-ffpp [aria-sort]').length") == 1


def test_text_sorts_as_text_and_empty_cells_come_last(page):
    page.run(f"{TABLE}.tHead.rows[0].cells[1].querySelector('button').click()")
    names = column(page, 1)
    assert names == sorted(names, key=str.lower)
    for order in ("once", "twice"):
        page.run(f"{TABLE}.tHead.rows[0].cells[6].querySelector('button').click()")
        flags = column(page, 6)
        assert flags[0] == "▲ collapsed", order
        assert not any(flags[1:])


def test_filter_keeps_rows_that_hold_all_words(page):
    field = "document.querySelector('#headline-ffpp input')"
    page.run(f"{field}.value = 'mini none'; {field}.dispatchEvent(new Event('input'))")
    assert column(page, 1) == ["none/none/CRGB"]
    said = page.run("document.querySelector('#headline-ffpp output').textContent")
    assert said == "1 of 8 rows"


def test_legend_hides_and_shows_the_curves_of_a_configuration(page):
    shown = f"[...{PLOT}.querySelectorAll('g[data-key]')].filter(g => getComputedStyle(g).display !== 'none').length"  # noqa: E501
    before = page.run(shown)
    key = f"{PLOT}.closest('figure').querySelector('.legend button')"
    page.run(f"{key}.click()")
    assert page.run(shown) == before - 1
    assert page.run(f"{key}.getAttribute('aria-pressed')") == "false"
    page.run(f"{key}.click()")
    assert page.run(shown) == before


def test_a_cost_is_chosen(page):
    select = "document.querySelector('#costs .choose select')"
    shown = "[...document.querySelectorAll('#costs .plot')].filter(p => p.clientWidth)"
    assert page.run(f"{shown}.map(p => p.id)") == ["pareto-flops_training-ffpp"]
    page.run(f"{select}.value = 'Training time (s)'; {select}.dispatchEvent(new Event('change'))")
    assert page.run(f"{shown}.map(p => p.id)") == ["pareto-seconds-ffpp"]


def test_marks_tell_their_values(page):
    told = page.run(f"[...{PLOT}.querySelectorAll('title')].map(t => t.textContent)")
    assert any("strength 5 (quality: 7): " in text for text in told)
    told = page.run("[...document.querySelectorAll('header title')].map(t => t.textContent)")
    assert len(told) == ROWS
    assert all(", n = " in text for text in told)


def test_themes_reach_page_and_plots(page, address):
    ink = f"getComputedStyle({PLOT}.querySelector('text')).fill"
    line = f"getComputedStyle({PLOT}.querySelector('.c0 .line')).stroke"
    light = [page.run(ink), page.run(line)]
    page.run("document.getElementById('theme').click()")
    assert page.run("document.documentElement.dataset.theme") == "dark"
    dark = [page.run(ink), page.run(line)]
    assert all(a != b for a, b in zip(light, dark, strict=True))
    page.run("localStorage.clear()")
    page.open(address, dark=True)
    page.wait(READY)
    assert [page.run(ink), page.run(line)] == dark


def test_a_value_leads_to_its_run(page):
    page.run("document.querySelector('#headline-ffpp tbody a').click()")
    page.wait("document.querySelector('tr:target') !== null")
    found = page.run("document.querySelector('tr:target').cells[0].textContent")
    assert found == "ffpp/vit_mini/MRGB-RLDP-CRGB/seed0"


@pytest.mark.parametrize("width", [390, 800, 1440])
def test_nothing_is_wider_than_the_window(page, address, width):
    page.open(address, width=width, height=900)
    page.wait(READY)
    assert chromium.right_edge(page) <= width
    assert page.run("document.documentElement.scrollWidth") == width


def test_nothing_of_classes_is_wider_than_a_phone(browser, classes):
    browser.open(classes, width=390, height=844)
    browser.wait(READY)
    assert chromium.right_edge(browser) <= 390


def test_on_a_phone_the_contents_are_a_menu_and_first_columns_stay(page, address):
    page.open(address, width=390, height=844)
    page.wait(READY)
    links = "document.querySelector('nav .links').offsetParent !== null"
    assert page.run(links) is False
    press(page, "Enter", "#menu")
    assert page.run(links) is True
    page.run("document.querySelector('nav .links a[href=\"#data\"]').click()")
    assert page.run(links) is False
    box = "document.querySelector('#headline-ffpp .scroll')"
    ends = page.run(
        f"[...{box}.querySelectorAll('td:nth-child(3)')].map(c => c.getBoundingClientRect().right)"
    )
    assert max(ends) <= page.run(f"{box}.getBoundingClientRect().right")  # the means are seen
    page.run(f"{box}.scrollLeft = 500")
    first = f"{box}.querySelector('tbody th').getBoundingClientRect().left"
    assert page.run(f"{first} - {box}.getBoundingClientRect().left") < 3


TEXTS = """
  [...document.querySelectorAll("svg text")].filter(t => t.ownerSVGElement.clientWidth).map(t => {
    const drawing = t.ownerSVGElement, natural = drawing.viewBox.baseVal.width;
    const scale = drawing.getBoundingClientRect().width / natural;
    return [parseFloat(getComputedStyle(t).fontSize) * scale, drawing.parentElement.id];
  })"""


def test_every_text_of_a_figure_can_be_read_on_a_phone(browser, address, classes):
    """At least 9 pixels as seen; a figure that is wider scrolls in its box, with the keyboard."""
    for page in (address, classes):
        browser.open(page, width=390, height=844)
        browser.wait(READY)
        browser.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        texts = browser.run(TEXTS)
        assert len(texts) > 100
        assert min(texts)[0] >= 8.99, min(texts)
        assert browser.run("document.documentElement.scrollWidth") == 390
        boxes = "[...document.querySelectorAll('.plot')].filter(p => p.scrollWidth > p.clientWidth)"
        assert browser.run(f"{boxes}.every(p => p.tabIndex === 0)")
        assert not browser.run(f"{boxes}.some(p => p.closest('.forests'))")  # the first screen
        keys = "[...document.querySelectorAll('.card .key')].every(k => k.offsetParent !== null)"
        assert browser.run(keys)


def test_all_columns_that_name_a_row_stay_in_view(page, address):
    box = "document.querySelector('#headline-ffpp .scroll')"
    cells = f"[...{box}.querySelectorAll('tbody tr')].map(r => [r.cells[0], r.cells[1]])"
    page.open(address, width=900, height=900)
    page.wait(READY)
    page.wait(f"{box}.querySelector('table').style.getPropertyValue('--at2') !== ''")
    before = page.run(f"{cells}.map(c => c.map(e => e.getBoundingClientRect().left))")
    page.run(f"{box}.scrollLeft = 400")
    assert page.run(f"{box}.scrollLeft") == 400
    after = page.run(f"{cells}.map(c => c.map(e => e.getBoundingClientRect().left))")
    assert all(abs(x - y) < 3 for was, now in zip(before, after, strict=True)
               for x, y in zip(was, now, strict=True))  # fmt: skip
    page.open(address, width=390, height=844)
    page.wait(READY)
    page.run(f"{box}.scrollLeft = 400")
    shown = page.run(f"{cells}.map(c => [c[0].innerText, c[1].offsetParent === null])")
    for text, hidden in shown:
        assert hidden
        assert re.search(r"^vit_m\w+\s+(MRGB|MLDP|none)/\w+/CRGB", text)  # in one cell


def test_a_pill_names_the_split_on_which_a_row_is_best(page):
    pills = "[...document.querySelectorAll('tr.best th')].map(c => [c.closest('.table').id, getComputedStyle(c, '::after').content])"  # noqa: E501
    assert dict(page.run(pills)) == {
        "headline-ffpp": '"best on test"',
        "costs-ffpp": '"best on test"',
        "explained-ffpp": '"best on validation"',
    }


def test_print_is_light_without_what_is_folded(page, address):
    page.open(address, dark=True)
    page.wait(READY)
    page.run("dispatchEvent(new Event('beforeprint'))")
    assert page.run("document.documentElement.dataset.theme") == "light"
    page.run("dispatchEvent(new Event('afterprint'))")
    assert page.run("document.documentElement.dataset.theme") == "dark"
    assert page.run("document.querySelectorAll('details[open]').length") == 0
    pages = base64.b64decode(page.send("Page.printToPDF", preferCSSPageSize=True)["data"])
    assert len(re.findall(rb"/Type\s*/Page\b", pages)) <= 25
    assert page.problems() == []


def test_controls_have_names(page):
    nameless = "[...document.querySelectorAll('button')].filter(b => !(b.textContent.trim() || b.ariaLabel)).length"  # noqa: E501
    assert page.run(nameless) == 0
    inputs = "[...document.querySelectorAll('input')].every(i => i.labels.length === 1)"
    assert page.run(inputs)
    figures = "[...document.querySelectorAll('.plot')].every(p => p.getAttribute('aria-label').length > 40)"  # noqa: E501
    assert page.run(figures)


def test_a_reader_chooses_the_metric_of_a_table(page):
    shown = "[...document.querySelectorAll('#matrix-ffpp .option')].filter(o => o.offsetParent).map(o => o.firstElementChild.id)"  # noqa: E501
    assert page.run(shown) == ["matrix-ffpp-video-accuracy-paper"]
    choose = "const s = document.querySelector('#matrix-ffpp select'); s.value = 'matrix-ffpp-frame-eer'; s.dispatchEvent(new Event('change'))"  # noqa: E501
    page.run(f"(() => {{ {choose} }})()")
    assert page.run(shown) == ["matrix-ffpp-frame-eer"]
    assert page.run("document.querySelector('#matrix-ffpp select').labels.length") == 1
    assert page.problems() == []


def test_confusion_matrices_are_drawn_and_chosen(browser, classes):
    browser.events.clear()
    browser.open(classes)
    browser.wait(READY)
    shown = "[...document.querySelectorAll('#per_class .plot')].map(p => p.clientWidth > 0)"
    assert browser.run(shown) == [True, False, False, False]
    cells = "document.querySelectorAll('#per_class .plot')[0].querySelectorAll('rect').length"
    assert browser.run(cells) == 64
    choose = "const s = document.querySelector('#per_class .choose select'); s.selectedIndex = 2; s.dispatchEvent(new Event('change'))"  # noqa: E501
    browser.run(f"(() => {{ {choose} }})()")
    assert browser.run(shown) == [False, False, True, False]
    named = "document.querySelector('#per_class .plot').getAttribute('aria-label')"
    assert "Recall, vit_micro · " in browser.run(named)
    assert browser.problems() == []


def test_every_link_of_the_navigation_leads_to_a_section_in_order(page):
    links = page.run("[...document.querySelectorAll('nav .links a')].map(a => a.hash.slice(1))")
    sections = page.run("[...document.querySelectorAll('main > section')].map(s => s.id)")
    assert links == ["top", *sections]
    said = "[...document.querySelectorAll('main > section')].map(s => s.innerText.length)"
    assert min(page.run(said)) > 60  # a heading and at least why there is nothing
    assert page.run(
        "[...document.querySelectorAll('main > section')].every(s => s.querySelector('h2'))"
    )


def test_every_table_sorts_by_every_heading(page):
    wrong = page.run("""
      (() => {
        const wrong = [];
        const empty = (text) => text === "" || text === "–";
        for (const table of document.querySelectorAll(".table table")) {
          for (const head of table.tHead.rows[0].cells) {
            head.querySelector("button").click();
            const sign = head.getAttribute("aria-sort") === "ascending" ? 1 : -1;
            const cells = [...table.tBodies[0].rows].map((row) => row.cells[head.cellIndex]);
            const texts = cells.map((cell) => cell.dataset.sort ?? cell.textContent.trim());
            const full = texts.filter((text) => !empty(text));
            const last = texts.slice(full.length).every(empty);
            const numbers = full.map(Number);
            const sorted = numbers.some(Number.isNaN) ||
              numbers.every((n, i) => i === 0 || sign * (n - numbers[i - 1]) >= 0);
            const name = `${table.closest(".table").id}: ${head.textContent.trim()}`;
            if (!last || !sorted) wrong.push(name);
          }
        }
        return wrong;
      })()""")
    assert wrong == []
    assert page.problems() == []


def test_every_filter_hides_and_shows_the_rows_of_its_table(page):
    wrong = page.run("""
      [...document.querySelectorAll(".table")].filter((box) => {
        const field = box.querySelector("input"), rows = [...box.querySelectorAll("tbody tr")];
        if (!field) return rows.length > 6;
        const type = (text) => { field.value = text; field.dispatchEvent(new Event("input")); };
        type("no such words");
        const none = rows.every((row) => row.hidden);
        type("");
        return !none || rows.some((row) => row.hidden);
      }).map((box) => box.id)""")
    assert wrong == []


def test_wide_window_shows_the_contents_beside_the_page(page, address):
    page.open(address, width=1440, height=1000)
    page.wait(READY)
    inside = "[...document.querySelectorAll('nav .links a')].every(a => { const b = a.getBoundingClientRect(); return b.bottom <= innerHeight && b.right <= document.querySelector('main').getBoundingClientRect().left; })"  # noqa: E501
    assert page.run(inside)
    page.run("document.querySelector('nav .links a[href=\"#data\"]').click()")
    place = "document.querySelector('#data h2').getBoundingClientRect().top"
    page.wait(f"{place} >= 0 && {place} < innerHeight")
