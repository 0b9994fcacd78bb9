"""Every JSON file of a packet is one strict JSON text, of a known kind or not (spec 2.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from generator.errors import InputError
from generator.model.finding import Finding
from generator.model.packet import Packet
from generator.names import visible
from generator.reading import strictjson
from generator.rules import samples
from generator.rules.base import Code, Rule

_WHY = "Two programs that read this text can come to two results, and both be right."
_TODO = "Write the file again as one JSON text in UTF-8, and seal the packet again."
_MEANINGS = {
    "JSON-REPEATED-KEY": "A key stands twice in one object.",
    "JSON-NAN": "A number is NaN or Infinity, which are not JSON.",
    "JSON-INFINITE": "A number is larger than a double can hold.",
    "JSON-SURROGATE": "A string has half of a surrogate pair.",
    "JSON-UTF8": "The text is not UTF-8.",
    "JSON-BOM": "The text begins with a byte order mark.",
    "JSON-UTF16": "The text is UTF-16 or UTF-32.",
    "JSON-TRUNCATED": "The text ends in the middle.",
    "JSON-SECOND": "Something follows after the JSON text.",
    "JSON-EMPTY": "The file is empty.",
    "JSON-DEPTH": "Values are nested deeper than the limit allows.",
    "JSON-DIGITS": "A number has more digits than the limit allows.",
    "JSON-BYTES": "The text is larger than the limit allows.",
    "JSON-SYNTAX": "The text is not JSON.",
}
CODES = {code: Code(meaning, _WHY, _TODO) for code, meaning in _MEANINGS.items()}


def check(packet: Packet) -> Iterator[Finding]:
    """Parse every JSON file; the value is not looked at here."""
    limits = strictjson.Limits(
        depth=packet.json_depth, digits=packet.json_digits, bytes=packet.json_bytes
    )
    for entry in packet.entries:
        if entry.content is None or not entry.path.lower().endswith(".json"):
            continue
        if strictjson.certainly_good(entry.content, limits):
            continue
        name = visible(entry.path)
        try:
            strictjson.loads(entry.content, where=name, limits=limits)
        except InputError as error:
            yield Finding(error.code, name, "", "", f"{error}.")


def _holding(data: bytes) -> Callable[[], Packet]:
    def control() -> Packet:
        files = [samples.entry(path, content) for path, content in samples.FILES]
        files[2] = samples.entry("result.json", data)
        return samples.sealed(files)

    return control


def _too_large() -> Packet:
    sound = _holding(b'{"verdict": "PASS", "note": "longer than the limit of this sample"}')()
    return Packet(sound.entries, sound.manifest, sound.tree, json_bytes=16)


RULE = Rule(
    name="strict-json",
    protects="against JSON that says one thing to lanebook and another to the next reader",
    codes=CODES,
    check=check,
    sound=samples.packet,
    controls={
        "JSON-REPEATED-KEY": _holding(b'{"verdict": "FAIL", "verdict": "PASS"}'),
        "JSON-NAN": _holding(b'{"rows": NaN}'),
        "JSON-INFINITE": _holding(b'{"rows": 1e999}'),
        "JSON-SURROGATE": _holding(b'{"verdict": "\\ud800"}'),
        "JSON-UTF8": _holding(b'{"verdict": "\xff"}'),
        "JSON-BOM": _holding(b'\xef\xbb\xbf{"verdict": "PASS"}'),
        "JSON-UTF16": _holding('{"verdict": "PASS"}'.encode("utf-16")),
        "JSON-TRUNCATED": _holding(b'{"verdict": "PA'),
        "JSON-SECOND": _holding(b'{"verdict": "FAIL"} {"verdict": "PASS"}'),
        "JSON-EMPTY": _holding(b""),
        "JSON-DEPTH": _holding(b"[" * 100 + b"]" * 100),
        "JSON-DIGITS": _holding(b'{"rows": ' + b"1" * 2000 + b"}"),
        "JSON-BYTES": _too_large,
        "JSON-SYNTAX": _holding(b"{'verdict': 'PASS'}"),
    },
)
