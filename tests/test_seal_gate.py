"""``lanebook gate``: what passes, what fails closed by which name, and what is no verdict."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from generator.drift import TRANSFORMED, Drift
from generator.exits import Exit
from generator.reading.githistory import HistoryError, contents
from generator.reading.sealed import files_below
from generator.seals import gate as gating
from generator.seals import listing, proof
from generator.seals.codes import ERRORS, FINDINGS
from generator.seals.gate import (
    IN_GIT,
    NOT_FOUND,
    TOO_LARGE,
    Settings,
    check,
    first_difference,
)
from tests.folders import Answer, as_nobody, digest, run, within, write
from tests.folders import listing as sums
from tests.machine_support import read_junit, read_sarif

BOM = b"\xef\xbb\xbf"
SEALS = "SEALS.sha256"
FILES = {"a.txt": "a - b é\n2\n".encode(), "sql/one.sql": b"select 1;\n", "x.json": b'{"a": 1}\n'}
PROVEN = (
    "proven in this run: 13 drift classes fail closed; 1 byte-identical control passes;"
    " 16 bad seals are refused"
)


def sealed(folder: Path, files: dict[str, bytes] = FILES) -> Path:
    """Write files and their seals without lanebook's own code."""
    return write(folder, {**files, SEALS: sums(files)}) / SEALS


def gate(*arguments: str | Path, cwd: Path) -> Answer:
    """Run the gate; what it tells machines always holds against the schemas of their formats."""
    given = run("gate", *arguments, cwd=cwd)
    if given.code != 2 and "-o" not in arguments:
        if "junit" in arguments:
            read_junit(given.out.encode())
        if "sarif" in arguments:
            read_sarif(given.out.encode())
    return given


def states(answer: Answer) -> dict[str, str]:
    return {file["path"]: file["code"] for file in answer.object["files"]}


# --- what passes, and how it is told ---


def test_sealed_bytes_pass(tmp_path: Path) -> None:
    sealed(tmp_path)
    given = gate(SEALS, cwd=tmp_path)
    assert given == (0, f"● {SEALS}: 3 files byte-exact\n· {PROVEN}\n", "")


