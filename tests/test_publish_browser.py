"""The site under the settings of docs/publish.md: all of it works, and no policy is broken."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from generator.publish import check, manifest
from generator.publish.folder import HeldFolder
from tests.publish_support import NGINX, free_port, nginx
from tests.site_support import Site
from tests.test_browser_site import SEALED, Tab, open_tab, representative
from tests.test_publish_folder import get, server_block

__all__ = ["open_tab"]

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not NGINX, reason="no nginx here")]

VIOLATIONS = (
    "window.__broken = [];"
    "document.addEventListener('securitypolicyviolation', event =>"
    " window.__broken.push(event.violatedDirective + ' ' + event.blockedURI));"
)


@pytest.fixture
def served(own: Site, tmp_path: Path) -> Iterator[str]:
    target = tmp_path / "www"
    with HeldFolder(target) as held:
        held.publish(manifest.load(own.html), 5)
    port = free_port()
    with nginx(tmp_path / "nginx", server_block(target, port), port) as url:
        yield url


def visit(tab: Tab, address: str) -> Any:
    tab.page.goto("about:blank")
    tab.page.goto(address, wait_until="load")
    return tab.page


def opened(tab: Callable[..., Tab], url: str) -> Tab:
    new = tab()
    new.own = (url, "data:", "about:")
    new.context.add_init_script(VIOLATIONS)
    return new


def test_pages_work_under_the_policy(own: Site, served: str, open_tab: Callable[..., Tab]) -> None:
    tab = opened(open_tab, served)
    for path in representative(own):
        page = visit(tab, f"{served}/{path.relative_to(own.html).as_posix()}")
        assert page.locator("h1").first.is_visible(), path
        assert (path.name, tab.bad, page.evaluate("window.__broken")) == (path.name, [], [])
    page = visit(tab, f"{served}/nowhere/at/all.html")
    assert page.locator("h1").first.is_visible()
    assert page.evaluate("window.__broken") == []


def test_styles_scripts_and_pictures_are_there(
    own: Site, served: str, open_tab: Callable[..., Tab]
) -> None:
    tab = opened(open_tab, served)
    page = visit(tab, f"{served}/index.html")
    # the theme's style and lanebook's own
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.md-header')).position") == "sticky"
    )
    assert page.evaluate("getComputedStyle(document.querySelector('.lb-cards')).display") == "grid"
    drawn = page.locator("svg.lb-drawn").first
    assert drawn.is_visible()
    assert drawn.bounding_box()["width"] > 100
    # an icon of the theme, which is a data: address in a style
    assert page.locator(".md-header__button").first.is_visible()
    # the theme's inline script ran before the page was drawn, and the button changes the colours
    scheme = "document.body.getAttribute('data-md-color-scheme')"
    before = page.evaluate(scheme)
    for _ in range(2):
        page.locator("form[data-md-component=palette] label:visible").click()
    assert page.evaluate(scheme) != before
    assert (tab.bad, page.evaluate("window.__broken")) == ([], [])


@pytest.mark.parametrize("page", ["index.html", f"lanes/{SEALED}/evidence.html"])
def test_search_works_under_the_policy(
    served: str, open_tab: Callable[..., Tab], page: str
) -> None:
    tab = opened(open_tab, served)
    visit(tab, f"{served}/{page}")
    found = tab.search("FILE-DIFFERS")
    assert any(target.startswith(f"{served}/codes/FILE-DIFFERS.html") for target in found), found
    assert (tab.bad, tab.page.evaluate("window.__broken")) == ([], [])


def test_a_script_that_is_not_the_themes_does_not_run(
    own: Site, tmp_path: Path, open_tab: Callable[..., Tab]
) -> None:
    # what would happen if somebody got a script into a page behind the server's back
    target = tmp_path / "www"
    with HeldFolder(target) as held:
        held.publish(manifest.load(own.html), 5)
    page = target / "current" / "index.html"
    text = page.read_text("utf-8")
    page.write_text(text.replace("</h1>", "</h1><script>alert(1)</script>", 1), "utf-8")
    port = free_port()
    with nginx(tmp_path / "nginx", server_block(target, port), port) as url:
        tab = opened(open_tab, url)
        shown = visit(tab, f"{url}/index.html")
        assert shown.evaluate("window.__broken") == ["script-src-elem inline"]
        assert tab.ran() == []


def test_the_published_site_is_whole_behind_nginx(own: Site, served: str) -> None:
    site = manifest.load(own.html)
    found = check.url(served)
    assert found == (site.digest, len(site.files), manifest.Differences((), (), ()))
    pinned = check.url(f"{served}/versions/{site.digest}/")
    assert pinned == found


def test_every_answer_has_the_headers(served: str) -> None:
    host, _, port = served.removeprefix("http://").partition(":")
    connection = HTTPConnection(host, int(port), timeout=20)
    for path in ("/", "/index.json", "/nowhere", "/assets/lanebook.css"):
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        named = {
            name: response.getheader(name)
            for name in ("X-Content-Type-Options", "Referrer-Policy", "Cache-Control")
        }
        assert named == {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-cache",
        }
        assert (response.getheader("Content-Security-Policy") or "").startswith(
            "default-src 'none'"
        )
    assert get(connection, "/index.json")[0] == 200


def test_nginx_has_nothing_to_complain_of(tmp_path: Path) -> None:
    (tmp_path / "www").mkdir()
    port = free_port()
    with nginx(tmp_path / "nginx", server_block(tmp_path / "www", port), port):
        checked = subprocess.run(
            [
                NGINX,
                "-t",
                "-q",
                "-p",
                str(tmp_path),
                "-e",
                str(tmp_path / "log"),
                "-c",
                str(tmp_path / "nginx" / "nginx.conf"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    assert (checked.returncode, checked.stderr) == (0, "")
