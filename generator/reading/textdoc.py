"""Markdown and plain text: structure by markdown-it, damage read around and named.

Nothing is executed or rendered: only the block structure is asked for, HTML is off, and a link is
the words that it shows. What people paste loses heading marks, breaks table rows and runs list
items together; each repair keeps its line and is listed, so that a reader can look.

Every line stays where it is: a repaired text has as many lines as the one that was given.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

from generator.model.document import Damage, HashMention, Passage, Section, Statement, Table
from generator.reading import hashes, pipetables, statements

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MAX_LINES: Final = 200_000
"""Lines for the Markdown parser; a longer document is read line by line."""
MAX_LINE: Final = 64 * 1024
"""Characters of a line for the Markdown parser."""
MAX_INNER_PIPES: Final = 200_000
"""Pipes outside whole tables, past which tables in lists and quotes are not looked for."""
_NESTING: Final = 20
_LONGEST_TITLE = 200
_LONGEST_HEADING = 150
_LONGEST_BARE_HEADING = 60

_LINE_END = re.compile(r"\r\n|\r|\n")
_ATX = re.compile(r" {0,3}#{1,6}(?:[ \t]|\Z)")
_SETEXT = re.compile(r" {0,3}(?:=+|-+)[ \t]*\Z")
_FENCE = re.compile(r"[\s>]*(`{3,}|~{3,})")
_LIST_OR_QUOTE = re.compile(r"[ \t]*(?:[-*+][ \t]|>|[0-9]{1,9}[.)][ \t])")
_NUMBERED = re.compile(r"([0-9]{1,3})\. (\S.*)\Z")
_WORD = re.compile(r"[^\W_]")
_BARE_NUMBER = re.compile(r"[0-9]{1,9}[.)][\W_]*\Z")
_DIGITS = re.compile(r"[0-9]")
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-"))  # noqa: RUF001
_STATUS_TOKEN = re.compile(r"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:\s*[(\[;,—–]| - |\Z)")
_REMARK = re.compile(r"\s*\([^()]*\)\Z")
_OF_OTHERS = re.compile(r"(?i)\b(?:preflight|previous|prior|predecessor|earlier|inputs?)\b")
_TITLE_KEYS = ("report", "checkpoint", "decision packet", "governance addendum")


@dataclass(slots=True)
class TextDocument:
    """What was read from a text, in the order of its lines."""

    title: str = ""
    titles: tuple[str, ...] = ()
    """Both titles, where it is given twice."""
    status: Statement | None = None
    statements: list[Statement] = field(default_factory=list)
    hashes: list[HashMention] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    damage: list[Damage] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)


def read(name: str, text: str) -> TextDocument:
    """Return what ``text`` states, with places ``name:line``; never fails."""
    return _Reader(name, text).document()


def of_other_lanes(title: str) -> bool:
    """Tell whether a section of this title speaks of other lanes than the document's own."""
    return _OF_OTHERS.search(title) is not None


def section_at(sections: list[Section] | tuple[Section, ...], line: int) -> str:
    """Return the title of the section in which a line stands, of level 2 and deeper."""
    at = bisect_right(sections, line, key=lambda section: section.line)
    return sections[at - 1].title if at and sections[at - 1].level > 1 else ""


@cache
def _parser() -> MarkdownIt:
    # Imported late: most commands read no document, and the import takes a tenth of a second.
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": _NESTING})
    # A link reference would vanish from the text, and with it what it states.
    parser.enable("table").disable(["reference", "html_block"])
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


