"""What the tests of the site share: running lanebook, reading pages back, hostile roots."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt

from generator.names import problems, visible

ROOT = Path(__file__).resolve().parents[1]
SUITES = ROOT.parent / "shared" / "suites" / "strings"
XSS = SUITES / "xss-payloads.txt"
BLNS = SUITES / "blns.json"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), "")
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TIME_LIMIT = 180


# --- running lanebook ---


@dataclass(frozen=True)
class Site:
    """A root whose site was built; nobody changes it."""

    root: Path
    code: int
    planted: tuple[tuple[str, str, str], ...]
    """(lane, field, text) of hostile texts that must be readable on the lane's pages."""

    @property
    def docs(self) -> Path:
        return self.root / "site" / "docs"

    @property
    def html(self) -> Path:
        return self.root / "site" / "html"


def environment(**changes: str) -> dict[str, str]:
    """Return an environment in which this checkout is the lanebook that runs."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COV_")}
    return plain | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"} | changes


def lanebook(
    *arguments: str, cwd: Path, timeout: float = TIME_LIMIT, **changes: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "generator", *arguments],
        cwd=cwd,
        env=environment(**changes),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )


def one_line(done: subprocess.CompletedProcess[str], code: int) -> str:
    """Return the only line of an error; anything longer, or a traceback, fails."""
    assert done.returncode == code, done.stdout[-2000:] + done.stderr[-4000:]
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("lanebook: ")
    assert done.stdout == ""
    return lines[0]


def make_root(target: Path, packets: Path | None = None) -> Path:
    """Copy what a site is built from: packets, mkdocs.yml and the settings beside it."""
    shutil.copytree(packets or ROOT / "packets", target / "packets", symlinks=True)
    for name in ("mkdocs.yml", "lanebook.yml", "pins.yml"):
        if (ROOT / name).is_file():
            shutil.copyfile(ROOT / name, target / name)
    return target


def small_root(target: Path, *lanes: str) -> Path:
    """Return a root with few lanes, for tests that build many times."""
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / "mkdocs.yml", target / "mkdocs.yml")
    for lane in lanes or ("first-lane",):
        shutil.copytree(ROOT / "templates/root/packets/first-lane", target / "packets" / lane)
        text = f"id: {lane}\ntitle: {lane.replace('-', ' ')}\n"
        (target / "packets" / lane / "lane.yml").write_text(text, "utf-8")
    return target


def tree(folder: Path) -> dict[str, bytes]:
    """Return path to bytes of everything below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def site_of(root: Path) -> dict[str, dict[str, bytes]]:
    return {name: tree(root / "site" / name) for name in ("docs", "html")}


def times(folder: Path) -> dict[str, tuple[int, int]]:
    """Return path to inode and time of change of everything below a folder, folders included."""
    return {
        path.relative_to(folder).as_posix(): (path.lstat().st_ino, path.lstat().st_mtime_ns)
        for path in (folder, *folder.rglob("*"))
    }


# --- reading pages back ---


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_VOID = words("area base br col embed hr img input link meta source track wbr")
_INLINE = words("a abbr b code em i kbd mark s small span strong sub sup u output")
_CONTAINERS = words("tr li section")
_LEAVES = words("code td th li p a h1 h2 h3 dt dd summary strong")


def spaced(text: str) -> str:
    return " ".join(text.split())


@dataclass
class Read:
    """What a reader, or a browser, gets out of a page."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    leaves: set[str] = field(default_factory=set)
    """The text of each small element."""
    containers: list[tuple[str, str]] = field(default_factory=list)
    """Tag and text of table rows, list items and sections, with the titles in them."""
    text: str = ""
    """All text and every ``title``."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.read = Read()
        self.pieces: list[str] = []
        self.open: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.read.elements.append((tag, found))
        if "id" in found:
            self.read.ids.add(found["id"])
        if tag not in _INLINE:
            self.pieces.append("\n")
        if tag not in _VOID:
            self.open.append((tag, len(self.pieces)))
        if title := found.get("title", ""):
            self.pieces.append(f"\0{title}\0")

    def handle_endtag(self, tag: str) -> None:
        if not any(name == tag for name, _ in self.open):
            return
        while self.open:
            name, start = self.open.pop()
            if name in _LEAVES:
                text = "".join(p for p in self.pieces[start:] if not p.startswith("\0"))
                self.read.leaves.add(spaced(text))
            if name in _CONTAINERS:
                text = spaced(" ".join(self.pieces[start:]).replace("\0", " "))
                joined = spaced("".join(self.pieces[start:]).replace("\0", " "))
                self.read.containers.append((name, f"{joined} {text}"))
            if name == tag:
                break
        if tag not in _INLINE:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not any(name in ("script", "style") for name, _ in self.open):
            self.pieces.append(data.replace("\0", "�"))


