"""Both tree profiles against the commands they are named after."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from generator.model.digest import Digest
from generator.profiles import DEFAULT, PROFILES, Line, manifest_sha256
from tests.folders import (
    FILES,
    MANIFEST,
    TREE,
    digest,
    lane,
    listing,
    only,
    packet,
    tree_of,
    verify,
    write,
)

SHA256SUM = PROFILES["sha256sum"]
A, B, C = (Digest(digit * 64) for digit in "abc")

needs_sha256sum = pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum here")


def sha256sum(folder: Path, *arguments: str | bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["sha256sum", *arguments],
        cwd=folder,
        env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
        capture_output=True,
        timeout=20,
        check=False,
    )


# --- the default: one form, and a name for each departure from it ---


@pytest.mark.parametrize(
    ("manifest", "lines", "problems"),
    [
        pytest.param(f"{A}  x\n", [("x", A, 1)], [], id="sound"),
        pytest.param(f"{A}  x y\n{B}  x/ z\n", [("x y", A, 1), ("x/ z", B, 2)], [], id="spaces"),
        pytest.param("", [], [("MAN-EMPTY", MANIFEST)], id="empty"),
        pytest.param(f"\ufeff{A}  x\n", [("x", A, 1)], [("MAN-BOM", f"{MANIFEST}:1")], id="bom"),
        pytest.param(f"{A}  x", [("x", A, 1)], [("MAN-NEWLINE", f"{MANIFEST}:1")], id="no-newline"),
        pytest.param(
            f"{A}  x\r\n{B}  y\n",
            [("x", A, 1), ("y", B, 2)],
            [("MAN-CRLF", f"{MANIFEST}:1")],
            id="one-crlf",
        ),
        pytest.param("\n", [], [("MAN-BLANK", f"{MANIFEST}:1")], id="only-a-line-feed"),
        pytest.param(
            f" \t\n{A}  x\n", [("x", A, 2)], [("MAN-BLANK", f"{MANIFEST}:1")], id="white-space"
        ),
        pytest.param(
            f"  # {A}  x\n", [], [("MAN-COMMENT", f"{MANIFEST}:1")], id="comment-further-in"
        ),
        pytest.param(f"{A} *x\n", [("x", A, 1)], [("MAN-BINARY", f"{MANIFEST}:1")], id="binary"),
        pytest.param(
            f"{A.upper()}  x\n", [("x", A, 1)], [("MAN-UPPER", f"{MANIFEST}:1")], id="upper"
        ),
        pytest.param(
            f"{A.upper()} *x\r\n",
            [("x", A, 1)],
            [(code, f"{MANIFEST}:1") for code in ("MAN-CRLF", "MAN-BINARY", "MAN-UPPER")],
            id="three-at-once",
        ),
        pytest.param(f"{A} x\n", [], [("MAN-LINE", f"{MANIFEST}:1")], id="one-space"),
        pytest.param(f"{A}\tx\n", [], [("MAN-LINE", f"{MANIFEST}:1")], id="tab"),
        pytest.param(f" {A}  x\n", [], [("MAN-LINE", f"{MANIFEST}:1")], id="indented"),
        pytest.param(f"\\{A}  x\\\\y\n", [], [("MAN-LINE", f"{MANIFEST}:1")], id="escaped"),
        pytest.param(f"{A}  \n", [], [("MAN-LINE", f"{MANIFEST}:1")], id="no-path"),
        pytest.param(f"{A[:-1]}  x\n", [], [("MAN-LINE", f"{MANIFEST}:1")], id="63-digits"),
        pytest.param(f"{A}a  x\n", [], [("MAN-LINE", f"{MANIFEST}:1")], id="65-digits"),
        pytest.param(f"SHA256 (x) = {A}\n", [], [("MAN-LINE", f"{MANIFEST}:1")], id="tag"),
        pytest.param(
            f"{A}  y\n{B}  x\n{C}  a\n",
            [("y", A, 1), ("x", B, 2), ("a", C, 3)],
            [("MAN-ORDER", f"{MANIFEST}:2")],
            id="order-told-once",
        ),
        pytest.param(
            f"{A}  a/b\n{B}  a-b\n",
            [("a/b", A, 1), ("a-b", B, 2)],
            [("MAN-ORDER", f"{MANIFEST}:2")],
            id="order-by-bytes-not-by-folder",
        ),
        pytest.param(
            f"{A}  \U0001f600\n{B}  \uff01\n",
            [("\U0001f600", A, 1), ("\uff01", B, 2)],
            [("MAN-ORDER", f"{MANIFEST}:2")],
            id="order-by-bytes-not-by-utf-16",
        ),
        pytest.param(
            f"{A}  x\n{B}  x\n",
            [("x", A, 1), ("x", B, 2)],
            [("MAN-REPEAT", f"{MANIFEST}:2")],
            id="repeated",
        ),
        pytest.param(
            f"{A}  {MANIFEST}\n{B}  {TREE}\n",
            [(MANIFEST, A, 1), (TREE, B, 2)],
            [("MAN-SELF", f"{MANIFEST}:1"), ("MAN-SELF", f"{MANIFEST}:2")],
            id="itself",
        ),
        pytest.param(f"{A}  sub/{TREE}\n", [(f"sub/{TREE}", A, 1)], [], id="deeper-seal-name"),
    ],
)
def test_the_default_has_one_form(
    manifest: str, lines: list[tuple[str, Digest, int]], problems: list[tuple[str, str]]
) -> None:
    found = DEFAULT.read(manifest.encode())
    assert found.lines == tuple(Line(*line) for line in lines)
    assert [(problem.code, problem.where) for problem in found.problems] == problems
    assert all(problem.message and problem.refutes for problem in found.problems)


NAME_BYTES = st.lists(
    st.sampled_from([bytes([byte]) for byte in (*b"ab *#.-~\t\\()=", 0xC3, 0xA9, 0xFF)]),
    min_size=1,
    max_size=5,
).map(b"".join)


@given(st.dictionaries(NAME_BYTES.map(os.fsdecode), st.binary(min_size=32, max_size=32)))
def test_what_is_built_is_read_back(found: dict[str, bytes]) -> None:
    pairs = [(path, Digest(found[path].hex())) for path in sorted(found, key=os.fsencode)]
    read = DEFAULT.read(manifest_sha256.build(pairs))
    assert [(line.path, line.digest) for line in read.lines] == pairs
    assert [problem.code for problem in read.problems] == ([] if pairs else ["MAN-EMPTY"])


PIECE = st.sampled_from(
    [
        *(b"\n", b"\r\n", b" ", b"  ", b" *", b"\t", b"\\", b"#", b"./", b"\xef\xbb\xbf", b"\xff"),
        *(b"SHA256 (", b"SHA256(", b") = ", b")= ", b"x", b"y", MANIFEST.encode()),
        *(A.encode(), B.encode(), A.upper().encode(), A[:63].encode()),
    ]
)


@given(st.lists(PIECE, max_size=12).map(b"".join) | st.binary(max_size=80))
@example(f"{A}  x\n".encode())
@example(f"{A}  x\r".encode())
@settings(max_examples=300)
def test_reading_never_raises_and_without_a_problem_there_is_only_this_manifest(
    data: bytes,
) -> None:
    found = DEFAULT.read(data)
    if not found.problems:
        assert manifest_sha256.build((line.path, line.digest) for line in found.lines) == data
    assert SHA256SUM.read(data).lines is not None


def test_the_tree_hash_is_of_the_manifest_bytes() -> None:
    manifest = listing(FILES)
    assert {name: profile.tree(manifest) for name, profile in PROFILES.items()} == {
        "manifest-sha256": digest(manifest),
        "sha256sum": digest(manifest),
    }


# --- against sha256sum ---

SAFE = st.text(st.characters(codec="utf-8", exclude_characters="/\0\\\n\r"), min_size=1, max_size=6)
WILD = st.lists(
    st.sampled_from(["\\", "\n", "\r", "a", " ", "*", "#", "\\n", "é", "(", ") = "]),
    min_size=1,
    max_size=5,
).map("".join)
HELD = st.binary(max_size=8)


# "-" is standard input to sha256sum
def written(files: dict[str, bytes], folder: str) -> Path:
    return write(
        Path(folder), {path: data for path, data in files.items() if path not in (".", "..", "-")}
    )


def names_in(folder: Path) -> list[str]:
    return sorted(os.listdir(folder), key=os.fsencode)


@needs_sha256sum
@given(st.dictionaries(SAFE, HELD, min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_the_default_is_what_sha256sum_prints(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = written(files, temporary)
        names = names_in(folder)
        if not names:
            return
        printed = sha256sum(folder, "--", *names)
        built = manifest_sha256.build((name, Digest(digest(files[name]))) for name in names)
        assert (printed.returncode, printed.stdout) == (0, built)


@needs_sha256sum
@pytest.mark.parametrize("option", ["--text", "--binary", "--tag"])
@given(files=st.dictionaries(WILD | SAFE, HELD, min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_the_sha256sum_profile_reads_what_sha256sum_prints(
    option: str, files: dict[str, bytes]
) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = written(files, temporary)
        names = names_in(folder)
        if not names:
            return
        printed = sha256sum(folder, option, "--", *names)
        assert printed.returncode == 0
        found = SHA256SUM.read(printed.stdout)
        assert found.problems == ()
        assert [(line.path, line.digest) for line in found.lines] == [
            (name, digest(files[name])) for name in names
        ]


PLAIN_NAMES = ["a", "b", "ab", "a ", "./a", "a) = b", "a\\\\b", "a\\nb", "a\\x", "a\\"]
DIGESTS = st.sampled_from([A, B, A.upper(), f"{A[:32]}{A[32:].upper()}", A[:63], f"{A}a", "g" * 64])
STARTS = st.sampled_from(["", "", "", "", " ", "\t", "\\", " \\"])
ENDS = st.sampled_from(["\n", "\n", "\n", "\r\n", "\r\r\n"])
TAGS = st.tuples(
    st.sampled_from(["SHA256 (", "SHA256(", "SHA256  (", "sha256 (", "MD5 ("]),
    st.sampled_from([") = ", ")= ", ")=", ") ", ")\t=\t", "= "]),
)


@st.composite
def manifests(draw: st.DrawFn) -> str:
    """Lines that sha256sum reads, nearly reads, or passes over."""
    one_space = draw(st.booleans())
    between = [" ", "\t"] if one_space else ["  ", "  ", "  ", " *", "\t ", "   "]
    names = st.sampled_from(PLAIN_NAMES if one_space else [*PLAIN_NAMES, " a", "*a"])
    lines = []
    for _ in range(draw(st.integers(1, 4))):
        name, hashed, start = draw(names), draw(DIGESTS), draw(STARTS)
        form = draw(st.sampled_from(["plain"] * 4 + ["tag", "tag", "aside"]))
        if form == "plain":
            line = f"{start}{hashed}{draw(st.sampled_from(between))}{name}"
        elif form == "tag":
            opening, closing = draw(TAGS)
            line = f"{start}{opening}{name}{closing}{hashed}"
        else:
            line = draw(st.sampled_from(["", " ", "# x", " # x", "#", "-----", f"{A}a", A]))
        lines.append(line + draw(ENDS))
    return "".join(lines)


ESCAPES = {b"n": b"\n", b"r": b"\r", b"\\": b"\\"}


def checked(manifest: bytes) -> tuple[list[str], bool]:
    """Return the names that ``sha256sum -c`` looks for, and whether it passes a line over."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = write(Path(temporary), {MANIFEST: manifest})
        done = sha256sum(folder, "--strict", "-c", MANIFEST)
    # a name is shown with escapes, and a back slash before it, only where it holds a line feed
    names = [
        re.sub(rb"\\([nr\\])", lambda one: ESCAPES[one[1]], name) if mark else name
        for mark, name in re.findall(rb"(?m)^(\\?)(.*): FAILED open or read$", done.stdout)
    ]
    told = done.stderr
    passed_over = b"improperly formatted" in told or b"no properly formatted" in told
    return [os.fsdecode(name) for name in names], passed_over


