"""`mlflow ui` of a project, as typed, and the addresses of its pages."""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from helpers import chromium
from helpers.waiting import until
from lssat.tables.project import Project


@contextlib.contextmanager
def served(project: Path, environment: Mapping[str, str], log: Path) -> Iterator[str]:
    """Start `mlflow ui` in a project's folder on a free port, and give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with open(log, "w") as file:
        server = subprocess.Popen(
            ["mlflow", "ui", "--port", str(port), "--workers", "1"],
            cwd=project, env=environment, stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
        try:
            address = f"http://127.0.0.1:{port}"
            until(lambda: _answers(f"{address}/health"), f"an answer of {address}")
            yield address
        finally:
            _end(server)


def experiment(project: Path, task: str) -> str:
    """Return the id of a task's experiment."""
    query = "SELECT experiment_id FROM experiments WHERE name = ?"
    with contextlib.closing(sqlite3.connect(project / "mlflow.db")) as base:
        return str(base.execute(query, [f"lssat-{task}"]).fetchone()[0])


def runs(project: Path, task: str) -> dict[str, str]:
    """Return the ids of a task's runs, by their names."""
    return json.loads(Project(project).results.mlflow(task).read_text())["runs"]


def compare(project: Path, task: str, ids: list[str]) -> str:
    """Return the address of the page that compares runs of a task, less the server."""
    asked = {"runs": json.dumps(ids), "experiments": json.dumps([experiment(project, task)])}
    return "#/compare-runs?" + "&".join(f"{k}={urllib.parse.quote(v)}" for k, v in asked.items())


def choose(page: chromium.Page, params: list[str], metric: str) -> None:
    """On a page that compares runs: show these alone, without the assistant beside them."""
    aside = "document.querySelector('[data-component-id=\"mlflow.assistant.chat_panel.close\"]')"
    page.run(f"{aside}?.click()")
    for box, wanted in (("1", params), ("2", [metric])):  # Parameters, Metrics
        page.run(f"document.getElementById('dubois-select-{box}').focus()")
        for _ in range(3):  # what the page chose, three at most
            page.press("Backspace")
        for name in wanted:
            page.send("Input.insertText", text=name)
            page.press("Enter")
        page.press("Escape")


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=60):
            return True
    except OSError:
        return False


def _end(server: subprocess.Popen) -> None:
    os.killpg(server.pid, signal.SIGTERM)
    try:
        server.wait(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
