"""The site in a browser, from disk: it works, for everyone, and asks nobody else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import pytest

from generator.comparing import sides
from generator.comparing.difference import Difference, difference
from generator.comparing.portrait import SECTIONS
from generator.reading.root import open_root
from generator.render.words import plural
from generator.verify import verify
from tests.site_support import Site, lanebook, pages_of, sort_of, xss

pytestmark = pytest.mark.browser

SEALED = "clone-rehearsal-sqlite"
CLAIMS_ONLY = "no-production-execution"
WAIT = 20_000
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}


class Tab:
    """A page in a context of its own, with everything that must not happen written down."""

    def __init__(self, browser: Any, **settings: Any) -> None:
        self.own: tuple[str, ...] = ("file://", "data:", "blob:", "about:")
        self.context = browser.new_context(**settings)
        self.context.add_init_script(
            "window.__ran = [];"
            "for (const name of ['alert', 'prompt', 'confirm', 'print', 'open'])"
            " window[name] = (...all) => window.__ran.push(name + all);"
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(WAIT)
        self.bad: list[str] = []
        self.page.on("dialog", self._dialog)
        self.page.on("pageerror", lambda error: self.bad.append(f"error: {error}"))
        self.page.on("console", self._console)
        self.context.on("request", self._request)

    def _dialog(self, dialog: Any) -> None:
        self.bad.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.bad.append(f"console: {message.text}")

    def _request(self, request: Any) -> None:
        if not request.url.startswith(self.own):
            self.bad.append(f"request: {request.url}")

    def visit(self, path: Path, fragment: str = "") -> Any:
        # a new address with the same path would only change the fragment
        self.page.goto("about:blank")
        self.page.goto(path.as_uri() + fragment, wait_until="load")
        return self.page

    def search(self, text: str, *, finds: bool = True) -> list[str]:
        box = self.page.locator("[data-md-component=search-query]")
        box.click()
        # whole at once: half a word such as "FILE-" is a query that the theme complains of
        box.fill(text)
        box.press("End")
        if finds:
            self.page.locator(".md-search-result__link").first.wait_for()
        found = self.page.locator(".md-search-result__link").evaluate_all(
            "all => all.map(a => a.href)"
        )
        return [str(target) for target in found]

    def ran(self) -> list[str]:
        frames = [frame.evaluate("window.__ran || []") for frame in self.page.frames]
        return [name for frame in frames for name in frame]


@pytest.fixture
def served(own: Site) -> Iterator[str]:
    """The site behind a web server on loopback."""
    with serving(own.html) as host:
        yield host


@contextmanager
def serving(html: Path) -> Iterator[str]:
    handler = partial(QuietHandler, directory=str(html))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def open_tab(browser: Any) -> Iterator[Callable[..., Tab]]:
    tabs: list[Tab] = []

    def opened(**settings: Any) -> Tab:
        settings = {"viewport": {"width": 1400, "height": 900}, **settings}
        tabs.append(Tab(browser, **settings))
        return tabs[-1]

    yield opened
    for tab in tabs:
        tab.context.close()


def representative(site: Site) -> list[Path]:
    """Return one page of each sort: the fullest that a test can look through in a second."""
    best: dict[str, Path] = {}
    for path in sorted(pages_of(site.html)):
        kind = sort_of(path)
        if path.name != "404.html" and path.stat().st_size < 80_000:
            best[kind] = max(path, best.get(kind, path), key=lambda page: page.stat().st_size)
    claims = site.html / "lanes" / CLAIMS_ONLY
    return [*best.values(), claims / "index.html", claims / "evidence.html"]


def test_pages_open_from_disk_without_an_error(own: Site, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    for path in representative(own):
        page = tab.visit(path)
        assert page.locator("h1").first.is_visible(), path
        assert (path.name, tab.bad, tab.ran()) == (path.name, [], [])


def searched(own: Site, what: str) -> tuple[str, str]:
    """Return what is typed, and a part of an address that must be among the answers."""
    evidence = json.loads((own.docs / "lanes" / SEALED / "evidence.json").read_bytes())
    return {
        "lane": (SEALED, f"/lanes/{SEALED}/"),
        "code": ("FILE-DIFFERS", "/codes/FILE-DIFFERS.html"),
        "first digits": (str(evidence["tree"])[:12], f"/lanes/{SEALED}/"),
        "whole hash": (str(evidence["tree"]), f"/lanes/{SEALED}/evidence.html"),
    }[what]


SEARCHED = ["lane", "code", "first digits", "whole hash"]


@pytest.mark.parametrize("what", SEARCHED)
def test_search_works_from_disk(own: Site, open_tab: Callable[..., Tab], what: str) -> None:
    typed, wanted = searched(own, what)
    tab = open_tab()
    tab.visit(own.html / "index.html")
    found = tab.search(typed)
    assert any(wanted in target for target in found), found
    assert tab.bad == []


@pytest.mark.parametrize("what", SEARCHED)
def test_search_works_when_served(
    own: Site, open_tab: Callable[..., Tab], served: str, what: str
) -> None:
    typed, wanted = searched(own, what)
    tab = open_tab()
    tab.own = (served,)
    tab.page.goto(f"{served}/index.html", wait_until="load")
    found = tab.search(typed)
    assert any(wanted in target for target in found), found
    assert tab.bad == []


def test_every_digest_that_a_page_shows_is_found_by_its_first_digits(
    own: Site, open_tab: Callable[..., Tab]
) -> None:
    """The theme's index loses words whose ends look alike; hashes have many."""
    twin = json.loads((own.docs / "lanes" / SEALED / "evidence.json").read_bytes())
    tab = open_tab()
    page = tab.visit(own.html / "index.html")
    for file in twin["files"]:
        page.locator("[data-md-component=search-query]").fill("")
        page.locator(".md-search-result__link").first.wait_for(state="detached")
        found = tab.search(file["sha256"][:10])
        assert any(SEALED in target for target in found), file["sha256"]
    assert tab.bad == []