def assert_reads_as_sha256sum(manifest: str) -> None:
    names, passed_over = checked(manifest.encode())
    found = SHA256SUM.read(manifest.encode())
    told = {problem.code for problem in found.problems} - {"MAN-REPEAT", "MAN-SELF"}
    without_dots = [re.sub(r"\A(?:\./)+", "", name) for name in names]
    assert ([line.path for line in found.lines], bool(told)) == (without_dots, passed_over)


@needs_sha256sum
@given(manifests())
@settings(max_examples=200, deadline=None)
def test_the_sha256sum_profile_reads_the_lines_that_sha256sum_reads(manifest: str) -> None:
    assert_reads_as_sha256sum(manifest)


@needs_sha256sum
@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(f"{A} a\n", id="one-space-and-one-letter"),
        pytest.param(f"{A} ab\n{B} b\n", id="one-space"),
        pytest.param(f"{A} b\n{B}  a\n", id="one-space-then-two"),
        pytest.param(
            f"{A}  a\n{B} b\n",
            id="two-spaces-then-one",
        ),
        pytest.param(
            f"{A}  a\n{B}\tb\n",
            id="two-spaces-then-tab",
        ),
        pytest.param(
            f"SHA256 (a) = {A} \n",
            id="tag-and-space-at-the-end",
        ),
    ],
)
def test_the_sha256sum_profile_reads_no_line_that_sha256sum_passes_over(manifest: str) -> None:
    assert_reads_as_sha256sum(manifest)


