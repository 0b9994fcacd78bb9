"""Why the bytes of a file differ from those that were sealed, where one known reason fits.

An explanation is shown and never guessed (spec 2.1): either the sealed bytes were found by their
digest and equal the present ones but for the named reasons, or a transformation of the present
bytes gives the sealed digest. The file stays a failure all the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, partial
from itertools import combinations
from typing import Final, Literal, NamedTuple

from generator.errors import InputError
from generator.model.digest import Digest, sha256
from generator.model.packet import NOT_SEARCHED
from generator.names import skeleton
from generator.reading import strictjson


class Drift(StrEnum):
    """The known ways in which bytes differ though a reader sees the same text, and one more."""

    explanation: str

    def __new__(cls, value: str, explanation: str) -> Drift:
        """Make a member whose text is its name and which also has an explanation."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.explanation = explanation
        return member

    BOM = "BOM", "A byte order mark at the start was added or removed."
    CRLF = "CRLF", "Line ends were changed between LF, CRLF and CR."
    FINAL_NEWLINE = "final newline", "Line ends at the end of the file were added or removed."
    FORM = "NFC/NFD", "Characters were composed or decomposed (Unicode normalisation form)."
    LOOKALIKE = (
        "look-alike characters",
        "Characters were replaced by ones that look alike, such as an em dash for a hyphen.",
    )
    JSON_ESCAPES = (
        "JSON ASCII escapes",
        "In JSON, characters outside ASCII were written as \\u escapes, or escapes as characters; "
        "nothing else differs.",
    )
    JSON = (
        "JSON re-serialised",
        "The JSON value is the same, number literals included; ASCII escapes, key order or white "
        "space differ.",
    )
    EDITED = "edited content", "No known drift was found to make the contents equal."


FOUND: Final = "sealed bytes found by digest"
_LEAST: Final = 16 * 1024
TRANSFORMED: Final = "a transformation of the present bytes gives the sealed digest"


@dataclass(frozen=True, slots=True)
class DriftExplanation:
    """Every class of drift that it takes, in the order of :class:`Drift`, and how it is known."""

    classes: tuple[Drift, ...]
    how: str

    def __str__(self) -> str:
        """Return ``BOM, CRLF (sealed bytes found by digest)``."""
        return f"{', '.join(self.classes)} ({self.how})"


class Recovered(NamedTuple):
    """The sealed bytes, where they were found or made, and what became of them if that shows."""

    explanation: DriftExplanation | None
    sealed: bytes | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """How much is tried.

    A file of more than ``text_bytes`` (or sealed bytes of more) is not read as text or JSON: only
    BOM and line ends are tried. ``candidates`` and ``hashed_bytes`` end the search by
    transformation; one candidate is always allowed to pass the latter.
    """

    text_bytes: int = 4 * 1024 * 1024
    candidates: int = 2000
    hashed_bytes: int = 128 * 1024 * 1024


DEFAULT: Final = Budget()


def explain(
    present: bytes,
    sealed: Digest,
    known: Callable[[Digest], bytes | None] = lambda digest: None,
    budget: Budget = DEFAULT,
) -> DriftExplanation | None:
    """Say how ``present`` drifted from the bytes that have the digest ``sealed``, if that shows.

    ``known`` gives bytes that were read elsewhere by their digest. None means that nothing fits,
    that the budget was spent, or that nothing differs.
    """
    if sha256(present) == sealed:
        return None
    return recover(present, sealed, known, budget).explanation


def recover(
    present: bytes,
    sealed: Digest,
    known: Callable[[Digest], bytes | None] = lambda digest: None,
    budget: Budget = DEFAULT,
) -> Recovered:
    """Return the bytes with the digest ``sealed`` too, which ``present`` does not have.

    Where the sealed bytes are found they are returned even if no explanation fits.
    """
    original = _believed(sealed, known)
    if original is not None:
        classes = _compared(present, original, budget)
        if classes:
            return Recovered(DriftExplanation(classes, FOUND), original)
    made, _ = _transformed(present, sealed, budget)
    return made if made.explanation is not None else Recovered(None, original)