class _Reader:
    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.out = TextDocument()
        if text.startswith("\ufeff"):
            text = text[1:]
            self._damaged(0, "begins with a byte order mark")
        self.lines = _LINE_END.split(text)
        self.repaired = list(self.lines)
        self.fenced = _fenced(self.lines)
        self.passages: list[Passage] = []
        self.quoted: set[int] = set()
        self.lost: set[int] = set()

    def document(self) -> TextDocument:
        nul = next((at for at, line in enumerate(self.lines) if "\0" in line), None)
        if nul is not None:
            self._damaged(nul, "holds NUL characters")
        self._set_long_lines_aside()
        self._title()
        marked = self._has_marks()
        if not marked:
            self._numbered_headings()
        self._tables()
        if not marked and not self.lost:
            self._bare_headings()
        self._parse()
        self._finish()
        return self.out

    def _damaged(self, line: int, what: str) -> None:
        self.out.damage.append(Damage(f"{self.name}:{line + 1}", what))

    # --- before the parser ---

    def _set_long_lines_aside(self) -> None:
        for at, line in enumerate(self.lines):
            if len(line) > MAX_LINE:
                self._damaged(at, f"a line of {len(line)} characters, read without Markdown")
                self.passages.append(Passage(line, at, "paragraph"))
                self.repaired[at] = ""

    def _title(self) -> None:
        first = next((at for at, line in enumerate(self.repaired) if line.strip()), None)
        if first is None:
            return
        line = self.repaired[first]
        following = first + 1
        setext = following < len(self.repaired) and _SETEXT.match(self.repaired[following])
        if setext:
            following += 1
        marked = setext or _ATX.match(line)
        if not marked and not self._may_be_title(first):
            return
        self.out.title = _heading_text(line)
        if not self.out.title:
            return
        self.out.titles = (self.out.title,)
        self.passages.append(Passage(self.repaired[first], first, "title"))
        if not marked:
            self.repaired[first] = f"# {line.strip()}"
        second = next(
            (at for at in range(following, len(self.repaired)) if self.repaired[at].strip()), None
        )
        if second is None:
            return
        again = _heading_text(self.repaired[second])
        if _folded(again) != _folded(self.out.title):
            return
        differing = "" if again == self.out.title else ", spelled differently"
        self._damaged(second, f"the title is given twice{differing}; the first one is taken")
        self.out.titles = (self.out.title, again)
        self.passages.append(Passage(self.repaired[second], second, "title"))
        self.repaired[second] = ""
        under = second + 1
        if under < len(self.repaired) and _SETEXT.match(self.repaired[under]):
            self.repaired[under] = ""

    def _may_be_title(self, at: int) -> bool:
        line = self.repaired[at].strip()
        if len(line) > _LONGEST_TITLE or line.startswith(("|", "{", "[")) or self.fenced[at]:
            return False
        if _LIST_OR_QUOTE.match(line) or line.endswith((".", ":", ";", ",", "|")):
            return False
        if at + 1 < len(self.lines) and "|" in line and set(self.lines[at + 1]) <= set("|-: \t"):
            return False
        said = statements.stated(statements.plain(line))
        return not said or said[0].key.lower() in _TITLE_KEYS

    def _has_marks(self) -> bool:
        """Tell whether headings behind the title still have their marks."""
        seen = 0
        for at, line in enumerate(self.repaired):
            if self.fenced[at] or not line.strip():
                continue
            if seen and (
                _ATX.match(line)
                or (
                    _SETEXT.match(line)
                    and self.repaired[at - 1].strip()
                    and not _ATX.match(self.repaired[at - 1])
                )
            ):
                return True
            seen += 1
        return False

    def _numbered_headings(self) -> None:
        """Read ``1. Title`` as a heading where the numbers ascend and text stands between them.

        Lines that count up one right below the other are a list, and stay one.
        """
        solid = [at for at, line in enumerate(self.repaired) if line.strip()]
        numbers: dict[int, int] = {}
        for at in solid:
            match = None if self.fenced[at] else _NUMBERED.match(self.repaired[at])
            if match and len(match[2]) <= _LONGEST_HEADING and match[2][-1] not in ".:;,|":
                numbers[at] = int(match[1])
        in_list: set[int] = set()
        with_text: set[int] = set()
        for place, at in enumerate(solid[:-1]):
            below = solid[place + 1]
            if at not in numbers:
                continue
            if numbers.get(below) == numbers[at] + 1:
                in_list.update((at, below))
            elif numbers.get(below, 1) == 1 and not self.repaired[below].startswith((" ", "\t")):
                with_text.add(at)
        chain: list[int] = []
        for at, number in numbers.items():
            if number == len(chain) + 1 and at not in in_list and at in with_text:
                chain.append(at)
        if len(chain) < 2:
            return
        self._mark_lost(chain, "numbered headings have lost their marks")

    def _mark_lost(self, chain: list[int], what: str) -> None:
        self.lost.update(chain)
        for at in chain:
            self.repaired[at] = f"## {self.repaired[at].strip()}"
        shown = ", ".join(str(at + 1) for at in chain[:20]) + (", …" if len(chain) > 20 else "")
        self._damaged(chain[0], f"{len(chain)} {what}; read as headings: lines {shown}")

    def _bare_headings(self) -> None:
        """Read a short line without a number as a heading, only where nothing else fits.

        A sentence, an item, a table or a key with its value ended right before it, it begins with a
        capital, has no stop at its end, and what follows begins like a new sentence, item or table.
        """
        found: list[int] = []
        before = ""
        total = len(self.repaired)
        for at, line in enumerate(self.repaired):
            text = line.strip()
            table_ended = not text and self.lines[at].strip() and not self.fenced[at]
            below = self.lines[at + 1] if at + 1 < total else ""
            if (
                before
                and text
                and not self.fenced[at]
                and _is_bare_heading(line)
                and _ends_block(before)
                and _begins_block(below)
            ):
                found.append(at)
            if text or table_ended:
                before = "|" if table_ended else text
        if found:
            self._mark_lost(found, "headings have lost their marks")

    def _tables(self) -> None:
        def stops(at: int) -> bool:
            return self.fenced[at] or at in self.lost or not self.repaired[at].strip()

        for table in pipetables.find(self.repaired, stops):
            where = f"{self.name}:{table.start + 1}"
            width = len(table.header)
            header = tuple(statements.plain(cell) for cell in table.header)
            rows = tuple(tuple(map(statements.plain, row.cells)) for row in table.rows)
            lines = tuple(row.line + 1 for row in table.rows)
            self.out.tables.append(Table(where, header, rows, lines))
            self._cells(table.start, table.header)
            for row in table.rows:
                self._cells(row.line, row.cells)
            for at in range(table.start, table.end):
                self.repaired[at] = ""
            if table.rejoined:
                self._damaged(
                    table.rejoined[0],
                    f"{_count(len(table.rejoined), 'table row')} broken over several lines; "
                    f"rejoined in the only way that gives {_count(width, 'cell')} as in the header",
                )
            if table.odd:
                first = table.odd[0]
                self._damaged(
                    first.line,
                    f"{_count(len(table.odd), 'table row')} of another width than the header "
                    f"(here {len(first.cells)} of {width}); the cells are kept as they stand",
                )
            if table.text_follows:
                self._damaged(table.end, "text right behind a table; not read as a row of it")

    def _cells(self, line: int, row: Iterable[str]) -> None:
        first = ""
        for place, cell in enumerate(row):
            self.passages.append(Passage(cell, line, "cell", first))
            if place == 0:
                first = statements.plain(cell)[:80]

    # --- the parser ---

    def _parse(self) -> None:
        if len(self.repaired) > MAX_LINES:
            self._damaged(
                MAX_LINES, f"more than {MAX_LINES} lines; read line by line, without Markdown"
            )
            for at, line in enumerate(self.repaired):
                if _ATX.match(line) and not self.fenced[at]:
                    level = len(line.lstrip()) - len(line.lstrip().lstrip("#"))
                    self.out.sections.append(Section(_heading_text(line), level, at + 1))
                elif line.strip():
                    text = re.sub(r"\A[ \t]*(?:[-*+]|>|[0-9]{1,9}[.)])[ \t]+", "", line)
                    kind = "code" if self.fenced[at] else "paragraph"
                    self.passages.append(Passage(text, at, kind))
            return
        parser = _parser()
        source = "\n".join(self.repaired)
        if source.count("|") > MAX_INNER_PIPES:
            self._damaged(0, "too many pipes outside tables; none is looked for in lists or quotes")
            with parser.reset_rules():
                parser.disable("table")
                tokens = parser.parse(source)
        else:
            tokens = parser.parse(source)
        covered = bytearray(len(self.repaired) + 1)
        self._walk(tokens, covered)
        self._uncovered(covered)

    def _walk(self, tokens: list[Token], covered: bytearray) -> None:
        quotes = 0
        heading = 0
        table: list[tuple[int, list[str]]] | None = None
        for token in tokens:
            kind = token.type
            start, end = token.map if token.map else (0, 0)
            if kind == "blockquote_open":
                quotes += 1
            elif kind == "blockquote_close":
                quotes -= 1
            elif kind == "heading_open":
                heading = int(token.tag[1])
            elif kind == "heading_close":
                heading = 0
            elif kind == "table_open":
                table = []
                _cover(covered, start, end)
            elif kind == "table_close" and table is not None:
                self._inner_table(table)
                table = None
            elif kind == "tr_open" and table is not None:
                table.append((start, []))
            elif kind in ("fence", "code_block"):
                _cover(covered, start, end)
                skipped = 1 if kind == "fence" else 0
                self.passages.append(Passage(token.content, start + skipped, "code"))
            elif kind == "inline":
                _cover(covered, start, end)
                if quotes:
                    self.quoted.update(range(start, end))
                if table:
                    table[-1][1].append(token.content)
                elif heading:
                    title = statements.plain(token.content).replace("\n", " ").strip()
                    self.out.sections.append(Section(title, heading, start + 1))
                    self.passages.append(Passage(token.content, start, "heading"))
                else:
                    self.passages.append(Passage(token.content, start, "paragraph"))

    def _inner_table(self, rows: list[tuple[int, list[str]]]) -> None:
        plain = [tuple(map(statements.plain, cells)) for _, cells in rows]
        lines = tuple(line + 1 for line, _ in rows[1:])
        self.out.tables.append(
            Table(f"{self.name}:{rows[0][0] + 1}", plain[0], tuple(plain[1:]), lines)
        )
        for line, cells in rows:
            self._cells(line, cells)

    def _uncovered(self, covered: bytearray) -> None:
        """Keep what the parser left out: it drops what is nested too deeply."""
        left = [
            at for at, line in enumerate(self.repaired) if not covered[at] and _says_something(line)
        ]
        if left:
            what = "nested too deeply; read line by line, without Markdown"
            self._damaged(left[0], f"{_count(len(left), 'line')} {what}")
            self.passages.extend(
                Passage(self.repaired[at].lstrip(" \t>-*+"), at, "paragraph") for at in left
            )

    # --- after the parser ---

    def _finish(self) -> None:
        out = self.out
        out.sections.sort(key=lambda section: section.line)
        out.tables.sort(key=lambda table: _line_of(table.where))
        self.passages.sort(key=lambda passage: passage.line)
        if not out.title and out.sections:
            out.title = out.sections[0].title
            out.titles = (out.title,)
        found: list[tuple[int, Statement]] = []
        for table in out.tables:
            if len(table.header) == 2:
                for row, line in zip(table.rows, table.row_lines, strict=True):
                    if len(row) == 2 and row[0] and row[1]:
                        found.append((line, Statement(row[0], row[1], f"{self.name}:{line}")))
        title_line = out.sections[0].line if out.sections and out.sections[0].level == 1 else 0
        for passage in self.passages:
            plain = passage._replace(text=statements.plain(passage.text))
            out.passages.append(plain)
            if passage.kind == "paragraph" or (
                passage.kind == "heading" and passage.line + 1 != title_line
            ):
                found.extend(self._stated(plain))
            if passage.kind != "title":
                self._hashes(passage)
        found.sort(key=lambda pair: pair[0])
        out.statements = [statement for _, statement in found]
        out.hashes.sort(key=lambda mention: _line_of(mention.where))
        out.status = self._status(found)
        out.damage.sort(key=lambda damage: _line_of(damage.where))

    def _stated(self, passage: Passage) -> list[tuple[int, Statement]]:
        text = passage.text
        found = []
        for said in statements.stated(text):
            line = passage.line + said.line + 1
            found.append((line, Statement(said.key, said.value, f"{self.name}:{line}")))
            if said.displaced:
                self._damaged(line - 1, f"the value of {said.key!r} stands on a later line")
        for offset, line_text in enumerate(text.split("\n")):
            what = statements.run_together(line_text)
            if what:
                self._damaged(passage.line + offset, what)
        return found

    def _hashes(self, passage: Passage) -> None:
        text = passage.text
        found = hashes.find(text)
        upper = hashes.upper_case(text)
        if not found and not upper:
            return
        starts = [0, *(match.end() for match in re.finditer("\n", text))]
        for hit in found:
            line = passage.line + bisect_right(starts, max(hit.start, 0)) - 1
            # The word that touches a hash may stand on the same line only, its file name above it.
            label = hashes.label(text, hit) or passage.fallback
            where = f"{self.name}:{line + 1}"
            self.out.hashes.append(HashMention(hit.text, hit.form, where, label, hit.readings))
            if hit.glue:
                what = f"{hit.glue} and a hash run together: {hit.text[:80]}"
                if hit.form == "ambiguous":
                    what += f"; {len(hit.readings)} readings fit, none is chosen"
                self._damaged(line, what)
        for at in upper:
            line = passage.line + bisect_right(starts, at) - 1
            self._damaged(line, "64 upper-case digits; not a digest in the form that counts")

    def _status(self, found: list[tuple[int, Statement]]) -> Statement | None:
        preamble = next((s.line for s in self.out.sections if s.level > 1), len(self.lines) + 1)
        later: Statement | None = None
        for line, statement in found:
            if line - 1 in self.quoted:
                continue
            key = statement.key.lower()
            if key == "final status" and not of_other_lanes(section_at(self.out.sections, line)):
                return statement._replace(value=status_token(statement.value))
            if key == "status" and line < preamble and later is None:
                later = statement._replace(value=status_token(statement.value))
        return later