@pytest.mark.parametrize(
    ("manifest", "lines", "problems"),
    [
        pytest.param("", [], [("MAN-EMPTY", MANIFEST)], id="empty"),
        pytest.param("# nothing\n\n", [], [("MAN-EMPTY", MANIFEST)], id="comments-only"),
        pytest.param(
            f"{B}  ./y\r\n# z\n{A} *x", [("y", B, 1), ("x", A, 3)], [], id="any-order-any-mark"
        ),
        pytest.param(f"\\{A}  x\\\\y\\nz\\r\n", [("x\\y\nz\r", A, 1)], [], id="escapes"),
        pytest.param(f"\\{A}  x\\q\n", [], [("MAN-LINE", f"{MANIFEST}:1")], id="unknown-escape"),
        pytest.param(f"\\{A}  x\\\n", [], [("MAN-LINE", f"{MANIFEST}:1")], id="half-an-escape"),
        pytest.param(f"SHA256 (x) = {A.upper()}\n", [("x", A, 1)], [], id="tag"),
        pytest.param(f"SHA256(x)= {A}\n", [("x", A, 1)], [], id="openssl"),
        pytest.param(f"\\SHA256 (x\\ny) = {A}\n", [("x\ny", A, 1)], [], id="tag-with-escape"),
        pytest.param(
            f"SHA512 (x) = {A}\n", [], [("MAN-LINE", f"{MANIFEST}:1")], id="other-algorithm"
        ),
        pytest.param(
            f"{A}  x\n{B}  ./x\n",
            [("x", A, 1), ("x", B, 2)],
            [("MAN-REPEAT", f"{MANIFEST}:2")],
            id="repeated-under-another-spelling",
        ),
        pytest.param(
            f"{A}  ./{MANIFEST}\n", [(MANIFEST, A, 1)], [("MAN-SELF", f"{MANIFEST}:1")], id="itself"
        ),
    ],
)
def test_the_sha256sum_profile_reads(
    manifest: str, lines: list[tuple[str, Digest, int]], problems: list[tuple[str, str]]
) -> None:
    found = SHA256SUM.read(manifest.encode())
    assert found.lines == tuple(Line(*line) for line in lines)
    assert [(problem.code, problem.where) for problem in found.problems] == problems


