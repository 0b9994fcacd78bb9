"""Strict JSON: what is refused, by which name and where; and that nothing is lost."""

from __future__ import annotations

import copy
import json
import pickle
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from generator.errors import InputError
from generator.reading import strictjson
from generator.reading.strictjson import Limits

_ROOT = Path(__file__).parents[1]
_SUITES = [
    folder
    for folder in (_ROOT / "tests/suites", _ROOT.parent / "shared/suites")
    if (folder / "json/test_parsing").is_dir()
]
_CASES = sorted((_SUITES[0] / "json/test_parsing").glob("*.json")) if _SUITES else []


def refusal(data: bytes, **settings: Any) -> tuple[str, str]:
    with pytest.raises(InputError) as caught:
        strictjson.loads(data, where="run.json", **settings)
    return caught.value.code, str(caught.value)


def refused(read: Callable[[], object]) -> InputError | None:
    try:
        read()
    except InputError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("data", "code", "problem"),
    [
        pytest.param(
            b'{"v": "FAIL", "v": "PASS"}',
            "JSON-REPEATED-KEY",
            "v: key appears twice (line 1, column 15)",
            id="repeated",
        ),
        pytest.param(
            b'{"files": [{}, {"a": 1,\n "\\u0061": 2}]}',
            "JSON-REPEATED-KEY",
            "files[1].a: key appears twice (line 2, column 2)",
            id="repeated-by-escape",
        ),
        pytest.param(
            b'{"":1,"":2}',
            "JSON-REPEATED-KEY",
            '[""]: key appears twice (line 1, column 7)',
            id="repeated-empty",
        ),
        pytest.param(
            '{"\u202e.": [0, {"é": nul}]}'.encode(),
            "JSON-SYNTAX",
            r'["\u202e."][1]["\u00e9"]: not a JSON value: ' "'nul' (line 1, column 18)",
            id="hostile-keys-are-quoted",
        ),
        pytest.param(
            b'{"' + b"k" * 100 + b'": x}',
            "JSON-SYNTAX",
            f"[\"{'k' * 60}\"…]: not a JSON value: 'x' (line 1, column 106)",
            id="long-key-is-cut",
        ),
        pytest.param(b'{"x": NaN}', "JSON-NAN", "x: NaN is not JSON (line 1, column 7)", id="nan"),
        pytest.param(
            b"[Infinity]", "JSON-NAN", "[0]: Infinity is not JSON (line 1, column 2)", id="infinity"
        ),
        pytest.param(
            b"-Infinity", "JSON-NAN", "-Infinity is not JSON (line 1, column 1)", id="minus-inf"
        ),
        pytest.param(
            b"[1, 1e400]",
            "JSON-INFINITE",
            "[1]: number too large for a double: '1e400' (line 1, column 5)",
            id="infinite",
        ),
        pytest.param(
            b'["\\uD834x"]',
            "JSON-SURROGATE",
            r"[0]: half of a surrogate pair: \uD834 (line 1, column 3)",
            id="high-surrogate",
        ),
        pytest.param(
            b'["\\uD834\\uDD1E\\udd1e"]',
            "JSON-SURROGATE",
            r"[0]: half of a surrogate pair: \udd1e (line 1, column 15)",
            id="low-surrogate",
        ),
        pytest.param(
            rb'["\\uD834\uDD1E"]',
            "JSON-SURROGATE",
            r"[0]: half of a surrogate pair: \uDD1E (line 1, column 10)",
            id="low-surrogate-after-escaped-backslash",
        ),
        pytest.param(
            '["é",\n"é'.encode() + b'\xff"]',
            "JSON-UTF8",
            "not UTF-8: byte 0xFF (line 2, column 3)",
            id="not-utf8",
        ),
        pytest.param(
            b'"\xc0\xaf"', "JSON-UTF8", "not UTF-8: byte 0xC0 (line 1, column 2)", id="overlong"
        ),
        pytest.param(
            b'"\xed\xa0\x80"',
            "JSON-UTF8",
            "not UTF-8: byte 0xED (line 1, column 2)",
            id="encoded-surrogate",
        ),
        pytest.param(b"\xef\xbb\xbf{}", "JSON-BOM", "begins with a byte order mark", id="bom"),
        *(
            pytest.param(
                '{"a": 1}'.encode(codec), "JSON-UTF16", "UTF-16 or UTF-32, not UTF-8", id=codec
            )
            for codec in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
        ),
        pytest.param(
            b'{"a": [1,\n2',
            "JSON-TRUNCATED",
            "a: input ends inside an array (line 2, column 2)",
            id="truncated",
        ),
        pytest.param(
            b'["\xe2\x82',
            "JSON-TRUNCATED",
            "input ends inside a character (line 1, column 3)",
            id="truncated-character",
        ),
        pytest.param(
            b"{} {}",
            "JSON-SECOND",
            "something follows the end: '{' (line 1, column 4)",
            id="second",
        ),
        pytest.param(
            b"[1]\n]",
            "JSON-SECOND",
            "something follows the end: ']' (line 2, column 1)",
            id="after",
        ),
        pytest.param(b"", "JSON-EMPTY", "nothing but white space", id="empty"),
        pytest.param(b" \n", "JSON-EMPTY", "nothing but white space", id="white-space"),
        pytest.param(
            b"01", "JSON-SYNTAX", "not a JSON value: '01' (line 1, column 1)", id="leading-zero"
        ),
        pytest.param(
            "[\u0661]".encode(),
            "JSON-SYNTAX",
            r"[0]: not a JSON value: '\u0661' (line 1, column 2)",
            id="arabic-digit",
        ),
        pytest.param(
            b"[1,]", "JSON-SYNTAX", "comma before ']' (line 1, column 3)", id="trailing-comma"
        ),
        pytest.param(
            b'{"a" 1}', "JSON-SYNTAX", "a: expected ':', found '1' (line 1, column 6)", id="colon"
        ),
        pytest.param(
            b"[1 2]", "JSON-SYNTAX", "expected ',' or ']', found '2' (line 1, column 4)", id="comma"
        ),
        pytest.param(
            b"{a: 1}",
            "JSON-SYNTAX",
            "expected a key in double quotes, found 'a' (line 1, column 2)",
            id="bare-key",
        ),
        pytest.param(
            b'["a\nb"]',
            "JSON-SYNTAX",
            "[0]: control character U+000A in a string (line 1, column 4)",
            id="control-character",
        ),
        pytest.param(
            b'["\\x41"]',
            "JSON-SYNTAX",
            r"[0]: not an escape: '\\x' (line 1, column 3)",
            id="escape",
        ),
        pytest.param(
            b"\x00", "JSON-SYNTAX", r"not a JSON value: '\x00' (line 1, column 1)", id="nul"
        ),
    ],
)
def test_refuses(data: bytes, code: str, problem: str) -> None:
    assert refusal(data) == (code, f"run.json: {problem}")


