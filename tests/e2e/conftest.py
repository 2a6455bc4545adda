"""A browser, a server and a committed workspace for the tests of this folder.

The rows are committed in a database of their own, so that the other tests never see them. ``*.localhost`` is
resolved by Chromium itself. Where processes share the suite, each has a browser, a server and a world of its own.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import axe_playwright_python
import pytest
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.db import connection, connections
from django.test.testcases import LiveServerThread
from playwright.sync_api import Locator, expect

from tests import database
from tests.e2e import world as worlds

# Playwright's synchronous interface keeps an event loop in this thread.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
# Waiting ends when the page is as expected; on a busy machine that takes a while.
expect.set_options(timeout=20_000)
BROWSERS = ("/usr/bin/chromium-headless-shell", "/usr/bin/chromium")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage"
).split()
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
# Container queries settle in a frame; nothing moves for people who want less motion, as the browser here says it does.
TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    found = [path for path in BROWSERS if Path(path).exists()]
    assert found, "install Debian's chromium-headless-shell: the browser tests are never skipped"
    return {**browser_type_launch_args, "executable_path": found[0], "args": FLAGS, "headless": True}


@pytest.fixture(scope="package")
def e2e_database(fresh_database: None, django_db_blocker: Any) -> Iterator[None]:
    """A second copy of the template for this folder; the run's own database is selected again afterwards."""
    before = settings.DATABASES["default"]["NAME"]
    name = f"{database.LABEL}_e2e_{os.getpid()}"
    with django_db_blocker.unblock(), database.administrator() as admin:
        template = database.template(admin)
        admin.execute(f'drop database if exists "{name}" with (force)')
        admin.execute(f'create database "{name}" template "{template}" strategy file_copy')
        database.use(name)
        yield
        connections.close_all()
        database.use(before)
        admin.execute(f'drop database if exists "{name}" with (force)')


@pytest.fixture(scope="package")
def world(e2e_database: None) -> worlds.World:
    from tenants.models import Tenant

    connection.set_schema_to_public()
    found = {tenant.slug: tenant for tenant in Tenant.objects.all()}
    built = worlds.build(found)
    connection.set_schema_to_public()
    return built


@pytest.fixture(scope="package")
def address(world: worlds.World) -> Iterator[Callable[..., str]]:
    """``address("/path/", host)`` of the running server."""
    server = LiveServerThread("127.0.0.1", StaticFilesHandler, connections_override={})
    server.daemon = True
    server.start()
    server.is_ready.wait()
    if server.error:
        raise server.error
    yield lambda path="/", host="acme": f"http://{host}.localhost:{server.port}{path}"
    server.terminate()


@pytest.fixture(scope="package")
def sessions(browser: Any, address: Callable[..., str]) -> dict[str, Any]:
    """Each person signed in once through the real form; the tests reuse the cookies."""
    states: dict[str, Any] = {}
    for who, email in (
        ("owner", "owner@acme.test"),
        ("vp", "vp@acme.test"),
        ("csm", "csm@acme.test"),
        ("reader", "reader@acme.test"),
        ("portal", "portal@halden.test"),
    ):
        context = browser.new_context()
        page = context.new_page()
        page.goto(address("/auth/login/"))
        page.fill("[name=login]", email)
        page.fill("[name=password]", worlds.PASSWORD)
        page.locator("form:has([name=password]) [type=submit]").first.click()
        page.wait_for_url(lambda url: "/auth/" not in url)
        states[who] = context.storage_state()
        context.close()
    return states


# htmx says so of a request that a newer one of the same form replaced, as it should.
REPLACED = ("htmx:afterRequest", "htmx:sendAbort")


def _is_problem(message: Any) -> bool:
    return message.type in {"error", "warning"} and not message.text.startswith(REPLACED)


# What is for a hand or an eye on the screen, and nothing on paper.
NOT_PRINTED = (".side", ".topbar", ".tabbar-m", ".tabs", ".btn", ".toasts", ".filters", "dialog")
PRINTED = {"left": [], "paper": "rgb(255, 255, 255)", "dark ink": True, "overflow": []}
_COMPRESSED: dict[str, int] = {}


def _sent(response: Any) -> int:
    path = urlsplit(response.url).path
    if not path.startswith("/static/"):
        return int(response.headers.get("content-length", 0))
    if path not in _COMPRESSED:
        body = response.body()
        _COMPRESSED[path] = len(body) if path.endswith((".woff2", ".png")) else len(gzip.compress(body))
    return _COMPRESSED[path]