class Search:
    """Explains the files of one packet, within one bound for all of them."""

    def __init__(self, known: Callable[[Digest], bytes | None], budget: Budget = DEFAULT) -> None:
        """Take what gives bytes by digest, and what all files together may cost."""
        self.known = known
        self.budget = budget
        self.left = budget.hashed_bytes

    def reason(self, present: bytes, sealed: Digest) -> str:
        """Return the explanation in words; empty where nothing fits."""
        found = compare(present, sealed, self.known, self.budget)
        if found is not None:
            return str(found)
        whole = self.left > 0
        # BOM and line ends cost next to nothing, and are looked for in any case
        budget = self.budget if whole else replace(self.budget, text_bytes=0)
        made, spent = _transformed(present, sealed, budget)
        self.left -= spent
        found = made.explanation
        return str(found) if found is not None else "" if whole else NOT_SEARCHED


def compare(
    present: bytes,
    sealed: Digest,
    known: Callable[[Digest], bytes | None],
    budget: Budget = DEFAULT,
) -> DriftExplanation | None:
    """Say how ``present`` drifted from sealed bytes that were found by their digest."""
    original = _believed(sealed, known)
    classes = _compared(present, original, budget) if original is not None else ()
    return DriftExplanation(classes, FOUND) if classes else None


def _believed(sealed: Digest, known: Callable[[Digest], bytes | None]) -> bytes | None:
    """Return what is known by a digest; it is believed for its digest only."""
    original = known(sealed)
    return original if original is not None and sha256(original) == sealed else None


def _transformed(present: bytes, sealed: Digest, budget: Budget) -> tuple[Recovered, int]:
    """Return what was found, and how many bytes were made and hashed for it."""
    spent = 0
    for tried, (classes, candidate) in enumerate(_candidates(present, budget)):
        if tried >= budget.candidates or spent > budget.hashed_bytes:
            break
        # a small candidate costs as much as its making, whatever its size
        spent += max(len(candidate), _LEAST)
        if sha256(candidate) == sealed:
            # Now the sealed bytes are there, and fewer classes than were tried may do.
            compared = _compared(present, candidate, budget)
            if not compared or Drift.EDITED in compared:
                compared = tuple(sorted(classes, key=_ORDER.index))
            return Recovered(DriftExplanation(compared, TRANSFORMED), candidate), spent
    return Recovered(None), spent


_ORDER: Final = tuple(Drift)

# --- bytes and text ---

_BOM: Final = b"\xef\xbb\xbf"
_BOMS = re.compile(rb"\A(?:\xef\xbb\xbf)+")