def test_a_result_of_the_search_opens(own: Site, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    page = tab.visit(own.html / "lanes" / SEALED / "index.html")
    tab.search("FILE-DIFFERS")
    page.locator(".md-search-result__link").first.click()
    page.wait_for_url(re.compile(r"^file://.*\.html"))
    assert page.locator("h1").first.is_visible()
    assert tab.bad == []


# --- for everyone ---


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 390])
def test_pages_are_accessible(
    own: Site, open_tab: Callable[..., Tab], scheme: str, width: int
) -> None:
    # between light and dark only the colours differ
    only = {"type": "tag", "values": TAGS} if scheme == "light" else COLOURS
    tab = open_tab(viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)
    found = []
    for path in representative(own):
        told = violations(tab.visit(path), only)
        found += [f"{path.relative_to(own.html)}: {one}" for one in told]
    assert found == []


def violations(page: Any, only: dict[str, Any]) -> list[str]:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    options = {"runOnly": only, "resultTypes": ["violations"]}
    return [
        f"{found['id']}: {found['nodes'][0]['html'][:160]}"
        for found in axe.run(page, options=options).response["violations"]
    ]


@pytest.mark.parametrize("name", ["own", "hostile"])
def test_pages_fit_a_phone(
    name: str, open_tab: Callable[..., Tab], request: pytest.FixtureRequest
) -> None:
    site: Site = request.getfixturevalue(name)
    tab = open_tab(viewport={"width": 390, "height": 800})
    paths = representative(site)
    if name == "hostile":
        lane = site.html / "lanes" / "lane-1"
        paths = [*lane.glob("*.html"), *sorted(lane.glob("files/*.html"))[:4]]
    wide = []
    for path in paths:
        page = tab.visit(path)
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if overflow > 0:
            wide.append(f"{path.relative_to(site.html)}: {overflow} pixels too wide")
    assert wide == []


def test_the_tab_key_reaches_the_content(own: Site, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    page = tab.visit(own.html / "index.html")
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "(() => { const e = document.activeElement;"
                " return [e.href || '', !!e.closest('article, main'),"
                " getComputedStyle(e).outlineStyle !== 'none' || e.matches(':focus-visible')]; })()"
            )
        )
    targets = [target for target, _, _ in reached]
    assert any(target.endswith("lanes/index.html") for target in targets)
    assert any(inside and target for target, inside, _ in reached)
    assert all(seen for target, _, seen in reached if target)


