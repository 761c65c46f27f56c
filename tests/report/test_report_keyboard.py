"""The report without a mouse, and for who asks for no motion."""

import pytest
from helpers import chromium
from helpers import drawn_results as drawn

from lssat import report

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium.PROGRAM is None, reason="no chromium on PATH"),
]
READY = "document.documentElement.dataset.ready !== undefined"
_CONTROLS = """
  [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")]
    .filter(e => e.checkVisibility({visibilityProperty: true}))"""
# What has the focus: its place among the controls, whether its outline can be seen, and whether
# it lies in the window and below the bar on top of it.
_FOCUS = """
  (() => {
    const e = document.activeElement, look = getComputedStyle(e), box = e.getBoundingClientRect();
    const nav = document.querySelector("nav").getBoundingClientRect();
    const top = nav.width === innerWidth && !e.closest("nav, .skip") ? nav.bottom : 0;
    return [window.controls.indexOf(e), look.outlineStyle !== "none" && look.outlineWidth !== "0px",
      box.bottom > top && box.top < innerHeight, e.outerHTML.slice(0, 90)];
  })()"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    root = tmp_path_factory.mktemp("report")
    files = drawn.draw(root, ("ffpp",), ("vit_micro",))
    report.write(drawn.PARAMS, files, drawn.outputs(root))
    return drawn.outputs(root)["report"].as_uri()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium.page(tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.mark.parametrize("width", [390, 1440])
def test_tab_reaches_every_control_in_order_and_each_is_seen_to_have_it(browser, address, width):
    browser.open(address, width=width, still=True)
    browser.wait(READY)
    browser.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    count = browser.run(f"(window.controls = {_CONTROLS}).length")
    assert count > 50
    told = []
    for _ in range(count):
        browser.press("Tab")
        told.append(browser.run(_FOCUS))
    assert [place for place, *_ in told] == [*range(count)]
    assert [text for _, outlined, _, text in told if not outlined] == []
    assert [text for _, _, within, text in told if not within] == []


def test_a_folded_block_opens_and_closes_by_enter(browser, address):
    browser.open(address)
    browser.wait(READY)
    block = "document.querySelector('main details')"
    assert browser.run(f"{block}.open") is False
    for wanted in (True, False):
        browser.run(f"{block}.querySelector('summary').focus()")
        browser.press("Enter")
        assert browser.run(f"{block}.open") is wanted


def test_on_a_phone_the_menu_is_opened_used_and_closed_by_keys(browser, address):
    browser.open(address, width=390, height=844, still=True)
    browser.wait(READY)
    at = "document.activeElement.id || document.activeElement.hash"
    reached = []
    for _ in range(5):  # the links of a closed menu take no Tab
        browser.press("Tab")
        reached.append(browser.run("Boolean(document.activeElement.closest('nav .links'))"))
    assert not any(reached)
    browser.run("document.getElementById('menu').focus()")
    browser.press("Enter")
    assert browser.run("document.getElementById('menu').ariaExpanded") == "true"
    for _ in range(2):  # the theme's button, then the first link
        browser.press("Tab")
    assert browser.run(at) == "#top"
    browser.press("Escape")
    assert browser.run(at) == "menu"
    assert browser.run("document.querySelector('nav .links').checkVisibility()") is False
    browser.press("Enter")
    for _ in range(3):
        browser.press("Tab")
    section = browser.run("document.activeElement.hash")
    browser.press("Enter")
    assert browser.run("location.hash") == section
    assert browser.run("document.querySelector('nav .links').checkVisibility()") is False
    place = f"document.querySelector('{section}').getBoundingClientRect().top"
    assert 0 <= browser.run(place) < 844


@pytest.mark.parametrize("still", [True, False])
def test_who_asks_for_no_motion_has_none(browser, address, still):
    browser.open(address, still=still)
    browser.wait(READY)
    scrolling = browser.run("getComputedStyle(document.documentElement).scrollBehavior")
    assert scrolling == ("auto" if still else "smooth")
    moving = """
      [...document.querySelectorAll("*")].filter(e => [null, "::before", "::after"].some(part => {
        const look = getComputedStyle(e, part);
        return look.animationName !== "none" ||
          look.transitionDuration.split(", ").some(time => parseFloat(time) > 0);
      })).map(e => e.outerHTML.slice(0, 80))"""
    if still:
        assert browser.run(moving) == []
        assert browser.run("document.getAnimations().length") == 0
