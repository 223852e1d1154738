"""Chromium without a window, driven by its own protocol over a pipe: no driver, no network."""

import fcntl
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run"),
    *("--disable-extensions", "--disable-background-networking", "--disable-dev-shm-usage"),
)


class Page:
    """A page that is open.

    Attributes:
        problems: What the console and uncaught exceptions said.
        requests: The addresses that the page asked for.
    """

    def __init__(self, reading: int, writing: int) -> None:
        self.problems: list[str] = []
        self.requests: list[str] = []
        self._reading, self._writing = reading, writing
        self._rest, self._sent, self._session = b"", 0, ""

    def open(self, file: Path, *, width: int = 1280, height: int = 900) -> None:
        """Load a file, and wait until it is there."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        found = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.call("Page.navigate", url=file.as_uri())
        self.wait("document.readyState === 'complete'")

    def call(self, method: str, **parameters: Any) -> Any:
        """The result of a command of the protocol."""
        self._sent += 1
        message = {"id": self._sent, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        while True:
            found = self._next()
            if found.get("id") == self._sent:
                assert "error" not in found, found["error"]
                return found["result"]
            self._note(found)

    def js(self, expression: str) -> Any:
        """The value of an expression, awaited where it is a promise."""
        found = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until a condition holds, at most ten seconds."""
        self.js(
            "new Promise((done, fail) => { const end = Date.now() + 1e4; const look = () =>"
            f" ({condition}) ? done(1) : Date.now() > end ? fail('never') : setTimeout(look, 20);"
            " look(); })"
        )

    def press(self, *keys: str) -> None:
        """Press keys by their names, such as `Enter`, or letters."""
        codes = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowDown": 40, "ArrowUp": 38} | {
            "ArrowRight": 39,
            "ArrowLeft": 37,
        }
        for key in keys:
            text = {"text": "\r"} if key == "Enter" else {"text": key} if len(key) == 1 else {}
            code = codes.get(key, ord(key[0].upper()))
            self.call(
                "Input.dispatchKeyEvent",
                **{"type": "keyDown", "key": key, "windowsVirtualKeyCode": code, **text},
            )
            self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def click(self, selector: str) -> None:
        """Click in the middle of an element."""
        self.tap(*self.middle(selector))

    def tap(self, x: float, y: float) -> None:
        """Click at a place."""
        for kind in ("mousePressed", "mouseReleased"):
            place = {"x": x, "y": y, "button": "left", "clickCount": 1}
            self.call("Input.dispatchMouseEvent", type=kind, **place)

    def middle(self, selector: str) -> tuple[float, float]:
        """Where the middle of an element is, in pixels, once it is scrolled to and stays there.

        What is hit by a click is what was last drawn, so that two frames are waited for.
        """
        x, y = self.js(
            f"(async () => {{ const e = document.querySelector({json.dumps(selector)});"
            " const frame = () => new Promise(requestAnimationFrame);"
            " e.scrollIntoView({block: 'center', behavior: 'instant'});"
            " for (let b = {x: NaN};;) {"
            " await frame(); await frame();"
            " const now = e.getBoundingClientRect();"
            " if (now.x === b.x && now.y === b.y)"
            " return [b.x + b.width / 2, b.y + b.height / 2];"
            " b = now; } })()"
        )
        return x, y

    def wheel(self, x: float, y: float, turn: float) -> None:
        """Turn the wheel at a place; up is negative."""
        self.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=turn)

    def drag(self, x: float, y: float, dx: float, dy: float) -> None:
        """Move the mouse from a place with its button held."""
        for kind, step in (("mousePressed", 0), ("mouseMoved", 1), ("mouseReleased", 1)):
            place = {"x": x + step * dx, "y": y + step * dy, "button": "left", "clickCount": 1}
            self.call("Input.dispatchMouseEvent", type=kind, **place)

    def pinch(self, x: float, y: float, before: float, after: float) -> None:
        """Move two fingers about a place from one distance to another, in pixels."""
        for kind, gap in (("touchStart", before), ("touchMove", after)):
            points = [{"x": x + side * gap / 2, "y": y, "id": side + 2} for side in (-1, 1)]
            self.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def _next(self) -> Any:
        while b"\0" not in self._rest:
            more = os.read(self._reading, 1 << 20)
            assert more, "the browser is gone"
            self._rest += more
        text, _, self._rest = self._rest.partition(b"\0")
        return json.loads(text)

    def _note(self, event: Any) -> None:
        method, found = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(found["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.problems.append(str(found["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.problems.append(found["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and found["type"] in ("error", "warning"):
            self.problems.append(str(found["args"]))


@contextmanager
def browser(file: Path, **size: int) -> Iterator[Page]:
    """A page with a file in it."""
    assert CHROMIUM is not None
    (ours_in, theirs_out), (theirs_in, ours_out) = os.pipe(), os.pipe()
    # Copies above the numbers that they get in the browser: 3 is read, 4 is written.
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (theirs_in, theirs_out)]
    for end in (theirs_in, theirs_out):
        os.close(end)
    silence = [(os.POSIX_SPAWN_OPEN, n, os.devnull, os.O_WRONLY, 0) for n in (1, 2)]
    given = [(os.POSIX_SPAWN_DUP2, end, n) for end, n in zip(ends, (3, 4), strict=True)]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [CHROMIUM, *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
        process = os.posix_spawn(CHROMIUM, command, os.environ, file_actions=[*silence, *given])
        for end in ends:
            os.close(end)
        page = Page(ours_in, ours_out)
        try:
            page.open(file, **size)
            yield page
        finally:
            os.close(ours_out)
            os.close(ours_in)
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
