"""Names: what is refused by which code, what clashes with what, and what a terminal gets."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import unicodedata
from importlib.resources import files
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator import names
from generator.model.packet import SEALS
from generator.names import clashes, is_plain, plainly_distinct, problems, visible

_ROOT = Path(__file__).parents[1]
_NAUGHTY = [
    file
    for folder in (_ROOT / "tests/suites", _ROOT.parent / "shared/suites")
    if (file := folder / "strings/blns.json").is_file()
]

# Any code point at all, the kinds that matter far more often than by chance.
_ODD = st.sampled_from(
    "/.-~\\_aA1lI0Omé\u0301ＡаІ\u2215\u200b\u202e\ufe0f\x00\x1b\x85\u2028\udcff\ud800"
)
_CHARS = st.one_of(_ODD, st.characters(exclude_categories=()), st.sampled_from("abc/XYZ.-_019"))
_PATHS = st.text(_CHARS, max_size=12)
_PLAIN = st.from_regex(r"[A-Za-z0-9._-]{1,5}(/[A-Za-z0-9._-]{1,5}){0,3}", fullmatch=True)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        pytest.param("states/before.sql", [], id="plain"),
        pytest.param("états/früh (1).sql", [], id="letters-of-the-world"),
        pytest.param("報告/файл.json", [], id="other-scripts"),
        pytest.param(".hidden/..file/...", [], id="dots-that-are-names"),
        pytest.param("a~/-x/x-", [], id="signs-elsewhere"),
        pytest.param("-/x", [], id="folder-named-dash"),
        pytest.param("", [("PATH-EMPTY", "The path is empty.")], id="empty"),
        pytest.param("a//b", [("PATH-EMPTY", "Segment 2 is empty.")], id="empty-segment"),
        pytest.param("a/b/", [("PATH-EMPTY", "Segment 3 is empty.")], id="slash-at-the-end"),
        pytest.param("/etc/passwd", [("PATH-ABSOLUTE", "The path is absolute.")], id="absolute"),
        pytest.param("/", [("PATH-ABSOLUTE", "The path is absolute.")], id="root"),
        pytest.param("C:/x", [("PATH-ABSOLUTE", "The path is absolute.")], id="drive"),
        pytest.param(
            "//host/x",
            [
                ("PATH-ABSOLUTE", "The path is absolute."),
                ("PATH-EMPTY", "Segment 1 is empty."),
            ],
            id="two-slashes",
        ),
        pytest.param("~root.txt", [("PATH-HOME", "The path begins with '~'.")], id="home"),
        pytest.param("a\\b", [("PATH-BACKSLASH", "A backslash at character 2.")], id="backslash"),
        pytest.param("./a", [("PATH-DOT", "Segment 1 is '.'.")], id="dot"),
        pytest.param("a/../b", [("PATH-DOTDOT", "Segment 2 is '..'.")], id="dotdot"),
        pytest.param("-", [("NAME-DASH", "The file is named '-'.")], id="dash"),
        pytest.param("a/-", [("NAME-DASH", "The file is named '-'.")], id="dash-in-a-folder"),
        pytest.param("a\x1bb", [("NAME-CONTROL", "U+001B at character 2.")], id="c0"),
        pytest.param("a\n", [("NAME-CONTROL", "U+000A at character 2.")], id="line-feed"),
        pytest.param("a\x7f", [("NAME-CONTROL", "U+007F at character 2.")], id="del"),
        pytest.param("a\x9b", [("NAME-CONTROL", "U+009B at character 2.")], id="c1"),
        pytest.param(
            "a\u2028", [("NAME-CONTROL", "U+2028 LINE SEPARATOR at character 2.")], id="line"
        ),
        pytest.param(
            "a\u202e",
            [("NAME-BIDI", "U+202E RIGHT-TO-LEFT OVERRIDE at character 2.")],
            id="bidi",
        ),
        pytest.param(
            "a\u200d", [("NAME-ZERO-WIDTH", "U+200D ZERO WIDTH JOINER at character 2.")], id="zwj"
        ),
        pytest.param(
            "a\xad", [("NAME-ZERO-WIDTH", "U+00AD SOFT HYPHEN at character 2.")], id="shy"
        ),
        pytest.param(
            "a\ufe0f",
            [("NAME-ZERO-WIDTH", "U+FE0F VARIATION SELECTOR-16 at character 2.")],
            id="variation-selector",
        ),
        pytest.param(
            "a\u3164", [("NAME-ZERO-WIDTH", "U+3164 HANGUL FILLER at character 2.")], id="filler"
        ),
        pytest.param(
            "a\U000e0041",
            [("NAME-ZERO-WIDTH", "U+E0041 TAG LATIN CAPITAL LETTER A at character 2.")],
            id="tag",
        ),
        pytest.param(
            b"a\xff".decode("utf-8", "surrogateescape"),
            [("NAME-UTF8", "Byte 0xFF at character 2 is not UTF-8.")],
            id="not-utf-8",
        ),
        pytest.param(
            "a\ud800",
            [("NAME-UTF8", "U+D800 at character 2 cannot be written as UTF-8.")],
            id="lone-surrogate",
        ),
        pytest.param(
            "/~\\\x1b/../\u202e\u200b/./\udcff//-",
            [
                ("PATH-ABSOLUTE", "The path is absolute."),
                ("PATH-BACKSLASH", "A backslash at character 3."),
                ("PATH-EMPTY", "Segment 6 is empty."),
                ("PATH-DOT", "Segment 4 is '.'."),
                ("PATH-DOTDOT", "Segment 2 is '..'."),
                ("NAME-CONTROL", "U+001B at character 4."),
                ("NAME-BIDI", "U+202E RIGHT-TO-LEFT OVERRIDE at character 9."),
                ("NAME-ZERO-WIDTH", "U+200B ZERO WIDTH SPACE at character 10."),
                ("NAME-UTF8", "Byte 0xFF at character 14 is not UTF-8."),
                ("NAME-DASH", "The file is named '-'."),
            ],
            id="all-at-once",
        ),
    ],
)
def test_problems(path: str, found: list[tuple[str, str]]) -> None:
    assert list(problems(path)) == found


_SEAL = "the seal file 'HASH_MANIFEST.txt'"


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        pytest.param(["a", "b", "c/a"], [], id="distinct"),
        pytest.param(["a", "a"], [], id="twice-the-same"),
        pytest.param(sorted(SEALS), [], id="seals-themselves"),
        pytest.param(["x/hash_manifest.txt"], [], id="seal-name-in-a-folder"),
        pytest.param(
            ["file1", "filel", "fileI", "a0", "aO", "burn", "bum"], [], id="ascii-letters"
        ),
        pytest.param(["é1", "él"], [], id="ascii-letters-beside-others"),
        pytest.param(["файл1", "файл2", "отчёт"], [], id="one-script"),
        pytest.param(
            ["run.sh", "Run.sh"],
            [("NAME-CASE", "run.sh", "Run.sh", "The name differs from 'Run.sh' only by case.")],
            id="case",
        ),
        pytest.param(
            ["straße", "STRASSE"],
            [("NAME-CASE", "straße", "STRASSE", "The name differs from 'STRASSE' only by case.")],
            id="full-case-folding",
        ),
        pytest.param(
            ["É", "e\u0301"],
            [("NAME-CASE", "É", "e\u0301", "The name differs from 'e\u0301' only by case.")],
            id="case-of-a-decomposed-letter",
        ),
        pytest.param(
            ["ａ", "A"],
            [("NAME-CASE", "ａ", "A", "The name differs from 'A' only by case and Unicode form.")],
            id="case-and-form",
        ),
        pytest.param(
            ["A/x", "A/y", "a/z"],
            [("NAME-CASE", "a/z", "A/x", "Its folder 'a' differs from 'A' only by case.")],
            id="case-of-a-folder",
        ),
        pytest.param(
            ["A/x", "a/x"],
            [("NAME-CASE", "a/x", "A/x", "Its folder 'a' differs from 'A' only by case.")],
            id="folder-told-once",
        ),
        pytest.param(
            ["A", "a/x"],
            [("NAME-CASE", "a/x", "A", "Its folder 'a' differs from 'A' only by case.")],
            id="folder-and-file",
        ),
        pytest.param(
            ["café", "cafe\u0301"],
            [
                (
                    "NAME-FORM",
                    "café",
                    "cafe\u0301",
                    "The name differs from 'cafe\u0301' only by Unicode form.",
                )
            ],
            id="nfc-nfd",
        ),
        pytest.param(
            ["ﬁle２", "file2"],
            [
                (
                    "NAME-FORM",
                    "ﬁle２",
                    "file2",
                    "The name differs from 'file2' only by Unicode form.",
                )
            ],
            id="nfkc",
        ),
        pytest.param(
            ["report.json", "rероrt.json"],
            [
                (
                    "NAME-LOOKALIKE",
                    "rероrt.json",
                    "report.json",
                    "The name differs from 'report.json' only by letters that look alike.",
                )
            ],
            id="cyrillic",
        ),
        pytest.param(
            ["a-b", "a\u2010b"],
            [
                (
                    "NAME-LOOKALIKE",
                    "a\u2010b",
                    "a-b",
                    "The name differs from 'a-b' only by letters that look alike.",
                ),
            ],
            id="signs",
        ),
        pytest.param(
            ["аa", "aа"],
            [
                (
                    "NAME-LOOKALIKE",
                    "аa",
                    "aа",
                    "The name differs from 'aа' only by letters that look alike.",
                )
            ],
            id="the-other-letter-is-cyrillic",
        ),
        pytest.param(
            ["file1", "fileІ", "filel"],
            [
                (
                    "NAME-LOOKALIKE",
                    "fileІ",
                    "file1",
                    "The name differs from 'file1' only by letters that look alike.",
                )
            ],
            id="cyrillic-among-ascii",
        ),
        pytest.param(
            ["Report", "rерort"],
            [
                (
                    "NAME-LOOKALIKE",
                    "rерort",
                    "Report",
                    "The name differs from 'Report' only by letters that look alike.",
                )
            ],
            id="look-alikes-and-case",
        ),
        pytest.param(
            ["a/b", "a\u2215b"],
            [
                (
                    "NAME-LOOKALIKE",
                    "a\u2215b",
                    "a/b",
                    "The name differs from 'a/b' only by letters that look alike.",
                )
            ],
            id="slash",
        ),
        pytest.param(
            ["hash_manifest.TXT"],
            [
                (
                    "NAME-CASE",
                    "hash_manifest.TXT",
                    "HASH_MANIFEST.txt",
                    f"The name differs from {_SEAL} only by case.",
                )
            ],
            id="seal-case",
        ),
        pytest.param(
            ["HASH_MANlFEST.txt", "HASH_MANIFEST.txt"],
            [
                (
                    "NAME-LOOKALIKE",
                    "HASH_MANlFEST.txt",
                    "HASH_MANIFEST.txt",
                    f"The name differs from {_SEAL} only by letters that look alike.",
                )
            ],
            id="seal-ascii",
        ),
        pytest.param(
            ["НАSH_MANIFEST.txt/x"],
            [
                (
                    "NAME-LOOKALIKE",
                    "НАSH_MANIFEST.txt/x",
                    "HASH_MANIFEST.txt",
                    "Its folder 'НАSH_MANIFEST.txt' differs from "
                    f"{_SEAL} only by letters that look alike.",
                )
            ],
            id="seal-cyrillic-folder",
        ),
        pytest.param(
            ["B\u202e", "b\u202e"],
            [
                (
                    "NAME-CASE",
                    "b\u202e",
                    "B\u202e",
                    "The name differs from 'B\\u202e' only by case.",
                )
            ],
            id="hostile-name-in-the-message",
        ),
    ],
)
def test_clashes(paths: list[str], found: list[tuple[str, str, str, str]]) -> None:
    assert list(clashes(paths)) == found
    assert list(clashes(paths[::-1])) == found


@given(_PATHS)
def test_plain_has_no_problems(path: str) -> None:
    found = list(problems(path))
    assert not (is_plain(path) and found)
    assert {code for code, _ in found} <= names.CODES.keys()
    for _, message in found:
        assert message == visible(message)


@given(_PLAIN)
def test_only_these_ascii_paths_are_not_plain(path: str) -> None:
    assert is_plain(path) == (not list(problems(path)))


@given(st.lists(_PATHS, max_size=8), st.randoms())
def test_clashes_hold_for_any_text_and_order(paths: list[str], random: object) -> None:
    found = list(clashes(paths))
    random.shuffle(paths)  # type: ignore[attr-defined]
    assert list(clashes([*paths, *paths])) == found
    for code, path, other, message in found:
        assert code in names.CODES
        assert path in paths
        assert other in {*paths, *SEALS}
        assert path != other
        assert message == visible(message)
    assert [path for _, path, _, _ in found] == sorted(
        (path for _, path, _, _ in found), key=names.path_bytes
    )


@given(st.lists(_PLAIN, max_size=8))
def test_plainly_distinct_is_what_the_long_way_finds(paths: list[str]) -> None:
    plain = [path for path in paths if is_plain(path)]
    # A name that is not plain, and clashes with none of these, sends all the long way.
    assert plainly_distinct(tuple(plain)) == (not list(clashes([*plain, "日"])))


@given(st.lists(st.text(st.characters(max_codepoint=127), min_size=1), max_size=8))
def test_ascii_names_are_no_look_alikes_of_each_other(paths: list[str]) -> None:
    for code, _, other, _ in clashes([*paths, "日"]):
        assert code == "NAME-CASE" or other in SEALS


@given(_PATHS.filter(lambda text: "/" not in text), st.sampled_from(["NFC", "NFD", "NFKC"]))
def test_every_other_form_clashes(name: str, form: str) -> None:
    other = unicodedata.normalize(form, name)  # type: ignore[arg-type]
    if other != name and "/" not in other and name and other:
        assert [code for code, *_ in clashes([name, other])] == ["NAME-FORM"]


def test_ascii_look_alikes_are_those_of_the_data() -> None:
    stored = files("confusable_homoglyphs").joinpath("confusables.json").read_text("utf-8")
    reached: dict[str, str] = {}
    for char, others in json.loads(stored).items():
        for text in (char, *(other["c"] for other in others)):
            text = text.replace("\u200e", "")
            if text.isascii():
                reached[text] = names.skeleton(text)
    together: dict[str, set[str]] = {}
    for text, skeleton in reached.items():
        together.setdefault(skeleton, set()).add(text)
    assert sorted(sorted(texts) for texts in together.values() if len(texts) > 1) == [
        ['"', "''"],
        ["'", "`"],
        ["0", "O"],
        ["1", "I", "l", "|"],
        ["m", "rn"],
    ]


def test_the_data_pairs_have_one_skeleton() -> None:
    stored = files("confusable_homoglyphs").joinpath("confusables.json").read_text("utf-8")
    apart = {
        tuple(sorted((char, other["c"])))
        for char, others in json.loads(stored).items()
        for other in others
        if names.skeleton(char) != names.skeleton(other["c"])
    }
    # UTS #39 decomposes first, so that it never looks up a letter that has a decomposition; the
    # percent sign has a sequence for a prototype that holds a slash.
    assert {
        pair for pair in apart if not any(unicodedata.normalize("NFD", one) != one for one in pair)
    } == {("%", "º/₀"), ("º/₀", "٪"), ("º/₀", "⁒")}


@given(st.text(_CHARS))
def test_skeleton_of_a_skeleton_is_itself(text: str) -> None:
    assert names.skeleton(names.skeleton(text)) == names.skeleton(text)


def test_long_and_deep_names_take_no_time_of_their_square() -> None:
    deep = "a/" * 200_000 + "b"
    assert list(clashes([deep, "A"])) == [
        ("NAME-CASE", deep, "A", "Its folder 'a' differs from 'A' only by case.")
    ]
    assert is_plain(deep)
    assert not is_plain("a" * 1_000_000 + "!")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("früh — 報告 \\x1b 😀", "früh — 報告 \\x1b 😀", id="nothing-to-do"),
        pytest.param("a\x1b[2Jb", "a\\x1b[2Jb", id="escape"),
        pytest.param("a\r\n\tb", "a\\x0d\\x0a\\x09b", id="lines"),
        pytest.param("a\x85\u2028\u2029b", "a\\x85\\u2028\\u2029b", id="separators"),
        pytest.param("\u202etxt.exe", "\\u202etxt.exe", id="bidi"),
        pytest.param("a\u200bb\ufeff", "a\\u200bb\\ufeff", id="zero-width"),
        pytest.param("\U000e0041", "\\U000e0041", id="tag"),
        pytest.param("\udcff\ud800", "\\udcff\\ud800", id="surrogates"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        pytest.param("abcd", 4, "abcd", id="fits"),
        pytest.param("abcde", 4, "abc…", id="cut"),
        pytest.param("a\x1bb", 6, "a\\x1bb", id="escape-fits"),
        pytest.param("a\x1bb", 5, "a…", id="escape-whole-or-not"),
        pytest.param("a\x1b", 5, "a\\x1b", id="escape-at-the-end"),
        pytest.param("abc", 1, "…", id="one"),
        pytest.param("abc", 0, "", id="none"),
        pytest.param("", 0, "", id="empty"),
    ],
)
def test_visible_within_a_limit(text: str, limit: int, shown: str) -> None:
    assert visible(text, limit) == shown


def _assert_safe(text: str) -> None:
    assert len(text.splitlines()) <= 1
    text.encode()
    for char in text:
        assert unicodedata.category(char) not in {"Cc", "Cs", "Zl", "Zp"}
        assert unicodedata.bidirectional(char) not in {
            *("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        }
        assert char not in "\u061c\u200e\u200f\u200b\u200c\u200d\u2060\ufeff\xad"


@given(st.text(_CHARS), st.none() | st.integers(-1, 30))
def test_visible_is_one_safe_line(text: str, limit: int | None) -> None:
    shown = visible(text, limit)
    _assert_safe(shown)
    assert visible(shown) == shown
    if limit is not None:
        assert len(shown) <= max(limit, 0)
    if limit is None or len(visible(text)) <= limit:
        assert shown == visible(text)


@pytest.mark.skipif(not _NAUGHTY, reason="the suite is not here")
def test_naughty_strings_become_safe() -> None:
    strings = json.loads(_NAUGHTY[0].read_text("utf-8"))
    assert len(strings) > 400
    for text in strings:
        _assert_safe(visible(text))
        for _, message in problems(text):
            _assert_safe(message)
    for *_, message in clashes(strings):
        _assert_safe(message)


def test_every_default_ignorable_that_unicode_calls_a_format_is_caught() -> None:
    visible_formats = {
        *(0x600, 0x601, 0x602, 0x603, 0x604, 0x605, 0x6DD, 0x70F, 0x890, 0x891, 0x8E2),
        *(0x110BD, 0x110CD),
    }
    missed = {
        point
        for point in range(sys.maxunicode + 1)
        if unicodedata.category(chr(point)) == "Cf" and visible(chr(point)) == chr(point)
    }
    assert missed <= visible_formats


def test_plain_names_load_no_unicode_data() -> None:
    code = (
        "import sys; from generator import names; "
        "assert list(names.clashes(['a/b', 'c'])) == list(names.clashes(['A', 'a']))[1:]; "
        "list(names.problems('../x')); names.visible('\\x1b'); "
        "print(sorted({'unicodedata', 'confusable_homoglyphs', 'json'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=_ROOT
    )
    assert run.stdout == "[]\n"


def test_every_code_is_documented_in_the_same_grammar() -> None:
    assert all(re.fullmatch(r"(?:PATH|NAME)-[A-Z0-9-]+", code) for code in names.CODES)


_SAMPLE = [".", "..", "-", "a", "", "~", "a.b", "-a"]


@pytest.mark.parametrize("path", ["/".join(parts) for parts in product(_SAMPLE, repeat=2)])
def test_is_plain_over_two_segments(path: str) -> None:
    assert is_plain(path) == (not list(problems(path)) and "~" not in path)
