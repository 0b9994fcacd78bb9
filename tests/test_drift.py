"""Drift: each class is named when it is shown, both ways, and nothing else is."""

from __future__ import annotations

import json
import time
import unicodedata
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from generator.drift import FOUND, TRANSFORMED, Budget, Drift, DriftExplanation, Search, explain
from generator.model.digest import Digest, parse_digest, sha256
from generator.model.packet import NOT_SEARCHED
from generator.names import skeleton

BOM = b"\xef\xbb\xbf"


def by_digest(present: bytes, sealed: bytes) -> DriftExplanation | None:
    return explain(present, sha256(sealed), {sha256(sealed): sealed}.get)


def by_transformation(present: bytes, sealed: bytes) -> DriftExplanation | None:
    return explain(present, sha256(sealed))


@dataclass(frozen=True)
class Case:
    """Two contents, the classes between them, and whether a transformation finds them each way."""

    one: bytes
    other: bytes
    classes: tuple[Drift, ...]
    forth: bool = True
    back: bool = True


_JSON = '{"b": 1.50, "a": ["é", 1e5, -0, 12345678901234567890123], "c": {}}'
_SMALL = '{"b":1.50,"a":["\\u00e9",1e5,-0,12345678901234567890123],"c":{}}'
_INDENTED = """{
  "a": [
    "é",
    1e5,
    -0,
    12345678901234567890123
  ],
  "b": 1.50,
  "c": {}
}
"""