def status_token(value: str) -> str:
    """Return a stated status without the remark behind it."""
    value = statements.trimmed(value)
    token = _STATUS_TOKEN.match(value)
    return token[1] if token else _REMARK.sub("", value)


def _fenced(lines: list[str]) -> list[bool]:
    """Tell for each line whether it belongs to a fenced block of code, its fences included."""
    inside: list[bool] = []
    open_with = ""
    for line in lines:
        match = _FENCE.match(line) if "```" in line or "~~~" in line else None
        if open_with:
            inside.append(True)
            if match and match[1].startswith(open_with) and not line[match.end() :].strip():
                open_with = ""
        elif match and "`" not in line[match.end() :]:
            open_with = match[1]
            inside.append(True)
        else:
            inside.append(False)
    return inside


def _heading_text(line: str) -> str:
    return statements.plain(line.strip().lstrip("#").rstrip("#").strip())


def _folded(title: str) -> str:
    # figures aside: two titles that differ in a date are one title, told in two ways
    folded = _DIGITS.sub("0", title.translate(_DASHES).casefold())
    return " ".join(folded.replace("/", " / ").split())


def _is_bare_heading(line: str) -> bool:
    text = line.strip()
    return (
        line[0] == text[0]
        and text[0].isupper()
        and len(text) <= _LONGEST_BARE_HEADING
        and not _LIST_OR_QUOTE.match(text)
        and not _ATX.match(text)
        and text[-1] not in ".,:;!?…|`=-"
        and not any(mark in text for mark in (". ", ": ", " · ", "|", "="))
    )


def _ends_block(before: str) -> bool:
    return before[-1] in ".!?|" or bool(statements.stated(before)) or before.startswith("# ")


def _begins_block(below: str) -> bool:
    return bool(below.strip()) and (
        below[0].isupper() or below[0] in "|`" or _LIST_OR_QUOTE.match(below) is not None
    )


def _says_something(line: str) -> bool:
    """Tell whether a line is more than marks and the number of an empty item."""
    word = _WORD.search(line)
    return word is not None and _BARE_NUMBER.match(line, word.start()) is None


def _cover(covered: bytearray, start: int, end: int) -> None:
    covered[start:end] = b"\1" * (min(end, len(covered)) - start)


def _line_of(where: str) -> int:
    return int(where.rsplit(":", 1)[1])


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
