"""Strict YAML: JSON's values, and nothing that says more than it shows."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from generator.errors import InputError
from generator.reading import strictyaml
from generator.reading.strictjson import Limits

needs_libyaml = pytest.mark.skipif(
    not yaml.__with_libyaml__, reason="the words of a syntax error are libyaml's"
)


def refusal(data: bytes, **settings: Any) -> tuple[str, str]:
    with pytest.raises(InputError) as caught:
        strictyaml.loads(data, where="lane.yml", **settings)
    return caught.value.code, str(caught.value)


@pytest.mark.parametrize(
    ("data", "code", "problem"),
    [
        pytest.param(
            b"a: 1\nb: 2\n'a': 3",
            "YAML-REPEATED-KEY",
            "a: key appears twice (line 3, column 1)",
            id="repeated",
        ),
        pytest.param(
            b"a: {b: [1, {c: 2, c: 3}]}",
            "YAML-REPEATED-KEY",
            "a.b[1].c: key appears twice (line 1, column 19)",
            id="repeated-inside",
        ),
        pytest.param(
            b"1: a\n'1': b",
            "YAML-REPEATED-KEY",
            '["1"]: key appears twice (line 2, column 1)',
            id="keys-are-text",
        ),
        pytest.param(
            b"[a]: b", "YAML-KEY", "a key is not text (line 1, column 1)", id="key-is-a-list"
        ),
        pytest.param(
            b"? \n: b", "YAML-KEY", "a key is missing (line 1, column 2)", id="key-is-missing"
        ),
        pytest.param(
            b"a: !!python/name:os.system ''",
            "YAML-TAG",
            "a: tag 'tag:yaml.org,2002:python/name:os.system' (line 1, column 4)",
            id="tag",
        ),
        pytest.param(b"- ! b", "YAML-TAG", "[0]: tag '!' (line 1, column 3)", id="bare-tag"),
        pytest.param(b"!x {}", "YAML-TAG", "tag '!x' (line 1, column 1)", id="tag-on-mapping"),
        pytest.param(
            b"{!!str a: b}",
            "YAML-TAG",
            "tag 'tag:yaml.org,2002:str' (line 1, column 2)",
            id="tag-on-key",
        ),
        pytest.param(
            b"%TAG ! tag:x,2000:\n---\na",
            "YAML-TAG",
            "%TAG is not allowed (line 1, column 1)",
            id="tag-directive",
        ),
        pytest.param(
            b"a: &x 1\nb: *x", "YAML-ALIAS", "a: anchor 'x' (line 1, column 4)", id="anchor"
        ),
        pytest.param(b"&x a: 1", "YAML-ALIAS", "anchor 'x' (line 1, column 1)", id="anchor-on-key"),
        pytest.param(b"- *x", "YAML-ALIAS", "[0]: alias 'x' (line 1, column 3)", id="alias"),
        pytest.param(
            b"<<: {a: 1}", "YAML-MERGE", "merge keys are not allowed (line 1, column 1)", id="merge"
        ),
        pytest.param(
            b"a: 1\n---\nb: 2",
            "YAML-SECOND",
            "a second document (line 2, column 1)",
            id="second",
        ),
        pytest.param(b"", "YAML-EMPTY", "no document", id="empty"),
        pytest.param(b"# nothing\n", "YAML-EMPTY", "no document", id="comment-only"),
        pytest.param(b"a: \xff", "YAML-UTF8", "not UTF-8: byte 0xFF at offset 3", id="not-utf8"),
        pytest.param(b"\xef\xbb\xbfa: 1", "YAML-UTF8", "begins with a byte order mark", id="bom"),
        pytest.param(
            "a: 1".encode("utf-16"), "YAML-UTF8", "not UTF-8: byte 0xFF at offset 0", id="utf-16"
        ),
        pytest.param(
            "a: x # y\u2028b: z".encode(),
            "YAML-SYNTAX",
            "line break U+2028 that editors do not show (line 1)",
            id="hidden-line-break",
        ),
        pytest.param(
            b"a: " + b"[" * 10**5,
            "YAML-DEPTH",
            f"a{'[0]' * 63}: nested more than 64 levels deep (line 1, column 67)",
            id="depth",
        ),
        pytest.param(
            b"a: " + b"9" * 5000,
            "YAML-DIGITS",
            "a: number of more than 1000 digits (line 1, column 4)",
            id="digits",
        ),
        pytest.param(
            b"commit: 12e4567",
            "YAML-INFINITE",
            "commit: number too large for a double: '12e4567' (line 1, column 9)",
            id="infinite",
        ),
        pytest.param(
            b"a: b: c",
            "YAML-SYNTAX",
            "mapping values are not allowed in this context (line 1, column 5)",
            id="syntax",
            marks=needs_libyaml,
        ),
        pytest.param(
            b"a: \x01",
            "YAML-SYNTAX",
            "control characters are not allowed",
            id="control-character",
            marks=needs_libyaml,
        ),
    ],
)
def test_refuses(data: bytes, code: str, problem: str) -> None:
    assert refusal(data) == (code, f"lane.yml: {problem}")


def test_size_is_limited() -> None:
    assert refusal(b"a: b", limits=Limits(bytes=3)) == (
        "YAML-BYTES",
        "lane.yml: 4 bytes, the limit is 3",
    )


@pytest.mark.parametrize("loader", ["C", "Python"])
def test_surrogates_are_refused(loader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if loader == "Python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert refusal(b'a: "\\ud83d"')[0] == "YAML-SYNTAX"


@pytest.mark.parametrize("loader", ["C", "Python"])
def test_types(loader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if loader == "Python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    data = b"""%YAML 1.1
---
- [null, true, false, 0, -12, 12345678901234567890123, 1.50, {}, []]
- [yes, No, on, OFF, ~, Null, TRUE, 0o17, 017, 0x1F, 1_000, 1:30, +1, .5, 1., .inf, .NaN]
- [2026-06-12, 2026-06-12T10:00:00Z, =]
- ["null", 'true', "1", ""]
- empty:
  1: number
  null: word
  yes: word
  2026-06-12: date
  "<<": text
  "": text