def test_what_sha256sum_prints_is_a_seal_file_in_any_order(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    names = ["x.json", "sql/one.sql", "a.txt"]
    done = subprocess.run(["sha256sum", *names], cwd=tmp_path, capture_output=True, check=True)
    (tmp_path / SEALS).write_bytes(done.stdout)
    assert gate(SEALS, cwd=tmp_path).code == 0


def test_the_seals_of_a_packet_can_be_sealed(tmp_path: Path) -> None:
    sealed(tmp_path, {"HASH_MANIFEST.txt": b"x", "packet_tree.sha256": b"y"})
    assert gate(SEALS, cwd=tmp_path).code == 0


def test_what_differs_is_named_with_how_it_drifted(tmp_path: Path) -> None:
    sealed(tmp_path)
    (tmp_path / "a.txt").write_bytes(BOM + FILES["a.txt"].replace(b"\n", b"\r\n"))
    (tmp_path / "sql" / "one.sql").write_bytes(b"select 2;\n")
    (tmp_path / "x.json").unlink()
    assert gate(SEALS, "--no-history", cwd=tmp_path) == (
        1,
        "▲ GATE-COMBINED  a.txt:1\n"
        f"    BOM, CRLF ({TRANSFORMED})\n"
        "▲ GATE-EDITED  sql/one.sql\n"
        f"    edited content ({NOT_FOUND})\n"
        "▲ GATE-MISSING  x.json\n"
        "    not there\n"
        f"▲ {SEALS}: 2 drifted, 1 missing of 3 files\n"
        f"· {PROVEN}\n",
        "",
    )


def test_what_is_too_large_to_be_compared_is_told_as_edited(tmp_path: Path) -> None:
    sealed(tmp_path)
    os.truncate(tmp_path / "a.txt", 64 * 1024 * 1024 + 1)
    given = gate(SEALS, "a.txt", "--no-history", cwd=tmp_path)
    assert (given.code, given.out.splitlines()[:2]) == (
        1,
        ["▲ GATE-EDITED  a.txt", f"    edited content ({TOO_LARGE})"],
    )


def test_the_first_difference_is_shown_escaped(tmp_path: Path) -> None:
    sealed(tmp_path)
    (tmp_path / "a.txt").write_bytes("a \u2014 b é\n2\n".encode())
    given = gate(SEALS, "--diff", "--no-history", cwd=tmp_path)
    assert given.out.splitlines()[:4] == [
        "▲ GATE-LOOKALIKE  a.txt:1",
        f"    look-alike characters ({TRANSFORMED})",
        '    sealed:  "a - b \\xe9\\n2\\n" and the end',
        '    present: "a \\u2014 b \\xe9\\n2\\n" and the end',
    ]


_END = " and the end"


@pytest.mark.parametrize(
    ("present", "original", "line", "shown"),
    [
        pytest.param(b"a\n", b"a", 1, ('"a\\n"' + _END, '"a"' + _END), id="the-end"),
        pytest.param(b"", b"a", 1, ('""' + _END, '"a"' + _END), id="empty"),
        pytest.param(b"a\r\nb", b"a\nb", 1, ('"a\\r\\nb"' + _END, '"a\\nb"' + _END), id="cr"),
        pytest.param(
            b"x\ny\x1b[31m", b"x\ny", 2, ('"y\\x1b[31m"' + _END, '"y"' + _END), id="terminal-escape"
        ),
        pytest.param(
            b"[\\u00e9]",
            "[é]".encode(),
            1,
            ('"[\\\\u00e9]"' + _END, '"[\\xe9]"' + _END),
            id="back-slash",
        ),
        pytest.param(
            b"\xff\xfe",
            b"\xff\xfd",
            1,
            ('"\\udcff\\udcfe"' + _END, '"\\udcff\\udcfd"' + _END),
            id="no-text",
        ),
        pytest.param(
            ("é" * 20 + "a" + "b" * 40).encode(),
            ("é" * 20 + "c" + "b" * 40).encode(),
            1,
            (
                '"' + "\\xe9" * 16 + "a" + "b" * 31 + '"',
                '"' + "\\xe9" * 16 + "c" + "b" * 31 + '"',
            ),
            id="cut-between-characters",
        ),
    ],
)
def test_a_first_difference(
    present: bytes, original: bytes, line: int, shown: tuple[str, str]
) -> None:
    assert first_difference(present, original) == (line, shown)


@given(st.binary(), st.binary(), st.binary())
def test_a_first_difference_is_the_first(common: bytes, one: bytes, other: bytes) -> None:
    assume(one[:1] != other[:1])
    line, _ = first_difference(common + one, common + other)
    assert line == common.count(b"\n") + 1


# --- every class, on files that no test has ---


def _reordered(value: Any) -> Any:
    return dict(reversed(value.items()))


_TEXT = st.text(
    st.sampled_from("abz -'\"éäñ.,;0") | st.characters(codec="utf-8", exclude_categories=["C"]),
    min_size=1,
).map(lambda text: unicodedata.normalize("NFC", text))
_LINES = st.lists(_TEXT.filter(lambda text: not set(text) & set("\r\n\ufeff")), min_size=2).map(
    lambda lines: "\n".join(lines) + "\n"
)
# what becomes a dash beside others of its kind is told apart by the sealed bytes only
_HYPHENS = _LINES.map(lambda text: re.sub("[\u2010-\u2015\u2212]", "", text) + "a-b\n")
_VALUES = st.dictionaries(st.text(max_size=6), st.integers() | _TEXT | st.none(), min_size=2)


def _as_json(value: Any, **how: Any) -> bytes:
    return (json.dumps(value, **{"ensure_ascii": False, **how}) + "\n").encode()


def _two(classes: str, of: st.SearchStrategy[tuple[bytes, bytes]]) -> Any:
    return pytest.param(classes, of.filter(lambda two: two[0] != two[1]), id=classes)


def _pairs(of: st.SearchStrategy[str], how: Callable[[str], str]) -> Any:
    return of.map(lambda text: (text.encode(), how(text).encode()))


def _values(how: Callable[[Any], tuple[bytes, bytes]]) -> Any:
    return _VALUES.map(how)


def _crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


DRIFTS = [
    _two("GATE-BOM", _pairs(_LINES, lambda text: f"\ufeff{text}")),
    _two("GATE-CRLF", _pairs(_LINES, _crlf)),
    _two("GATE-FINAL-NEWLINE", _pairs(_LINES, lambda text: text[:-1])),
    _two("GATE-FORM", _pairs(_LINES, lambda text: unicodedata.normalize("NFD", text))),
    _two("GATE-LOOKALIKE", _pairs(_HYPHENS, lambda text: text.replace("-", "\u2014"))),
    _two(
        "GATE-JSON-ESCAPES",
        _values(lambda value: (_as_json(value), _as_json(value, ensure_ascii=True))),
    ),
    _two("GATE-JSON", _values(lambda value: (_as_json(value), _as_json(value, indent=2)))),
    _two(
        "GATE-JSON",
        _values(lambda value: (_as_json(value, sort_keys=True), _as_json(_reordered(value)))),
    ),
    _two("GATE-COMBINED", _pairs(_LINES, lambda text: f"\ufeff{_crlf(text)}")),
    _two(
        "GATE-COMBINED",
        _pairs(_HYPHENS, lambda text: "\ufeff" + text.replace("-", "\u2013")),
    ),
    _two("GATE-EDITED", _pairs(_LINES, lambda text: f"{text}0")),
]


@pytest.mark.parametrize(("code", "contents"), DRIFTS)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_every_class_is_named_on_any_file_and_none_passes(
    code: str, contents: st.SearchStrategy[tuple[bytes, bytes]], tmp_path: Path, data: st.DataObject
) -> None:
    original, present = data.draw(contents)
    files = {"control": original, "file": original}
    write(tmp_path, {**files, SEALS: sums(files), "file": present})
    lines = listing.read((tmp_path / SEALS).read_bytes(), shown=SEALS, name=SEALS).lines
    verdict = check(tmp_path, listing.narrowed(lines, ()), Settings(jobs=1, history=False))
    assert (verdict.exit_code, [(one.line.path, one.code) for one in verdict.apart]) == (
        Exit.REFUTED,
        [("file", code)],
    )


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(), st.integers(0), st.integers(1, 255))
def test_one_changed_byte_never_passes(
    tmp_path: Path, original: bytes, at: int, change: int
) -> None:
    present = bytearray(original or b"a")
    present[at % len(present)] ^= change
    files = {"file": original}
    write(tmp_path, {SEALS: sums(files), "file": bytes(present)})
    lines = listing.read((tmp_path / SEALS).read_bytes(), shown=SEALS, name=SEALS).lines
    verdict = check(tmp_path, listing.narrowed(lines, ()), Settings(jobs=1, history=False))
    assert verdict.exit_code is Exit.REFUTED