def press(page: Any, key: str) -> None:
    """Press it once the page that has just come up listens: its heading stands before its scripts have run."""
    page.wait_for_load_state()
    page.keyboard.press(key)


def _once_it_listens(act: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(act)
    def patient(locator: Locator, *args: Any, **options: Any) -> Any:
        locator.page.wait_for_load_state()
        return act(locator, *args, **options)

    return patient


@pytest.fixture(scope="session", autouse=True)
def slow_hands() -> Iterator[None]:
    """Nothing is clicked, filled or chosen before the page listens, as with ``press``: no hand is as fast as a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("check", "click", "dblclick", "fill", "focus", "press", "select_option", "set_input_files"):
            patch.setattr(Locator, name, _once_it_listens(getattr(Locator, name)))
        yield


def tab_to(page: Any, locator: Any) -> None:
    """Press Tab until this element has the focus, as somebody without a mouse must."""
    expect(locator).to_be_visible()
    for _press in range(250):
        page.keyboard.press("Tab")
        if locator.evaluate("e => e === document.activeElement"):
            return
    raise AssertionError("the Tab key never reached it")


class Watched:
    """A page that remembers what went wrong on it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.problems: list[str] = []
        self.responses: list[Any] = []
        page.on("response", self._answered)
        page.on("console", lambda m: self.problems.append(m.text) if _is_problem(m) else None)
        page.on("pageerror", lambda e: self.problems.append(str(e)))

    def _answered(self, response: Any) -> None:
        self.responses.append(response)

    def weight(self) -> int:
        """Bytes on the wire of everything the page asked for so far. A file of the product counts compressed, as it is
        sent in production; this server sends it plain.
        """
        return sum(map(_sent, self.responses))

    def printed(self) -> dict[str, Any]:
        """What paper of A4 shows of the page in a browser that is set to dark."""
        self.page.emulate_media(media="print", color_scheme="dark")
        self.page.set_viewport_size({"width": 690, "height": 980})
        left = [name for name in NOT_PRINTED if self.page.locator(f"{name}:visible").count()]
        paper = self.page.evaluate("getComputedStyle(document.body).backgroundColor")
        ink = self.page.evaluate("getComputedStyle(document.querySelector('h1')).color.match(/\\d+/g).map(Number)")
        return {"left": left, "paper": paper, "dark ink": max(ink) < 80, "overflow": self.overflow()}

    def look(self, width: int, scheme: str) -> None:
        """Turn the window to this width and colour scheme."""
        self.page.emulate_media(color_scheme=scheme)
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.evaluate(TWO_FRAMES)

    def axe(self, rules: list[str] | None = None) -> list[str]:
        """Violations of the accessibility rules (all of them unless named), one line each."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        found = self._violations(rules or RULES)
        if found:
            # What htmx is about to swap is half transparent for a moment; what stays is a violation.
            self.page.wait_for_timeout(1000)
            found = self._violations(rules or RULES)
        return [f"{item['id']}: {item['nodes'][0]['html'][:160]} ({len(item['nodes'])})" for item in found]

    def _violations(self, rules: list[str]) -> list[dict[str, Any]]:
        # Neither what passed nor a selector for each element is read, and axe would work both out.
        options = {"runOnly": rules, "resultTypes": ["violations"], "selectors": False}
        return self.page.evaluate("options => axe.run(options)", options)["violations"]

    def overflow(self) -> list[str]:
        """What sticks out of the window with its fonts loaded, where the page scrolls sideways."""
        return self.page.evaluate(
            """async () => await document.fonts.ready &&
             document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
            [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1
             && !e.closest('.tabs, .p-nav, svg, .vh')).slice(0, 5).map(e => e.outerHTML.slice(0, 120))"""
        )


@pytest.fixture
def visit(browser: Any, sessions: dict[str, Any], address: Callable[..., str], django_db_blocker: Any) -> Iterator[Any]:
    """``visit("vp", "/path/", width=390)`` opens a page as that person; nobody for an empty name."""
    contexts = []

    def go(
        who: str, path: str, *, width: int = 1440, height: int = 900, scheme: str = "light", **options: Any
    ) -> Watched:
        state = {"storage_state": sessions[who]} if who else {}
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            reduced_motion="reduce",
            **state,
            **options,
        )
        contexts.append(context)
        watched = Watched(context.new_page())
        watched.response = watched.page.goto(address(path))  # type: ignore[attr-defined]
        if watched.page.locator("[hx-trigger=load]").count():
            watched.page.wait_for_load_state("networkidle")
        return watched

    with django_db_blocker.unblock():
        yield go
    for context in contexts:
        context.close()