def read_html(text: str) -> Read:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    reader.read.text = spaced("".join(reader.pieces).replace("\0", " "))
    return reader.read


def read_markdown(text: str) -> Read:
    """Read a page without an engine, as any CommonMark reader with tables does."""
    front, body = "", text
    if text.startswith("---\n"):
        front, body = text[4:].split("\n---\n", 1)
    title = next((line for line in front.splitlines() if line.startswith("title:")), "")
    shown = MarkdownIt("commonmark", {"html": True}).enable("table").render(body)
    return read_html(f"<p>{title}</p>{shown}")


def facts(value: object, pointer: str = "") -> Iterator[tuple[str, str]]:
    """Yield every scalar of a JSON value as a page shows it; only null and empty are left out."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from facts(item, f"{pointer}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from facts(item, f"{pointer}/{index}")
    elif isinstance(value, bool):
        yield pointer, "true" if value else "false"
    elif value is not None and str(value).strip():
        yield pointer, spaced(visible(str(value)))


_NUMBER = re.compile(r"-?[0-9][0-9.]*\Z")


def holds(text: str, fact: str) -> bool:
    """Whether a text holds a fact; a number must stand alone, not inside a longer one."""
    if _NUMBER.match(fact):
        return re.search(rf"(?<![\w.]){re.escape(fact)}(?!\w|\.\w)", text) is not None
    return fact in text


def absent(twin: object, page: Read) -> list[tuple[str, str]]:
    """Name the facts of a twin that its page does not show."""
    return [
        (pointer, fact)
        for pointer, fact in facts(twin)
        if fact not in page.leaves and not holds(page.text, fact)
    ]


# --- links ---


def links(page: Read) -> Iterator[tuple[str, str]]:
    """Yield attribute and target of everything that a page refers to."""
    for tag, attributes in page.elements:
        for name in ("href", "src", "action", "formaction", "data", "poster", "srcset"):
            if name in attributes and not (tag == "data" and name == "data"):
                yield f"{tag} {name}", attributes[name]


def broken_links(html: Path, pages: Mapping[Path, Read]) -> list[str]:
    """Name every local target or fragment that does not exist, and every target elsewhere."""
    broken = []
    for path, page in pages.items():
        for what, target in links(page):
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                broken.append(f"{path.relative_to(html)}: {what}: leads elsewhere: {target[:120]}")
                continue
            if path.name == "404.html":
                continue  # served for any address, so its targets begin with /
            goal = path
            if parts.path:
                goal = Path(os.path.normpath(path.parent / unquote(parts.path)))
                if parts.path.endswith("/") or goal.is_dir():
                    goal /= "index.html"
            if not goal.is_relative_to(html) or not goal.is_file():
                broken.append(f"{path.relative_to(html)}: {what}: no such file: {target[:99]}")
            elif parts.fragment and goal.suffix == ".html":
                wanted = parts.fragment
                ids = pages[goal].ids if goal in pages else set()
                # browsers look for the fragment as it stands, then decoded
                if wanted not in ids and unquote(wanted) not in ids and not _of_theme(wanted):
                    broken.append(f"{path.relative_to(html)}: {what}: no such place: {target[:99]}")
    return broken


def _of_theme(fragment: str) -> bool:
    return fragment.startswith(("__", ":~:"))


@cache
def pages_of(html: Path) -> dict[Path, Read]:
    """Read every HTML file below a folder; for folders that no longer change."""
    return {path: read_html(path.read_text("utf-8")) for path in sorted(html.rglob("*.html"))}


# --- what could be live ---

DANGEROUS = words(
    "script iframe frame frameset object embed applet svg math base meta link style form input"
    " button textarea select option video audio source track img image picture template slot portal"
    " marquee bgsound isindex keygen xml dialog canvas plaintext noscript foreignobject animate set"
    " use"
)
URL_ATTRIBUTES = words(
    "href src action formaction data poster srcset background lowsrc dynsrc xlink:href ping cite"
    " manifest longdesc"
)
_SCHEME = re.compile(r"[\x00-\x20]*([A-Za-z][A-Za-z0-9+.-]*|)[\x00-\x20]*:|[\x00-\x20]*[/\\]{2}")


def shape(tag: str, attributes: Mapping[str, str]) -> str:
    """Return an element that could be live without what differs from page to page.

    How deep a page lies, its name, and its title.
    """
    shown = dict(attributes)
    for name in URL_ATTRIBUTES & set(shown):
        shown[name] = re.sub(r"^(\.\./)+|^\./", "", shown[name])
    if tag == "input":
        shown.pop("checked", None)  # which of the theme's folds is open
    if tag == "svg" and shown.get("class") == "lb-drawn":
        shown.pop("viewbox", None)  # how big a picture is
    if tag == "link" and shown.get("rel") in ("prev", "next", "canonical"):
        shown = {"rel": shown["rel"]}
    return json.dumps([tag, shown], sort_keys=True)


def shapes(pages: Mapping[Path, Read]) -> frozenset[str]:
    """Return every element of a harmless site that would be dangerous from anyone else."""
    return frozenset(
        shape(tag, attributes)
        for page in pages.values()
        for tag, attributes in page.elements
        if tag in DANGEROUS
    )


def sort_of(path: Path) -> str:
    """Return which pages look like this one: all reports, all viewers."""
    if path.parent.name in ("files", "codes", "diffs"):
        return path.parent.name
    return path.name if "lanes" in path.parts else f"top {path.name}"


def kinds(pages: Mapping[Path, Read]) -> dict[tuple[str, str], set[str]]:
    """Return sort of page and tag to the attributes that the tag has there in a harmless site."""
    found: dict[tuple[str, str], set[str]] = {}
    for path, page in pages.items():
        for tag, attributes in page.elements:
            found.setdefault((sort_of(path), tag), set()).update(attributes)
    return found


def live(pages: Mapping[Path, Read], benign: Mapping[Path, Read]) -> list[str]:
    """Name everything in a site that packet text could have made."""
    allowed, known = shapes(benign), kinds(benign)
    found = []
    for path, page in pages.items():
        for tag, attributes in page.elements:
            told = f"{path.parent.name}/{path.name}: <{tag} {str(attributes)[:200]}>"
            targets = [attributes[name] for name in URL_ATTRIBUTES & set(attributes)]
            foreign = shape(tag, attributes) not in allowed
            if (sort_of(path), tag) not in known:
                found.append(f"a tag of its own: {told}")
            elif not known[sort_of(path), tag].issuperset(attributes):
                found.append(f"an attribute of its own: {told}")
            elif tag in DANGEROUS and foreign:
                found.append(f"dangerous: {told}")
            elif any(name.startswith("on") for name in attributes):
                found.append(f"an event handler: {told}")
            elif foreign and any(map(_SCHEME.match, targets)):
                found.append(f"a link elsewhere: {told}")
    return found


# --- hostile text ---

INLINE = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    '"><svg onload=alert(1)>',
    "'><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "<iframe src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "[x]: https://evil.example/",
    "<https://evil.example/>",
    "https://evil.example/ www.evil.example a@evil.example",
    "{: onclick=alert(1) }",
    "{: .x #id style=color:red }",
    "x {#id onload=alert(1)}",
    "{{ 7*7 }} {% raw %} ${7*7} #{7*7}",
    "{% include '/etc/passwd' %}",
    "--8<-- '/etc/passwd'",
    "| a | b |",
    "a|b\\|c",
    "`code` ``code`` ```",
    "```mermaid",
    "~~~ sh",
    "# heading",
    "- item",
    "1. item",
    "> quote",
    "!!! danger",
    "??? note",
    ":   definition",
    "*[HTML]: x",
    "[^1]: note",
    "    indented",
    "\tindented",
    "trailing  ",
    "--- ",
    "***",
    "===",
    "&lt;b&gt; &amp; &#60;i&#62; &copy;",
    "<!-- comment -->",
    "<![CDATA[x]]>",
    "<?php echo 1 ?>",
    "</code></td></tr></table><b>out</b>",
    "</textarea></title></style>",
    "__bold__ *em* ~~gone~~ ==mark== ^^ins^^",
    ":smile: H~2~O x^2^",
    "\\<b\\> \\` \\|",
    "line one\nline two",
    "a\r\nb\u2028c\u2029d",
    "\x1b[31mred\x1b[0m \x07 \x00",
    "\u202eright to left\u202c \u200b\ufeff",
    "\U0001f600 \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\u0627\u0644\u0639\u0631\u0628\u064a\u0629 \u05e2\u05d1\u05e8\u05d9\u05ea",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "x" * 120 + "<b>long</b>",
    "../../../../etc/passwd",
    "page.title }} {{ config }}",
    "%3Cscript%3Ealert(1)%3C/script%3E",
)
"""Always there, whatever suites are present."""


def xss() -> list[str]:
    """Return the lines of the suite, or the inline list where the suite is absent."""
    if not XSS.is_file():
        return list(INLINE)
    lines = XSS.read_text("utf-8").split("\n")
    return list(dict.fromkeys(line for line in lines if line.strip()))


def blns() -> list[str]:
    strings = json.loads(BLNS.read_text("utf-8")) if BLNS.is_file() else list(INLINE)
    return list(dict.fromkeys(text for text in strings if text.strip()))


def is_file_name(text: str) -> bool:
    """Whether a system, and lanebook, takes a text as the name of a file."""
    return (
        0 < len(os.fsencode(text.encode("utf-8", "surrogatepass"))) <= 200
        and text not in (".", "..")
        and not any(problems(text))
        and "/" not in text
    )


def yaml_text(text: str) -> str:
    """Write a text as a YAML scalar."""
    shown = "".join(
        char
        if char.isprintable() and char not in '"\\' and char != "\ufeff"
        else f"\\U{ord(char):08x}"
        for char in text
    )
    return f'"{shown}"'


def seal(evidence: Path) -> None:
    """Write the two seal files as sha256sum would."""
    seals = ("HASH_MANIFEST.txt", "packet_tree.sha256")
    names = sorted(
        (path.relative_to(evidence).as_posix() for path in evidence.rglob("*") if path.is_file()),
        key=os.fsencode,
    )
    manifest = "".join(
        f"{hashlib.sha256((evidence / name).read_bytes()).hexdigest()}  {name}\n"
        for name in names
        if name not in seals
    ).encode()
    (evidence / seals[0]).write_bytes(manifest)
    (evidence / seals[1]).write_text(f"{hashlib.sha256(manifest).hexdigest()}\n", "ascii")


@dataclass
class Plan:
    """Takes texts for a root, and notes which of them must be found on which lane's pages."""

    take: Callable[[int], str]
    """A text of at most so many characters."""
    shown: list[tuple[str, str, str]] = field(default_factory=list)
    """(lane, field, text) of what must be readable somewhere on the lane's pages."""

    def __call__(self, lane: str, path: str, longest: int = 4000) -> str:
        text = self.take(longest)
        self.shown.append((lane, path, text))
        return text

    def quiet(self, longest: int = 4000) -> str:
        """Take a text that pages may show in parts, or elsewhere."""
        return self.take(longest)


