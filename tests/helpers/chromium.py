"""A real headless Chromium, spoken to over a pipe: the DevTools protocol, no package."""

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from helpers.waiting import until

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--remote-debugging-pipe",
]  # fmt: skip
_KEYS = {"Backspace": 8, "Tab": 9, "Enter": 13, "Escape": 27, " ": 32}
_TEXTS = {"Enter": "\r", " ": " "}


class Page:
    """One tab; `events` keeps what the browser reported: requests, console, exceptions."""

    def __init__(self, write: int, read: int):
        self._write, self._read = write, read
        self._number, self._session, self._rest = 0, None, b""
        self.events: list[dict] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict:
        """Call a method of the protocol and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while (answer := self._receive()).get("id") != self._number:
            self.events.append(answer)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def _receive(self) -> dict:
        while b"\0" not in self._rest:
            part = os.read(self._read, 1 << 20)
            assert part, "the browser has ended"
            self._rest += part
        text, self._rest = self._rest.split(b"\0", 1)
        return json.loads(text)

    def run(self, expression: str) -> Any:
        """Evaluate JavaScript in the page and return its value."""
        found = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, expression: str) -> None:
        """Wait until an expression is true."""
        until(lambda: self.run(expression), f"true: {expression}")

    def open(
        self,
        address: str,
        width: int = 1400,
        height: int = 1000,
        dark: bool = False,
        still: bool = False,
    ) -> None:
        """Open an address in a window of a size, in a theme, for who wants motion or none."""
        self.size(width, height)
        theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        motion = {
            "name": "prefers-reduced-motion",
            "value": "reduce" if still else "no-preference",
        }
        self.send("Emulation.setEmulatedMedia", features=[theme, motion])
        self.send("Page.navigate", url=address)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def size(self, width: int, height: int) -> None:
        """Give the window a size in pixels."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            **{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )

    def picture(self, path: Path, whole: bool = False) -> None:
        """Write a PNG of the window, or of the whole page."""
        shot = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    def element(self, path: Path, selector: str) -> None:
        """Write a PNG of the first element that a selector finds, wherever it is on the page."""
        box = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            "for (let d = e; d; d = d.parentElement) if (d.tagName === 'DETAILS') d.open = true;"
            "const b = e.getBoundingClientRect(); return {x: b.x + scrollX, y: b.y + scrollY,"
            "width: b.width, height: b.height, scale: 1}; })()"
        )
        shot = self.send(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=box
        )
        path.write_bytes(base64.b64decode(shot["data"]))

    def press(self, key: str) -> None:
        """Press and release a key where the focus is."""
        text = {"text": _TEXTS[key]} if key in _TEXTS else {}
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=_KEYS[key],
                **(text if kind == "keyDown" else {}),
            )  # fmt: skip

    def problems(self) -> list[str]:
        """List exceptions, console errors and browser errors (a refused request is one)."""
        self.run("0")
        found = []
        for event in self.events:
            method, params = event.get("method"), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append(json.dumps(params["exceptionDetails"]))
            if method == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"):
                found.append(json.dumps(params["args"]))
            if method == "Log.entryAdded" and params["entry"]["level"] == "error":
                found.append(json.dumps(params["entry"]))
        return found

    def requests(self) -> list[str]:
        """List the addresses that the page asked for, without data: and blob:."""
        self.run("0")
        sent = [e["params"] for e in self.events if e.get("method") == "Network.requestWillBeSent"]
        addresses = [params["request"]["url"] for params in sent]
        return [address for address in addresses if not address.startswith(("data:", "blob:"))]


# Ready: the page's own script has run (page.js).
READY = "document.documentElement.dataset.ready !== undefined"
_PAINT = "performance.getEntriesByName('first-contentful-paint')"
_OPEN = "document.querySelectorAll('details').forEach(d => { d.open = true; })"
# What scrolls in a box of its own, or is for screen readers alone, widens nothing.
_SEEN = "[...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, svg, pre, .sr'))"


def first_paint(page: Page) -> float:
    """Return the seconds from the page's navigation to its first text or picture."""
    page.wait(f"{_PAINT}.length > 0")
    return page.run(f"{_PAINT}[0].startTime") / 1000


def right_edge(page: Page) -> float:
    """Open all details of a report; return the pixel to which the furthest element reaches."""
    page.wait(READY)
    page.run(_OPEN)
    edges = f"Math.max(...{_SEEN}.map(e => e.getBoundingClientRect().right))"
    return page.run(f"Math.max(document.documentElement.scrollWidth, {edges})")


@contextlib.contextmanager
def page(profile: Path) -> Iterator[Page]:
    """Start a browser with a new profile below `profile` and give its tab; ends it afterwards."""
    to_browser, from_browser = os.pipe(), os.pipe()
    command = [str(PROGRAM), *_FLAGS, f"--user-data-dir={profile / 'chromium'}"]

    # the protocol's pipes are descriptors 3 and 4 of the browser
    shell = ["bash", "-c", 'r=$1 w=$2; shift 2; exec "$@" 3<&$r 4>&$w', "-"]
    ends = (to_browser[0], from_browser[1])
    process = subprocess.Popen(
        [*shell, str(ends[0]), str(ends[1]), *command],
        pass_fds=ends,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    for end in ends:
        os.close(end)
    try:
        yield Page(to_browser[1], from_browser[0])
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(to_browser[1])
        os.close(from_browser[0])