@pytest.mark.parametrize(
    ("good", "bad", "limits", "code", "problem"),
    [
        pytest.param(
            b"[" * 64 + b"]" * 64,
            b"[" * 65 + b"]" * 65,
            Limits(),
            "JSON-DEPTH",
            "[0]" * 64 + ": nested more than 64 levels deep (line 1, column 65)",
            id="depth",
        ),
        pytest.param(
            b"9" * 1000,
            b"9" * 1001,
            Limits(),
            "JSON-DIGITS",
            "number of more than 1000 digits (line 1, column 1)",
            id="digits",
        ),
        pytest.param(
            b"0." + b"9" * 999,
            b"0." + b"9" * 1000,
            Limits(),
            "JSON-DIGITS",
            "number of more than 1000 digits (line 1, column 1)",
            id="digits-of-fraction",
        ),
        pytest.param(
            b"1e-999",
            b"1e-1000",
            Limits(),
            "JSON-DIGITS",
            "number that needs more than 1000 digits (line 1, column 1)",
            id="digits-by-exponent",
        ),
        pytest.param(
            b"0e9",
            b"0e99999999999999999999",
            Limits(),
            "JSON-DIGITS",
            "number that needs more than 1000 digits (line 1, column 1)",
            id="exponent-of-nothing",
        ),
        pytest.param(
            b"[12345]",
            b"[123456]",
            Limits(digits=5),
            "JSON-DIGITS",
            "[0]: number of more than 5 digits (line 1, column 2)",
            id="digits-set",
        ),
        pytest.param(
            b"[ ]", b"[  ]", Limits(bytes=3), "JSON-BYTES", "4 bytes, the limit is 3", id="bytes"
        ),
        pytest.param(
            b"0",
            b"[]",
            Limits(depth=0),
            "JSON-DEPTH",
            "nested more than 0 levels deep (line 1, column 1)",
            id="scalars-only",
        ),
    ],
)
def test_limits(good: bytes, bad: bytes, limits: Limits, code: str, problem: str) -> None:
    strictjson.loads(good, where="run.json", limits=limits)
    assert refusal(bad, limits=limits) == (code, f"run.json: {problem}")