def from_list(texts: list[str]) -> Callable[[int], str]:
    """Return a taker that goes round a list and skips what is too long."""
    state = {"at": 0}

    def take(longest: int) -> str:
        for _ in range(len(texts)):
            text = texts[state["at"] % len(texts)]
            state["at"] += 1
            if len(visible(text)) <= longest:
                return text
        raise AssertionError("no text is short enough")

    return take


def harmless() -> Callable[[int], str]:
    state = {"at": 0}

    def take(longest: int) -> str:
        state["at"] += 1
        return f"plain words {state['at']}"

    return take


def write_json(path: Path, value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))


def report_with(plan: Plan, lane: str) -> dict[str, Any]:
    """Return a machine report in which every field that reaches a page holds a text of the plan."""

    def text(path: str) -> str:
        return plan(lane, path)

    deep = {text("deep key"): [text("list"), {text("inner key"): text("inner value")}]}
    blockers = [
        {
            "id": text("blocker id"),
            "state": text("blocker state"),
            "status": text("blocker status"),
            "actor": text("blocker actor"),
            "next_action": text("blocker next_action"),
            "blocks": text("blocker blocks"),
            "legs": [{"id": text("leg id"), "status": text("leg status")} for _ in range(2)],
        }
        for _ in range(3)
    ]
    return {
        "final_status": text("final_status"),
        "date": text("date"),
        "macro": text("macro"),
        text("key"): text("value"),
        text("top key"): {text("under it"): text("value under it")},
        "nested": {text("nested key"): deep},
        "preflight": {text("preflight key"): text("preflight value")},
        "production_blocker_map": {"open_count": text("open_count"), "blockers": blockers},
        "workstream_F_decision_packet": {
            "options": [text("option 1"), text("option 2"), {"id": text("option 3")}],
            "default": text("default"),
            "selected": None,
        },
        "governance": {
            "objects_reserved": f"TKT-OBJ-485..494 {text('objects')}",
            "above_ceiling": text("ceiling"),
            "apply_now": text("apply_now"),
            "canonical_fold": text("canonical_fold"),
        },
        f"workstream_A_{text('workstream key')}": {"verdict": text("workstream verdict")},
        "production_mutation": text("production_mutation"),
        "real_run": text("real_run"),
        "delegated_decision_consumed": text("delegation"),
        "next_macro": text("next_macro"),
        "number": 1234567890123456789012345678901234567890,
        "fraction": 1.5,
        "empty": "",
        "nothing": None,
        "yes": True,
    }