@pytest.mark.parametrize("jobs", [1, 4])
def test_many_files_are_told_in_the_order_of_their_paths(tmp_path: Path, jobs: int) -> None:
    files = {f"{at % 7}/{at:04}": b"%d\n" % at for at in range(1500)}
    sealed(tmp_path, files)
    changed = sorted(name for at, name in enumerate(files) if at % 100 == 0)
    for name in changed:
        (tmp_path / name).write_bytes(files[name].replace(b"\n", b"\r\n"))
    given = gate(SEALS, "-j", str(jobs), "--no-history", "--format", "json", cwd=tmp_path)
    assert given.code == 1
    assert {path: code for path, code in states(given).items() if code} == dict.fromkeys(
        changed, "GATE-CRLF"
    )
    assert list(states(given)) == sorted(files)
    assert given.object["summary"]["exact"] == 1500 - len(changed)


# --- what stands there is no file ---


def _link(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _linked_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("moved"))
    path.parent.symlink_to("moved", target_is_directory=True)


def _folder_is_a_file(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()
    path.parent.write_bytes(b"")


@pytest.mark.parametrize(
    ("damage", "code", "message"),
    [
        pytest.param(_link, "GATE-KIND", "a symbolic link, not a file", id="link"),
        pytest.param(_fifo, "GATE-KIND", "a fifo, not a file", id="fifo"),
        pytest.param(_folder, "GATE-KIND", "a folder, not a file", id="folder"),
        pytest.param(
            _linked_folder,
            "GATE-KIND",
            "'sql' is a symbolic link, not a folder",
            id="link-on-the-way",
        ),
        pytest.param(
            _folder_is_a_file,
            "GATE-MISSING",
            "not there: 'sql' is a file, not a folder",
            id="file-on-the-way",
        ),
        pytest.param(Path.unlink, "GATE-MISSING", "not there", id="gone"),
    ],
)
def test_only_a_file_is_read(
    damage: Callable[[Path], None], code: str, message: str, tmp_path: Path
) -> None:
    sealed(tmp_path)
    damage(tmp_path / "sql" / "one.sql")
    with within(20):
        given = gate(SEALS, "--no-history", cwd=tmp_path)
    assert (given.code, given.out.splitlines()[:2]) == (
        1,
        [f"▲ {code}  sql/one.sql", f"    {message}"],
    )


def test_a_file_that_may_not_be_read_is_no_verdict(tmp_path: Path) -> None:
    sealed(tmp_path)
    (tmp_path / "a.txt").chmod(0)
    with as_nobody():
        given = gate(SEALS, "-j", "1", cwd=tmp_path)
    assert (given.code, given.out.splitlines()[:3]) == (
        3,
        [
            "▲ GATE-READ  a.txt",
            "    Permission denied",
            f"▲ {SEALS}: 2 byte-exact, 1 unreadable of 3 files",
        ],
    )


def test_drift_beside_what_cannot_be_read_is_drift(tmp_path: Path) -> None:
    sealed(tmp_path)
    (tmp_path / "a.txt").chmod(0)
    (tmp_path / "x.json").unlink()
    with as_nobody():
        assert gate(SEALS, "-j", "1", cwd=tmp_path).code == 1


# --- paths ---


def test_paths_narrow_what_is_held(tmp_path: Path) -> None:
    sealed(tmp_path)
    (tmp_path / "a.txt").write_bytes(b"edited")
    assert gate(SEALS, "sql", "x.json", cwd=tmp_path).out.splitlines()[0] == (
        f"● {SEALS}: 2 files byte-exact"
    )
    assert gate(Path("..") / SEALS, "one.sql", cwd=tmp_path / "sql").code == 0
    assert gate(SEALS, ".", cwd=tmp_path).code == 1


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        pytest.param("b.txt", "b.txt", id="not-listed"),
        pytest.param("sq", "sq", id="beginning-of-a-folder"),
        pytest.param("a.txt/b", "a.txt/b", id="below-a-file"),
        pytest.param("../a.txt", "../a.txt", id="outside"),
        pytest.param(SEALS, SEALS, id="the-seals"),
        pytest.param("\x1b[31m", "\\x1b[31m", id="hostile"),
    ],
)
def test_a_path_that_no_seal_covers_is_refused(path: str, shown: str, tmp_path: Path) -> None:
    sealed(tmp_path)
    given = gate(SEALS, path, "sql", cwd=tmp_path)
    assert (given.code, given.err) == (
        3,
        f"lanebook: {shown}: No line of {SEALS} covers it. (GATE-UNCOVERED)\n",
    )
    assert given.out.splitlines()[0] == f"▲ {SEALS}: 1 byte-exact of 1 file"


# --- seal files that count for nothing ---