CASES = {
    "bom": Case(BOM + b"a\n", b"a\n", (Drift.BOM,)),
    "bom-of-bytes-that-are-no-text": Case(BOM + b"\xff\n", b"\xff\n", (Drift.BOM,)),
    "bom-twice": Case(BOM + BOM + b"a\n", BOM + b"a\n", (Drift.BOM,), back=False),
    "crlf": Case(b"a\r\nb\r\n", b"a\nb\n", (Drift.CRLF,)),
    "cr": Case(b"a\rb\r", b"a\nb\n", (Drift.CRLF,)),
    "cr-and-crlf": Case(b"a\rb\r", b"a\r\nb\r\n", (Drift.CRLF,)),
    "line-ends-mixed": Case(b"a\r\nb\n", b"a\nb\n", (Drift.CRLF,), back=False),
    "crlf-of-json": Case(b'{"a":\r\n1}', b'{"a":\n1}', (Drift.CRLF,)),
    "final-newline": Case(b"a\nb\n", b"a\nb", (Drift.FINAL_NEWLINE,)),
    "final-newlines": Case(b"a\n\n\n", b"a\n", (Drift.FINAL_NEWLINE,)),
    "final-newlines-five": Case(b"a\n\n\n\n\n", b"a\n", (Drift.FINAL_NEWLINE,), back=False),
    "final-newline-alone": Case(b"\n", b"", (Drift.FINAL_NEWLINE,)),
    "final-newline-is-crlf": Case(b"a\r\nb\r\n", b"a\r\nb", (Drift.FINAL_NEWLINE,)),
    "final-newline-of-json": Case(b'{"a": 1}\n', b'{"a": 1}', (Drift.FINAL_NEWLINE,)),
    "nfc": Case("café é".encode(), "cafe\u0301 e\u0301".encode(), (Drift.FORM,)),
    "nfc-mixed": Case("é e\u0301".encode(), "é é".encode(), (Drift.FORM,), back=False),
    "em-dash": Case("a — b".encode(), b"a - b", (Drift.LOOKALIKE,)),
    "em-dash-among-hyphens": Case("re-run — done".encode(), b"re-run - done", (Drift.LOOKALIKE,)),
    "en-dash": Case("1–2".encode(), b"1-2", (Drift.LOOKALIKE,)),
    "minus": Case("\u22121".encode(), b"-1", (Drift.LOOKALIKE,)),
    "dash-as-two-hyphens": Case("a—b".encode(), b"a--b", (Drift.LOOKALIKE,)),
    "dash-for-dash": Case("a—b".encode(), "a–b".encode(), (Drift.LOOKALIKE,)),
    "apostrophe": Case("it’s".encode(), b"it's", (Drift.LOOKALIKE,)),
    "quotes": Case("say “x” and “y”".encode(), b'say "x" and "y"', (Drift.LOOKALIKE,)),
    "single-quotes": Case("say ‘x’".encode(), b"say 'x'", (Drift.LOOKALIKE,)),
    "ellipsis": Case("a…".encode(), b"a...", (Drift.LOOKALIKE,)),
    "no-break-space": Case("a\u00a0b".encode(), b"a b", (Drift.LOOKALIKE,)),
    "soft-hyphen": Case("a\u00adb".encode(), b"ab", (Drift.LOOKALIKE,), back=False),
    "full-width": Case("ＰＡＳＳ！".encode(), b"PASS!", (Drift.LOOKALIKE,), back=False),
    "cyrillic": Case("РАЅЅ".encode(), b"PASS", (Drift.LOOKALIKE,), back=False),
    "greek-and-cyrillic": Case("ΡАSS".encode(), b"PASS", (Drift.LOOKALIKE,), back=False),
    "several-kinds": Case("“a” — b…".encode(), b'"a" - b...', (Drift.LOOKALIKE,), back=False),
    "one-of-two-replaced": Case("a — b - c".encode(), b"a - b - c", (Drift.LOOKALIKE,)),
    "em-dash-beside-em-dashes": Case(
        "a — b — c — d".encode(), "a — b - c — d".encode(), (Drift.LOOKALIKE,)
    ),
    "em-dash-one-of-many": Case(
        ("—" * 30).encode(), ("—" * 17 + "-" + "—" * 12).encode(), (Drift.LOOKALIKE,)
    ),
    "look-alike-without-table": Case("ᎪB".encode(), b"AB", (Drift.LOOKALIKE,), False, False),
    "json-white-space": Case(_JSON.encode(), _JSON.replace(" ", "").encode(), (Drift.JSON,)),
    "json-indent": Case(
        b'{"a": [1, {"b": 2.0}]}',
        b'{\n\t"a": [\n\t\t1,\n\t\t{\n\t\t\t"b": 2.0\n\t\t}\n\t]\n}\n',
        (Drift.JSON,),
    ),
    "json-escapes": Case(
        '{"a": "é — 😀"}'.encode(),
        b'{"a": "\\u00e9 \\u2014 \\ud83d\\ude00"}',
        (Drift.JSON_ESCAPES,),
    ),
    "json-escapes-in-upper-case": Case(
        '{"a":\t"é"}\r\n'.encode(), b'{"a":\t"\\u00E9"}\r\n', (Drift.JSON_ESCAPES,)
    ),
    "json-escapes-of-delete": Case(b'["\x7f"]', b'["\\u007f"]', (Drift.JSON_ESCAPES,)),
    "json-escapes-behind-a-bom": Case(
        BOM + '["é"]'.encode(), BOM + b'["\\u00e9"]', (Drift.JSON_ESCAPES,)
    ),
    "json-escapes-some": Case(
        '["é\\u00e9"]'.encode(), b'["\\u00e9\\u00e9"]', (Drift.JSON_ESCAPES,), back=False
    ),
    "json-escapes-of-ascii": Case(b'["\\u0041"]', b'["A"]', (Drift.JSON,), back=False),
    "json-escapes-after-a-back-slash": Case(
        b'["\\\\u00e9"]', '["\\\\é"]'.encode(), (Drift.EDITED,), False, False
    ),
    "json-escapes-and-layout": Case('{"a": "é"}'.encode(), b'{"a":"\\u00e9"}', (Drift.JSON,)),
    "json-escapes-and-line-ends": Case(
        '{\n"a":"é"}\n'.encode(), b'{\r\n"a":"\\u00e9"}\r\n', (Drift.JSON,)
    ),
    "json-escapes-bom": Case(
        BOM + '["é"]'.encode(), b'["\\u00e9"]', (Drift.BOM, Drift.JSON_ESCAPES)
    ),
    "json-escapes-nfc": Case('["é"]'.encode(), b'["e\\u0301"]', (Drift.FORM, Drift.JSON_ESCAPES)),
    "json-escapes-em-dash": Case(b'["\\u2014"]', b'["-"]', (Drift.LOOKALIKE, Drift.JSON_ESCAPES)),
    "json-escapes-beside-em-dash": Case(
        '["é — a"]'.encode(), b'["\\u00e9 - a"]', (Drift.LOOKALIKE, Drift.JSON_ESCAPES)
    ),
    "json-key-order": Case(b'{"b": 1, "a": 2}', b'{"a": 2, "b": 1}', (Drift.JSON,), back=False),
    "json-all": Case(_SMALL.encode(), _INDENTED.encode(), (Drift.JSON,), back=False),
    "json-own-layout": Case(b'{ "a" :1}', b'{"a": 1}', (Drift.JSON,), back=False),
    "json-word": Case(b" null", b"null", (Drift.JSON,), back=False),
    "bom-crlf": Case(BOM + b"a\r\n", b"a\n", (Drift.BOM, Drift.CRLF)),
    "bom-final-newline": Case(BOM + b"a", b"a\n", (Drift.BOM, Drift.FINAL_NEWLINE)),
    "crlf-final-newline": Case(b"a\r\nb", b"a\nb\n", (Drift.CRLF, Drift.FINAL_NEWLINE)),
    "bom-json": Case(BOM + b'{"a":1}', b'{\n  "a": 1\n}\n', (Drift.BOM, Drift.JSON)),
    "crlf-json": Case(b'{\r\n  "a": 1\r\n}\r\n', b'{"a":1}', (Drift.JSON,)),
    "bom-em-dash": Case(BOM + "a—b".encode(), b"a-b", (Drift.BOM, Drift.LOOKALIKE)),
    "crlf-em-dash": Case("a—b\r\n".encode(), b"a-b\n", (Drift.CRLF, Drift.LOOKALIKE)),
    "final-newline-nfc": Case(
        "é\n".encode(), "e\u0301".encode(), (Drift.FINAL_NEWLINE, Drift.FORM)
    ),
    "nfc-em-dash": Case("é—".encode(), "e\u0301-".encode(), (Drift.FORM, Drift.LOOKALIKE)),
    "json-nfc": Case(
        '{"é": 1, "f": 2}'.encode(),
        '{\n  "e\u0301": 1,\n  "f": 2\n}'.encode(),
        (Drift.FORM, Drift.JSON),
    ),
    "json-em-dash": Case(
        '{"a": "b — c"}'.encode(),
        b'{\n  "a": "b - c"\n}',
        (Drift.LOOKALIKE, Drift.JSON),
    ),
    "json-quotes-escaped": Case(
        '{"a": "“b”"}'.encode(), b'{"a": "\\"b\\""}', (Drift.LOOKALIKE, Drift.JSON), False, False
    ),
    "json-keys-sorted-in-another-form": Case(
        '{"é": 1, "f": 2, "x": 3}'.encode(),
        '{"x":3,"f":2,"e\u0301":1}'.encode(),
        (Drift.FORM, Drift.JSON),
        False,
        False,
    ),
    "three": Case(
        BOM + "a—b\r\n".encode(),
        b"a-b\n",
        (Drift.BOM, Drift.CRLF, Drift.LOOKALIKE),
        False,
        False,
    ),
    "five": Case(
        BOM + "é\r\n—b\r\n".encode(),
        "e\u0301\n-b".encode(),
        (Drift.BOM, Drift.CRLF, Drift.FINAL_NEWLINE, Drift.FORM, Drift.LOOKALIKE),
        False,
        False,
    ),
    "four-of-json": Case(
        BOM + '{"a":"é—"}'.encode(),
        '{"a": "e\u0301-"}'.encode(),
        (Drift.BOM, Drift.FORM, Drift.LOOKALIKE, Drift.JSON),
        False,
        False,
    ),
    "edited": Case(b"a\n", b"b\n", (Drift.EDITED,), False, False),
    "edited-number": Case(b'{"a": 1.50}', b'{"a":1.5}', (Drift.EDITED,), False, False),
    "edited-zero-is-no-letter-o": Case(b"10", b"1O", (Drift.EDITED,), False, False),
    "edited-two-hyphens-for-one": Case(b"a--b", b"a-b", (Drift.EDITED,), False, False),
    "edited-blank-at-the-end": Case(b"a \n", b"a\n", (Drift.EDITED,), False, False),
    "edited-repeated-key": Case(
        b'{"a": 1, "a": 2}', b'{"a":1,"a":2}', (Drift.EDITED,), False, False
    ),
    "edited-json-type": Case(b"[true]", b"[1]", (Drift.EDITED,), False, False),
    "edited-not-text": Case(b"\xff\xfe", b"\xfe\xff", (Drift.EDITED,), False, False),
    "edited-empty": Case(b"", b"a", (Drift.EDITED,), False, False),
}
_BOTH = [
    pytest.param(present, sealed, case.classes, shown, id=f"{name}-{way}")
    for name, case in CASES.items()
    for present, sealed, shown, way in (
        (case.one, case.other, case.forth, "forth"),
        (case.other, case.one, case.back, "back"),
    )
]