def markdown_with(plan: Plan) -> str:
    """Return a document in which every kind of line holds a text; how much is shown is open."""

    def text() -> str:
        return plan.quiet(600).replace("\n", " ").replace("\r", " ")

    rows = "".join(f"| {text()} | {text()} | {text()} |\n" for _ in range(4))
    return (
        f"# {text()}\n\n{text()}\n\nStatus: {text()}\n\n## {text()}\n\n"
        f"- {text()}: {text()}\n- `{text()}`\n- **{text()}**: {text()}\n1. {text()}\n\n"
        f"### {text()}\n\n| {text()} | {text()} | {text()} |\n|---|---|---|\n{rows}\n"
        f"Default: {text()}\n\n```\n{text()}\n```\n\n> {text()}\n"
    )


def hostile_lane(root: Path, lane: str, plan: Plan, *, broken: bool, named: bool) -> None:
    """Write one lane with texts in everything that lanebook reads of it."""
    folder = root / "packets" / lane
    evidence = folder / "evidence"
    (evidence / "sub").mkdir(parents=True)
    lines = [f"id: {lane}", f"title: {yaml_text(plan(lane, 'lane.yml title', 280))}"]
    lines.append(f"who: {yaml_text(plan(lane, 'lane.yml who', 280))}")
    if broken:
        key, value = plan(lane, "lane.yml key", 78), plan(lane, "lane.yml value", 190)
        pinned, pin = plan.quiet(70), plan(lane, "lane.yml pin", 78)
        lines += [
            f"date: {yaml_text(plan(lane, 'lane.yml date', 38))}",
            f"previous: {yaml_text(plan(lane, 'lane.yml previous', 78))}",
            f"{yaml_text(key)}: {yaml_text(value)}",
            f"pins: {{{yaml_text(pinned)}: {yaml_text(pin)}}}",
        ]
    (folder / "lane.yml").write_text("\n".join(lines) + "\n", "utf-8")
    write_json(folder / "report.json", report_with(plan, lane))
    for name in ("checkpoint.md", "decision-packet.md", "report.md"):
        text = markdown_with(plan).encode("utf-8", "replace")
        (folder / name).write_bytes(text)
    contents = [plan(lane, "file content").replace("\t", "    ") for _ in range(6)]
    contents = [text.replace("\0", "") for text in contents]  # or it would be no text
    for name in ("page.html", "image.svg", "code.js", "notes.md", "plain.txt"):
        text = ("\n".join(contents) + f"\n{name}\n").encode("utf-8", "replace")
        (evidence / name).write_bytes(text)
    values = {plan.quiet(): [plan.quiet(), {"x": plan.quiet()}]}
    write_json(evidence / "sub" / "values.json", values)
    write_json(evidence / "rollback-recovery-proof.json", {"entries": [{"id": plan.quiet()}]})
    if named:
        for _ in range(6):
            name = next(text for text in iter(lambda: plan.quiet(90), None) if is_file_name(text))
            (evidence / name).write_text(name, "utf-8")
            plan.shown.append((lane, "file name", name))
    seal(evidence)
    if broken:
        with (evidence / "HASH_MANIFEST.txt").open("a", encoding="utf-8") as file:
            file.write(f"{'0' * 64}  {plan.quiet(90)}\n{plan.quiet(90)}\n")
        (evidence / "packet_tree.sha256").write_text(plan.quiet(90), "utf-8")


def hostile_root(root: Path, take: Callable[[int], str], lanes: int = 8) -> list[list[str]]:
    """Write a root in which every text comes from a taker; return what must be readable where."""
    make_root(root, packets=ROOT / "templates" / "root" / "packets")
    plan = Plan(take)
    for number in range(lanes):
        broken, named = number % 2 == 1, number % 4 < 2
        hostile_lane(root, f"lane-{number}", plan, broken=broken, named=named)
    packets = root / "packets"
    for number in range(3):
        name = next(text for text in iter(lambda: plan.quiet(90), None) if is_file_name(text))
        (packets / name).mkdir(exist_ok=True)
        write_json(packets / name / "report.json", {"final_status": plan.quiet()})
        (packets / f"{number} {name}"[:90]).symlink_to("/etc/passwd")
        (packets / f"{name[:80]}-{number}.md").write_text(f"# T\n\nStatus: {name}\n", "utf-8")
    return [list(told) for told in plan.shown]
