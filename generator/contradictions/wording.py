"""Words that can only be one of a few: statuses, defaults, states of blockers and their legs."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from generator.contradictions.counting import number
from generator.contradictions.fact import UNTOLD, Fact
from generator.contradictions.spans import Span
from generator.legs import BLOCKER_ID
from generator.model.document import Document, Table

_TOKEN = re.compile(
    r"(?<![A-Za-z0-9_…])(?<!\.)([A-Z][A-Z0-9]{0,60}(?:_[A-Z0-9]{1,60}){1,30})(?![A-Za-z0-9_])"
)
_CUT = re.compile(r"(?:…|\.{3})_?([A-Z][A-Z0-9]{1,60}(?:_[A-Z0-9]{1,60}){0,20})(?![A-Za-z0-9_])")
_DEFAULT = re.compile(
    r"(?i:\bdefault)(?i:\s(?:remains|is)|\s?[=:])?\s?`?([A-Z][A-Z0-9]{2,60}(?:_[A-Z0-9]{1,60}){0,20})\b"
)
_MARKED = re.compile(
    r"\b([A-Z][A-Z0-9]{2,60}(?:_[A-Z0-9]{1,60}){0,20})\s?[(\[]default\b", re.IGNORECASE
)
_REMAINS = re.compile(r"\bproduction remains ([A-Z][A-Z0-9_]{3,80})")
_SAYS = re.compile(
    r"\W{0,3}(?:\s?(?:is|are|stays|remains|still|stated as|cleanly|now|marked))*\W{0,3}"
    r"(partially discharged|classified|narrowed|design delivered|open|closed|resolved)\b",
    re.IGNORECASE,
)
_STATE = re.compile(
    r"\b(partially discharged|re-classified|classified|narrowed|design(?: portion)? delivered"
    r"|OPEN|closed|CLOSED|resolved|RESOLVED)\b"
)
_OPTION_KEY = re.compile(r"decision_packet/options/\d{1,3}(?:/id)?\Z")
_LEG = re.compile(
    r"(?<![\w-])((?:[\w-]+[ -])?[\w-]{2,30}) leg(?: is| remains| still| stays)? ?(?:is )?"
    r"(proven|PROVEN|OPEN|open|closed|CLOSED|unproven|not proven)\b"
)
_REVISION = re.compile(r"(?:registry |canonical )*([\w-]{2,20}) rev(\d{1,6})(?![\w…]|\.{2})")
_RAISED = re.compile(
    r"(?i)\bafter(?:wards)?\b|→|->|\bto [\w-]{2,20} rev|\b(?:raised|became|then)\b"
)
_GLUED_REVISION = re.compile(r"([\w-]{2,20}) (?:\w{0,10})rev(\d{1,9})[0-9a-f]{4,}")
_ROWS = re.compile(
    r"(?i)\b(before|after[_ ]apply|applied|after(?: the)? (?:rollback|restore)|returns)\b"
    r"[^.;()]{0,40}?[( ](\d{1,9}) rows\b"
)
_STEP = re.compile(r"(?<![\w-])[A-Z]{1,6}-?\d{1,3}(?![\w-])")
_ROWS_KEY = re.compile(
    r"(?:before|after_apply|applied|after_rollback|after_restore)_rows"
    r"|rows_(?:before|after_apply|applied|after_rollback|after_restore)"
)
_EQUAL = re.compile(r"(?<![\w.=!<>])(\d{1,9}) ?== ?(\d{1,9})(?![\w=.])")
_DENIED_BEHIND = re.compile(
    r"(?i)[`'\" )]{0,3}(?:is|was|gives|→|->|:)? ?(?:false|not?|never|fails?|untrue)\b"
)
_CUTS = re.compile(r"\bleg\b|[.;]\s")
_ALL_STATE = re.compile(r"\ball (OPEN|CLOSED|RESOLVED)\b")
_ABSENT = re.compile(
    r"\bbefore ([A-Z]{4,12}) → after_apply [\w ]{1,20} → after_rollback ([A-Z]{4,12})\b"
)
_DELEGATED = re.compile(r"(?i)(?<!not )(?<!not been )(?<!never )delegat")
_ACTOR = re.compile(r"[^\W_]{1,60}")
_SQL = frozenset(("NULL", "TRUE", "FALSE", "CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME"))
"""What stands behind ``DEFAULT`` in SQL, and is no option of a decision."""
_REST = re.compile(
    r"(?i)\bother (\w{1,9}) (?:open |production )?(?:blockers )?(?:are |remain |stay )?unchanged\b"
)
_MUST_FAIL = re.compile(r"(?i)\b(?:expected|negative|controls?|probes?|bad[ -]inputs?|refus\w+)\b")
_LONGEST_HEADER = 400
_REPAIRED = re.compile(
    r"(?i)\b(?:fixed|repaired|corrected|rerun|run again|second run|then pass(?:es|ed)?)\b"
)
_FAILED = re.compile(
    r"(?:(?:→|->|:|=|\(|\.sh|\ball|\boverall|\bOVERALL|\bselftest|\brehearsal|\A)\s{0,2})"
    r"(FAIL(?:ED)?)\b(?! ?[-_]?(?:CLOSED|closed|s\b))"
)


def in_span(span: Span) -> Iterator[Fact]:
    """Yield the words of a piece that name a state."""
    text = span.text
    lower = text.lower()

    def found(pattern: re.Pattern[str], *words: str) -> Iterator[re.Match[str]]:
        # most pieces have none of the words, and a search for a word is far faster
        return pattern.finditer(text) if any(word in lower for word in words) else iter(())

    if "_" in text:
        for match in _TOKEN.finditer(text):
            if match[1].count("_") >= 2:
                where = span.where(match.start())
                yield Fact("token", "", match[1], where, match[1], span.others)
    for match in found(_CUT, "…", "..."):
        yield Fact("cut token", "", match[1], span.where(match.start()), match[0], span.others)
    for pattern in (_DEFAULT, _MARKED, _REMAINS):
        for match in found(pattern, "default", "remains"):
            if match[1].isupper() and match[1] not in ("YES", "NO", *_SQL):
                where = span.where(match.start(1))
                yield Fact("default", "default", match[1], where, match[0], span.others)
    yield from _blockers(span)
    told: dict[str, set[str]] = {}
    for match in found(_REVISION, "rev"):
        told.setdefault(match[1].lower(), set()).add(match[2])
    raised = any(len(each) > 1 for each in told.values()) and _RAISED.search(text) is not None
    for match in found(_REVISION, "rev"):
        if len(told[match[1].lower()]) > 1 and raised:
            continue  # rev24 before, rev25 after
        subject = match[1].lower()
        said = f"{match[1]} rev{match[2]}"
        yield Fact("revision", subject, match[2], span.where(match.start(1)), said, span.others)
    for match in found(_GLUED_REVISION, "rev"):
        said = text[match.start(1) : match.end()]
        where = span.where(match.start(1))
        yield Fact("glued revision", match[1].lower(), match[2], where, said, span.others)
    for match in found(_ROWS, " rows"):
        word = match[1].lower()
        phase = "before" if word == "before" else "applied" if "appl" in word else "after"
        named = _STEP.findall(text[max(0, match.start() - 400) : match.start()])
        step = f"{phase} {span.where()} {named[-1] if named else ''}"
        yield Fact("rows", step, match[2], span.where(match.start(2)), match[0], span.others)
    for match in found(_EQUAL, "==", "= ="):
        if _DENIED_BEHIND.match(text, match.end()):
            continue
        yield Fact("equal", match[1], match[2], span.where(match.start()), match[0], span.others)
        near = text[max(0, match.start() - 40) : match.start()].lower()
        if "row" in near or "before==after" in near:
            yield Fact("rows", "equal ", match[1], span.where(match.start()), match[0], span.others)
    for match in found(_ABSENT, "after_rollback"):
        where = span.where(match.start())
        yield Fact("same", match[1], match[2], where, match[0][:80], span.others)
    if "ption" in text:
        tokens = [
            match for match in _TOKEN.finditer(text) if match[1].startswith(("AUTHORIZE_", "HOLD_"))
        ]
        if sum(match[1][0] == "A" for match in tokens) >= 2 and re.search(r"(?i)\boptions\b", text):
            for match in tokens:
                where = span.where(match.start())
                yield Fact("option", span.name, match[1], where, match[1], span.others)
    if re.search(r"(?i)delegat", f"{span.section} {text[:200]}"):
        for match in _TOKEN.finditer(text):
            near = text[max(0, match.start() - 60) : match.end() + 60]
            if (
                match[1].startswith("AUTHORIZE_")
                and _DELEGATED.search(near)
                and not _DENIED_BEHIND.match(text, match.end())
            ):
                where = span.where(match.start())
                yield Fact(
                    "delegation", "delegation consumed", match[1], where, match[1], span.others
                )
    for match in found(_FAILED, "fail") if not _MUST_FAIL.search(span.about) else ():
        if _REPAIRED.search(text, match.end(), match.end() + 160):
            continue
        if span.kind == "cell" and not text[: match.start()].strip():
            continue  # its column says whether it had to fail
        yield Fact(
            "failed",
            "",
            match[1],
            span.where(match.start(1)),
            text[max(0, match.start() - 40) : match.end()].strip(),
            span.others,
        )


def _blockers(span: Span) -> Iterator[Fact]:
    """Yield what is said right behind the id of a blocker, and of the legs near it."""
    text = span.text
    ids = list(BLOCKER_ID.finditer(text)) if text.count("-") > 1 else []
    for index, match in enumerate(ids):
        end = ids[index + 1].start() if index + 1 < len(ids) else len(text)
        window = text[match.end() : min(end, match.end() + 160)]
        said = _SAYS.match(window)
        if said is not None:
            yield _state(
                span,
                match.start(),
                match[0],
                said[1],
                text[match.start() : match.end() + said.end()],
            )
        clause = window.split(". ", 1)[0]
        for state in _STATE.finditer(clause):
            leg = clause[max(0, state.start() - 40) : state.start()]
            if re.search(r"\bleg\b", leg) or (said is not None and state.start() == said.start(1)):
                continue
            if re.search(r"(?i)\b(?:stays|remains|delivered,|design)\W{0,3}\Z", leg) or state[
                1
            ].startswith("design"):
                yield _state(span, match.start(), match[0], state[1], f"{match[0]} … {state[1]}")
    if ids:
        start = max(0, ids[0].start() - 160)
        before = text[start : ids[0].start()]
        told_before = list(_STATE.finditer(before))
        if told_before and not _CUTS.search(before, told_before[-1].end()):
            state = told_before[-1]
            word = state[1].lower().removeprefix("re-")
            if word not in ("open", "closed", "resolved"):
                where = span.where(start + state.start())
                said_so = f"{state[1]} … {ids[0][0]}"
                yield Fact("progress", ids[0][0], word, where, said_so, span.others)
    for match in _ALL_STATE.finditer(text) if "all " in text else ():
        about = f"{span.section} {text[: match.start()]}"
        if re.search(r"(?i)blocker|precondition", about):
            word = "closed" if match[1].upper() != "OPEN" else "open"
            where = span.where(match.start())
            yield Fact("all", "blockers", word, where, match[0], span.others)
    starts = [one.start() for one in ids]
    for match in _LEG.finditer(text) if " leg" in text else ():
        word = match[2].lower()
        name = BLOCKER_ID.sub("", match[1]).strip(" -").lower().removeprefix("the ")
        at = bisect_left(starts, match.end())
        named = [ids[at - 1][0]] if at else BLOCKER_ID.findall(span.label[:200])
        subject = f"{name} of {named[0]}" if named else name
        yield Fact("leg", subject, word, span.where(match.start()), match[0], span.others)


def rest(spans: Sequence[Span]) -> Iterator[Fact]:
    """Yield ``the other five blockers are unchanged``, with the ids that were named before it."""
    section, named = "", dict[str, None]()
    for span in spans:
        if span.section != section:
            section, named = span.section, {}
        start = 0
        for match in _REST.finditer(span.text) if "nchanged" in span.text.lower() else ():
            ids = dict.fromkeys(BLOCKER_ID.findall(span.text[start : match.start()]))
            start = match.end()
            count = number(match[1])
            value = f"{count}:{','.join({**named, **ids})}"
            yield Fact("rest", "blockers", value, span.where(match.start()), match[0], span.others)
        if span.text.count("-") > 1:
            named.update(dict.fromkeys(BLOCKER_ID.findall(span.text)))


def _state(span: Span, at: int, identifier: str, word: str, said: str) -> Fact:
    axis, value = _axis(word)
    return Fact(axis, identifier, value, span.where(at), said, span.others)


def _axis(word: str) -> tuple[str, str]:
    """Return on which axis a word of state tells of a blocker, and what it says there."""
    plain = word.lower().removeprefix("re-")
    if plain in ("closed", "resolved"):
        return "blocker", "closed"
    return ("blocker" if plain == "open" else "progress"), plain


def _who(actor: str) -> str:
    """Return who acts, in whatever order they are named."""
    return " ".join(sorted(_ACTOR.findall(actor.lower())))


def in_table(table: Table, name: str) -> Iterator[Fact]:
    """Yield the state that each row of a table of blockers gives."""
    header = [cell.strip().lower() for cell in table.header]
    if not header or header[0] != "blocker" or "production" in header:
        return
    at = next((i for i, cell in enumerate(header) if cell.startswith(("status", "state"))), 0)
    actor = next((i for i, cell in enumerate(header) if cell.startswith("actor")), 0)
    if at == 0:
        return
    for row, line in zip(table.rows, table.row_lines, strict=True):
        match = BLOCKER_ID.search(row[0][:200])
        if match is None or len(row) <= at:
            continue
        state = _STATE.search(row[at]) or re.match(r"(?i)\W*(open)\b", row[at])
        word = state[1].lower().removeprefix("re-") if state is not None else UNTOLD
        value = "closed" if word == "resolved" else word
        yield Fact("row", match[0], value, f"{name}:{line}", f"{match[0]}: {row[at]}")
        if actor and len(row) > actor and row[actor]:
            said = f"{match[0]}: {row[actor]}"
            yield Fact("actor", match[0], _who(row[actor]), f"{name}:{line}", said)


def failed_rows(table: Table, name: str) -> Iterator[Fact]:
    """Yield the cells that begin with a failure, in tables of what should not fail."""
    if _MUST_FAIL.search(" ".join(table.header)[:_LONGEST_HEADER]):
        return
    for row, line in zip(table.rows, table.row_lines, strict=True):
        if _MUST_FAIL.search(row[0][:_LONGEST_HEADER]) if row else True:
            continue
        for cell in row[1:]:
            match = _FAILED.match(cell.lstrip("*`_ ")[:_LONGEST_HEADER])
            if match is not None and not _REPAIRED.search(cell[:_LONGEST_HEADER]):
                said = f"{row[0][:80]}: {cell[:80]}"
                yield Fact("failed", "", match[1], f"{name}:{line}", said)


def in_json(document: Document) -> Iterator[Fact]:
    """Yield states and actors of the blockers that a machine report lists, and its row counts."""
    stated = document.data.get("production_blocker_map") if isinstance(document.data, dict) else 0
    listed = stated.get("blockers") if isinstance(stated, dict) else None
    for index, row in enumerate(listed if isinstance(listed, list) else ()):
        if not isinstance(row, dict) or not isinstance(name := row.get("id"), str):
            continue
        pointer = f"{document.name}#/production_blocker_map/blockers/{index}"
        words = "; ".join(
            word[:400]
            for key in ("state", "status", "progress")
            if isinstance(word := row.get(key), str)
        )
        for state in _STATE.finditer(words):
            axis, value = _axis(state[1])
            yield Fact(axis, name, value, pointer, f"{name[:120]}: {words}")
        if isinstance(actor := row.get("actor"), str) and actor.strip():
            said = f"{name[:120]}: {actor[:400]}"
            yield Fact("actor", name, _who(actor[:400]), f"{pointer}/actor", said)
    for statement in document.statements:
        parent, _, key = statement.key.rpartition("/")
        phase = _ROWS_KEY.fullmatch(key) if statement.type == "integer" else None
        if phase is not None:
            when = "applied" if "appl" in key else "before" if "before" in key else "after"
            step = f"{when} {document.name}#/{parent}"
            said = f"{key}: {statement.value}"
            yield Fact("rows", step, statement.value, statement.where, said)


def in_statements(document: Document) -> Iterator[Fact]:
    """Yield the delegation and the statuses that stand behind their keys."""
    for statement in document.statements:
        key = statement.key.strip().lower().replace("_", " ")
        if key in ("delegated decision consumed", "delegation consumed", "delegation"):
            match = _TOKEN.search(statement.value)
            if match:
                yield Fact("delegation", "delegation consumed", match[1], statement.where, match[1])
        elif key == "option" or _OPTION_KEY.search(statement.key):
            yield Fact("option", document.name, statement.value, statement.where, statement.value)
        elif key == "authority":
            match = _TOKEN.match(statement.value)
            if match and match[1].count("_") >= 2:
                yield Fact("authority", "authority", match[1], statement.where, match[1])
        elif key in ("final status", "status"):
            match = _TOKEN.match(statement.value)
            if match:
                yield Fact("status", "final status", match[1], statement.where, match[1])
        elif (
            key.endswith("/default")
            and statement.value
            and ("decision" in key or statement.value.startswith(("HOLD", "AUTHORIZE_")))
        ):
            yield Fact(
                "default", "default", statement.value, statement.where, f"default {statement.value}"
            )