def _decoded(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _lf(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _normal(form: Literal["NFC", "NFD"], text: str) -> str:
    if text.isascii():
        return text
    import unicodedata

    return unicodedata.normalize(form, text)


def _value(data: bytes) -> strictjson.JsonValue | InputError:
    """Return what JSON says, or why it is none; an error stands for itself, null does not."""
    try:
        return strictjson.loads(data, where="")
    except InputError as error:
        return error


# --- the sealed bytes are there: compare ---

_BYTES: Final = (Drift.BOM, Drift.CRLF, Drift.FINAL_NEWLINE)
_TEXT: Final = (*_BYTES, Drift.FORM, Drift.LOOKALIKE)
_TEXT_OF_JSON: Final = (*_TEXT, Drift.JSON_ESCAPES)
_VALUE: Final = (Drift.BOM, Drift.FORM, Drift.LOOKALIKE, Drift.JSON)
"""JSON counts no white space outside strings, and no line end can stand inside."""


def _compared(present: bytes, original: bytes, budget: Budget) -> tuple[Drift, ...]:
    """Return the fewest classes without which the two are equal; none if that is not known."""
    small = max(len(present), len(original)) <= budget.text_bytes
    views = _View(present), _View(original)
    usable = (_TEXT, _TEXT_OF_JSON, _VALUE) if small else (_BYTES,)
    tried = [
        classes
        for size in (1, 2)
        for classes in combinations(_ORDER[:-1], size)
        if any(set(classes) <= set(together) for together in usable)
    ]
    for classes in tried:
        if _equal(*views, frozenset(classes)):
            return classes
    # Three and more are not searched: all at once, then without each that is not needed.
    for together in usable:
        if _equal(*views, frozenset(together)):
            needed = set(together)
            # Backwards, as a last line end that has changed is not one that was removed.
            for drift in reversed(together):
                if _equal(*views, frozenset(needed - {drift})):
                    needed.discard(drift)
            return tuple(drift for drift in _ORDER if drift in needed)
    # What was not read as text may be anything.
    return (Drift.EDITED,) if small else ()


class _View:
    """One content as it is without some classes of drift; each view of it is made once."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._absent = frozenset() if data.startswith(_BOM) else frozenset({Drift.BOM})
        self._values: dict[bytes, strictjson.JsonValue | InputError] = {}
        self._bytes: dict[frozenset[Drift], bytes] = {}
        self._text: dict[frozenset[Drift], str | None] = {}

    def bytes_without(self, classes: frozenset[Drift]) -> bytes:
        classes &= frozenset(_BYTES)
        if classes not in self._bytes:
            data = self._data
            if Drift.BOM in classes:
                data = _BOMS.sub(b"", data)
            if Drift.CRLF in classes:
                data = _lf(data)
            if Drift.FINAL_NEWLINE in classes:
                data = data.rstrip(b"\r\n")
            self._bytes[classes] = data
        return self._bytes[classes]

    def text_without(self, classes: frozenset[Drift]) -> str | None:
        """Return the text without all but look-alikes; None if it is not UTF-8 or not JSON."""
        classes -= self._absent
        if Drift.JSON not in classes:
            classes -= {Drift.LOOKALIKE}
        if classes not in self._text:
            self._text[classes] = self._made(classes)
        return self._text[classes]

    def _made(self, classes: frozenset[Drift]) -> str | None:
        if Drift.FORM in classes:
            text = self.text_without(classes - {Drift.FORM})
            return None if text is None else _normal("NFD", text)
        if Drift.JSON in classes:
            value = self._value_without(classes)
            if isinstance(value, InputError):
                return None
            # Escaped, a quotation mark would have no single character to be compared with.
            return _serialised(value, _likeness, curly=Drift.LOOKALIKE in classes)
        text = _decoded(self.bytes_without(classes))
        if Drift.JSON_ESCAPES in classes:
            return None if text is None or not self._is_json() else _unescaped(text)
        return text

    def _is_json(self) -> bool:
        return not isinstance(self._value_without(frozenset({Drift.BOM})), InputError)

    def _value_without(self, classes: frozenset[Drift]) -> strictjson.JsonValue | InputError:
        data = self.bytes_without(classes)
        if data not in self._values:
            self._values[data] = _value(data)
        return self._values[data]


def _equal(one: _View, other: _View, classes: frozenset[Drift]) -> bool:
    if classes <= frozenset(_BYTES):
        return one.bytes_without(classes) == other.bytes_without(classes)
    text = one.text_without(classes)
    against = None if text is None else other.text_without(classes)
    if text is None or against is None:
        return False
    return _look_alike(text, against) if Drift.LOOKALIKE in classes else text == against


# Characters that people and their editors put for each other; ASCII first.
_DASHES: Final = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_SINGLE: Final = "'\u2018\u2019\u201a\u201b\u2032\u00b4\u02bc"
_DOUBLE: Final = '"\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb'
_SPACES: Final = " \u00a0\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_KINDS: Final = (_DASHES, _SINGLE, _DOUBLE, _SPACES)
_UNSEEN: Final = "\u00ad\u200b\u2060"
_FULL_WIDTH: Final = {chr(0xFEE0 + point): chr(point) for point in range(0x21, 0x7F)}
_LETTERS: Final = dict(
    zip(
        "\u0410\u0412\u0415\u0405\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425"
        "\u0430\u0435\u0455\u0456\u0458\u043e\u0440\u0441\u0443\u0445\u04bb\u0501\u051b\u051d"
        "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
        "\u03bf\u03bd\u03b1",
        "ABESIJKMHOPCTYXaesijopcyxhdqwABEZHIKMNOPTYXova",
        strict=True,
    )
)
"""Cyrillic and Greek letters, and the Latin ones that a reader takes them for."""
# What an editor makes of hyphens depends on the editor.
_DASHES_AS: Final = (("-", "-"), ("--", "--"), ("--", "-"), ("---", "--"))


@cache
def _plain(em: str, en: str) -> dict[int, str]:
    table = {char: kind[0] for kind in _KINDS for char in kind[1:]}
    table |= dict.fromkeys(_UNSEEN, "") | _FULL_WIDTH
    return str.maketrans(table | {"\u2026": "...", "\u2014": em, "\u2013": en})


def _look_alike(one: str, other: str) -> bool:
    """Tell whether only non-ASCII characters differ from what a reader takes them for.

    Two ASCII characters never stand for each other here: 0 for O is an edit.
    """
    if one == other:
        return True
    if one.isascii() and other.isascii():
        return False
    # How dashes are spelled matters only where hyphens stand together.
    spellings = _DASHES_AS if "--" in one or "--" in other else _DASHES_AS[:1]
    for em, en in spellings:
        texts = one.translate(_plain(em, en)), other.translate(_plain(em, en))
        if len(texts[0]) == len(texts[1]) and all(
            here == there or _alike(here, there) for here, there in zip(*texts, strict=True)
        ):
            return True
    return False


def _alike(here: str, there: str) -> bool:
    if here.isascii() and there.isascii():
        return False
    return skeleton(here) == skeleton(there)


def _likeness(text: str) -> str:
    """Return what look-alikes in any form have in common, so that keys sort alike on both sides."""
    return skeleton(text.translate(_plain("", ""))).replace("-", "")


# --- the sealed bytes are not there: transform ---

_Step = Callable[[bytes], Iterator[bytes]]


def _candidates(present: bytes, budget: Budget) -> Iterator[tuple[tuple[Drift, ...], bytes]]:
    """Yield what the sealed bytes may have been, with the classes that it takes; likelier first."""
    # In this order one step does not undo another, or take away what it needs.
    letters: dict[Drift, _Step] = {Drift.FORM: _forms, Drift.LOOKALIKE: _replaced}
    # No character can be looked at before it is one.
    letters = (
        {Drift.JSON_ESCAPES: _escapes_undone, **letters}
        if _ESCAPES_IN_BYTES.search(present)
        else {**letters, Drift.JSON_ESCAPES: _escaped}
    )
    steps: dict[Drift, _Step] = {
        **letters,
        Drift.JSON: _reserialised,
        Drift.FINAL_NEWLINE: _final_newlines,
        Drift.CRLF: _line_ends,
    }
    pairs = _PAIRS
    # JSON is read without its BOM, and gets one only when it is written.
    if present.startswith(_BOM):
        steps = {Drift.BOM: _bom_removed, **steps}
    else:
        steps = {**steps, Drift.BOM: _bom_added}
    if len(present) > budget.text_bytes:
        steps = {drift: step for drift, step in steps.items() if drift in _BYTES}
    for drift in _ORDER:
        if drift in steps:
            for candidate in steps[drift](present):
                yield (drift,), candidate
    order = tuple(steps)
    for pair in pairs:
        if pair <= set(order):
            first, second = sorted(pair, key=order.index)
            for between in steps[first](present):
                # What did not change is the other step alone.
                if between != present:
                    for candidate in steps[second](between):
                        yield (first, second), candidate
    if Drift.LOOKALIKE in steps:
        for candidate in _replaced_in_part(present):
            yield (Drift.LOOKALIKE,), candidate


# JSON has no need of line ends at the end, as they are among its white space, nor of escapes.
_PAIRS: Final = tuple(
    frozenset(pair)
    for pair in sorted(
        combinations(_ORDER[:-1], 2), key=lambda pair: (Drift.JSON in pair, Drift.LOOKALIKE in pair)
    )
    if pair not in ((Drift.FINAL_NEWLINE, Drift.JSON), (Drift.JSON_ESCAPES, Drift.JSON))
)


def _bom_added(data: bytes) -> Iterator[bytes]:
    yield _BOM + data


def _bom_removed(data: bytes) -> Iterator[bytes]:
    yield data.removeprefix(_BOM)


def _line_ends(data: bytes) -> Iterator[bytes]:
    lines = _lf(data)
    for end in (b"\n", b"\r\n", b"\r"):
        yield lines.replace(b"\n", end)


def _final_newlines(data: bytes) -> Iterator[bytes]:
    text = data.rstrip(b"\r\n")
    for end in (b"\n", b"\r\n") if b"\r\n" in data or b"\n" not in data else (b"\n",):
        for times in range(4):
            yield text + end * times


def _forms(data: bytes) -> Iterator[bytes]:
    text = _decoded(data)
    if text is not None and not text.isascii():
        yield _normal("NFC", text).encode()
        yield _normal("NFD", text).encode()


def _replaced(data: bytes) -> Iterator[bytes]:
    """Yield ``data`` with every one of one character replaced, or every one of a known kind.

    In UTF-8 no character begins inside another, so bytes can be replaced as they are.
    """
    text = _decoded(data)
    if text is None:
        return
    if not text.isascii():
        for table in _tables():
            changed = text.translate(table)
            if changed != text:
                yield changed.encode()
    for old, new in _REPLACEMENTS:
        if old in text:
            yield data.replace(old.encode(), new.encode())
    for mark, opening, closing in (('"', "\u201c", "\u201d"), ("'", "\u2018", "\u2019")):
        if mark in text:
            parts = text.split(mark)
            ends = [closing if number % 2 else opening for number in range(len(parts) - 1)]
            woven = [piece for pair in zip(parts, [*ends, ""], strict=True) for piece in pair]
            yield "".join(woven).encode()


def _replaced_in_part(data: bytes) -> Iterator[bytes]:
    """Yield ``data`` with some of one character replaced, where others of it were there before.

    Every choice is tried of a few, and one or all but one of more.
    """
    text = _decoded(data)
    for old, new in _IN_PART if text is not None else ():
        parts = (text or "").split(old)
        count = len(parts) - 1
        if 2 <= count <= _MOST_IN_PART:
            for size in range(1, count) if count <= _FEW_IN_PART else (1, count - 1):
                for chosen in combinations(range(count), size):
                    ends = [new if number in chosen else old for number in range(count)]
                    pairs = zip(parts, [*ends, ""], strict=True)
                    yield "".join(piece for pair in pairs for piece in pair).encode()


_FEW_IN_PART: Final = 6
_MOST_IN_PART: Final = 64


@cache
def _tables() -> tuple[Mapping[int, str], ...]:
    """Return what turns one kind of look-alikes, or all, into ASCII."""
    kinds = [dict.fromkeys(kind[1:], kind[0]) for kind in _KINDS]
    kinds += [kinds[1] | kinds[2], dict.fromkeys(_UNSEEN, ""), _FULL_WIDTH, _LETTERS]
    return (*(_plain(em, en) for em, en in _DASHES_AS), *map(str.maketrans, kinds))


_REPLACEMENTS: Final = (
    # First what editors are known to do, then each character of a kind for each other.
    *(("-", dash) for dash in "\u2014\u2013\u2212\u2011"),
    *((f" {old} ", f" {new} ") for old, new in ("-\u2014", "-\u2013", "\u2014-", "\u2013-")),
    *(("---", "\u2014"), ("--", "\u2014"), ("--", "\u2013")),
    *(("\u2014", "---"), ("\u2014", "--"), ("\u2013", "--")),
    *(("...", "\u2026"), ("\u2026", "...")),
    *(("'", quote) for quote in "\u2019\u2018\u2032"),
    *((" ", "\u00a0"), (" ", "\u202f"), ('"', "\u201c"), ('"', "\u201d")),
    *((old, new) for kind in _KINDS for old in kind[1:] for new in kind if new != old),
)


_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_ESCAPES_IN_BYTES = re.compile(rb"\\u(?!00[0-7])[0-9a-fA-F]{4}|\\u007[fF]")
_BEYOND = re.compile("[^\\0-~]")


def _unescaped(json_text: str) -> str:
    """Return JSON in which no character outside printed ASCII is escaped.

    A back slash stands in strings only, so nothing else has to be known of JSON.
    """

    def decoded(match: re.Match[str]) -> str:
        return match[0] if not match[1] or int(match[1], 16) < 0x7F else chr(int(match[1], 16))

    text = _ESCAPE.sub(decoded, json_text)
    # Two escapes make one character where it is above U+FFFF; a lone one strictjson has refused.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _escapes_undone(data: bytes) -> Iterator[bytes]:
    if _ESCAPES_IN_BYTES.search(data) and _is_json(data):
        yield _unescaped(data.decode()).encode()


def _escaped(data: bytes) -> Iterator[bytes]:
    """Yield JSON with every character outside ASCII escaped, first in the digits of most tools."""
    body = _BOMS.sub(b"", data)
    marks = data[: len(data) - len(body)]
    text = _decoded(body)
    if text is None or not _BEYOND.search(text) or not _is_json(body):
        return
    for digits in ("04x", "04X"):
        yield marks + _BEYOND.sub(partial(_as_escapes, digits), text).encode()


def _as_escapes(digits: str, match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")
    pairs = zip(units[::2], units[1::2], strict=True)
    return "".join(f"\\u{high << 8 | low:{digits}}" for high, low in pairs)


def _is_json(data: bytes) -> bool:
    """Tell whether this is JSON, byte order marks before it or not."""
    return not isinstance(_value(_BOMS.sub(b"", data)), InputError)


_IN_PART: Final = (
    *((old, kind[0]) for kind in _KINDS for old in kind[1:]),
    *(("-", "\u2014"), ("-", "\u2013"), ("'", "\u2019")),
)


def _reserialised(data: bytes) -> Iterator[bytes]:
    """Yield the same JSON value as the usual tools write it, number literals kept."""
    value = _value(data)
    if isinstance(value, InputError):
        return
    for ordered in (False, True):
        for ascii_only in (False, True):
            base = _serialised(value, str if ordered else None, ascii_only=ascii_only)
            for laid_out in _layouts(base):
                yield f"{laid_out}\n".encode()
                yield laid_out.encode()


def _layouts(base: str) -> Iterator[str]:
    # No string of JSON holds a raw NUL, tab or line feed: those in `base` are all layout.
    flat = base.replace("\t", "")
    for after_colon in (" ", ""):
        spaced = base.replace("\0", after_colon)
        for indent in ("  ", "    ", "\t", " ", "   "):
            yield spaced.replace("\t", indent)
        for after_comma in (" ", ""):
            line = flat.replace(",\n", f",{after_comma}").replace("\n", "")
            yield line.replace("\0", after_colon)
        # An indent of nothing, which some writers take for the flag that it is.
        yield flat.replace("\0", after_colon)


def _serialised(
    value: strictjson.JsonValue,
    order: Callable[[str], str] | None,
    *,
    ascii_only: bool = False,
    curly: bool = False,
) -> str:
    """Return JSON with a tab for each level and a NUL behind each colon, to be laid out.

    Keys are sorted by what ``order`` gives for them, or stay where they are. With ``curly``, which
    is for comparing only, quotation marks inside strings are U+201C and need no escape.
    """
    escaped = json.encoder.encode_basestring_ascii if ascii_only else json.encoder.encode_basestring
    parts: list[str] = []

    def quoted(text: str) -> str:
        return escaped(text.replace('"', "\u201c") if curly else text)

    # strictjson has refused what is nested deeper than 64.
    def write(value: strictjson.JsonValue, line: str) -> None:
        if isinstance(value, str):
            parts.append(quoted(value))
        elif isinstance(value, (dict, list)):
            write_container(value, line)
        else:
            # str() of a number is its literal; bool is an int, so the words go by their own str().
            parts.append(_WORDS.get(str(value), str(value)))

    def write_container(
        value: dict[str, strictjson.JsonValue] | list[strictjson.JsonValue], line: str
    ) -> None:
        opener, closer = "{}" if isinstance(value, dict) else "[]"
        parts.append(opener)
        inner = f"{line}\t"
        start = inner
        if isinstance(value, dict):
            for key in sorted(value, key=lambda key: (order(key), key)) if order else value:
                parts.append(f"{start}{quoted(key)}:\0")
                write(value[key], inner)
                start = f",{inner}"
        else:
            for member in value:
                parts.append(start)
                write(member, inner)
                start = f",{inner}"
        parts.append(f"{line}{closer}" if value else closer)

    write(value, "\n")
    return "".join(parts)


_WORDS: Final = {"None": "null", "True": "true", "False": "false"}