@pytest.mark.parametrize("size", [10**5, 10**6])
@pytest.mark.parametrize(
    ("unit", "code"),
    [
        pytest.param(b"[", "JSON-DEPTH", id="arrays"),
        pytest.param(b'{"a":', "JSON-DEPTH", id="objects"),
        pytest.param(b"9", "JSON-DIGITS", id="digits"),
        pytest.param(b"-", "JSON-SYNTAX", id="minus"),
        pytest.param(b"1e9", "JSON-SYNTAX", id="exponents"),
        pytest.param(b'"\\', "JSON-TRUNCATED", id="escapes"),
    ],
)
def test_size_never_crashes(unit: bytes, size: int, code: str) -> None:
    assert refusal(unit * size)[0] == code


def test_python_limit_of_digits_never_surfaces() -> None:
    limits = Limits(digits=100_000)
    literal = "-" + "7" * 50_000
    value = strictjson.loads(
        f"[{literal}, 1e-{'0' * 5000}1]".encode(), where="run.json", limits=limits
    )
    assert value == [int(Decimal(literal)), Decimal("0.1")]
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        assert strictjson.loads(b"9" * 1000, where="run.json") == 10**1000 - 1
    finally:
        sys.set_int_max_str_digits(before)


@pytest.mark.parametrize("digits", [0, 10**7])
def test_limit_of_digits_has_limits(digits: int) -> None:
    with pytest.raises(InputError, match=f"^limit of digits outside 1 to 1000000: {digits}$"):
        Limits(digits=digits)


@pytest.mark.parametrize(
    ("literal", "kind"),
    [
        ("0", int),
        ("-12", int),
        ("12345678901234567890123", int),
        ("-0", Decimal),
        ("1.50", Decimal),
        ("-0.0", Decimal),
        ("1e5", Decimal),
        ("1E+005", Decimal),
        ("1e-7", Decimal),
        ("0.0000000001", Decimal),
        ("1e308", Decimal),
        ("0.1000000000000000055511151231257827021181583404541015625", Decimal),
    ],
)
@pytest.mark.parametrize("around", ["{}", "[{}]", '{{"a": {}\n}}', "[1,{},2]"])
def test_numbers_keep_their_spelling(literal: str, kind: type, around: str) -> None:
    value = strictjson.loads(around.format(literal).encode(), where="run.json")
    while isinstance(value, (list, dict)):
        value = value["a"] if isinstance(value, dict) else value[len(value) // 2]
    assert isinstance(value, kind)
    for same in (value, copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert (str(same), f"{same}", same) == (literal, literal, Decimal(literal))


def test_spelled_numbers_are_formatted_as_decimals() -> None:
    assert f"{strictjson.Spelled('1e3'):.1f}" == "1000.0"


# --- the two readers agree ---

_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**1100), 10**1100)
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.text()
    | st.sampled_from(["\\ud800", "\\", "-0 ", " -0,", "\U0001f600"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner),
)
_tokens = st.sampled_from(
    [
        *'[]{},:" \n\t0-1\\',
        *("{}", "[]", '"a"', '"b":', '"a":1', "true", "null", "fals", "NaN", "-Infinity"),
        *("-0", "1.0", "1e5", "1e400", "1e-320", "0e999", "9" * 1001, "1." + "0" * 400),
        *("\\\\u", "\\ud83d", "\\uDE00", "\\u0041", "\x00", "é", "\ufeff", "\u2028"),
        *("[" * 70, "]" * 70),
    ]
)