- |
  1
...
"""
    assert strictyaml.loads(data, where="lane.yml") == [
        [None, True, False, 0, -12, 12345678901234567890123, Decimal("1.50"), {}, []],
        [
            "yes",
            "No",
            "on",
            "OFF",
            "~",
            "Null",
            "TRUE",
            "0o17",
            "017",
            "0x1F",
            "1_000",
            "1:30",
            "+1",
            ".5",
            "1.",
            ".inf",
            ".NaN",
        ],
        ["2026-06-12", "2026-06-12T10:00:00Z", "="],
        ["null", "true", "1", ""],
        {
            "empty": None,
            "1": "number",
            "null": "word",
            "yes": "word",
            "2026-06-12": "date",
            "<<": "text",
            "": "text",
        },
        "1\n",
    ]


@pytest.mark.parametrize("literal", ["-0", "1e5", "1.50", "1E+05"])
def test_numbers_keep_their_spelling(literal: str) -> None:
    assert str(strictyaml.loads(literal.encode(), where="lane.yml")) == literal


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc~<-: #'\"\\é"), inner),
)


@given(_json, st.sampled_from([None, 2]))
def test_json_is_yaml(value: object, indent: int | None) -> None:
    data = json.dumps(value, ensure_ascii=False, indent=indent).encode()
    assert strictyaml.loads(data, where="lane.yml") == value


@given(
    st.binary()
    | st.lists(
        st.sampled_from(
            ["a", "1", ": ", "- ", "? ", "\n", "  ", "[", "]", "{", "}", ", ", "&a ", "*a"]
        )
        | st.sampled_from(["!x ", "---\n", "...\n", "|", ">", "'", '"', "#", "%", "<<", "\t", "\\"])
    ).map(lambda tokens: "".join(tokens).encode())
)
def test_no_bytes_end_in_another_error(data: bytes) -> None:
    error = None
    try:
        strictyaml.loads(data, where="x")
    except InputError as refused:
        error = refused
    assert error is None or (error.code.startswith("YAML-") and str(error).isprintable())


def test_yaml_is_imported_late() -> None:
    code = "import sys, generator.reading.strictyaml; sys.exit('yaml' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1], check=False)
    assert done.returncode == 0
