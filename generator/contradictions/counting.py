"""How many: counts, shares such as ``10/10``, and the lists that they count."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from generator.contradictions.fact import (
    BLOCKERS,
    CLOSED,
    CONTROLS,
    DRIFT,
    ENTRIES,
    FILES,
    MIRRORED,
    NEWLY,
    PROBES,
    STEPS,
    SURFACES,
    Fact,
)
from generator.contradictions.spans import Span, speaks_of_others
from generator.legs import BLOCKER_ID
from generator.model.document import Document, Table
from generator.spelled import step

NUMBERS = {
    word: number
    for number, word in enumerate(
        (
            *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
            *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"),
            *("seventeen", "eighteen", "nineteen", "twenty"),
        )
    )
}
NUMBERS["both"] = 2
NUMBER = r"(?:[0-9]{1,7}|" + "|".join(NUMBERS) + r")"
"""A number in digits or as a word."""
_SUBJECTS = (
    (PROBES, r"bad[ _-]inputs?(?:[ _-]probes?)?|invalid requests?|(?<![A-Za-z0-9.])probes?"),
    (SURFACES, r"forbidden[ _-]surfaces?"),
    (DRIFT, r"drift[ _-](?:class(?:es)?|cases?)|seal[ _-]vs[ _-]bytes"),
    (ENTRIES, r"rollback[ _-]entries"),
    (CONTROLS, r"negative[ _-]controls?"),
    (BLOCKERS, r"blockers?(?:[ _-]map)?"),
)
_SUBJECT = re.compile(
    "|".join(f"(?P<s{at}>{pattern})" for at, (_, pattern) in enumerate(_SUBJECTS)), re.IGNORECASE
)
_SHARE = re.compile(r"(?<![\w/.:=§#-])([0-9]{1,6})\s?/\s?([0-9]{1,6})(?![\w/]|[.-]\w)")
_PROGRESS = re.compile(r"(?i)\b(?:retry|attempt|try|round|page|part|chunk|batch) \Z")
_CLAUSE_END = re.compile(r"[.;:(](?=\s|\Z)|[()|]|\s[·•]\s")
_ALL = re.compile(rf"(?i)\ball ({NUMBER})\b(?!\s*(?:/|of\b))")
_NOT_OF_ALL = (
    r"(?<!other )(?<!another )(?<!first )(?<!last )(?<!next )(?<!than )(?<!least )(?<!most )"
    r"(?<!up to )(?<!of )(?<!of the )(?<!of which )(?<!about )(?<!some )(?<!only )"
)
"""What must not stand before a count: words that make it a part of the whole."""
_COUNTED = re.compile(
    rf"(?i)(?<![\w/.,=§#:+-]){_NOT_OF_ALL}({NUMBER}) "
    r"(?:(?!of\b|other\b|more\b|new\b)[a-z][\w-]{0,40} ){0,2}?"
    r"(?P<noun>(?:execution |rehearsal |bad-input |invalid )*(?:probes|bad inputs|invalid requests)"
    r"|required classes|forbidden surfaces|drift (?:classes|cases)|rollback entries"
    r"|entries|negative controls|(?:open |production |remaining )*blockers|files)\b"
    r"(?! (?:were |was |is |are )?(?:added|more|new|changed|of|per|that)\b)"
)
_OPEN = re.compile(r"(?<![\w/.-])([0-9]{1,6}) (OPEN|CLOSED)\b")
_NEWLY = re.compile(r"(?i) (?:in|by) this lane\b| now\b")
_PHRASE = re.compile(
    rf"(?i)(?<![\w/.,=§#:+-]){_NOT_OF_ALL}({NUMBER}) "
    r"((?:[a-z][\w-]{1,30} ){2,4}[a-z][\w-]{2,30}s)\b"
)
_MEASURE = re.compile(r"\b(?:\w*seconds|minutes|hours|days|times|bytes|rows|lines)\b")
"""What each run has another number of."""
_ORDINAL = re.compile(r"\b[Oo]ption ([0-9]{1,2})\b(?!-)")
_WITH_LIST = re.compile(
    rf"(?i)(?<![\w/.,=§#:+-])({NUMBER})((?: [\w/-]{{1,40}}){{1,5}})\s?\(([^()]{{10,1500}})\)"
)
_COLON_LIST = re.compile(
    r"(?<![\w.-])([\w.-]{3,80}): ((?:[^,.;:]{2,80}, ){2,60}(?:and )?[^,.;:]{2,80})"
    r" (?:are|were) all\b"
)
_REMARK = re.compile(r"(?i)(?:all|none|no|not|control|including|plus|see|each|every|of|the rest)\b")
_LIST_KEY = re.compile(
    r"(?:^|_)(?:cases|classes|probes|surfaces|blockers|negative_controls|entries|steps)\Z"
)
_COUNT_KEY = re.compile(r"(?:^|_)count(?:_|\Z)|(?:^|_)(?:total|number)\Z")
_OF_WHOLES = frozenset(
    (
        *("", "count", "total", "number", "of", "all", "fail", "closed", "open", "kb", "mirror"),
        *("local", "file", "files", "probe", "step", "entry", "surface", "class", "case"),
        *("blocker", "negative", "control", "mirrored", "packet", "evidence", "rollback"),
    )
)
_NOT_ALL_KEY = re.compile(r"(?:^|_)(?:closed|newly|present|absent|rejected|other|new)(?:_|\Z)")
_MIRROR = re.compile(r"(?i)\bmirror")
_REFERENCED = re.compile(
    r"(?i)\breferenced(?: only\b|[^.;]{0,30}not (?:duplicated|mirrored))|\bheld elsewhere\b"
)
_FILE = re.compile(r"(?<![\w./-])[\w-]{1,80}\.[a-z][a-z0-9]{0,7}(?![\w-])")
_SENTENCE = re.compile(r"[.;(]\s|\(")
_CLOSED = re.compile(r"\W*(?:closed|resolved)\b", re.IGNORECASE)
_UNTOUCHED = re.compile(r"(?i)\W*(?:untouched|not_touched|not_requested)\b")
_LEADING = re.compile(r"([0-9]{1,7})(?:\s(?:listed|files|in all)|\s?\(|\Z)")
_OF_ROLLBACK = re.compile(r"(?i)rollback|_hash\b|restore")
_NODES = 50_000
"""Values of a machine report that are looked at."""


def number(word: str) -> int:
    """Return what a number says, in digits or as a word."""
    return NUMBERS.get(word.lower(), -1) if not word.isdecimal() else int(word)


def subject_in(text: str, *, last: bool = False) -> str:
    """Return what a text speaks of: the first subject that it names, or the last."""
    found = ""
    for match in _SUBJECT.finditer(text):
        found = _SUBJECTS[int((match.lastgroup or "s0")[1:])][0]
        if not last:
            return found
    return found


def in_span(span: Span) -> Iterator[Fact]:
    """Yield what a piece of text counts."""
    text = span.text
    if not _DIGIT.search(text) and not _WORDED.search(text):
        yield from _colon_lists(span)
        return
    for match in _SHARE.finditer(text):
        if _PROGRESS.search(text[max(0, match.start() - 12) : match.start()]):
            continue
        subject = _subject_around(span, match.start(), match.end())
        if subject:
            held, total = int(match[1]), int(match[2])
            where = span.where(match.start())
            said = f"{match[0]} {subject}"
            yield Fact("share", subject, f"{held}/{total}", where, said, span.others)
    about = subject_in(span.about)
    counted: dict[str, list[Fact]] = {}
    for match in _ALL.finditer(text) if "ll " in text else ():
        subject = subject_in(text[match.end() : match.end() + 40]) or about
        if subject and subject != BLOCKERS:
            said = f"{match[0]} {subject}"
            yield _count(span, match.start(), subject, number(match[1]), said)
    for match in _COUNTED.finditer(text):
        noun = match["noun"].lower()
        count = number(match[1])
        if noun == "entries" and not _OF_ROLLBACK.search(
            f"{span.about} {text[max(0, match.start() - 80) : match.start()]}"
        ):
            continue
        if count < 3 and noun not in ("entries", "rollback entries", "negative controls"):
            continue
        subject = (
            ENTRIES
            if noun == "entries"
            else FILES
            if noun == "files"
            else subject_in(noun) or subject_in(span.about)
        )
        if subject == FILES:
            around = f"{span.about} {text[max(0, match.start() - 200) : match.start()]}"
            if not re.search(r"(?i)evidence|packet|\btree\b", around):
                continue
            if _MIRROR.search(text[max(0, match.start() - 16) : match.start()]):
                subject = MIRRORED
        if subject:
            fact = _count(span, match.start(), subject, count, match[0])
            counted.setdefault(subject, []).append(fact)
    for subject, told in counted.items():
        # several counts of one piece may be the parts of a whole
        several = len(told) > 1 and len({fact.value for fact in told}) > 1
        group = f"{subject} in {span.where()}"
        yield from (fact._replace(kind="part", subject=group) for fact in told) if several else told
    for match in _OPEN.finditer(text):
        subject = BLOCKERS if match[2] == "OPEN" else CLOSED
        if subject == CLOSED and _NEWLY.match(text, match.end()):
            subject = NEWLY
        yield _count(span, match.start(), subject, int(match[1]), match[0])
    for match in _PHRASE.finditer(text):
        words = match[2].lower()
        if subject_in(words) == "" and not _MEASURE.search(words):
            yield _count(span, match.start(), words, number(match[1]), match[0])
    for match in _ORDINAL.finditer(text) if "ption " in text else ():
        yield Fact("ordinal", "options", match[1], span.where(match.start()), match[0])
    for match in _WITH_LIST.finditer(text) if "(" in text else ():
        yield from _with_list(span, match)
    yield from _colon_lists(span)
    yield from _listed_blockers(span)


_DIGIT = re.compile(r"\d")
_WORDED = re.compile(r"(?i)\b(?:" + "|".join(NUMBERS) + r")\b")


def _count(span: Span, at: int, subject: str, count: int, said: str) -> Fact:
    return Fact("count", subject, str(count), span.where(at), said, span.others)


def _subject_around(span: Span, start: int, end: int) -> str:
    """Return what a share is of: the words behind it, before it, its row or its section."""
    behind = span.text[end : end + 70]
    stop = _CLAUSE_END.search(behind)
    subject = subject_in(behind[: stop.start()] if stop else behind)
    if subject:
        return subject
    before = span.text[max(0, start - 90) : start]
    cut = max(before.rfind(". "), before.rfind("; "), before.rfind(", "))
    subject = subject_in(before[cut + 1 :], last=True)
    return subject or subject_in(span.label) or subject_in(span.section)


def items(text: str) -> list[str]:
    """Return the items of a list that is written with commas or semicolons."""
    found = [re.sub(r"\A(?:and|or) ", "", item.strip()) for item in re.split(r"[,;]\s", f"{text} ")]
    return [item for item in found if item]


def _with_list(span: Span, match: re.Match[str]) -> Iterator[Fact]:
    """Hold a count against the list in brackets right behind it."""
    count, listed = number(match[1]), items(match[3])
    if (
        count < 2
        or len(listed) < 2
        or len(listed) < count // 2
        or len(listed) > count * 2
        or any(len(item) > 70 or _REMARK.match(item) for item in listed)
        or all(item[0].isdigit() for item in listed)  # parts, each with its own number
    ):
        return
    words = match[2].strip()
    subject = subject_in(words) or subject_in(span.about)
    key = subject or f"{words} at {span.where(match.start())}"
    yield _count(span, match.start(), key, count, f"{match[1]} {words}")
    yield Fact("listed", key, str(len(listed)), span.where(match.start(3)), f"{len(listed)} listed")


def _colon_lists(span: Span) -> Iterator[Fact]:
    """Read ``name: a, b, …, and z are all …``: a list of what its name says."""
    for match in _COLON_LIST.finditer(span.text) if ": " in span.text else ():
        subject = subject_in(match[1]) or subject_in(span.section)
        if subject:
            count = len(items(match[2]))
            yield Fact(
                "listed",
                subject,
                str(count),
                span.where(match.start(2)),
                f"{count} named",
                span.others,
            )


def _listed_blockers(span: Span) -> Iterator[Fact]:
    """Count the ids of a list of blockers in prose, such as ``Open: A, B, C``."""
    if span.kind == "cell" or span.text.count("-") < 6:  # three ids have two each
        return
    if not re.search(r"(?i)\bopen\b", f"{span.section} {span.text[:60]}"):
        return
    ids = [(match.start(), match[0]) for match in BLOCKER_ID.finditer(span.text)]
    run: list[tuple[int, str]] = []
    for at, identifier in ids:
        if run and not re.fullmatch(r",\s*(?:and )?", span.text[run[-1][0] + len(run[-1][1]) : at]):
            break
        run.append((at, identifier))
    if len(run) > 2:
        count = len({identifier for _, identifier in run})
        yield Fact(
            "listed",
            BLOCKERS,
            str(count),
            span.where(run[0][0]),
            f"{count} listed",
            span.others,
        )


def in_table(table: Table, name: str) -> Iterator[Fact]:
    """Count the rows of a table of blockers that are not closed, or of forbidden surfaces."""
    header = [cell.strip().lower() for cell in table.header]
    if header and header[0] in ("surface", "forbidden surface"):
        count = sum(any(_UNTOUCHED.match(cell) for cell in row[1:]) for row in table.rows)
        if count:
            where = f"{name}:{table.row_lines[0]}"
            yield Fact("listed", SURFACES, str(len(table.rows)), where, f"{len(table.rows)} rows")
    if not header or header[0] != "blocker" or not table.rows or "production" in header:
        return
    at = next((i for i, cell in enumerate(header) if cell.startswith(("status", "state"))), 0)
    rows = [row for row in table.rows if len(row) > at and row[0].strip()]
    closed = sum(_CLOSED.match(row[at]) is not None for row in rows)
    count = len(rows) - closed
    yield Fact(
        "listed", CLOSED, str(closed), f"{name}:{table.row_lines[0]}", f"{closed} rows closed"
    )
    yield Fact(
        "listed", BLOCKERS, str(count), f"{name}:{table.row_lines[0]}", f"{count} rows not closed"
    )


def in_json(document: Document) -> Iterator[Fact]:
    """Yield the counts of a machine report, and the lengths of the lists that they count."""
    waiting: list[tuple[str, str, object]] = [("", "", document.data)]
    seen = 0
    while waiting and seen < _NODES:
        seen += 1
        pointer, parent, value = waiting.pop()
        if isinstance(value, list):
            waiting.extend((f"{pointer}/{at}", parent, one) for at, one in enumerate(value))
            continue
        if not isinstance(value, dict):
            continue
        others = speaks_of_others(pointer)
        for key, member in value.items():
            here = f"{pointer}/{step(key)}"
            where = f"{document.name}#{here}"
            if isinstance(member, dict | list):
                waiting.append((here, key, member))
            if key == "newly_closed" and isinstance(member, list):
                count = len(member)
                yield Fact("listed", NEWLY, str(count), where, f"{count} newly closed", others)
            if isinstance(member, bool) or _NOT_ALL_KEY.search(key.replace("fail_closed", "")):
                continue
            if isinstance(member, int) and _COUNT_KEY.search(key) and _is_whole(key):
                subject = _of_key(key, parent)
                if subject:
                    yield Fact("count", subject, str(member), where, f"{key} {member}", others)
            elif isinstance(member, list) and member and _LIST_KEY.search(key):
                subject = _of_key(key, parent)
                if subject:
                    count = sum(map(is_open, member)) if subject == BLOCKERS else len(member)
                    yield Fact("listed", subject, str(count), where, f"{count} listed", others)


def _is_whole(key: str) -> bool:
    """Tell whether a key counts all of its subject, and not those of which something is so."""
    words = re.split(r"[_ -]", _SUBJECT.sub("", key).lower())
    return all(word in _OF_WHOLES for word in words)


def is_open(row: object) -> bool:
    """Tell whether a row of a list of blockers is not stated as closed."""
    if not isinstance(row, dict):
        return True
    return not any(
        isinstance(word := row.get(key), str) and _CLOSED.match(word) for key in ("state", "status")
    )


def labelled(document: Document) -> Iterator[Fact]:
    """Yield the counts that stand behind their key: ``Negative controls: 9``."""
    for statement in document.statements:
        if statement.type != "text":
            continue
        match = _LEADING.match(statement.value)
        if match is None:
            continue
        key = statement.key.strip().lower()
        subject = FILES if key == "files" else ""
        if not subject and (named := _SUBJECT.fullmatch(key)):
            subject = _SUBJECTS[int((named.lastgroup or "s0")[1:])][0]
        if subject and subject != BLOCKERS:
            said = f"{statement.key}: {match[1]}"
            yield Fact("count", subject, match[1], statement.where, said)


def _of_key(key: str, parent: str) -> str:
    if key.startswith(("open_count", "blockers")):
        return BLOCKERS
    if key == "blocker_count":
        return ""  # open and closed ones
    if "mirror" in key and "file" in key:
        return MIRRORED
    if key.startswith("file_count"):
        return FILES
    if key in ("steps", "step_count"):
        return STEPS if "rehears" in parent else ""
    if key in ("entries", "entry_count"):
        return ENTRIES if "rollback" in parent else ""
    subject = subject_in(key) or subject_in(parent)
    return "" if subject == BLOCKERS else subject


def referenced(spans: Sequence[Span]) -> Iterator[Fact]:
    """Yield where a document says that one file is referenced and not mirrored."""
    for span in spans:
        lower = span.text.lower()
        if "referenced" not in lower and "held" not in lower:
            continue
        match = _REFERENCED.search(span.text)
        if match and _MIRROR.search(f"{span.about} {span.text}"):
            before = _SENTENCE.split(span.text[max(0, match.start() - 400) : match.start()])[-1]
            told = re.search(rf"(?i)\b({NUMBER}) (?:files )?(?:are )?\Z", before)
            named = len(set(_FILE.findall(before)))
            held = number(told[1]) if told else max(1, named)
            yield Fact("explained", MIRRORED, str(held), span.where(match.start()), match[0])