_HEX = digest(b"x").encode()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(b"", f"{SEALS}: The manifest has no line at all. (MAN-EMPTY)", id="empty"),
        pytest.param(
            _HEX + b"  a\n" + _HEX + b"  ../b\n",
            f"{SEALS}:2: Segment 1 is '..'. (PATH-DOTDOT)",
            id="outside",
        ),
        pytest.param(
            _HEX + b"  /b\n", f"{SEALS}:1: The path is absolute. (PATH-ABSOLUTE)", id="absolute"
        ),
        pytest.param(_HEX + b"  ./b\n", f"{SEALS}:1: Segment 1 is '.'. (PATH-DOT)", id="dot"),
        pytest.param(
            _HEX + b"  b\n" + _HEX + b"  b\n", f"{SEALS}:2: Listed twice. (MAN-REPEAT)", id="twice"
        ),
        pytest.param(
            _HEX.upper() + b"  b\n",
            f"{SEALS}:1: The digest has upper-case digits. (MAN-UPPER)",
            id="upper",
        ),
        pytest.param(
            b"sealed\n", f"{SEALS}:1: Not a digest, two spaces and a path. (MAN-LINE)", id="no-line"
        ),
        pytest.param(
            _HEX + b"  " + SEALS.encode() + b"\n",
            f"{SEALS}:1: The seal file lists itself. (GATE-SELF)",
            id="itself",
        ),
        pytest.param(
            _HEX + b"  b\n" + _HEX + b"  B\n",
            f"{SEALS}:1: The name differs from 'B' only by case. (NAME-CASE)",
            id="case",
        ),
        pytest.param(
            _HEX + b"  a\xe2\x80\xaeb\n",
            f"{SEALS}:1: U+202E RIGHT-TO-LEFT OVERRIDE at character 2. (NAME-BIDI)",
            id="bidi",
        ),
    ],
)
def test_a_damaged_seal_file_is_no_verdict(data: bytes, told: str, tmp_path: Path) -> None:
    write(tmp_path, {SEALS: data, "a": b"x", "b": b"x"})
    given = gate(SEALS, cwd=tmp_path)
    assert given == (3, f"· {PROVEN}\n", f"lanebook: {told}\n")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        pytest.param(lambda path: None, "No such file or directory (READ-DENIED)", id="absent"),
        pytest.param(
            lambda path: path.symlink_to("a.txt"), "a symbolic link (KIND-SYMLINK)", id="link"
        ),
        pytest.param(os.mkfifo, "a fifo, not a file (KIND-FIFO)", id="fifo"),
    ],
)
@pytest.mark.parametrize("form", ["text", "json", "junit", "sarif"])
def test_a_seal_file_that_cannot_be_read(
    make: Callable[[Path], None], told: str, form: str, tmp_path: Path
) -> None:
    make(tmp_path / SEALS)
    given = gate(SEALS, "--format", form, cwd=tmp_path)
    assert given.code == 3
    if form == "text":
        assert given.err == f"lanebook: {SEALS}: {told}\n"
    else:
        assert told.partition(" (")[0] in given.out


def test_a_folder_is_no_seal_file(tmp_path: Path) -> None:
    given = gate(".", cwd=tmp_path)
    assert (given.code, given.out) == (3, "")
    assert given.err == "lanebook: .: a folder, not a seal file (GATE-NAME)\n"


@pytest.mark.parametrize("form", ["junit", "sarif"])
def test_the_selftest_is_told_to_machines_too(form: str, tmp_path: Path) -> None:
    given = gate("--selftest", "--format", form, cwd=tmp_path)
    assert given.code == 0
    if form == "junit":
        assert '<testsuite name="selftest" tests="30" failures="0" errors="0"' in given.out


def test_hostile_names_reach_machines_as_text(tmp_path: Path) -> None:
    name = '<b> & "q" %0a caf\u00e9]]>'
    sealed(tmp_path, {name: b"a\n"})
    (tmp_path / name).write_bytes(b"a")
    for form in ("junit", "sarif"):
        assert gate(SEALS, "--format", form, cwd=tmp_path).code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="nothing"),
        pytest.param(["--write"], id="write-nothing"),
        pytest.param(["--write", "--diff", SEALS], id="write-and-diff"),
        pytest.param(["--write", SEALS, "--selftest"], id="write-and-selftest"),
        pytest.param(["--write", SEALS], id="write-what"),
        pytest.param([SEALS, "-o", "report"], id="report-as-text"),
        pytest.param(["--selftest", ""], id="empty-name"),
    ],
)
def test_wrong_usage(arguments: list[str], tmp_path: Path) -> None:
    given = gate(*arguments, cwd=tmp_path)
    assert (given.code, given.out, given.err.count("\n")) == (2, "", 1)


# --- the selftest ---


def test_the_selftest_tells_each_answer_and_counts_drifts_and_controls_apart(
    tmp_path: Path,
) -> None:
    given = gate("--selftest", cwd=tmp_path)
    lines = given.out.splitlines()
    assert (given.code, given.err, lines[-1]) == (0, "", f"· {PROVEN}")
    at = [lines.index(title) for title in ("Drift", "Control", "Bad seals")]
    assert [len(lines[at[0] + 1 : at[1]]), len(lines[at[1] + 1 : at[2]])] == [13, 1]
    assert lines[at[1] + 1] == "  ● byte-identical              passes"


def test_every_code_of_a_file_has_a_control() -> None:
    proven = proof.prove()
    assert {answer.wanted for answer in proven.drifts} == set(FINDINGS)
    # these three are of the command, and tested here
    assert {answer.wanted for answer in proven.refusals} >= {*ERRORS} - {
        "GATE-NAME",
        "GATE-WRITE",
        "GATE-SELFTEST",
    }
    assert {drift.value for drift in Drift} <= {answer.name for answer in proven.drifts}