def spelled(value: Any) -> Any:
    """Return a value that is equal only where types, order and spelling are, too."""
    if isinstance(value, dict):
        return [(key, spelled(member)) for key, member in value.items()]
    if isinstance(value, list):
        return [spelled(member) for member in value]
    return type(value), str(value)


def answers(text: str) -> tuple[Any, Any]:
    """Return what each reader says: a value, or None where it refuses."""
    try:
        fast = (spelled(strictjson._fast(text.encode(), text, strictjson.DEFAULT)),)
    except strictjson._DoubtError:
        fast = None
    try:
        exact = (spelled(strictjson._Exact(text, (), strictjson.DEFAULT).document()),)
    except InputError:
        exact = None
    return fast, exact


@given(st.lists(_tokens, max_size=12).map("".join))
@example(r'"\\ud83d\ude00"')
@example(r'"\\\ud83d\ude00"')
@example("[-0]")
@example('["-0"]')
def test_fast_reader_takes_only_what_the_exact_one_takes(text: str) -> None:
    fast, exact = answers(text)
    assert fast in (None, exact)


@given(_values, st.booleans(), st.sampled_from([None, 1]), st.data())
def test_readers_agree_on_damaged_json(
    value: object, in_ascii: bool, indent: int | None, data: st.DataObject
) -> None:
    text = json.dumps(value, ensure_ascii=in_ascii, indent=indent)
    at = data.draw(st.integers(0, len(text)))
    text = text[:at] + data.draw(_tokens | st.just("")) + text[at + data.draw(st.integers(0, 2)) :]
    fast, exact = answers(text)
    assert fast in (None, exact)


_ordinary = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(-(10**9), 10**9, places=3)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\\")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc_é", max_size=3), inner),
)


class _Encoder(json.JSONEncoder):
    """Writes decimals by their spelling, to be put in afterwards."""

    def default(self, o: object) -> str:
        assert isinstance(o, Decimal)
        return f"\\{o}\\"  # the backslash marks it; no ordinary text has one


@given(_ordinary, st.booleans())
def test_ordinary_json_goes_the_fast_way_and_comes_back(value: object, in_ascii: bool) -> None:
    text = json.dumps(value, cls=_Encoder, ensure_ascii=in_ascii)
    text = text.replace('"\\\\', "").replace('\\\\"', "")
    fast, exact = answers(text)
    if "-0" not in text:
        assert fast is not None
    assert exact == (spelled(value),)
    assert fast in (None, exact)


@given(st.binary() | st.lists(_tokens).map(lambda tokens: "".join(tokens).encode()))
def test_no_bytes_end_in_another_error(data: bytes) -> None:
    for read in (
        lambda: strictjson.loads(data, where="x"),
        lambda: strictjson.title_then_json(data, where="x"),
        lambda: strictjson.pointer_lines(data),
    ):
        error = refused(read)
        assert error is None or (error.code.startswith("JSON-") and str(error).isprintable())


