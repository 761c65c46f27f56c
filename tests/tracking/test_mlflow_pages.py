"""MLflow's own pages in a real browser: what a person sees first of a benchmark."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import chromium
from helpers.chromium import Page
from helpers.mlflow_server import Server
from helpers.tracked import START, measured, trained
from helpers.training import RUN, view
from helpers.waiting import until
from mlflow.tracking import MlflowClient

from lssat.grid import Run
from lssat.tables import write_json
from lssat.tracking import live
from lssat.tracking import runs as tracking
from lssat.tracking.view import link
from lssat.training.observe import Begun

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(chromium.PROGRAM is None, reason="no chromium on PATH"),
]
AUC = {RUN: 0.8, Run("ffpp", "vit_micro", "none-none-CRGB", 1): 0.7}
SECTION = {"experiment": "lssat", "uri": None}


def told(run: Run, ends: bool) -> None:
    """Tell MLflow of a training of two epochs."""
    values = {name: value.model_dump() for name, value in vars(view()).items()}
    start, data = START["abc"], {"train": "1", "val": "2"}
    observer = live.Live(run, view(), SECTION, "cpu")
    observer.begin(Begun(start, values, data, "auc", "cpu", Path("/none/.lock"), [], []))
    for epoch in range(2):
        row = {"epoch": epoch, "lr": 0.1, "loss_cls": 1.0 - epoch / 2, "val_auc": 0.5 + epoch / 4}
        observer.epoch(row, start + epoch)
    if ends:
        observer.end("FINISHED")
    else:  # its thread waits for the next epoch, for ever
        until(lambda: observer.monitor, "it is there")
        observer.monitor.finish()


@pytest.fixture(scope="module")
def server(fresh: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two runs that are finished and tested, and one that trains."""
    folder = tmp_path_factory.mktemp("pages")
    shutil.copy(fresh, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(live, "_PATIENCE", 300.0)
        for run in AUC:
            told(run, ends=True)
        told(Run("ffpp", "vit_mini", "none-none-CRGB", 2), ends=False)
        one, two = [measured(auc, run) for run, auc in AUC.items()]
        both = {key: one[key] + two[key] for key in ("runs", "table")}
        write_json(folder / "metrics.json", one | both)
        files = tracking.Files(
            {run.path: trained(folder, run) for run in AUC}, folder / "metrics.json",
            folder / "mlflow.db", folder / "art", folder / "mlflow.json",
        )  # fmt: skip
        tracking.track("ffpp", files, "lssat", None)
    made = Server(folder)
    try:
        made.start()
        yield made
    finally:
        made.kill()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium.page(tmp_path_factory.mktemp("browser")) as page:
        yield page


def opened(browser: Page, server: Server, charts: bool = False) -> Page:
    """The view that an experiment's description links to."""
    known = MlflowClient(server.uri).get_experiment_by_name("lssat-ffpp")
    address = link(known.experiment_id, charts)
    assert f"]({address})" in known.tags["mlflow.note.content"]
    browser.open("about:blank#again")
    browser.open(f"{server.uri}/{address}", width=1440)
    return browser


ROWS = "[...document.querySelectorAll('.ag-center-cols-container .ag-row')]"


def test_the_table_says_what_each_run_is_within_the_window_the_best_first(
    browser: Page, server: Server
) -> None:
    page = opened(browser, server)
    page.wait(f"{ROWS}.length === 4")
    edge = "document.querySelector('.ag-root').getBoundingClientRect().right"
    heads = page.run(
        "[...document.querySelectorAll('.ag-header-cell')].map(c => [c.getBoundingClientRect(),"
        " c.innerText.trim()]).map(([box, text]) => [box.left, box.right, text])"
    )
    within = [text for _, right, text in sorted(heads) if text and right <= page.run(edge) + 1]
    wanted = ["Headline_test", "backbone", "configuration", "seed", "variant"]
    assert within == ["Run Name", "Created", *wanted]
    cells = "[...document.querySelectorAll('.ag-center-cols-container .ag-cell')]"
    found = page.run(
        f"{cells}.map(c => [+c.parentElement.getAttribute('row-index'),"
        " c.getBoundingClientRect().left, c.innerText.trim()])"
    )
    rows = [[text for row, _, text in sorted(found) if row == number] for number in range(4)]
    assert [row[:5] for row in rows] == [
        ["0.8", "vit_micro", "MRGB/RLDP/CRGB", "0", "base"],
        ["0.7", "vit_micro", "none/none/CRGB", "1", "base"],
        ["NaN", "vit_mini", "none/none/CRGB", "2", "base"],  # it is not known yet
        ["-"] * 5,  # the parent
    ]


def test_two_runs_that_are_compared_open_with_the_headline_on_test(
    browser: Page, server: Server
) -> None:
    page = opened(browser, server)
    page.wait(f"{ROWS}.length === 4")
    boxes = (
        "document.querySelectorAll('.ag-pinned-left-cols-container .ag-selection-checkbox input')"
    )
    for number in range(2):
        page.run(f"{boxes}[{number}].click()")
    button = "[...document.querySelectorAll('button')].find(b => b.innerText === 'Compare')"
    page.wait(f"{button} && !{button}.disabled")
    page.run(f"{button}.click()")
    titles = "[...document.querySelectorAll('.axis-title')].map(t => t.textContent)"
    page.wait(f"{titles}.length > 2")
    assert page.run(titles) == ["configuration", "masked", "reconstructed", "Headline_test"]


def test_charts_open_with_the_headlines(browser: Page, server: Server) -> None:
    page = opened(browser, server, charts=True)
    cards = "[...document.querySelectorAll('[data-testid=experiment-view-compare-runs-card]')]"
    page.wait(f"{cards}.length > 3")
    titles = page.run(f"{cards}.slice(0, 3).map(c => c.innerText.split('\\n')[0])")
    assert titles == ["Headline_test", "Headline_val", "Parallel Coordinates"]
