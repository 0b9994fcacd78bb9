"""Secrets in streams: what one text leaks, its pieces leak, and what a cell leaks, its column."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.leaks import known, own, scan, streams
from generator.leaks.streams import Columns, count_text, rules_of
from tests.test_leaks import KEY, LEAKS

TEXTS = [text for _, text, _ in LEAKS.values()]
PLAIN = ["", "object", "a line\nand another", "naïve", "0123456789abcdef" * 4, "en-us", "x" * 50]
PIECE = st.sampled_from([*TEXTS, *PLAIN])


def expected(texts: list[str]) -> dict[str, int]:
    """Return in how many texts each rule finds something."""
    found = Counter(rule for text in texts for rule in {leak.rule for leak in scan(text)})
    return dict(sorted(found.items()))


def looked(cells: list[bytes], binary: bool = False) -> dict[str, int]:
    columns = Columns([binary])
    for cell in cells:
        columns.row([cell])
    columns.look()
    return dict(sorted(columns.columns[0].counts.items()))


# --- hints ---

DETECTORS = [
    (detector, pattern)
    for which in ("tokens", "passwords")
    for detector in known._detectors(which)
    for pattern in detector.denylist
]


@settings(max_examples=60, deadline=None)
@given(st.data())
@pytest.mark.parametrize(
    ("detector", "pattern"),
    DETECTORS,
    ids=[f"{type(one).__name__}-{at}" for at, (one, _) in enumerate(DETECTORS)],
)
def test_no_hint_rules_out_what_a_pattern_fits(
    detector: object, pattern: re.Pattern[str], data: st.DataObject
) -> None:
    text = data.draw(st.from_regex(pattern))
    assert known._may_fit(type(detector).__name__, text, known.fold(text))


@settings(max_examples=60, deadline=None)
@given(st.data())
@pytest.mark.parametrize(
    ("pattern", "hints", "folded"),
    [
        (own._QUOTED, own._HINTS, True),
        (own._BARE, own._HINTS, True),
        (own._SQL, own._HINTS, True),
        (own._NETRC, own._HINTS, True),
        (own._HOME, own._HOME_HINTS, False),
        (own._WINDOWS_HOME, own._HOME_HINTS, False),
        (own._AUTHORIZATION, (re.compile("authorization"),), True),
    ],
    ids=["quoted", "bare", "sql", "netrc", "home", "windows", "authorization"],
)
def test_no_hint_rules_out_what_a_rule_fits(
    pattern: re.Pattern[str],
    hints: tuple[re.Pattern[str], ...],
    folded: bool,
    data: st.DataObject,
) -> None:
    text = data.draw(st.from_regex(pattern))
    text = known.fold(text) if folded else text
    assert any(hint.search(text) for hint in hints)


# --- a text in pieces ---


@settings(max_examples=50, deadline=None)
@given(st.lists(PIECE, max_size=6), st.lists(st.integers(0, 3000), max_size=6))
def test_a_text_leaks_the_same_however_it_is_cut(parts: list[str], cuts: list[int]) -> None:
    text = "\n".join(parts).encode()
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[a:b] for a, b in pairwise(places)]
    counted = Counter(leak.rule for leak in scan(text.decode()))
    assert count_text(pieces) == dict(sorted(counted.items()))


@pytest.mark.parametrize("name", LEAKS)
@pytest.mark.parametrize("back", [1, 20, 60, 4000])
def test_a_secret_at_the_edge_of_a_window_is_counted_once(name: str, back: int) -> None:
    rule, text, _ = LEAKS[name]
    filler = b"a line of an ordinary dump\n" * 2 * (streams.WINDOW // 27)
    secret = b"\n" + text.encode() + b"\n"
    for window in (streams.WINDOW, streams.WINDOW + streams.OVERLAP):
        whole = filler[: window - back] + secret + filler
        assert count_text([whole]).get(rule, 0) == 1


def test_a_secret_in_one_long_line_is_found_wherever_it_stands() -> None:
    token = b" ghp_" + b"a1B2" * 9 + b" "
    for at in range(streams.WINDOW - 50, streams.WINDOW + 10, 7):
        line = b"x " * (at // 2) + token + b"x " * streams.WINDOW
        assert count_text([line]) == {"LEAK-TOKEN": 1}, at


def test_what_is_counted_ends_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST", 5)
    texts = [f"password={'q8w7e6r5'}{number}\n".encode() for number in range(9)]
    assert count_text(texts) == {"LEAK-PASSWORD": 5}
    assert looked(texts) == {"LEAK-PASSWORD": 5}


# --- cells ---


@settings(max_examples=60, deadline=None)
@given(st.lists(PIECE, max_size=12))
def test_a_column_leaks_what_its_cells_leak(texts: list[str]) -> None:
    assert looked([text.encode() for text in texts]) == expected(texts)


@settings(max_examples=40, deadline=None)
@given(st.lists(PIECE, max_size=8), st.sampled_from(["utf-8", "utf-16-le", "utf-16-be"]))
def test_bytes_leak_what_the_text_in_them_leaks(texts: list[str], encoding: str) -> None:
    ascii_only = [text.encode("ascii", "ignore").decode() for text in texts]
    cells = [text.encode(encoding) for text in ascii_only]
    assert looked(cells, binary=True) == expected(ascii_only)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("password:", "'hunter2x'"),
        ("Authorization:", "Bearer abc123def456"),
        ("pass", "word=abcd1"),
    ],
)
def test_two_cells_make_no_secret(one: str, other: str) -> None:
    assert looked([one.encode(), other.encode()]) == {}


def test_a_key_does_not_hide_the_next_one() -> None:
    assert looked([KEY.encode()] * 3) == {"LEAK-KEY": 3}


def test_each_column_has_what_is_its_own() -> None:
    columns = Columns([False, True, False])
    for number in range(3):
        columns.row([b"ghp_" + b"a1B2" * 9, b"\xff\x00" * 9, None if number else b""])
    columns.look()
    assert [(one.cells, one.counts) for one in columns.columns] == [
        (3, {"LEAK-TOKEN": 3}),
        (3, {}),
        (0, {}),
    ]


def test_bytes_of_no_text_are_read_all_the_same() -> None:
    token = b"AKIA" + b"IOSFODNN7EXAMPLE"
    assert rules_of(b"\xff\xfe\x00" + token + b"\xff", binary=True) == {"LEAK-TOKEN"}
