"""YAML cut down to what JSON can say, for ``lane.yml`` (spec 2).

Only ``null``, ``true``, ``false`` and numbers in JSON's spelling have a type; an empty value is
null, and every other plain word, dates and ``yes`` included, stays the text it is. Keys are always
text. What makes YAML say more than it shows is refused.

Codes: YAML-REPEATED-KEY, YAML-KEY, YAML-TAG, YAML-ALIAS, YAML-MERGE, YAML-SECOND, YAML-EMPTY,
YAML-UTF8, YAML-DEPTH, YAML-DIGITS, YAML-INFINITE, YAML-BYTES, YAML-SYNTAX.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from generator.errors import InputError
from generator.reading.strictjson import (
    NUMBER,
    JsonValue,
    Limits,
    NumberError,
    Step,
    key_path,
    number,
    shown,
)

if TYPE_CHECKING:
    import yaml

DEFAULT: Final = Limits(bytes=1024 * 1024)
"""A person writes these files, and libyaml is slower than the JSON readers."""

_LITERALS: dict[str, JsonValue] = {"": None, "null": None, "true": True, "false": False}
# YAML 1.1, which libyaml reads, breaks lines here; YAML 1.2 and every editor do not.
_HIDDEN_BREAK = re.compile("[\x85\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def loads(data: bytes, *, where: str, limits: Limits = DEFAULT) -> JsonValue:
    """Return the one value that ``data`` holds as UTF-8 YAML, in JSON's types.

    Raises:
        InputError: with one of this module's codes and the place ``(where, key path)``; line and
            column, both from 1 and in characters, end the problem where there are any.
    """
    import yaml  # late: it costs 30 ms, and only a lane with a lane.yml needs it

    text = _text(data, where, limits)
    reader = _Reader(where, limits)
    try:
        return reader.document(
            yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        )
    except yaml.MarkedYAMLError as error:
        problem = error.problem or error.context or "not YAML"
        raise reader.error("SYNTAX", problem, error.problem_mark) from error
    except yaml.YAMLError as error:
        problem = str(getattr(error, "reason", error))
        raise reader.error("SYNTAX", problem, None) from error


def _text(data: bytes, where: str, limits: Limits) -> str:
    if len(data) > limits.bytes:
        problem = f"{len(data)} bytes, the limit is {limits.bytes}"
        raise InputError(problem, code="YAML-BYTES", place=(where,))
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        problem = f"not UTF-8: byte 0x{data[error.start]:02X} at offset {error.start}"
        raise InputError(problem, code="YAML-UTF8", place=(where,)) from error
    if text.startswith("\ufeff"):
        raise InputError("begins with a byte order mark", code="YAML-UTF8", place=(where,))
    hidden = _HIDDEN_BREAK.search(text)
    if hidden:
        line = text.count("\n", 0, hidden.start()) + 1
        problem = f"line break U+{ord(hidden[0]):04X} that editors do not show (line {line})"
        raise InputError(problem, code="YAML-SYNTAX", place=(where,))
    return text


class _Mark(Protocol):
    """A place in the text, counted from 0: PyYAML has two classes for it."""

    line: int
    column: int


class _Reader:
    """Builds one value from the parser's events, without recursion."""

    def __init__(self, where: str, limits: Limits) -> None:
        self.where = where
        self.limits = limits
        self.steps: list[Step] = []

    def document(self, events: Iterator[Any]) -> JsonValue:
        """Return the value of the only document."""
        import yaml

        value: JsonValue = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self.error("SECOND", "a second document", event.start_mark)
                if event.tags:
                    raise self.error("TAG", "%TAG is not allowed", event.start_mark)
                value = self._value(events)
        if not documents:
            raise InputError("no document", code="YAML-EMPTY", place=(self.where,))
        return value

    def _value(self, events: Iterator[Any]) -> JsonValue:
        import yaml

        around: list[list[JsonValue] | dict[str, JsonValue]] = []
        # In an object that waits for a key, the last step is missing.
        for event in events:
            if isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                value: JsonValue = around.pop()
                if isinstance(event, yaml.SequenceEndEvent):
                    self.steps.pop()
            else:
                self._refuse_extras(event)
                waits = bool(around) and len(self.steps) < len(around)
                if waits:
                    self._key(event, cast("dict[str, JsonValue]", around[-1]))
                    continue
                if not isinstance(event, yaml.ScalarEvent):
                    if len(around) >= self.limits.depth:
                        problem = f"nested more than {self.limits.depth} levels deep"
                        raise self.error("DEPTH", problem, event.start_mark)
                    if isinstance(event, yaml.SequenceStartEvent):
                        around.append([])
                        self.steps.append(0)
                    else:
                        around.append({})
                    continue
                value = self._scalar(event)
            if not around:
                return value
            self._put(value, around[-1])
        raise AssertionError("the parser ended inside a document")

    def _put(self, value: JsonValue, parent: list[JsonValue] | dict[str, JsonValue]) -> None:
        """Add a member, and step on to the next."""
        step = self.steps.pop()
        if isinstance(parent, dict):
            parent[cast(str, step)] = value
        else:
            parent.append(value)
            self.steps.append(len(parent))

    def _key(self, event: yaml.NodeEvent, container: dict[str, JsonValue]) -> None:
        """Step to the member that the key names."""
        import yaml

        if not isinstance(event, yaml.ScalarEvent):
            raise self.error("KEY", "a key is not text", event.start_mark)
        key = event.value
        if _is_plain(event) and key == "":
            raise self.error("KEY", "a key is missing", event.start_mark)
        if _is_plain(event) and key == "<<":
            raise self.error("MERGE", "merge keys are not allowed", event.start_mark)
        self._refuse_surrogates(event)
        self.steps.append(key)
        if key in container:
            raise self.error("REPEATED-KEY", "key appears twice", event.start_mark)

    def _scalar(self, event: yaml.ScalarEvent) -> JsonValue:
        self._refuse_surrogates(event)
        if not _is_plain(event):
            return event.value
        if event.value in _LITERALS:
            return _LITERALS[event.value]
        if not NUMBER.fullmatch(event.value):
            return event.value
        try:
            return number(event.value, self.limits)
        except NumberError as error:
            raise self.error(error.kind, error.problem, event.start_mark) from error

    def _refuse_extras(self, event: yaml.NodeEvent) -> None:
        import yaml

        if isinstance(event, yaml.AliasEvent):
            raise self.error("ALIAS", f"alias {shown(str(event.anchor))}", event.start_mark)
        if event.anchor is not None:
            raise self.error("ALIAS", f"anchor {shown(event.anchor)}", event.start_mark)
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise self.error("TAG", f"tag {shown(tag)}", event.start_mark)

    def _refuse_surrogates(self, event: yaml.ScalarEvent) -> None:
        # libyaml refuses such an escape itself, PyYAML's own parser does not.
        if _SURROGATE.search(event.value):
            raise self.error("SYNTAX", "half of a surrogate pair", event.start_mark)

    def error(self, kind: str, problem: str, mark: _Mark | None) -> InputError:
        """Return a refusal at the current place."""
        path = key_path(self.steps)
        position = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        return InputError(
            problem + position,
            code=f"YAML-{kind}",
            place=(self.where, path) if path else (self.where,),
        )


def _is_plain(event: yaml.ScalarEvent) -> bool:
    # The style of a plain word is None in one of PyYAML's parsers and "" in the other.
    return bool(event.implicit[0])
