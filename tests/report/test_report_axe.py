"""The report by axe-core: contrast, names and roles, in both themes, wide and narrow."""

import pytest
from helpers import axe, chromium
from helpers import drawn_results as drawn

from lssat import report

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium.PROGRAM is None, reason="no chromium on PATH"),
]
READY = "document.documentElement.dataset.ready !== undefined"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    root = tmp_path_factory.mktemp("report")
    # With the fourth configuration there are more elements, of no other class.
    files = drawn.draw(root, ("ffpp", "affectnet"), ("vit_micro",), drawn.CONFIGURATIONS[1:])
    report.write(drawn.PARAMS, files, drawn.outputs(root))
    return drawn.outputs(root)["report"].as_uri()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium.page(tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_report_meets_wcag_aa(browser, address, dark, width):
    browser.open(address, width=width, height=900, dark=dark)
    browser.wait(READY)
    browser.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert axe.violations(browser) == []


def test_the_checker_sees_pale_text_and_a_field_without_a_name(browser, address):
    browser.open(address)
    browser.wait(READY)
    browser.run("document.querySelector('main p').style.color = '#bbbbbb'")
    browser.run("document.querySelector('main').append(document.createElement('input'))")
    found = axe.violations(browser)
    assert {text.split(":")[0] for text in found} == {"color-contrast", "label"}