def test_without_scripts_everything_is_there(own: Site, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(java_script_enabled=False)
    page = tab.visit(own.html / "lanes" / SEALED / "verification.html")
    twin = json.loads((own.docs / "lanes" / SEALED / "verification.json").read_bytes())
    assert page.locator("#ledger tbody tr:visible").count() == len(twin["claims"]) > 50
    page = tab.visit(own.html / "lanes" / SEALED / "evidence.html")
    twin = json.loads((own.docs / "lanes" / SEALED / "evidence.json").read_bytes())
    assert page.locator("#file-list tbody tr:visible").count() == len(twin["files"])


@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_decision_packet_prints_on_one_page(
    own: Site, open_tab: Callable[..., Tab], paper: str, scheme: str
) -> None:
    tab = open_tab(color_scheme=scheme)
    path = max(own.html.glob("lanes/*/decision.html"), key=lambda path: path.stat().st_size)
    printed = tab.visit(path).pdf(format=paper)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) == 1


# --- what the pages do ---


def test_the_claim_ledger_can_be_filtered(own: Site, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    twin = json.loads((own.docs / "lanes" / SEALED / "verification.json").read_bytes())
    page = tab.visit(own.html / "lanes" / SEALED / "verification.html")
    shown = page.locator("#ledger tbody tr:visible")
    levels = {
        "claimed": "claimed only",
        "recomputed": "recomputed",
        "crosschecked": "cross-checked",
    }
    for anchor, level in levels.items():
        wanted = sum(claim["level"] == level for claim in twin["claims"])
        page.locator(f'.lb-counts a[href$="#{anchor}"]').click()
        assert shown.count() == wanted > 0
    page.locator('.lb-counts a[href$="#ledger"]').click()
    assert shown.count() == len(twin["claims"])
    digest = next(c["stated"] for c in twin["claims"] if re.fullmatch("[0-9a-f]{64}", c["stated"]))
    page.locator("#ledger-search").fill(digest)
    assert 0 < shown.count() < len(twin["claims"])
    page.locator("#ledger-search").fill("no claim says this")
    assert shown.count() == 0
    # an address that names a level, or a row, opens that
    page = tab.visit(own.html / "lanes" / SEALED / "verification.html", "#recomputed")
    wanted = sum(claim["level"] == "recomputed" for claim in twin["claims"])
    assert page.locator("#ledger tbody tr:visible").count() == wanted
    page = tab.visit(own.html / "lanes" / SEALED / "verification.html", "#claim-3")
    assert page.locator("#claim-3").is_visible()
    assert tab.bad == []


def test_a_hash_copies_whole(own: Site, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    page = tab.visit(own.html / "lanes" / SEALED / "evidence.html")
    button = page.locator("button.lb-copy").first
    whole = button.get_attribute("data-whole")
    assert re.fullmatch("[0-9a-f]{64}", whole or "")
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    said = page.locator("[role=status]").all_inner_texts()
    selected = page.evaluate("getSelection().toString()")
    assert any(whole in text for text in [*said, selected])


def test_a_fold_opens_for_the_address_inside_it(own: Site, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    page = tab.visit(own.html / "lanes" / SEALED / "verification.html")
    fold = page.locator("details.lb-fold").first
    assert fold.evaluate("fold => fold.open") is False
    fold.evaluate(
        "fold => { const p = document.createElement('p'); p.id = 'inside'; p.textContent = 'x';"
        " fold.append(p); location.hash = 'inside'; }"
    )
    page.wait_for_function("document.querySelector('details.lb-fold').open")
    assert page.locator("#inside").is_visible()


def test_a_link_to_a_value_leads_to_its_line(own: Site, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    page = tab.visit(own.html / "lanes" / SEALED / "verification.html")
    for ending in ("L3", "/"):
        pattern = r"#L\d+$" if ending == "L3" else r"#/"
        link = page.locator("article a").filter(has_text=re.compile(r"\S"))
        targets = link.evaluate_all("all => all.map(a => a.href)")
        target = next((t for t in targets if re.search(rf"files/[0-9a-f]+\.html{pattern}", t)), "")
        if not target:
            continue
        other = tab.context.new_page()
        other.goto(target)
        assert other.evaluate(
            "(() => { const id = decodeURIComponent(location.hash.slice(1));"
            " const e = document.getElementById(id); if (!e) return false;"
            " const r = e.getBoundingClientRect(); return r.top > -200 && r.top < innerHeight; })()"
        )
        other.close()


# --- hostile packets ---

_PARSE = """text => {
  const found = new Set();
  for (const e of new DOMParser().parseFromString(text, 'text/html').querySelectorAll('*'))
    found.add(JSON.stringify([e.localName, e.getAttributeNames().sort()]));
  return [...found];
}"""


def parsed(tab: Tab, paths: list[Path]) -> dict[str, set[tuple[str, str]]]:
    """Return sort of page to tags with each of their attributes, as the browser reads them."""
    found: dict[str, set[tuple[str, str]]] = {}
    for path in paths:
        for told in tab.page.evaluate(_PARSE, path.read_text("utf-8")):
            tag, attributes = json.loads(told)
            kind = found.setdefault(sort_of(path), set())
            kind.update((tag, name) for name in ["", *attributes])
    return found


@pytest.mark.parametrize("name", ["hostile", "bulk"])
def test_the_browser_reads_no_markup_out_of_packets(
    name: str, benign: Site, open_tab: Callable[..., Tab], request: pytest.FixtureRequest
) -> None:
    site: Site = request.getfixturevalue(name)
    tab = open_tab()
    tab.visit(benign.html / "index.html")
    harmless = [path for path in pages_of(benign.html) if "codes" not in path.parts]
    paths = [path for path in pages_of(site.html) if "codes" not in path.parts]
    if name == "bulk":  # the ledger says the same again
        paths = [path for path in paths if path.name != "verification.html"]
    allowed, found = parsed(tab, harmless), parsed(tab, paths)
    assert {kind: found[kind] - allowed[kind] for kind in found} == {kind: set() for kind in found}


def test_nothing_of_a_hostile_packet_runs(hostile: Site, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    top = [path for path in pages_of(hostile.html) if path.parent == hostile.html]
    lanes = [path for path in pages_of(hostile.html) if path.parent.name in ("lane-0", "lane-1")]
    viewers = [path for path in pages_of(hostile.html) if path.parent.name == "files"]
    for path in [*top, *lanes, *viewers[:12]]:
        if path.name == "404.html":
            continue
        page = tab.visit(path)
        page.mouse.move(300, 300)
        page.mouse.move(500, 400)
        page.keyboard.press("Tab")
        assert (str(path), tab.bad, tab.ran()) == (str(path), [], [])


def test_nothing_of_the_whole_suite_runs(bulk: Site, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    for lane in ("bulk-0", "bulk-5"):
        folder = bulk.html / "lanes" / lane
        viewer = max(folder.glob("files/*.html"), key=lambda path: path.stat().st_size)
        for path in (folder / "report.html", folder / "verification.html", viewer):
            tab.visit(path)
            assert (str(path), tab.bad, tab.ran()) == (str(path), [], [])


def test_searching_for_hostile_words_runs_nothing(
    hostile: Site, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    page = tab.visit(hostile.html / "lanes" / "lane-0" / "index.html")
    for words in ("onerror", "alert", "script", "<img src=x onerror=alert(1)>", xss()[0]):
        # the theme cannot read every text as a query, and then shows nothing new
        tab.search(words, finds=words.isalpha())
        page.wait_for_timeout(500)
        assert page.locator(".md-search-result img, .md-search-result script").count() == 0
        # the theme's own search says on the console that it cannot read a query
        bad = [told for told in tab.bad if not re.search("Invalid query|QueryParseError", told)]
        assert (words, bad, tab.ran()) == (words, [], [])
    tab.bad.clear()
    tab.search("onerror")
    page.locator(".md-search-result__link").first.click()
    page.wait_for_load_state()
    page.wait_for_timeout(300)
    assert (tab.bad, tab.ran()) == ([], [])


# --- comparing any two lanes ---

COMPARED = """() => {
  const texts = (table) => Array.from(table.querySelectorAll("tbody tr"), (row) =>
    Array.from(row.cells, (cell) => cell.textContent.trim()));
  const table = (way) => document.querySelector(`#compared-${CSS.escape(way)} table`);
  return {
    words: Array.from(
      document.querySelectorAll("#lb-compared .lb-verdict p"), (p) => p.textContent),
    rows: ["-1", "1", "0"].map((way) => (table(way) ? texts(table(way)) : [])),
  };
}"""


def told(found: Difference) -> dict[str, Any]:
    """What the page must show of what the command says."""

    def side(says: str, where: str) -> str:
        return ((says or "–") + (f" ({where})" if where else "")).strip()

    rows = [
        [
            [
                f"{sign} {change.section.title}: {change.label}".strip(),
                side(change.before, change.where_before),
                side(change.after, change.where_after),
                change.kind,
            ]
            for change in found.towards(way)
        ]
        for way, sign in ((-1, "▲"), (1, "●"), (0, "·"))
    ]
    return {
        "words": [
            found.headline,
            found.standing,
            f"{plural(found.same, 'fact')} of which both lanes say the same.",
        ],
        "rows": rows,
    }


def compared(tab: Tab, address: str, one: str, other: str) -> Any:
    fragment = urlencode({"a": one, "b": other})
    if tab.page.url.split("#")[0] == address:
        tab.page.evaluate("fragment => { location.hash = fragment; }", fragment)
    else:
        tab.page.goto(f"{address}#{fragment}", wait_until="load")
    tab.page.locator(f"#lb-compared[data-shown='{one} {other}']").wait_for(timeout=WAIT)
    return tab.page.evaluate(COMPARED)


@pytest.mark.parametrize(
    ("name", "how"), [("own", "from disk"), ("own", "served"), ("hostile", "from disk")]
)
def test_the_compare_page_says_what_the_command_says_over_all_pairs(
    name: str, how: str, request: pytest.FixtureRequest, open_tab: Callable[..., Tab]
) -> None:
    site: Site = request.getfixturevalue(name)
    verdict = verify(open_root(site.root), facts=True)
    portraits = sides.portraits(verdict)
    lanes = [lane for lane in portraits if lane]
    tab = open_tab()
    pairs = [(a, b) for a in lanes for b in lanes if a != b]
    if name == "hostile":  # each lane with the next, both ways
        pairs = [pair for a, b in pairwise(lanes) for pair in ((a, b), (b, a))]
    assert len(pairs) > 20
    with serving(site.html) as host:
        tab.own = (*tab.own, host)
        page = site.html / "compare.html"
        address = page.as_uri() if how == "from disk" else f"{host}/compare.html"
        for one, other in pairs:
            expected = told(difference(portraits[one], portraits[other]))
            assert compared(tab, address, one, other) == expected, (one, other)
        assert tab.bad == []
        assert tab.ran() == []


_LEFT = {"says": "OPEN", "rank": 0, "kin": "legs", "gone": -1}
_RULES: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("blockers", {"live": _LEFT}, {"toy": _LEFT}),
    ("blockers", {"live": _LEFT}, {"docs": {"says": "proven", "rank": 1, "kin": "legs"}}),
    ("blockers", {"live": _LEFT}, {"docs": {"says": "proven", "kin": "legs"}}),
    ("probes", {}, {"a": {"says": "refused", "new": 1}, "b": {"says": "allowed", "new": -1}}),
    ("probes", {}, {"a": {"says": "refused", "new": 1}, "b": {"says": "noted"}}),
    ("probes", {"a": {"says": "x", "gone": -1}, "b": {"says": "y", "gone": 1}}, {}),
    ("claims", {}, {key: {"says": key} for key in ("\uffff", "\U0001d400", "é", "9", "10", "010")}),
    ("claims", {"__proto__": {"says": "x", "rank": 2}}, {"__proto__": {"says": "y", "rank": 1}}),
    ("claims", {"constructor": {"says": "x", "kin": "__proto__"}}, {"9" * 5000: {"says": "z"}}),
)


def test_every_way_to_judge_a_change_is_the_same_in_a_browser(
    own: Site, open_tab: Callable[..., Tab]
) -> None:
    """Portraits that no lane here has, in the place of two that are."""

    def portrait(lane: str, section: str, facts: dict[str, Any]) -> dict[str, Any]:
        named = {one.id: facts if one.id == section else {} for one in SECTIONS}
        return {"lane": {"id": lane, "title": "", "date": ""}, "links": {}, "facts": named}

    with serving(own.html) as host:
        for section, before, after in _RULES:
            made = {SEALED: portrait(SEALED, section, before)}
            made[CLAIMS_ONLY] = portrait(CLAIMS_ONLY, section, after)
            tab = open_tab()
            tab.own = (*tab.own, host)
            tab.page.route(
                "**/portraits/*.json",
                lambda route, request, made=made: route.fulfill(json=made[Path(request.url).stem]),
            )
            shown = compared(tab, f"{host}/compare.html", SEALED, CLAIMS_ONLY)
            assert shown == told(difference(made[SEALED], made[CLAIMS_ONLY])), (section, after)


def test_a_place_on_the_compare_page_does_not_change_what_is_compared(
    own: Site, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    page = tab.visit(own.html / "compare.html", f"#a={CLAIMS_ONLY}&b={SEALED}")
    shown = page.locator(f"#lb-compared[data-shown='{CLAIMS_ONLY} {SEALED}']")
    shown.wait_for()
    page.evaluate("location.hash = '#compare'")
    page.wait_for_timeout(300)
    assert shown.count() == 1
    assert page.locator("#lb-compare-a").input_value() == CLAIMS_ONLY
    newest = tab.visit(own.html / "compare.html").locator("#lb-compare-b").input_value()
    only = open_tab().visit(own.html / "compare.html", f"#a={newest}")
    only.locator("#lb-compared[data-shown]").wait_for()
    assert only.locator("#lb-compare-a").input_value() == newest


def test_the_command_and_the_pages_say_the_same(own: Site) -> None:
    """The command in a folder of its own, the page of the pair, and its twin."""
    done = lanebook(
        "diff",
        "production-shaped-clone",
        "clone-rehearsal-sqlite",
        "--format",
        "json",
        cwd=own.root,
    )
    assert done.returncode == 0, done.stderr
    command = json.loads(done.stdout)
    name = "production-shaped-clone--clone-rehearsal-sqlite.json"
    twin = json.loads((own.docs / "diffs" / name).read_bytes())
    titles = {section.id: section.title for section in SECTIONS}
    assert twin["headline"] == command["headline"]
    assert twin["standing"] == command["standing"]
    for part in ("worse", "better", "other"):
        rows = [row | {"section": titles[row["section"]]} for row in command[part]]
        assert twin[part] == rows[:500]


def test_a_pair_is_picked_swapped_and_shared(own: Site, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    page = tab.visit(own.html / "compare.html")
    # the newest two, the later one second
    page.locator("#lb-compared[data-shown]").wait_for()
    newest = page.locator("#lb-compare-b").input_value()
    page.locator("#lb-compare-a").select_option(CLAIMS_ONLY)
    page.locator(f"#lb-compared[data-shown='{CLAIMS_ONLY} {newest}']").wait_for()
    page.get_by_role("button", name="Swap them").click()
    page.locator(f"#lb-compared[data-shown='{newest} {CLAIMS_ONLY}']").wait_for()
    address = page.url
    other = open_tab()
    other.page.goto(address, wait_until="load")
    other.page.locator(f"#lb-compared[data-shown='{newest} {CLAIMS_ONLY}']").wait_for()
    assert other.page.evaluate(COMPARED) == page.evaluate(COMPARED)
    link = page.locator("#lb-compared td a").first
    link.click()
    page.wait_for_load_state()
    assert "/files/" in page.url
    assert tab.bad == other.bad == []


def test_an_address_with_a_lane_that_is_not_here_says_so(
    own: Site, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    page = tab.visit(own.html / "compare.html", "#a=nobody&b=../../etc")
    message = page.get_by_text("The address names a lane that is not here.")
    message.wait_for()
    assert page.locator("#lb-compared").inner_text() == ""
    same = tab.visit(own.html / "compare.html", f"#a={SEALED}&b={SEALED}")
    same.get_by_text("Pick two different lanes.").wait_for()
    assert tab.bad == []


def test_the_compare_page_is_accessible_and_fits_a_phone(
    own: Site, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab(viewport={"width": 360, "height": 740}, bypass_csp=True)
    fragment = f"#a={CLAIMS_ONLY}&b={SEALED}"
    for scheme, only in (("light", {"type": "tag", "values": TAGS}), ("dark", COLOURS)):
        tab.page.emulate_media(color_scheme=scheme)
        page = tab.visit(own.html / "compare.html", fragment)
        page.locator("#lb-compared[data-shown]").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert violations(page, only) == []
