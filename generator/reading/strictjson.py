"""JSON as RFC 8259 means it, with every doubt refused by name and place (spec 2.2).

Two readers: the scanner of the standard library, written in C, for the texts about which there is
no doubt, and an exact one of ours for all others. Only the exact one refuses, so a text gets the
same answer whichever reader saw it first; `tests/test_strictjson.py` holds them together.

Codes: JSON-REPEATED-KEY, JSON-NAN, JSON-INFINITE, JSON-SURROGATE, JSON-UTF8, JSON-BOM, JSON-UTF16,
JSON-TRUNCATED, JSON-SECOND, JSON-EMPTY, JSON-DEPTH, JSON-DIGITS, JSON-BYTES, JSON-SYNTAX.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from typing import Final, NamedTuple, Self, TypeAlias, cast

from generator import spelled
from generator.errors import InputError

JsonValue: TypeAlias = "bool | int | Decimal | str | list[JsonValue] | dict[str, JsonValue] | None"
"""What a JSON text says: whole numbers are `int`, all others and ``-0`` are `Decimal`.

``str()`` of a number is its literal, to the last character.
"""

Step: TypeAlias = str | int
"""One step from a container to its member: a key, or an index from 0."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a text is read; past any of these it is refused (spec 2.1).

    ``depth`` counts containers around a value, itself included; ``digits`` those that one number
    has, or would need without its exponent; ``bytes`` the whole text.
    """

    depth: int = 64
    digits: int = 1000
    bytes: int = 64 * 1024 * 1024

    def __post_init__(self) -> None:
        # Decimal cannot hold an exponent of 19 digits, and arithmetic gets slow long before.
        if not 0 < self.digits <= 1_000_000:
            problem = f"limit of digits outside 1 to 1000000: {self.digits}"
            raise InputError(problem, code="SETTING")


DEFAULT: Final = Limits()

_LONGEST_RUN: Final = 300
_LEAST_DIGITS: Final = 1000
"""Above what a double can need, 309 digits, with two runs short of the longest."""
_ONE_DIGIT: Final = bytes.maketrans(b"123456789E", b"000000000e")
_TOO_LONG: Final = b"0" * _LONGEST_RUN

# Without a trap, Decimal would answer NaN to an exponent it cannot hold.
_TRAPPING = Context(traps=[InvalidOperation])


class Spelled(Decimal):
    """A number that Decimal would respell, such as ``1e5``; ``str()`` gives its literal."""

    __slots__ = ("_literal",)
    _literal: str

    def __new__(cls, literal: str) -> Self:
        """Keep the literal beside the number, which must be finite."""
        number = super().__new__(cls, literal, _TRAPPING)
        number._literal = literal
        return number

    def __str__(self) -> str:
        return self._literal

    def __format__(self, specifier: str, context: object = None, /) -> str:
        return super().__format__(specifier) if specifier else self._literal

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        return type(self), (self._literal,)


class NumberError(Exception):
    """A number that is JSON and still refused; ``kind`` is the end of its code."""

    def __init__(self, kind: str, problem: str) -> None:
        super().__init__(problem)
        self.kind = kind
        self.problem = problem


NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
"""A whole number literal, RFC 8259 section 6."""

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_LONGEST_SHOWN = 60


def loads(data: bytes, *, where: str, limits: Limits = DEFAULT) -> JsonValue:
    """Return the one value that ``data`` holds as UTF-8 JSON (RFC 8259; spec 2.2).

    Raises:
        InputError: with one of this module's codes and the place ``(where, key path)``; line and
            column, both from 1 and in characters, end the problem where there are any.
    """
    text = _text(data, (where,), limits)
    try:
        return _fast(data, text, limits)
    except _DoubtError:
        return _Exact(text, (where,), limits).document()


LOST: Final = object()
"""In the place of a value that may not be all that its text says."""


def certainly_good(data: bytes, limits: Limits = DEFAULT) -> bool:
    """Tell fast that :func:`loads` accepts ``data``; false only means that it has to be asked."""
    return certainly(data, limits)[0]


def certainly(data: bytes, limits: Limits = DEFAULT) -> tuple[bool, object]:
    """Return whether ``data`` is certainly good, and what it says or else :data:`LOST`.

    orjson reads RFC 8259 and nothing else, but keeps the last of repeated keys. So the value is
    written out again, with indents, which tell how deep it goes. Where that gives the text itself,
    as it mostly does for what a program wrote with an indent of two, nothing was lost, and no
    number is longer than a double. Else the text is held against it: each repeated key that was
    lost took its two quotes with it; and what orjson reads is within a double, so that only long
    runs of digits and small exponents can be too long.
    """
    if len(data) > limits.bytes or limits.digits < _LEAST_DIGITS:
        return False, LOST
    return _certainly(data, limits) if len(data) < _LONG else _certainly_long(data, limits)


class _Member(NamedTuple):
    """A long member of an object, as it stands in a text that is certainly good."""

    text: bytes
    key: str
    value: object
    limits: Limits


_members_read: list[_Member] = []
_LONG, _LONGEST_KEPT, _MOST_KEPT = 32 * 1024, 256 * 1024, 4
_HEAD = 64


def _certainly_long(data: bytes, limits: Limits) -> tuple[bool, object]:
    """Do as :func:`certainly` does; a long member that was read before is not read again.

    Lanes put the same requests to the same gate, and record them byte for byte. Where the text with
    null in the member's place is as it would be written, so is the text with the member.
    """
    for text, key, member, below in _members_read:
        at = data.find(text[:_HEAD])
        if at >= 0 and below == limits and data.startswith(text, at):
            rest = data[:at] + _as_member(key, None) + data[at + len(text) :]
            _, value = _certainly(rest, limits)
            if isinstance(value, dict):
                value[key] = member
                return True, value
    good, value = _certainly(data, limits)
    if isinstance(value, dict):
        for key, member in value.items():
            text = _as_member(key, member) if isinstance(member, (dict, list)) else b""
            if _LONG < len(text) <= _LONGEST_KEPT:
                _members_read.insert(0, _Member(text, key, member, limits))
                del _members_read[_MOST_KEPT:]
    return good, value


def _as_member(key: str, value: object) -> bytes:
    """Return a member as it stands in an object that is the whole text, without what parts it."""
    import orjson

    return orjson.dumps({key: value}, option=orjson.OPT_INDENT_2)[1:-2]


def _certainly(data: bytes, limits: Limits) -> tuple[bool, object]:
    import orjson  # late: packets without JSON do not need it

    try:
        value: object = orjson.loads(data)
        written = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    except (ValueError, RecursionError, TypeError):
        return False, LOST
    if b"\n" + b"  " * limits.depth in written:
        return False, LOST
    if written == data:
        return True, value
    if _quotes(data) != _quotes(written):
        return False, LOST
    digits = data.translate(_ONE_DIGIT)
    return b"0e-000" not in digits and _TOO_LONG not in digits, LOST


def _quotes(text: bytes) -> int:
    """Count the quotes that begin or end a string."""
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return text.count(b'"')


def title_then_json(
    data: bytes, *, where: str, limits: Limits = DEFAULT
) -> tuple[str | None, JsonValue, int]:
    """Return title, value and byte offset of JSON that may stand behind title lines (spec 2, S2).

    The JSON starts on the first line that begins, after blanks, with ``{`` or ``[``. The lines
    before it are the title, without the white space around it; None if there are none. Text that
    starts with a double quote, and a title line that is JSON itself, are never a title: they are
    read as by :func:`loads`, which refuses whatever follows them.

    Raises:
        InputError: as :func:`loads` does; lines are those of ``data``, title included.
    """
    text = _text(data, (where,), limits)
    start = _json_start(text)
    offset = len(text[:start].encode())
    try:
        value = _fast(data[offset:], text[start:], limits)
    except _DoubtError:
        value = _Exact(text, (where,), limits, start=start).document()
    return text[:start].strip() or None, value, offset


def pointer_lines(data: bytes, *, start: int = 0, limits: Limits = DEFAULT) -> dict[str, int]:
    """Return the line, from 1, on which each value starts, by JSON Pointer (RFC 6901).

    The whole value is ``""``; ``~`` and ``/`` in keys are ``~0`` and ``~1``. ``start`` is the byte
    offset that :func:`title_then_json` gave; lines before it count.

    Raises:
        InputError: as :func:`loads` does, without a file name; also JSON-BYTES if the pointers
            together are longer than ``limits.bytes``, as a few bytes of JSON can ask for many.
    """
    text = _text(data, (), limits)
    reader = _Exact(text, (), limits, start=len(data[:start].decode()), with_lines=True)
    reader.document()
    return reader.lines


def key_path(steps: Iterable[Step]) -> str:
    """Return steps as a reader writes them: ``files[1].sha256``, other keys quoted in ASCII."""
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        elif _PLAIN_KEY.fullmatch(step) and len(step) <= _LONGEST_SHOWN:
            path += f".{step}" if path else step
        else:
            more = "…" if len(step) > _LONGEST_SHOWN else ""
            path += f"[{json.dumps(step[:_LONGEST_SHOWN])}{more}]"
    return path


def number(literal: str, limits: Limits = DEFAULT) -> int | Decimal:
    """Return the number that a literal matched by `NUMBER` stands for, and nothing lost.

    Raises:
        NumberError: of kind DIGITS (more digits than the limit, written out) or INFINITE (no
            finite double is near it; RFC 8259 section 6 warns of these).
    """
    if _digits(literal) > limits.digits:
        raise NumberError("DIGITS", f"number of more than {limits.digits} digits")
    mantissa, _, exponent = literal.lower().partition("e")
    if literal == "-0":
        return Decimal(literal)  # int would lose the sign
    if not exponent and "." not in mantissa:
        return _whole(literal)
    if math.isinf(float(literal)):
        raise NumberError("INFINITE", f"number too large for a double: {shown(literal)}")
    # Whoever writes `1e-999999999` out in full would fill the memory.
    if _digits(mantissa) + abs(_whole(exponent or "0")) > limits.digits:
        raise NumberError("DIGITS", f"number that needs more than {limits.digits} digits")
    value = Decimal(literal, _TRAPPING)
    return value if str(value) == literal else Spelled(literal)


def shown(text: str) -> str:
    """Return the start of hostile text, quoted and in ASCII, for a message."""
    return ascii(text[:_LONGEST_SHOWN]) + ("…" if len(text) > _LONGEST_SHOWN else "")


def _digits(literal: str) -> int:
    return sum(map(literal.count, "0123456789"))


def _whole(literal: str) -> int:
    # int() of a longer literal may be forbidden (sys.set_int_max_str_digits, 640 at least).
    return int(literal) if len(literal) <= 600 else int(Decimal(literal))


# --- bytes to text ---

_UTF8_BOM = b"\xef\xbb\xbf"
_OTHER_BOMS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


def _text(data: bytes, place: tuple[str, ...], limits: Limits) -> str:
    """Return ``data`` decoded, or refuse its size or encoding."""
    if len(data) > limits.bytes:
        problem = f"{len(data)} bytes, the limit is {limits.bytes}"
        raise InputError(problem, code="JSON-BYTES", place=place)
    if data.startswith(_UTF8_BOM):
        raise InputError("begins with a byte order mark", code="JSON-BOM", place=place)
    # The first character of JSON is ASCII, so one of its bytes is NUL (RFC 4627 section 3).
    half_nul = len(data) > 1 and (data[0] == 0) != (data[1] == 0)
    if data.startswith(_OTHER_BOMS) or half_nul or (data[:3] == b"\0\0\0" and data[3:4] > b"\0"):
        raise InputError("UTF-16 or UTF-32, not UTF-8", code="JSON-UTF16", place=place)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        position = _position(before, len(before))
        if error.end == len(data) and error.reason == "unexpected end of data":
            problem, code = "input ends inside a character", "JSON-TRUNCATED"
        else:
            problem, code = f"not UTF-8: byte 0x{data[error.start]:02X}", "JSON-UTF8"
        raise InputError(f"{problem} {position}", code=code, place=place) from error


def _position(text: str, at: int) -> str:
    line = text.count("\n", 0, at) + 1
    return f"(line {line}, column {at - text.rfind(chr(10), 0, at)})"


# --- where the JSON starts behind a title ---

_BLANKS = " \t\n\r"
_JSON_LINE = re.compile(r"^[ \t]*[{\[]", re.MULTILINE)
_NOT_A_TITLE = re.compile(
    rf'^[ \t]*(?:"|(?:{NUMBER.pattern}|true|false|null|-?Infinity|NaN)[ \t\r]*$)', re.MULTILINE
)


def _json_start(text: str) -> int:
    first = len(text) - len(text.lstrip(_BLANKS))
    found = _JSON_LINE.search(text)
    if found is None or _NOT_A_TITLE.search(text, 0, found.end() - 1):
        return first
    return found.end() - 1


# --- the fast reader ---


class _DoubtError(ValueError):
    """The fast reader leaves this text to the exact one."""


# Of either half of a pair, where the other half is not beside it.
_LONE_SURROGATE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)
_MINUS_ZERO = re.compile(r"-0(?<![^\s:,\[]-0)(?![^\s,\]}])")
_ZERO_FOR_DIGIT = bytes(ord("0") if chr(byte) in "0123456789" else 0 for byte in range(256))
_FAST_DIGITS = 300


def _members(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _DoubtError
    return members


def _fraction(literal: str) -> Decimal:
    value = Decimal(literal, _TRAPPING)
    # Inside these bounds it is a finite double and needs at most 3 * _FAST_DIGITS digits.
    if len(literal) > _FAST_DIGITS or abs(value.adjusted()) > _FAST_DIGITS:
        raise _DoubtError
    return value if str(value) == literal else Spelled(literal)


def _constant(literal: str) -> JsonValue:
    raise _DoubtError


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_float=_fraction, parse_constant=_constant
)


def _fast(data: bytes, text: str, limits: Limits) -> JsonValue:
    """Return the value of text that is good beyond doubt; ``data`` is the same text in UTF-8."""
    if limits.digits < 3 * _FAST_DIGITS or _MINUS_ZERO.search(text):
        raise _DoubtError
    if b"0" * (limits.digits + 1) in data.translate(_ZERO_FOR_DIGIT):
        raise _DoubtError
    # Where no backslash is escaped before a `u`, every `\u` is an escape.
    if ("\\ud" in text or "\\uD" in text) and ("\\\\u" in text or _LONE_SURROGATE.search(text)):
        raise _DoubtError
    try:
        value = cast(JsonValue, _DECODER.decode(text))
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise _DoubtError from error
    if _deeper_than(value, limits.depth):
        raise _DoubtError
    return value


def _deeper_than(value: JsonValue, depth: int) -> bool:
    level = [value] if isinstance(value, (list, dict)) else []
    while level and depth > 0:
        depth -= 1
        below: list[JsonValue] = []
        for container in level:
            members = container.values() if type(container) is dict else container
            # Exact types, as isinstance takes twice as long for every value of a text.
            below += [member for member in members if type(member) in _CONTAINERS]
        level = cast("list[list[JsonValue] | dict[str, JsonValue]]", below)
    return bool(level)


_CONTAINERS = frozenset({list, dict})


# --- the exact reader ---

_SPACE = re.compile(r"[ \t\n\r]*")
_CHUNK = re.compile(r'[^"\\\x00-\x1f]*')
_WORD = re.compile(r'[^ \t\n\r,:\[\]{}"]+')
_ESCAPE = re.compile(r'\\(?:(["\\/bfnrt])|u([0-9a-fA-F]{4}))')
_LOW = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_LITERALS: dict[str, JsonValue] = {"true": True, "false": False, "null": None}
_NOT_JSON = frozenset({"NaN", "Infinity", "-Infinity"})

# What is left where an input ends in the middle.
_PART_NUMBER = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.|(?:\.[0-9]+)?[eE][+-]?))?")
_PART_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?")
_PART_LOW = re.compile(r"(?:\\(?:u(?:[dD](?:[c-fC-F][0-9a-fA-F]?)?)?)?)?")


class _Exact:
    """Reads one text without recursion and knows at every moment where it is."""

    def __init__(
        self,
        text: str,
        place: tuple[str, ...],
        limits: Limits,
        *,
        start: int = 0,
        with_lines: bool = False,
    ) -> None:
        self.text = text
        self.place = place
        self.limits = limits
        self.at = start
        self.steps: list[Step] = []
        self.lines: dict[str, int] = {}
        self._with_lines = with_lines
        self._counted = 0
        self._line = 1
        self._pointers: list[str] = []
        self._pointers_length = 0

    def document(self) -> JsonValue:
        """Return the one value of the text."""
        self._skip()
        if self.at == len(self.text):
            raise InputError("nothing but white space", code="JSON-EMPTY", place=self.place)
        value = self._value()
        self._skip()
        if self.at < len(self.text):
            raise self._error("SECOND", f"something follows the end: {self._found()}")
        return value

    def _value(self) -> JsonValue:
        around: list[list[JsonValue] | dict[str, JsonValue]] = []
        while True:
            if self._with_lines:
                self._note()
            opener = self._next()
            value: JsonValue
            if opener in ("{", "["):
                if len(around) >= self.limits.depth:
                    problem = f"nested more than {self.limits.depth} levels deep"
                    raise self._error("DEPTH", problem)
                container: list[JsonValue] | dict[str, JsonValue] = {} if opener == "{" else []
                self.at += 1
                self._skip()
                if self._next() != _closer(container):
                    self.steps.append(self._key(container) if isinstance(container, dict) else 0)
                    around.append(container)
                    continue
                self.at += 1
                value = container
            else:
                value = self._string() if opener == '"' else self._bare()
            while around:
                parent = around[-1]
                step = self.steps.pop()
                if isinstance(parent, dict):
                    parent[cast(str, step)] = value
                else:
                    parent.append(value)
                if self._goes_on(parent):
                    self.steps.append(
                        self._key(parent) if isinstance(parent, dict) else cast(int, step) + 1
                    )
                    break
                value = around.pop()
            else:
                return value
            self._forget(len(around))

    def _goes_on(self, container: list[JsonValue] | dict[str, JsonValue]) -> bool:
        """Step over the comma or the closing bracket behind a member."""
        closer = _closer(container)
        self._skip()
        char = self._next()
        if not char:
            kind = "object" if closer == "}" else "array"
            raise self._error("TRUNCATED", f"input ends inside an {kind}")
        if char not in (",", closer):
            raise self._error("SYNTAX", f"expected ',' or '{closer}', found {self._found()}")
        self.at += 1
        if char == closer:
            return False
        comma = self.at - 1
        self._skip()
        if self._next() == closer:
            raise self._error("SYNTAX", f"comma before '{closer}'", at=comma)
        return True

    def _key(self, container: dict[str, JsonValue]) -> str:
        """Read a key and its colon, up to the value."""
        start = self.at
        char = self._next()
        if not char:
            raise self._error("TRUNCATED", "input ends inside an object")
        if char != '"':
            raise self._error("SYNTAX", f"expected a key in double quotes, found {self._found()}")
        key = self._string()
        self.steps.append(key)
        if key in container:
            raise self._error("REPEATED-KEY", "key appears twice", at=start)
        self._skip()
        char = self._next()
        if not char:
            raise self._error("TRUNCATED", "input ends before a value")
        if char != ":":
            raise self._error("SYNTAX", f"expected ':', found {self._found()}")
        self.at += 1
        self._skip()
        self.steps.pop()
        return key

    def _string(self) -> str:
        parts: list[str] = []
        at = self.at + 1
        while True:
            chunk = cast("re.Match[str]", _CHUNK.match(self.text, at))
            parts.append(chunk[0])
            at = chunk.end()
            char = self.text[at : at + 1]
            if char == '"':
                self.at = at + 1
                return "".join(parts)
            if not char:
                raise self._error("TRUNCATED", "input ends inside a string", at=at)
            if char != "\\":
                problem = f"control character U+{ord(char):04X} in a string"
                raise self._error("SYNTAX", problem, at=at)
            part, at = self._escape(at)
            parts.append(part)

    def _escape(self, at: int) -> tuple[str, int]:
        """Return the character that the escape at ``at`` stands for, and where it ends."""
        escape = _ESCAPE.match(self.text, at)
        if escape is None:
            if _PART_ESCAPE.fullmatch(self.text, at):
                raise self._error("TRUNCATED", "input ends inside a string", at=len(self.text))
            length = 6 if self.text[at + 1] == "u" else 2
            raise self._error("SYNTAX", f"not an escape: {shown(self.text[at : at + length])}", at)
        if escape[1]:
            return _ESCAPED.get(escape[1], escape[1]), escape.end()
        unit = int(escape[2], 16)
        if not 0xD800 <= unit <= 0xDFFF:
            return chr(unit), escape.end()
        if unit < 0xDC00:
            low = _LOW.match(self.text, escape.end())
            if low:
                return chr(0x10000 + (unit - 0xD800) * 0x400 + int(low[1], 16) - 0xDC00), low.end()
            if _PART_LOW.fullmatch(self.text, escape.end()):
                raise self._error("TRUNCATED", "input ends inside a string", at=len(self.text))
        raise self._error("SURROGATE", f"half of a surrogate pair: {escape[0]}", at)

    def _bare(self) -> JsonValue:
        """Read a value that has neither quotes nor brackets."""
        found = _WORD.match(self.text, self.at)
        if found is None:
            if self.at == len(self.text):
                raise self._error("TRUNCATED", "input ends before a value")
            raise self._error("SYNTAX", f"expected a value, found {self._found()}")
        word = found[0]
        if word in _LITERALS:
            value = _LITERALS[word]
        elif NUMBER.fullmatch(word):
            try:
                value = number(word, self.limits)
            except NumberError as error:
                raise self._error(error.kind, error.problem) from error
        elif word in _NOT_JSON:
            raise self._error("NAN", f"{word} is not JSON")
        elif found.end() == len(self.text) and (
            _PART_NUMBER.fullmatch(word) or any(name.startswith(word) for name in _LITERALS)
        ):
            raise self._error("TRUNCATED", "input ends inside a value", at=found.end())
        else:
            raise self._error("SYNTAX", f"not a JSON value: {shown(word)}")
        self.at = found.end()
        return value

    def _skip(self) -> None:
        self.at = cast("re.Match[str]", _SPACE.match(self.text, self.at)).end()

    def _next(self) -> str:
        return self.text[self.at : self.at + 1]

    def _found(self) -> str:
        return shown(self._next())

    def _note(self) -> None:
        """Remember the line of the value that starts here."""
        pointer = ""
        if self.steps:
            pointer = f"{self._pointers[-1]}/{spelled.step(str(self.steps[-1]))}"
        self._pointers.append(pointer)
        self._pointers_length += len(pointer)
        if self._pointers_length > self.limits.bytes:
            problem = f"JSON Pointers of more than {self.limits.bytes} characters"
            raise self._error("BYTES", problem)
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        self.lines[pointer] = self._line

    def _forget(self, depth: int) -> None:
        """Keep only the pointers of the containers that are still open."""
        del self._pointers[depth:]

    def _error(self, kind: str, problem: str, at: int | None = None) -> InputError:
        path = key_path(self.steps)
        return InputError(
            f"{problem} {_position(self.text, self.at if at is None else at)}",
            code=f"JSON-{kind}",
            place=(*self.place, path) if path else self.place,
        )


def _closer(container: list[JsonValue] | dict[str, JsonValue]) -> str:
    return "}" if isinstance(container, dict) else "]"