@given(_ordinary.map(lambda value: [value]), st.booleans(), st.data())
def test_every_beginning_is_truncated(value: object, in_ascii: bool, data: st.DataObject) -> None:
    whole = json.dumps(value, cls=_Encoder, ensure_ascii=in_ascii).encode()
    end = data.draw(st.integers(1, len(whole) - 1))
    assert refusal(whole[:end])[0] == "JSON-TRUNCATED"


@pytest.mark.parametrize(
    "data", [b'["\\ud83d\\ude00", true, -1.5e+10, {"a": null}]', b'{"a": [[], {}, false], "b": ""}']
)
def test_every_beginning_of_a_text_is_truncated(data: bytes) -> None:
    strictjson.loads(data, where="run.json")
    assert {refusal(data[:end])[0] for end in range(1, len(data))} == {"JSON-TRUNCATED"}


# --- JSONTestSuite ---


@pytest.mark.skipif(not _SUITES, reason="JSONTestSuite is not here")
def test_suite_is_whole() -> None:
    kinds = [case.name[0] for case in _CASES]
    assert [kinds.count(kind) for kind in "yni"] == [95, 188, 35]


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.name)
def test_suite(case: Path) -> None:
    repeated = {
        "y_object_duplicated_key.json": ("JSON-REPEATED-KEY", "a: key appears twice"),
        "y_object_duplicated_key_and_value.json": ("JSON-REPEATED-KEY", "a: key appears twice"),
    }
    data = case.read_bytes()
    if case.name in repeated:
        code, problem = repeated[case.name]
        assert refusal(data) == (code, f"run.json: {problem} (line 1, column 10)")
    elif case.name.startswith("y_"):
        strictjson.loads(data, where="run.json")
    elif case.name.startswith("n_"):
        assert refusal(data)[0].startswith("JSON-")
    else:
        error = refused(lambda: strictjson.loads(data, where="run.json"))
        assert error is None or error.code.startswith("JSON-")


# --- a title before the JSON ---


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        pytest.param(b'{"a": 1}', (None, {"a": 1}, 0), id="none"),
        pytest.param(b'\n {"a": 1}\n', (None, {"a": 1}, 2), id="blanks"),
        pytest.param(b"[1]", (None, [1], 0), id="array"),
        pytest.param(b"12", (None, 12, 0), id="number"),
        pytest.param('Titel – é\n{"a": 1}'.encode(), ("Titel – é", {"a": 1}, 13), id="one-line"),
        pytest.param(b'A\r\n\r\nB [x]\r\n  {"a": 1}', ("A\r\n\r\nB [x]", {"a": 1}, 14), id="two"),
        pytest.param(b'2026-06-12 run\n{"a": 1}', ("2026-06-12 run", {"a": 1}, 15), id="date"),
    ],
)
def test_title(data: bytes, answer: object) -> None:
    assert strictjson.title_then_json(data, where="report.json") == answer


