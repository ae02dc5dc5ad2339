"""A real Chromium without a window, spoken to over its DevTools pipe: no port and no driver."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--remote-debugging-pipe",
)  # fmt: skip
# seconds after which a browser that says nothing is taken for dead
LONGEST_SILENCE = 60
# the browser reads commands from its file 3 and answers on its file 4
WITH_PIPES = 'exec "$@" 3<&"$COMMANDS" 4>&"$ANSWERS"'


class Browser:
    """One Chromium, for any number of pages."""

    def __init__(self, folder: Path) -> None:
        program = next((found for name in NAMES if (found := shutil.which(name))), None)
        assert program, "the tests need Chromium: apt-get install chromium"
        theirs, self._commands = _pipe()
        self._answers, answers = _pipe()
        self._process = subprocess.Popen(
            ["bash", "-c", WITH_PIPES, "bash", program, *QUIET, f"--user-data-dir={folder}"],
            pass_fds=(theirs, answers),
            env=os.environ | {"COMMANDS": str(theirs), "ANSWERS": str(answers)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        os.close(answers)
        self._unread = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def send(self, method: str, session: str | None = None, **parameters: Any) -> Any:
        """What the browser answers; what it tells meanwhile is kept in `events`."""
        number = self._write(method, session, **parameters)
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            if "method" in answer:
                self._keep(answer)

    def wait_for(self, session: str, method: str) -> None:
        """Returns when a page has told of something, or had before."""
        while not any(e["method"] == method for e in self.of(session)):
            told = self._read()
            if "method" in told:
                self._keep(told)

    def of(self, session: str) -> list[dict[str, Any]]:
        """What a page told."""
        return [event for event in self.events if event.get("sessionId") == session]

    def close(self) -> None:
        """Ends it; it also ends by itself when nobody listens any more."""
        self.send("Browser.close")
        os.close(self._commands)
        self._process.wait(30)
        os.close(self._answers)

    def _keep(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        if event["method"] == "Page.javascriptDialogOpening":
            # a page with a dialog answers nothing until somebody closes it
            self._write("Page.handleJavaScriptDialog", event["sessionId"], accept=False)

    def _write(self, method: str, session: str | None, **parameters: Any) -> int:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        message |= {"sessionId": session} if session else {}
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        return self._number

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            assert select([self._answers], [], [], LONGEST_SILENCE)[0], "the browser hangs"
            read = os.read(self._answers, 1 << 20)
            assert read, "the browser ended"
            self._unread += read
        message, _, self._unread = self._unread.partition(b"\0")
        told: dict[str, Any] = json.loads(message)
        return told


class Page:
    """One open page, and everything it did: messages, errors, dialogs, requests."""

    def __init__(
        self, browser: Browser, path: Path, *, width: int, media: str, scripts: bool = True
    ) -> None:
        self._browser = browser
        self._target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        attached = browser.send("Target.attachToTarget", targetId=self._target, flatten=True)
        self._session: str = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        self.send(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": media}],
        )
        self.send("Emulation.setScriptExecutionDisabled", value=not scripts)
        opened = self.send("Page.navigate", url=path.as_uri())
        assert "errorText" not in opened, opened
        browser.wait_for(self._session, "Page.loadEventFired")

    def send(self, method: str, **parameters: Any) -> Any:
        return self._browser.send(method, self._session, **parameters)

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression in the page, or of its promise."""
        done = self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def texts(self, selector: str) -> list[str]:
        """The text of each element that a selector finds and that is shown."""
        return list(
            self.run(
                f"Array.from(document.querySelectorAll({json.dumps(selector)}))"
                ".filter(e => e.checkVisibility()).map(e => e.textContent)"
            )
        )

    def click(self, selector: str) -> None:
        """Presses the mouse where the middle of an element is, as a person would."""
        place = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center', inline: 'center'});"
            " const r = e.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.send(
                "Input.dispatchMouseEvent",
                type=kind, x=place[0], y=place[1], button="left", clickCount=1,
            )  # fmt: skip

    def type(self, text: str) -> None:
        """Types into whatever has the focus."""
        self.send("Input.insertText", text=text)

    def requests(self) -> list[str]:
        """The URLs that were asked for."""
        told = self._told("Network.requestWillBeSent")
        return [event["request"]["url"] for event in told]

    def complaints(self) -> list[str]:
        """Errors and warnings of the console, exceptions, dialogs."""
        kinds = (
            "Runtime.consoleAPICalled", "Runtime.exceptionThrown",
            "Log.entryAdded", "Page.javascriptDialogOpening",
        )  # fmt: skip
        self.run("1")  # what happened before this has been told by now
        return [json.dumps(event) for kind in kinds for event in self._told(kind)]

    def screenshot(self, path: Path) -> None:
        """The whole page as PNG."""
        shot = self.send("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self) -> None:
        self._browser.send("Target.closeTarget", targetId=self._target)

    def _told(self, method: str) -> list[dict[str, Any]]:
        events = self._browser.of(self._session)
        return [event["params"] for event in events if event["method"] == method]


@contextmanager
def running_browser(folder: Path) -> Iterator[Browser]:
    """A browser with a profile of its own, ended at the end."""
    browser = Browser(folder)
    try:
        yield browser
    finally:
        browser.close()


def _pipe() -> tuple[int, int]:
    """A pipe whose ends are far from the numbers 3 and 4, which the browser wants."""
    ends = []
    for end in os.pipe():
        ends.append(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20))
        os.close(end)
    return ends[0], ends[1]