@pytest.mark.parametrize(("present", "sealed", "classes", "shown"), _BOTH)
def test_sealed_bytes_found(
    present: bytes, sealed: bytes, classes: tuple[Drift, ...], shown: bool
) -> None:
    assert by_digest(present, sealed) == DriftExplanation(classes, FOUND)


@pytest.mark.parametrize(("present", "sealed", "classes", "shown"), _BOTH)
def test_sealed_bytes_made(
    present: bytes, sealed: bytes, classes: tuple[Drift, ...], shown: bool
) -> None:
    expected = DriftExplanation(classes, TRANSFORMED) if shown else None
    assert by_transformation(present, sealed) == expected


@pytest.mark.parametrize("end", ["", "\n"], ids=["no-newline", "newline"])
@pytest.mark.parametrize("ordered", [False, True], ids=["kept", "sorted"])
@pytest.mark.parametrize("ascii_only", [False, True], ids=["utf-8", "ascii"])
@pytest.mark.parametrize("separators", [None, (",", ":")], ids=["default", "compact"])
@pytest.mark.parametrize("indent", [None, 0, 1, 2, 3, 4, "\t"])
def test_every_layout_of_json_dumps_is_tried(
    indent: int | str | None,
    separators: tuple[str, str] | None,
    ascii_only: bool,
    ordered: bool,
    end: str,
) -> None:
    value = {"z": [1, [], {}, {"ä": '\\ " \x7f \n / 😀'}], "a": None, "ü": [True, False, [[2]]]}
    written = json.dumps(
        value, indent=indent, separators=separators, ensure_ascii=ascii_only, sort_keys=ordered
    )
    present = json.dumps(value, indent=7).encode()
    assert by_transformation(present, (written + end).encode()) == DriftExplanation(
        (Drift.JSON,), TRANSFORMED
    )