@pytest.mark.parametrize(
    ("data", "code", "problem"),
    [
        pytest.param(
            b'Title\n{"a": 1,\n "a": 2}',
            "JSON-REPEATED-KEY",
            "a: key appears twice (line 3, column 2)",
            id="lines-are-the-file's",
        ),
        pytest.param(
            b"Title only",
            "JSON-SYNTAX",
            "not a JSON value: 'Title' (line 1, column 1)",
            id="no-json",
        ),
        pytest.param(
            b'1\n{"a": 1}',
            "JSON-SECOND",
            "something follows the end: '{' (line 2, column 1)",
            id="title-is-json",
        ),
        pytest.param(
            b'"a",\n{"a": 1}',
            "JSON-SECOND",
            "something follows the end: ',' (line 1, column 4)",
            id="title-is-quoted",
        ),
        pytest.param(
            b'[\n  {"a": 1}\n',
            "JSON-TRUNCATED",
            "input ends inside an array (line 3, column 1)",
            id="broken-array-is-no-title",
        ),
        pytest.param(
            b'Title\n{"a": 1}\n{"b": 2}',
            "JSON-SECOND",
            "something follows the end: '{' (line 3, column 1)",
            id="second",
        ),
        pytest.param(b"\xef\xbb\xbfT\n{}", "JSON-BOM", "begins with a byte order mark", id="bom"),
    ],
)
def test_title_refuses(data: bytes, code: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        strictjson.title_then_json(data, where="report.json")
    assert (caught.value.code, str(caught.value)) == (code, f"report.json: {problem}")


# --- lines of values ---


def test_pointer_lines() -> None:
    data = b'{"a": [1,\n {"b/c": null,\n\n"~":\n"x"}],\n"": [], "01": {}\n}'
    assert strictjson.pointer_lines(data) == {
        "": 1,
        "/a": 1,
        "/a/0": 1,
        "/a/1": 2,
        "/a/1/b~1c": 2,
        "/a/1/~0": 5,
        "/": 6,
        "/01": 6,
    }


def test_pointer_lines_behind_a_title() -> None:
    data = "Titel é\n\n [\n1]".encode()
    _, _, start = strictjson.title_then_json(data, where="report.json")
    assert strictjson.pointer_lines(data, start=start) == {"": 3, "/0": 4}


def test_pointer_lines_are_limited() -> None:
    data = b'{"' + b"k" * 1000 + b'": [' + b"1," * 1000 + b"1]}"
    with pytest.raises(InputError) as caught:
        strictjson.pointer_lines(data, limits=Limits(bytes=100_000))
    assert caught.value.code == "JSON-BYTES"


@given(_ordinary, st.sampled_from([None, 1]))
def test_pointer_lines_name_every_value(value: Any, indent: int | None) -> None:
    text = json.dumps(value, cls=_Encoder, indent=indent)
    expected = []

    def walk(pointer: str, value: Any) -> None:
        expected.append(pointer)
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for step, member in members:
            below = f"{pointer}/{str(step).replace('~', '~0').replace('/', '~1')}"
            if isinstance(member, (dict, list)):
                walk(below, member)
            else:
                expected.append(below)

    if isinstance(value, (dict, list)):
        walk("", value)
    else:
        expected.append("")
    lines = strictjson.pointer_lines(text.encode())
    assert list(lines) == expected
    assert list(lines.values()) == sorted(lines.values())


# --- the check without a value ---

_DOUBTFUL = [
    pytest.param(b'{"a": 1, "a": 1}', id="repeated"),
    pytest.param(b'{"a":1,"a"  :2}', id="repeated-spaced"),
    pytest.param(b'{"a":1,"\\u0061":2,"x":"\\u0022:"}', id="repeated-by-escape"),
    pytest.param(b'{"a":{"b":1},"a":[]}', id="repeated-with-containers"),
    pytest.param(b'{"x\\\\":1,"x\\\\":2}', id="repeated-ending-in-a-back-slash"),
    pytest.param(b'{"x\\"":1,"x\\"":"\\""}', id="repeated-with-escaped-quote"),
    pytest.param(b"[" * 65 + b"]" * 65, id="deep"),
    pytest.param(b'["]",' * 40 + b"[" * 30 + b"]" * 30 + b"]" * 40, id="deep-behind-brackets"),
    pytest.param(b'[{"a":' * 40 + b"1" + b"}]" * 40, id="deep-alternating"),
    pytest.param(b"[1e999]", id="infinite"),
    pytest.param(b"[1e-9999]", id="too-many-digits"),
    pytest.param(b"[" + b"1" * 2000 + b"]", id="long"),
    pytest.param(b'["\\ud800"]', id="surrogate"),
    pytest.param(b"\xef\xbb\xbf{}", id="bom"),
    pytest.param(b"{} {}", id="second"),
    pytest.param(b"", id="empty"),
]


@pytest.mark.parametrize("data", _DOUBTFUL)
def test_what_is_refused_is_never_certainly_good(data: bytes) -> None:
    assert not strictjson.certainly_good(data)
    with pytest.raises(InputError):
        strictjson.loads(data, where="x")


def test_ordinary_evidence_is_certainly_good() -> None:
    value: dict[str, Any] = {
        "entries": [{"id": f"RB-{number}", "rows": number, "ok": True} for number in range(99)]
    }
    value["note"] = 'a "quoted" word, a \\ and a [ bracket'
    for text in (
        json.dumps(value, indent=2),
        json.dumps(value, indent=2) + "\n",
        json.dumps(value),
    ):
        assert strictjson.certainly_good(text.encode())


def test_a_text_that_is_written_again_the_same_is_still_held_against_the_limits() -> None:
    nested: Any = 1
    for _ in range(5):
        nested = [nested]
    text = json.dumps(nested, indent=2).encode() + b"\n"
    assert strictjson.certainly_good(text, Limits(depth=6))
    assert not strictjson.certainly_good(text, Limits(depth=5))
    assert not strictjson.certainly_good(text, Limits(bytes=len(text) - 1))


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode()))
def test_certainly_good_bytes_are_accepted(data: bytes) -> None:
    if strictjson.certainly_good(data):
        strictjson.loads(data, where="x")


