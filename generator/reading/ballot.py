"""What a decision packet in text says: its options, and the sentences that could steer.

Tables are read elsewhere. Every option line keeps its box, its remark and its emphasis, and every
sentence with a word that could select, recommend or release something is kept with its line, so
that rules can look at them; nothing is judged here. The options themselves are also statements of
the document, as they are claims like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.model.document import OPTION_MEANING, BallotLine, Statement

_LINE_END = re.compile(r"\r\n|\r|\n")
_ODD = r"[^\s`*|:;,.()\[\]<>_—–-]"
"""What may stand in a name that looks like one and is none, such as a letter of another script."""
_ITEM = re.compile(
    r"\s{0,3}(?:(?:[-*+]|[0-9]{1,3}[.)])\s{1,4}|(?P<heading>#{1,6})\s{1,4})"
    r"(?:(?P<box>\[[^\[\]]?\]|\([^()]?\)|[☐☑☒✓✔●○◉])\s{0,3})?"
    r"(?:(?P<lead><[^<>]{0,80}>|[^\w\s`*\[\]()<>|\\]{1,4})\s{0,3})?"
    r"(?:(?:Option|Choice)\s)?(?:[0-9]{1,3}[.):]\s?|[A-Z][.):]\s)?(?P<marks>[`*_]{0,4})"
    r"(?P<token>[A-Z][A-Z0-9]{0,60}(?:_[A-Z0-9]{1,60}){0,30}(?![A-Za-z0-9_-])"
    rf"|{_ODD}{{1,60}}(?:_{_ODD}{{1,60}}){{1,30}})(?<![`*_-])[`*_]{{0,4}}"
    r"\s?(?P<remark>[(\[][^()\[\]]{0,200}[)\]])?"
    r"(?:\s?(?P<trail>[^\w\s`*\[\]()<>|\\:;,.—–-]{1,4}))?"
    r"\s?(?:[:;,.—–-]\s?(?P<meaning>.*)|\Z)"
)
"""An item that offers an option; what stands before or behind its name marks it."""
_TICKED = re.compile(r"(?i)[✅✔✓☑]|\bchecked\b")
_NO_ASCII = re.compile(r"[^\x00-\x7f]")
_DEFAULT = re.compile(r"(?i)\bdefault\b")
_NOT_DEFAULT = re.compile(r"(?i)\b(?:not|no|non|never)\b")
_CALLED_OPTIONS = re.compile(r"(?i)\b(?:options?|choices?|ballot)\b")
_HEADING = re.compile(r" {0,3}#{1,6}\s")
_BARE_HEADING = re.compile(r"[A-Z][^|.!?]{2,120}\Z")
_OTHER_ITEM = re.compile(r"\s{0,3}(?:[-*+]|[0-9]{1,3}[.)])\s")
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s{1,4}")
_TELLING = re.compile(
    r"(?i)\b(?:ready|proceed|available|unlock\w*|cleared?|approved?|green[- ]light|go[- ]ahead"
    r"|recommend\w*|prefer\w*|advis\w*|suggest\w*|select\w*|chosen|choose|picked|decided|safe to"
    r"|can now|may now|authorized|authorised|granted|enabled|permitted|best|better|right|favou?r\w*"
    r"|should|endorse\w*|urge\w*|opt|opted|agreed|settled|blockers?|preconditions?|obstacles?|way"
    r"|objects?|objections?|answers?|repl(?:y|ies)|responds?|response|veto\w*|otherwise)\b"
)
_LONGEST_OPTION = 400
_LONGEST_SENTENCE = 600
_MOST_SENTENCES = 1000
_EMPTY_BOXES = ("", "☐", "○")


def read(name: str, text: str) -> tuple[BallotLine, ...]:
    """Return the lines of a decision packet that say something of options, in their order."""
    found: list[BallotLine] = []
    paragraph: list[tuple[str, int]] = []
    listing, among_options, kept, hidden = 0, False, 0, False
    for number, whole in enumerate(_LINE_END.split(text), 1):
        line = whole[:_LONGEST_OPTION]
        # an option that nobody is shown is not offered
        match = None if hidden else _ITEM.match(line)
        hidden = _still_hidden(whole, hidden=hidden)
        item = match is not None and _is_option(match, among_options=among_options)
        if _is_heading(whole) and not item:
            listing += 1
            among_options = _CALLED_OPTIONS.search(line) is not None
        if item and match is not None:
            found.append(_option(name, number, match, listing, among_options))
        stripped = whole.strip()
        in_table = stripped[:1] == "|" or stripped[-1:] == "|"
        if item or not stripped or in_table or _OTHER_ITEM.match(line):
            kept += _take(name, paragraph, found, _MOST_SENTENCES - kept)
        if stripped and not in_table:
            paragraph.append((stripped, number))
    _take(name, paragraph, found, _MOST_SENTENCES - kept)
    return tuple(sorted(found, key=lambda one: int(one.where.rpartition(":")[2])))


def _still_hidden(line: str, *, hidden: bool) -> bool:
    """Tell whether a comment of HTML is open behind a line."""
    opened, closed = line.rfind("<!--"), line.rfind("-->")
    return opened > closed or (hidden and closed < 0)


def _is_option(match: re.Match[str], *, among_options: bool) -> bool:
    token = match["token"]
    if _NO_ASCII.search(token):
        capitals = sum(char == "_" or "A" <= char <= "Z" for char in token)
        return among_options and 2 * capitals >= len(token)
    if not token.isupper():
        return False
    return "_" in token or (among_options and _alone(match))


def _alone(match: re.Match[str]) -> bool:
    """Tell whether a single word in capitals is an option: a list of options, not of headings."""
    return len(match["token"]) > 1 and not match["heading"]


def _is_heading(line: str) -> bool:
    return _HEADING.match(line) is not None or (
        len(line) < _LONGEST_OPTION
        and _BARE_HEADING.match(line) is not None
        and _CALLED_OPTIONS.search(line) is not None
    )


def _option(
    name: str, number: int, match: re.Match[str], listing: int, among_options: bool
) -> BallotLine:
    box = (match["box"] or "").strip("[]() ")
    marks = match["marks"].replace("`", "")
    around = f"{match['lead'] or ''} {match['trail'] or ''}".strip()
    ticked = _TICKED.search(around) is not None
    return BallotLine(
        where=f"{name}:{number}",
        token=match["token"],
        listing=listing,
        among_options=among_options,
        checked=(bool(match["box"]) and box not in _EMPTY_BOXES) or ticked,
        emphasised=bool(marks or around),
        remark=(match["remark"] or "").strip("()[] "),
        text=(match["meaning"] or "").strip(),
    )


def _take(name: str, paragraph: list[tuple[str, int]], found: list[BallotLine], room: int) -> int:
    """Keep the telling sentences of a paragraph, and begin the next one."""
    kept = 0
    # an end of a line is where the sentence begins that follows it
    starts: list[tuple[int, int]] = []
    length = 0
    for text, number in paragraph:
        starts.append((length, number))
        length += len(text) + 1
    whole = " ".join(text for text, _ in paragraph)
    paragraph.clear()
    at, line = 0, 0
    for sentence in _SENTENCE_END.split(whole) if whole else ():
        begin = whole.index(sentence, at) if sentence else at
        at = begin + len(sentence)
        while line + 1 < len(starts) and starts[line + 1][0] <= begin:
            line += 1
        for piece in _cut(sentence):
            if kept < room and _TELLING.search(piece):
                found.append(BallotLine(f"{name}:{starts[line][1]}", text=piece.strip()))
                kept += 1
    return kept


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text, long ones in pieces."""
    for sentence in _SENTENCE_END.split(text):
        yield from (piece.strip() for piece in _cut(sentence))


def _cut(sentence: str) -> Iterator[str]:
    for start in range(0, len(sentence), _LONGEST_SENTENCE):
        yield sentence[start : start + _LONGEST_SENTENCE]


def statements(lines: tuple[BallotLine, ...]) -> Iterator[Statement]:
    """Yield what the options state: each option, which is the default, and what each means."""
    for line in lines:
        if not line.token:
            continue
        yield Statement("option", line.token, line.where)
        if is_default(line.remark):
            yield Statement("default", line.token, line.where)
        if line.text:
            yield Statement(OPTION_MEANING, f"{line.token}: {line.text}", line.where)


def is_default(remark: str) -> bool:
    """Whether a remark such as ``default, recommended`` makes an option the default."""
    return _DEFAULT.search(remark) is not None and _NOT_DEFAULT.search(remark) is None