def test_text_says_what_and_how_it_is_known() -> None:
    assert str(by_digest(BOM + b"a\r\n", b"a\n")) == "BOM, CRLF (sealed bytes found by digest)"
    assert str(by_transformation(b"a", b"a\n")) == (
        "final newline (a transformation of the present bytes gives the sealed digest)"
    )


def test_classes_are_named_in_order_and_explained() -> None:
    assert [str(drift) for drift in Drift] == [
        "BOM",
        "CRLF",
        "final newline",
        "NFC/NFD",
        "look-alike characters",
        "JSON ASCII escapes",
        "JSON re-serialised",
        "edited content",
    ]
    assert all(drift.explanation.endswith(".") for drift in Drift)


def test_nothing_is_explained_where_nothing_differs() -> None:
    assert by_digest(b"a", b"a") is None
    assert by_transformation(b"a", b"a") is None


def test_bytes_with_another_digest_are_not_the_sealed_ones() -> None:
    sealed = sha256(b"sealed")
    assert explain(b"a\n", sealed, lambda digest: b"a") is None
    assert explain(b"a\n", sha256(b"a"), lambda digest: b"b") == DriftExplanation(
        (Drift.FINAL_NEWLINE,), TRANSFORMED
    )


def test_large_files_are_compared_and_transformed_as_bytes_only() -> None:
    budget = Budget(text_bytes=10)
    for present, sealed, classes in (
        (BOM + b"0123456789", b"0123456789", (Drift.BOM,)),
        (b"01234\r\n56789", b"01234\n56789", (Drift.CRLF,)),
        (b"0123456789\n", b"0123456789", (Drift.FINAL_NEWLINE,)),
        (BOM + b"01234\r\n56789", b"01234\n56789", (Drift.BOM, Drift.CRLF)),
    ):
        digest = sha256(sealed)
        assert explain(present, digest, budget=budget) == DriftExplanation(classes, TRANSFORMED)
        assert explain(present, digest, {digest: sealed}.get, budget) == DriftExplanation(
            classes, FOUND
        )
    # What was not looked for is not called an edit.
    for present, sealed in (
        ("01234 — 56789".encode(), b"01234 - 56789"),
        (b"a", b"0123456789 and more"),
    ):
        digest = sha256(sealed)
        assert explain(present, digest, budget=budget) is None
        assert explain(present, digest, {digest: sealed}.get, budget) is None


def test_search_ends_with_its_budget() -> None:
    present, sealed = b"a\n", sha256(b"a")
    assert explain(present, sealed) is not None
    assert explain(present, sealed, budget=Budget(candidates=0)) is None
    assert explain(present, sealed, budget=Budget(hashed_bytes=-1)) is None


@pytest.mark.parametrize(
    "present",
    [
        pytest.param(b'["a - b", "\\u00e9"],' * 400_000, id="not-json"),
        pytest.param(b"[" + b'{"a": "b - c", "d": 1.50},' * 150_000 + b"0]", id="json"),
        pytest.param("é — “x” …\r\n".encode() * 200_000, id="text"),
        pytest.param(b"[" * 4_000_000, id="deep"),
        pytest.param(b"\r" * 4_000_000, id="line-ends"),
        pytest.param(b"'\"-" * 1_300_000, id="marks"),
    ],
)
def test_no_content_takes_long(present: bytes) -> None:
    start = time.process_time()
    explain(present, sha256(b"something else"))
    other = present + b"!"
    explain(present, sha256(other), {sha256(other): other}.get)
    assert time.process_time() - start < 60