@pytest.mark.parametrize("broken", ["passes-all", "fails-all"])
@pytest.mark.parametrize("form", ["text", "json", "junit", "sarif"])
def test_a_gate_that_does_not_bite_gives_no_verdict(
    broken: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gate that lets everything pass, and one that rejects everything, are both found out."""
    sealed(tmp_path)

    def spoiled(root: int, most_bytes: int, lines: Any) -> list[gating.Checked]:
        if broken == "passes-all":
            return []
        return [gating.Checked(line, gating.State.MISSING) for line in lines]

    monkeypatch.setattr(gating, "_hashed", spoiled)
    given = gate(SEALS, "-j", "1", "--format", form, cwd=tmp_path)
    assert given.code == 3
    if form == "text":
        counted = "0 of 13 drift classes fail closed; 1 byte-identical control passes"
        if broken == "fails-all":
            counted = "1 of 13 drift classes fail closed; 0 of 1 byte-identical control pass"
        assert counted in given.out
        assert given.err == (
            f"lanebook: {SEALS}: The gate does not do what it says, so it gives no verdict."
            " (GATE-SELFTEST)\n"
        )
        assert "byte-exact" not in given.out
    else:
        assert "GATE-SELFTEST" in given.out
        assert "a.txt" not in given.out


def test_without_a_temporary_folder_there_is_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    given = gate(SEALS, cwd=tmp_path)
    assert (given.code, given.out, given.err) == (
        3,
        "",
        "lanebook: the gate cannot be proven in a temporary folder: No such file or directory\n",
    )


def test_the_page_about_the_gate_names_every_code_and_counts_as_the_selftest_does() -> None:
    page = (Path(__file__).parents[1] / "docs" / "gate.md").read_text("utf-8")
    assert set(re.findall(r"`(GATE-[A-Z-]+)`", page)) == {*FINDINGS, *ERRORS}
    proven = proof.prove()
    counts = re.findall(r"^- (\d+) (?:drift classes|control|bad seal files)", page, re.MULTILINE)
    assert [int(count) for count in counts] == [
        len(answers) for answers in (proven.drifts, proven.controls, proven.refusals)
    ]


# --- for machines ---


def test_the_object_whole(tmp_path: Path) -> None:
    files = {"a.txt": b"a\n", "b.txt": b"b\n"}
    sealed(tmp_path / "in", files)
    (tmp_path / "in" / "b.txt").write_bytes(b"b")
    given = gate(Path("in") / SEALS, "--no-history", "--format", "json", "--diff", cwd=tmp_path)
    told = given.object
    selftest = told.pop("selftest")
    assert [selftest["held"], selftest["drift_classes"]["failed_closed"]] == [True, 13]
    assert [selftest["controls"]["passed"], selftest["bad_seals"]["refused"]] == [1, 16]
    assert told == {
        "schema": "lanebook/gate/1",
        "lanebook": "0.1.0",
        "seals": f"in/{SEALS}",
        "summary": {
            "exit_code": 1,
            "files": 2,
            "exact": 1,
            "drifted": 1,
            "missing": 0,
            "kind": 0,
            "unreadable": 0,
            "uncovered": 0,
            "codes": {"GATE-FINAL-NEWLINE": 1},
        },
        "problems": [],
        "uncovered": [],
        "history": "",
        "files": [
            {
                "path": "a.txt",
                "line": 1,
                "state": "exact",
                "code": "",
                "sealed": digest(b"a\n"),
                "computed": digest(b"a\n"),
                "drift": [],
                "how": "",
                "blob": "",
                "first_line": None,
                "difference": None,
            },
            {
                "path": "b.txt",
                "line": 2,
                "state": "drifted",
                "code": "GATE-FINAL-NEWLINE",
                "sealed": digest(b"b\n"),
                "computed": digest(b"b"),
                "drift": ["final newline"],
                "how": TRANSFORMED,
                "blob": "",
                "first_line": 1,
                "difference": {"present": '"b" and the end', "sealed": '"b\\n" and the end'},
            },
        ],
    }


def test_rows_of_junit_and_sarif(tmp_path: Path) -> None:
    sealed(tmp_path / "in")
    (tmp_path / "in" / "a.txt").write_bytes(FILES["a.txt"].replace(b"\n", b"\r\n"))
    arguments = (Path("in") / SEALS, "in", "in/none", "--no-history", "--format")
    junit = gate(*arguments, "junit", cwd=tmp_path)
    assert junit.code == 1
    assert '<testsuites name="lanebook gate" tests="4" failures="1" errors="1">' in junit.out
    assert '<failure type="GATE-CRLF" message="CRLF (a transformation of' in junit.out
    sarif = gate(*arguments, "sarif", cwd=tmp_path)
    (ran,) = sarif.object["runs"]
    places = {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]: result["kind"]
        for result in ran["results"]
    }
    assert (sarif.code, places) == (
        1,
        {"in/a.txt": "fail", "in/sql/one.sql": "pass", "in/x.json": "pass"},
    )
    assert [rule["id"] for rule in ran["tool"]["driver"]["rules"]] == [
        "GATE-CRLF",
        "GATE-UNCOVERED",
    ]


@pytest.mark.parametrize("form", ["text", "json", "junit", "sarif"])
def test_same_input_same_bytes_and_no_path_of_the_machine(form: str, tmp_path: Path) -> None:
    answers = []
    for place in ("one", "two"):
        sealed(tmp_path / place)
        (tmp_path / place / "a.txt").write_bytes(b"edited")
        given = gate(tmp_path / place / SEALS, "--format", form, cwd=tmp_path / place)
        elsewhere = gate(tmp_path / place / SEALS, "--format", form, cwd=Path("/"))
        assert str(tmp_path) not in given.out + given.err
        answers.append(given)
        assert elsewhere.code == 1
    assert answers[0] == answers[1]


def test_nothing_hostile_reaches_a_terminal(tmp_path: Path) -> None:
    name = "caf\u00e9 \u2014 <b>`x`"
    sealed(tmp_path, {name: b"a"})
    (tmp_path / name).write_bytes(b"\x1b]0;title\x07")
    given = gate(SEALS, "--diff", "--no-history", cwd=tmp_path)
    assert (given.code, "\x1b" in given.out, "\x07" in given.out) == (1, False, False)


def test_a_report_goes_into_a_file_and_the_text_stays_here(tmp_path: Path) -> None:
    sealed(tmp_path)
    (tmp_path / "gate.json").write_text("old")
    given = gate(SEALS, "--format", "json", "-o", "gate.json", cwd=tmp_path)
    assert given == (0, f"● {SEALS}: 3 files byte-exact\n· {PROVEN}\n", "")
    written = (tmp_path / "gate.json").read_text("utf-8")
    assert written == gate(SEALS, "--format", "json", cwd=tmp_path).out


def test_a_report_that_cannot_be_written_is_no_verdict(tmp_path: Path) -> None:
    sealed(tmp_path)
    given = gate(SEALS, "--format", "json", "-o", "none/gate.json", cwd=tmp_path)
    assert given == (
        3,
        "",
        "lanebook: gate.json: not written: No such file or directory (GATE-WRITE)\n",
    )


@pytest.mark.parametrize(
    ("place", "why"),
    [
        pytest.param("a.txt", "it is sealed, or the seal file", id="sealed"),
        pytest.param("sql/../a.txt", "it is sealed, or the seal file", id="sealed-by-a-detour"),
        pytest.param("into/one.sql", "it is sealed, or the seal file", id="sealed-through-a-link"),
        pytest.param("gone.txt", "it is sealed, or the seal file", id="sealed-and-gone"),
        pytest.param(SEALS, "it is sealed, or the seal file", id="seals"),
        pytest.param("link", "a symbolic link; it is not followed", id="link"),
        pytest.param("pipe", "no regular file", id="fifo"),
        pytest.param("sql", "no regular file", id="folder"),
        pytest.param("x.json/report", "Not a directory", id="below-a-file"),
    ],
)
@pytest.mark.parametrize("damaged", [False, True])
def test_a_report_takes_the_place_of_nothing_that_is_kept(
    place: str, why: str, damaged: bool, tmp_path: Path
) -> None:
    sealed(tmp_path, {**FILES, "gone.txt": b""})
    (tmp_path / "gone.txt").unlink()
    (tmp_path / "into").symlink_to("sql")
    (tmp_path / "link").symlink_to("report")
    os.mkfifo(tmp_path / "pipe")
    if damaged:
        with (tmp_path / SEALS).open("ab") as seals:
            seals.write(b"by hand\n")
    before = {path: os.lstat(path).st_ino for path in tmp_path.rglob("*")}
    with within(20):
        given = gate(SEALS, "--format", "json", "-o", place, cwd=tmp_path)
    name = place.rpartition("/")[2]
    assert given == (3, "", f"lanebook: {name}: not written: {why} (GATE-WRITE)\n")
    assert {path: os.lstat(path).st_ino for path in tmp_path.rglob("*")} == before


def test_a_report_of_the_selftest_replaces_no_device(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with within(20):
        given = gate("--selftest", "--format", "json", "-o", "pipe", cwd=tmp_path)
    assert given == (3, "", "lanebook: pipe: not written: no regular file (GATE-WRITE)\n")


def test_progress_ends_at_the_number_of_files(tmp_path: Path) -> None:
    files = {f"{at:04}": b"" for at in range(700)}
    lines = listing.read(sums(files), shown=SEALS, name=SEALS).lines
    for jobs in (1, 2):
        told: list[int] = []
        check(tmp_path, listing.narrowed(lines, ()), Settings(jobs, False), progress=told.append)
        assert (sum(told), len(told) > 1) == (700, True)


# --- writing ---


def test_write_makes_what_the_gate_and_sha256sum_accept(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, ".git/config": b"", "sql/.git/config": b""})
    given = gate("--write", SEALS, ".", cwd=tmp_path)
    assert given == (
        0,
        f"added: a.txt\nadded: sql/one.sql\nadded: x.json\n{SEALS}: 3 files, written\n",
        "",
    )
    assert (tmp_path / SEALS).read_bytes() == sums(FILES)
    assert gate(SEALS, cwd=tmp_path).code == 0
    done = subprocess.run(
        ["sha256sum", "-c", SEALS], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0
    assert gate("--write", SEALS, cwd=tmp_path).out == f"{SEALS}: 3 files, unchanged\n"


def test_write_approves_only_what_is_named(tmp_path: Path) -> None:
    sealed(tmp_path)
    (tmp_path / "a.txt").write_bytes(b"edited")
    (tmp_path / "sql" / "two.sql").write_bytes(b"2")
    assert gate("--write", SEALS, "sql", cwd=tmp_path).out == (
        f"added: sql/two.sql\n{SEALS}: 4 files, written\n"
    )
    assert gate(SEALS, "--no-history", cwd=tmp_path).code == 1
    assert gate("--write", SEALS, cwd=tmp_path).out == (
        f"changed: a.txt\n{SEALS}: 4 files, written\n"
    )
    assert gate(SEALS, cwd=tmp_path).code == 0


def test_folders_are_sealed_however_deep_they_are(tmp_path: Path) -> None:
    deep = "a/" * 300
    write(tmp_path, {f"{deep}f": b"1", "a/b/f": b"2"})
    root, before = os.open(tmp_path, os.O_RDONLY), sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 200)
    try:
        assert list(files_below(root, ".")) == [f"{deep}f", "a/b/f"]
    finally:
        sys.setrecursionlimit(before)
        os.close(root)


@pytest.mark.parametrize(
    ("make", "asked", "told"),
    [
        pytest.param(
            lambda folder: (folder / "link").symlink_to("a.txt"),
            ".",
            "link: a symbolic link, not a file (GATE-KIND)",
            id="link",
        ),
        pytest.param(
            lambda folder: os.mkfifo(folder / "fifo"),
            "fifo",
            "fifo: a fifo, not a file (GATE-KIND)",
            id="fifo",
        ),
        pytest.param(lambda folder: None, "none", "none: not there (GATE-MISSING)", id="absent"),
        pytest.param(
            lambda folder: (folder / "A.txt").write_bytes(b""),
            "A.txt",
            "a.txt: not sealed: The name differs from 'A.txt' only by case. (NAME-CASE)",
            id="clash",
        ),
        pytest.param(
            lambda folder: (folder / "a\nb").write_bytes(b""),
            "a\nb",
            "a\\x0ab: not sealed: U+000A at character 2. (NAME-CONTROL)",
            id="name",
        ),
        pytest.param(
            lambda folder: None,
            "../out",
            f"../out: outside the folder of {SEALS}, so it cannot be sealed there (PATH-DOTDOT)",
            id="outside",
        ),
        pytest.param(
            lambda folder: None, SEALS, f"{SEALS}: it cannot seal itself (GATE-SELF)", id="itself"
        ),
        pytest.param(
            lambda folder: (folder / "x.json").unlink(),
            "",
            "x.json: not there (GATE-MISSING)",
            id="listed-and-gone",
        ),
        pytest.param(
            lambda folder: (folder / SEALS).write_bytes(b"by hand\n"),
            "a.txt",
            f"{SEALS}:1: Not a digest, two spaces and a path. (MAN-LINE)",
            id="damaged-seals",
        ),
    ],
)
def test_write_refuses_what_the_gate_would_refuse(
    make: Callable[[Path], None], asked: str, told: str, tmp_path: Path
) -> None:
    sealed(tmp_path)
    make(tmp_path)
    before = (tmp_path / SEALS).read_bytes()
    with within(20):
        given = gate("--write", SEALS, *([asked] if asked else []), cwd=tmp_path)
    assert given == (3, "", f"lanebook: {told}\n")
    assert (tmp_path / SEALS).read_bytes() == before


def test_write_that_fails_leaves_the_seals_that_were_there(tmp_path: Path) -> None:
    sealed(tmp_path)
    before = (tmp_path / SEALS).read_bytes()
    (tmp_path / "a.txt").write_bytes(b"new")
    tmp_path.chmod(0o555)
    try:
        with as_nobody():
            given = gate("--write", SEALS, "-j", "1", cwd=tmp_path)
    finally:
        tmp_path.chmod(0o755)
    assert given == (
        3,
        "",
        f"lanebook: {SEALS}: not written: Permission denied (GATE-WRITE)\n",
    )
    assert (tmp_path / SEALS).read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == [SEALS, "a.txt", "sql", "x.json"]


# --- sealed bytes in git ---


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def repository(folder: Path, files: dict[str, bytes] = FILES) -> Path:
    sealed(folder, files)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "sealed")
    return folder


EDITS = {"a.txt": b"other words\n", "sql/one.sql": b"drop;\n", "x.json": b'{"b": 2}\n'}


def blob(folder: Path, data: bytes) -> str:
    done = subprocess.run(
        ["git", "hash-object", "--stdin"], cwd=folder, input=data, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


def test_sealed_bytes_are_found_in_what_git_kept(tmp_path: Path) -> None:
    repository(tmp_path)
    write(tmp_path, EDITS)
    git(tmp_path, "commit", "-q", "-a", "-m", "edited")
    given = gate(SEALS, "--format", "json", "--diff", cwd=tmp_path)
    assert given.code == 1
    assert [(file["how"], file["blob"], file["code"]) for file in given.object["files"]] == [
        (IN_GIT, blob(tmp_path, FILES[path]), "GATE-EDITED") for path in sorted(FILES)
    ]
    assert given.object["files"][1]["difference"] == {
        "present": '"drop;\\n" and the end',
        "sealed": '"select 1;\\n" and the end',
    }


@pytest.mark.parametrize("how", ["branch", "stash", "index", "amended", "renamed", "loose"])
def test_wherever_git_kept_them(how: str, tmp_path: Path) -> None:
    original = b"sealed words\n"
    files = {"file": original}
    if how == "renamed":
        repository(tmp_path, {"earlier": original})
        git(tmp_path, "mv", "earlier", "file")
    else:
        repository(tmp_path, {"file": b"first\n"})
    (tmp_path / "file").write_bytes(original)
    if how == "branch":
        git(tmp_path, "checkout", "-q", "-b", "side")
        git(tmp_path, "commit", "-q", "-a", "-m", "side")
        git(tmp_path, "checkout", "-q", "main")
    elif how == "stash":
        git(tmp_path, "stash")
    elif how == "index":
        git(tmp_path, "add", "file")
    elif how == "amended":
        git(tmp_path, "commit", "-q", "-a", "-m", "one")
        (tmp_path / "file").write_bytes(b"amended\n")
        git(tmp_path, "commit", "-q", "-a", "--amend", "-m", "two")
    elif how == "loose":
        git(tmp_path, "hash-object", "-w", "file")
    (tmp_path / "file").write_bytes(b"else\n")
    (tmp_path / SEALS).write_bytes(sums(files))
    given = gate(SEALS, "--format", "json", cwd=tmp_path)
    assert [(file["how"], file["blob"]) for file in given.object["files"]] == [
        (IN_GIT, blob(tmp_path, original))
    ]


def test_a_combination_is_told_by_the_bytes_in_git(tmp_path: Path) -> None:
    original = "é – “one”\ntwo - three\n".encode()
    repository(tmp_path, {"f": original})
    drifted = original.decode().replace(" - ", " — ").replace("\n", "\r\n")
    (tmp_path / "f").write_bytes(BOM + unicodedata.normalize("NFD", drifted).encode())
    (file,) = gate(SEALS, "--format", "json", cwd=tmp_path).object["files"]
    assert (file["code"], file["drift"], file["how"]) == (
        "GATE-COMBINED",
        ["BOM", "CRLF", "NFC/NFD", "look-alike characters"],
        IN_GIT,
    )


def test_a_missing_file_is_pointed_at_in_git(tmp_path: Path) -> None:
    repository(tmp_path)
    (tmp_path / "a.txt").unlink()
    assert gate(SEALS, cwd=tmp_path).out.splitlines()[1] == (
        f"    not there; to see them: git cat-file blob {blob(tmp_path, FILES['a.txt'])}"
    )


_PROGRAMS = (
    "core.alternateRefsCommand",
    "core.editor",
    "core.fsmonitor",
    "core.pager",
    "core.sshCommand",
    "diff.bad.command",
    "diff.bad.textconv",
    "filter.bad.clean",
    "filter.bad.process",
    "filter.bad.smudge",
    "gpg.program",
    "uploadpack.packObjectsHook",
)


def test_nothing_that_a_repository_says_is_run_and_nothing_is_written(tmp_path: Path) -> None:
    folder = repository(tmp_path / "repository")
    mark = tmp_path / "ran"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {mark}\n")
    script.chmod(0o755)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-checkout", "pre-commit", "post-index-change", "reference-transaction"):
        (hooks / name).symlink_to(script)
    (folder / ".gitattributes").write_text("* filter=bad diff=bad\n")
    for key in _PROGRAMS:
        git(folder, "config", key, str(script))
    git(folder, "config", "core.hooksPath", str(hooks))
    git(folder, "config", "log.showSignature", "true")
    # a partial clone that lacks an object would fetch it
    git(folder, "config", "remote.origin.url", "ssh://nowhere.invalid/x")
    git(folder, "config", "remote.origin.promisor", "true")
    git(folder, "config", "extensions.partialClone", "origin")
    git(folder, "config", "core.repositoryFormatVersion", "1")
    gone = blob(tmp_path / "repository", FILES["x.json"])
    (folder / ".git" / "objects" / gone[:2] / gone[2:]).unlink()
    write(folder, EDITS)
    mark.unlink(missing_ok=True)
    before = {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}
    given = gate(SEALS, "--format", "json", cwd=folder)
    assert {file["path"]: file["how"] for file in given.object["files"]} == {
        "a.txt": IN_GIT,
        "sql/one.sql": IN_GIT,
        "x.json": NOT_FOUND,
    }
    with pytest.raises(HistoryError):
        list(contents(folder, [gone]))
    assert not mark.exists()
    assert {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))} == before


def test_a_replaced_object_passes_for_nothing(tmp_path: Path) -> None:
    repository(tmp_path)
    other = git(tmp_path, "hash-object", "-w", SEALS)
    git(tmp_path, "replace", blob(tmp_path, FILES["a.txt"]), other)
    write(tmp_path, EDITS)
    given = gate(SEALS, "a.txt", "--format", "json", cwd=tmp_path)
    assert [file["how"] for file in given.object["files"]] == [IN_GIT]


def test_variables_of_a_hook_do_not_lead_to_another_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository(tmp_path / "one")
    repository(tmp_path / "two", {"other": b"x"})
    write(tmp_path / "one", EDITS)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "two" / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "two" / ".git" / "index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "two" / ".git" / "objects"))
    given = gate(SEALS, "--format", "json", cwd=tmp_path / "one")
    assert {file["how"] for file in given.object["files"]} == {IN_GIT}


def test_a_repository_of_somebody_else_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository(tmp_path)
    write(tmp_path, EDITS)
    # what git's own tests use to be another user
    monkeypatch.setattr(
        "generator.reading.git._environment",
        lambda: {"PATH": os.environ["PATH"], "LC_ALL": "C", "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"},
    )
    given = gate(SEALS, cwd=tmp_path)
    assert (given.code, given.err) == (
        1,
        "git history not searched: git refuses the repository, as it belongs to another user;"
        " whoever trusts it says so with 'git config --global --add safe.directory'\n",
    )


def test_without_git_or_a_repository_the_gate_still_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed(tmp_path)
    write(tmp_path, EDITS)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    given = gate(SEALS, cwd=tmp_path)
    assert (given.code, given.err) == (
        1,
        "git history not searched: the seals lie in no git repository\n",
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    given = gate(SEALS, cwd=tmp_path)
    assert (given.code, given.err) == (1, "git history not searched: git cannot be run\n")


def test_the_search_of_a_history_is_bounded(tmp_path: Path) -> None:
    from generator.model.digest import sha256
    from generator.reading.githistory import Budget, search

    repository(tmp_path)
    wanted = {path: sha256(data) for path, data in FILES.items()}
    assert len(search(tmp_path, wanted).names) == 3
    for budget in (Budget(bytes=5), Budget(blobs=0), Budget(blob_bytes=1)):
        assert search(tmp_path, wanted, budget) == ({}, False)
