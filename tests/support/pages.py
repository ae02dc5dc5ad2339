"""Pages opened in a real Chromium, and everything they did meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import playwright.sync_api as playwright

Result = TypeVar("Result")


class Browser:
    """One Chromium for any number of pages.

    It has its own thread, because Playwright keeps an event loop running in the thread
    that started it, and no other can be started there.
    """

    def __init__(self, program: str) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._playwright = self.do(lambda: playwright.sync_playwright().start())
        self._browser = self.do(
            lambda: self._playwright.chromium.launch(
                executable_path=program, args=["--disable-dev-shm-usage"]
            )
        )

    def do(self, call: Callable[[], Result]) -> Result:
        """What a call to Playwright returns, made in the browser's thread."""
        return self._thread.submit(call).result()

    def context(self, **options: Any) -> playwright.BrowserContext:
        return self._browser.new_context(**options)

    def close(self) -> None:
        self.do(self._browser.close)
        self.do(self._playwright.stop)
        self._thread.shutdown()


class Page:
    """One open page."""

    def __init__(
        self,
        browser: Browser,
        path: Path,
        *,
        width: int,
        media: Literal["light", "dark"],
        scripts: bool = True,
        address: str = "",
    ) -> None:
        self._do = browser.do
        self._complaints: list[str] = []
        self._requests: list[str] = []

        def opened() -> playwright.Page:
            context = browser.context(
                viewport={"width": width, "height": 900},
                is_mobile=width < 600,
                color_scheme=media,
                java_script_enabled=scripts,
            )
            page = context.new_page()
            page.on("console", lambda message: self._complaints.append(message.text))
            page.on("pageerror", lambda error: self._complaints.append(str(error)))
            page.on("dialog", self._dismiss)
            page.on("request", lambda request: self._requests.append(request.url))
            page.goto(path.as_uri() + address)
            if scripts and page.locator("#orders-packed").count():
                page.wait_for_selector("body[data-ready]", state="attached")
            return page

        self._page = self._do(opened)

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression in the page, or of its promise."""
        return self._do(lambda: self._page.evaluate(script))

    def texts(self, selector: str) -> list[str]:
        """The text of each element that a selector finds and that is shown."""
        return list(
            self.run(
                f"Array.from(document.querySelectorAll({json.dumps(selector)}))"
                ".filter(e => e.checkVisibility()).map(e => e.textContent)"
            )
        )

    def click(self, selector: str) -> None:
        """Clicks the first element that a selector finds, as a person would."""
        self._do(lambda: self._page.locator(selector).first.click())

    def type(self, text: str) -> None:
        """Types into the element that has the focus."""
        self._do(lambda: self._page.keyboard.insert_text(text))

    def press(self, key: str) -> None:
        """Presses a key, as Playwright names it."""
        self._do(lambda: self._page.keyboard.press(key))

    def wait(self, condition: str) -> None:
        """Waits until a JavaScript expression is true, up to half a minute."""
        # not Playwright's own, which evaluates a text in the page, where its policy forbids that
        self.run(
            "(async () => { for (let n = 0; n < 300; n++) {"
            f" if ({condition}) return; await new Promise(r => setTimeout(r, 100)); }}"
            " throw Error('not within half a minute'); })()"
        )

    def download(self, selector: str) -> Path:
        """The file that a click saves, under its own name."""

        def saved() -> Path:
            with self._page.expect_download() as found:
                self._page.locator(selector).first.click()
            path = Path(found.value.path())
            return path.rename(path.with_name(found.value.suggested_filename))

        return self._do(saved)

    def as_printed(self) -> None:
        """Shows it as it goes to paper."""
        self._do(lambda: self._page.emulate_media(media="print"))

    def resize(self, width: int) -> None:
        """Makes the window so wide."""
        self._do(lambda: self._page.set_viewport_size({"width": width, "height": 900}))

    def requests(self) -> list[str]:
        """The URLs that were asked for."""
        return self._requests

    def complaints(self) -> list[str]:
        """Messages of the console, exceptions, dialogs."""
        self.run("1")  # events of what happened before this have arrived by now
        return self._complaints

    def screenshot(self, path: Path, **options: Any) -> None:
        self._do(lambda: self._page.screenshot(path=path, **options))

    def close(self) -> None:
        self._do(lambda: self._page.context.close())

    def _dismiss(self, dialog: playwright.Dialog) -> None:
        self._complaints.append(dialog.message)
        dialog.dismiss()


@contextmanager
def running_browser(program: str) -> Iterator[Browser]:
    """A browser that is closed at the end."""
    browser = Browser(program)
    try:
        yield browser
    finally:
        browser.close()
