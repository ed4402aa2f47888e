"""Fixtures for the built site in a real browser. The whole run is offline: see `offline/sitecustomize.py`."""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, sync_playwright

import browser
import clock
import planting
from offline import sitecustomize  # noqa: F401
from serving import QuietHandler

ROOT = Path(__file__).parent.parent
OWN_ADDRESSES = ("http://127.0.0.1:", "file:", "data:", "blob:", "about:")
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]

clock.set_to_commit()
os.environ["PYTHONPATH"] = str(ROOT / "tests" / "offline")
settings.register_profile("book", parent=settings(), deadline=None)
settings.load_profile("book")


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Callable[[date], None]:
    """`on(date(2027, 1, 1))` makes that day today."""
    return lambda day: monkeypatch.setenv("SOURCE_DATE_EPOCH", clock.stamp(day))


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """`planted(prices=["offer,item,..."])` appends lines to a copy of `data/`, which is then read."""
    yield planting.into(tmp_path / "data", monkeypatch)
    planting.forget()


@pytest.fixture(scope="session")
def site_dir() -> Path:
    """Folder of the built site: RAGVSFT_SITE, or what `make site` built."""
    if named := os.environ.get("RAGVSFT_SITE"):
        return Path(named).resolve()
    html = ROOT / "_build" / "html"
    if not (html / ".built").exists():
        pytest.fail("the site is not built, or its last build failed: run `make site`")
    return html


@pytest.fixture(scope="session")
def site_url(site_dir: Path) -> Iterator[str]:
    """Address of the built site on this machine, with no slash at the end."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(site_dir))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, headless. Without one the test is skipped, and fails under CI."""
    path = browser.find()
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(browser.MISSING)
    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield instance
        instance.close()


@dataclass
class Tab:
    """A browser page and what it did: console errors, uncaught exceptions, foreign requests, responses."""

    page: Page
    errors: list[str] = field(default_factory=list)
    foreign_requests: list[str] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self.note_console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self.note_request)
        self.page.on("response", lambda response: self.responses.append(response))

    def note_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def note_request(self, request: Request) -> None:
        if not request.url.startswith(OWN_ADDRESSES):
            self.foreign_requests.append(request.url)


@pytest.fixture
def new_tab(chromium: Browser) -> Iterator[Callable[..., Tab]]:
    """`new_tab(width=1280, height=900, dark=False, **context)` opens an empty page in a fresh profile.

    Requests to another host are blocked. The test fails if any tab met an error or made such a request;
    a test that provokes one clears the tab's list.
    """
    tabs: list[Tab] = []

    def open_tab(width: int = 1280, height: int = 900, dark: bool = False, **context: Any) -> Tab:
        profile = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            **context,
        )
        tabs.append(Tab(profile.new_page()))
        return tabs[-1]

    yield open_tab
    for tab in tabs:
        tab.page.context.close()
    assert [tab.errors + tab.foreign_requests for tab in tabs] == [[] for _ in tabs]


@pytest.fixture
def new_page(new_tab: Callable[..., Tab]) -> Callable[..., Page]:
    """`new_page(width=1280, height=900, dark=False)`: the page of a `new_tab`, under the same rules."""
    return lambda *args, **options: new_tab(*args, **options).page