@given(
    st.lists(
        st.sampled_from(['"a"', '"a":', ":", ",", "{", "}", "[", "]", "1", "1.5", '"\\""', " "])
    )
)
def test_certainly_good_tokens_are_accepted(tokens: list[str]) -> None:
    data = "".join(tokens).encode()
    if strictjson.certainly_good(data):
        strictjson.loads(data, where="x")


_LONG: Any = [{"id": f"B{number}", "request": {"of": "x" * 40}} for number in range(600)]


def _written(value: object) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"


_BEFORE = _written({"lane": "first", "probes": _LONG, "emitted": []})
_MEMBER = _written({"probes": _LONG})[2:-3]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(_BEFORE, id="the-same"),
        pytest.param(_written({"lane": "ä", "more": 1, "probes": _LONG}), id="another-lane"),
        pytest.param(_written({"probes": _LONG}), id="alone"),
        pytest.param(_BEFORE.replace(b"first", b'first",\n  "lane": "2nd'), id="repeated"),
        pytest.param(_BEFORE[:-3] + b"," + _MEMBER + b"\n}\n", id="member-twice"),
        pytest.param(_BEFORE.replace(_MEMBER, _MEMBER + b" "), id="space-behind"),
        pytest.param(_BEFORE.replace(_MEMBER, _MEMBER + _MEMBER), id="no-comma"),
        pytest.param(_BEFORE.replace(b'"id": "B599"', b'"id": "B600"'), id="other-end"),
        pytest.param(_BEFORE.replace(b"first", b"fir\nst"), id="bare-line-end"),
        pytest.param(b'{\n  "a": {' + _MEMBER + b"\n}\n}\n", id="deeper"),
        pytest.param(b"[" + _MEMBER + b"\n]\n", id="in-a-list"),
        pytest.param(_BEFORE + b"{}", id="second"),
        pytest.param(_BEFORE[:-2], id="cut"),
    ],
)
def test_a_long_member_that_was_read_before_changes_no_answer(text: bytes) -> None:
    fresh = strictjson._certainly(text, strictjson.DEFAULT)
    assert len(text) > strictjson._LONG
    assert strictjson.certainly(_BEFORE)[1] == json.loads(_BEFORE)
    assert strictjson.certainly(text) == fresh
    assert refused(lambda: strictjson.loads(text, where="x")) is None or not fresh[0]


def test_a_long_member_is_held_against_the_limits_again() -> None:
    assert strictjson.certainly(_BEFORE, Limits(depth=5))[0]
    assert not strictjson.certainly(_BEFORE, Limits(depth=3))[0]