# --- declared, never guessed ---

HINT = " It would be good in the sha256sum dialect, which lane.yml may declare as tree_profile."


@pytest.mark.parametrize(
    ("manifest", "messages"),
    [
        pytest.param(
            listing(FILES).replace(b"  ", b" *", 1),
            [f"The path has a binary mark (*).{HINT}"],
            id="good-in-the-dialect",
        ),
        pytest.param(
            b"".join(
                b"%s./%s" % (line[:66], line[66:]) for line in listing(FILES).splitlines(True)
            ),
            [
                *[f"Segment 1 is '.'.{HINT}"] * 3,
                *[f"There, but not listed.{HINT}"] * 3,
            ],
            id="dot-slash-as-find-prints-it",
        ),
        pytest.param(
            listing(FILES).replace(b"  ", b" *", 1) + f"\\{A}  a\\\\b\n".encode(),
            [
                "The path has a binary mark (*).",
                "Not a digest, two spaces and a path.",
            ],
            id="a-path-that-is-refused-in-both",
        ),
        pytest.param(
            listing({**FILES, "gone.txt": b"x"}).replace(b"  ", b" *", 1),
            ["Listed, but not there.", "The path has a binary mark (*)."],
            id="a-file-that-is-gone",
        ),
        pytest.param(
            b"junk\n" + listing(FILES).replace(b"  ", b" *", 1),
            ["Not a digest, two spaces and a path.", "The path has a binary mark (*)."],
            id="good-in-neither",
        ),
    ],
)
def test_the_finding_says_where_another_dialect_would_be_good(
    manifest: bytes, messages: list[str], tmp_path: Path
) -> None:
    lane(tmp_path, manifest=manifest)
    told = [finding["message"] for finding in only(verify(tmp_path))["findings"]]
    assert sorted(told) == sorted(messages)


def test_a_dialect_is_not_guessed_and_holds_when_declared(tmp_path: Path) -> None:
    manifest = b"# by hand\n" + listing(FILES)
    lane(tmp_path / "guessed", manifest=manifest)
    lane(tmp_path / "declared", manifest=manifest, yml="tree_profile: sha256sum\n")
    packet(tmp_path / "bare", manifest=manifest)
    assert [verify(tmp_path / name).code for name in ("guessed", "declared", "bare")] == [1, 0, 1]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        pytest.param("../outside", "PATH-DOTDOT", id="outside"),
        pytest.param("/etc/passwd", "PATH-ABSOLUTE", id="absolute"),
        pytest.param("a\\nb", "NAME-CONTROL", id="line-feed"),
        pytest.param("a\\\\b", "PATH-BACKSLASH", id="backslash"),
        pytest.param("a//b", "PATH-EMPTY", id="two-slashes"),
        pytest.param(".//a", "PATH-ABSOLUTE", id="dot-slash-slash"),
    ],
)
def test_the_rules_for_paths_hold_in_every_dialect(path: str, code: str, tmp_path: Path) -> None:
    manifest = listing(FILES) + f"\\{A}  {path}\n".encode()
    held = lane(tmp_path, manifest=manifest, yml="tree_profile: sha256sum\n")
    assert verify(tmp_path).codes == [code]
    assert (held / "evidence" / TREE).read_bytes() == tree_of(manifest)