_TEXTS = st.text(
    st.sampled_from("ab -—–'’\"“…\u00a0é\u0301e\r\n.РІ\ufeff{}[]:,1\\")
    | st.characters(codec="utf-8")
)
_BYTES = (
    st.binary()
    | _TEXTS.map(lambda text: text.encode())
    | st.sampled_from([case.one for case in CASES.values()])
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(_BYTES, st.text("0123456789abcdef", min_size=64, max_size=64).map(parse_digest))
def test_an_unknown_digest_is_never_explained(present: bytes, sealed: Digest) -> None:
    assert explain(present, sealed) is None


@given(_BYTES, _BYTES)
@example(b"\xef\xbb\xbf", b"")
def test_any_two_contents_are_explained_if_the_sealed_one_is_there(
    present: bytes, sealed: bytes
) -> None:
    found, back = by_digest(present, sealed), by_digest(sealed, present)
    assert found == back
    assert (found is None) == (present == sealed)
    made = by_transformation(present, sealed)
    if made is not None:
        # What a transformation shows, the comparison sees as well.
        assert found is not None
        assert made.classes == found.classes


@given(st.text(st.characters(max_codepoint=127)), st.text(st.characters(max_codepoint=127)))
def test_ascii_is_never_a_look_alike_of_ascii(one: str, other: str) -> None:
    found = by_digest(one.encode(), other.encode())
    assert found is None or Drift.LOOKALIKE not in found.classes


@given(_VALUES, _VALUES, st.sampled_from([None, 1, 4]), st.booleans(), st.booleans())
def test_json_is_the_same_value_or_an_edit(
    one: object, other: object, indent: int | None, ascii_only: bool, ordered: bool
) -> None:
    def written(value: object) -> bytes:
        text = json.dumps(value, indent=indent, ensure_ascii=ascii_only, sort_keys=ordered)
        return text.encode()

    again = json.dumps(one).encode()
    same = by_digest(written(one), again)
    assert same is None or same.classes in ((Drift.JSON_ESCAPES,), (Drift.JSON,))
    if same is not None and not ordered:
        assert by_transformation(again, written(one)) == DriftExplanation(same.classes, TRANSFORMED)
    found = by_digest(written(other), again)
    if found is not None and found.classes in ((Drift.JSON_ESCAPES,), (Drift.JSON,)):
        assert json.loads(written(other)) == one


@given(_TEXTS, st.sampled_from(["NFC", "NFD"]))
def test_every_form_is_explained(text: str, form: str) -> None:
    changed = unicodedata.normalize(form, text)  # type: ignore[arg-type]
    found = by_digest(changed.encode(), text.encode())
    made = by_transformation(text.encode(), changed.encode())
    if changed == text:
        assert found is made is None
    else:
        assert found == DriftExplanation((Drift.FORM,), FOUND)
        assert made == DriftExplanation((Drift.FORM,), TRANSFORMED)


def test_letters_that_are_replaced_are_look_alikes() -> None:
    from generator.drift import _LETTERS

    assert [(old, new) for old, new in _LETTERS.items() if skeleton(old) != skeleton(new)] == []


# --- a whole packet ---


def test_the_search_of_a_packet_is_bounded_for_all_files_together() -> None:
    """Line ends are told in any case; what takes longer is not looked for without end."""
    edited = [b'{"a": "%d \xe2\x80\x94"}' % number for number in range(40)]
    sealed = [data.replace(b"a", b"b") for data in edited]
    small = Search(lambda digest: None, Budget(hashed_bytes=2**20))
    told = [small.reason(one, sha256(other)) for one, other in zip(edited, sealed, strict=True)]
    assert (told[0], told[-1]) == ("", NOT_SEARCHED)
    assert told == sorted(told)
    assert small.reason(b"a\r\nb\r\n", sha256(b"a\nb\n")) == (
        "CRLF (a transformation of the present bytes gives the sealed digest)"
    )
    assert small.reason(b"a - b", sha256("a \u2014 b".encode())) == NOT_SEARCHED


def test_sealed_bytes_that_are_at_hand_are_compared_in_any_case() -> None:
    sealed = "a \u2014 b".encode()
    known = {sha256(sealed): sealed}
    search = Search(known.get, Budget(hashed_bytes=0))
    assert search.reason(b"a - b", sha256(sealed)) == (
        "look-alike characters (sealed bytes found by digest)"
    )
