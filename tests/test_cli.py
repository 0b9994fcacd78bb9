"""The command line: what it prints where, its exit codes, and nothing hostile on a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import generator
from generator import __version__, selftest
from generator.checks_explained import CHECKS
from generator.cli.app import app
from generator.cli.terminal import Output, paint
from generator.errors_explained import ERRORS
from generator.rules.base import Rule
from generator.rules.catalogue import ALL, CODES
from generator.rules.evidence import EVIDENCE_RULES
from generator.rules.over_decisions import DECISION_RULES
from generator.seals.codes import FINDINGS as GATE
from tests.folders import (
    FILES,
    MANIFEST,
    TREE,
    Answer,
    content,
    digest,
    lane,
    listing,
    only,
    packet,
    run,
    tree_of,
    verify,
    write,
)

_LATE: tuple[Rule[Any], ...] = (*EVIDENCE_RULES, *DECISION_RULES)
CONTROLS = len(CODES) - sum(len(rule.codes) for rule in _LATE)
RULES = len(ALL) - len(_LATE)
PROVEN = f"{RULES} rules proven by {CONTROLS} controls"
"""Of a run over lanes without evidence of a known kind and without recorded decisions."""
REPORT = json.dumps({"final_status": "SAMPLE_RUN_READY", "tests_passed": 12})


def environment(**more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(generator.__file__).parents[1]),
        "TERM": "xterm",
        **more,
    }


def module(*arguments: str | Path, cwd: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run ``python -m generator``."""
    return subprocess.run(
        [sys.executable, "-m", "generator", *map(str, arguments)],
        **{
            "cwd": cwd,
            "env": environment(),
            "capture_output": True,
            "encoding": "utf-8",
            "timeout": 60,
            "check": False,
            **more,
        },
    )


# --- verify: the object ---


def test_the_object_of_a_verified_lane_whole(tmp_path: Path) -> None:
    files = {"commands.sh": b"exit 0\n"}
    stated = json.dumps({"final_status": "SAMPLE_RUN_READY", "evidence_packet": {"file_count": 7}})
    lane(
        tmp_path,
        files=files,
        yml='date: "2026-06-12"\ntitle: A sample\n',
        documents={"report.json": stated},
    )
    given = verify(tmp_path)
    hashed, tree = digest(files["commands.sh"]), digest(listing(files))
    seal = f"evidence/{MANIFEST}"

    def claim(
        id: str,
        stated: str,
        recomputed: str | None,
        agreement: str,
        level: str,
        where: str,
        against: str,
    ) -> dict[str, Any]:
        return {
            "id": id,
            "stated": stated,
            "recomputed": recomputed,
            "agreement": agreement,
            "level": level,
            "where": where,
            "against": against,
        }

    assert (given.code, given.err) == (1, "")
    assert given.object == {
        "schema": "lanebook/verify/1",
        "lanebook": __version__,
        "lanes": [
            {
                "id": "sample",
                "folder": "packets/sample",
                "title": "A sample",
                "date": "2026-06-12",
                "previous": "",
                "linked_by": "",
                "link": {"kind": "", "previous": "", "how": ""},
                "record": given.object["lanes"][0]["record"],
                "stated_status": "SAMPLE_RUN_READY",
                "stated_outcome": "unknown",
                "outcome": "fail",
                "integrity": "consistent",
                "tree": tree,
                "tree_profile": "manifest-sha256",
                "cited_by": [],
                "findings": [
                    {
                        "code": "DOC-COUNT",
                        "severity": "refuted",
                        "where": "report.json#/evidence_packet/file_count",
                        "stated": "7",
                        "computed": "1 listed, 1 present",
                        "message": "The document states 7 files; the manifest lists 1.",
                    }
                ],
                "claims": [
                    claim(
                        f"{seal}#commands.sh",
                        hashed,
                        hashed,
                        "agrees",
                        "recomputed",
                        seal,
                        "evidence/commands.sh",
                    ),
                    claim(
                        f"evidence/{TREE}",
                        tree,
                        tree,
                        "agrees",
                        "recomputed",
                        f"evidence/{TREE}",
                        seal,
                    ),
                    claim(
                        "report.json#/final_status",
                        "SAMPLE_RUN_READY",
                        None,
                        "not compared",
                        "claimed only",
                        "report.json#/final_status",
                        "",
                    ),
                    claim(
                        "report.json#/evidence_packet/file_count",
                        "7",
                        "1 listed, 1 present",
                        "differs",
                        "recomputed",
                        "report.json#/evidence_packet/file_count",
                        seal,
                    ),
                ],
                "files": [
                    {
                        "path": "commands.sh",
                        "state": "match",
                        "sha256": hashed,
                        "listed": hashed,
                        "size": 7,
                        "drift": "",
                        "held_by": "",
                    }
                ],
                "errors": [],
            }
        ],
        "decisions": [],
        "unread": [],
        "unreadable": [],
        "summary": {
            "exit_code": 1,
            "lanes": 1,
            "verified": 0,
            "refuted": 1,
            "no_verdict": 0,
            "findings": 1,
            "notes": 0,
            "claims": {"recomputed": 2, "cross_checked": 0, "claimed_only": 1, "refuted": 1},
            "decisions": {"current": 0, "stale": 0, "superseded": 0, "refused": 0},
            "rules": RULES,
            "controls": CONTROLS,
            "rule_base": selftest.rule_base_digest(),
        },
    }
    assert given.out.isascii()


# --- verify: paths and exit codes ---


def root_of_one(root: Path) -> Path:
    lane(root)
    return root


def refuted(root: Path) -> Path:
    (lane(root) / "evidence" / "commands.sh").write_bytes(b"exit 1\n")
    return root


def documents(root: Path) -> Path:
    write(
        root / "packets" / "sample", {"lane.yml": b"id: sample\n", "report.json": REPORT.encode()}
    )
    return root


def beside(*makers: Callable[[Path], Path]) -> Callable[[Path], Path]:
    """Return a maker of a root that holds the lanes of all, each under a name of its own."""

    def make(root: Path) -> Path:
        for number, maker in enumerate(makers):
            held = maker(root / f"{number}") / "packets" / "sample"
            target = root / "all" / "packets" / f"lane-{number}"
            target.parent.mkdir(parents=True, exist_ok=True)
            held.rename(target)
            (target / "lane.yml").write_text(f"id: lane-{number}\n", "utf-8")
        return root / "all"

    return make


@pytest.mark.parametrize(
    ("make", "code", "strict"),
    [
        pytest.param(root_of_one, 0, 0, id="root"),
        pytest.param(lambda root: root_of_one(root) / "packets", 0, 0, id="packets-folder"),
        pytest.param(lambda root: lane(root), 0, 0, id="lane"),
        pytest.param(lambda root: lane(root, yml=None), 0, 0, id="lane-without-lane-file"),
        pytest.param(lambda root: packet(root / "packet"), 0, 0, id="bare-packet"),
        pytest.param(lambda root: lane(root) / "evidence", 0, 0, id="evidence-folder"),
        pytest.param(refuted, 1, 1, id="refuted"),
        pytest.param(documents, 3, 1, id="documents-only"),
        pytest.param(
            lambda root: documents(root) / "packets" / "sample" / "report.json",
            3,
            1,
            id="one-document",
        ),
        pytest.param(beside(root_of_one, documents), 3, 1, id="verified-beside-documents"),
        pytest.param(beside(refuted, documents), 1, 1, id="refuted-beside-documents"),
        pytest.param(beside(root_of_one, root_of_one), 0, 0, id="two-verified"),
        pytest.param(lambda root: write(root / "packets" / "x", {}).parent, 3, 3, id="empty-lane"),
        pytest.param(lambda root: write(root / "packets", {}), 3, 3, id="no-lane"),
        pytest.param(lambda root: write(root / "empty", {}), 3, 3, id="empty-folder"),
        pytest.param(lambda root: root / "nowhere", 3, 3, id="no-such-path"),
        pytest.param(lambda root: write(root, {"x.bin": b"x"}) / "x.bin", 3, 3, id="no-document"),
    ],
)
def test_exit_codes(make: Callable[[Path], Path], code: int, strict: int, tmp_path: Path) -> None:
    path = make(tmp_path)
    assert [run("verify", path).code, run("verify", path, "--strict").code] == [code, strict]
    given = run("verify", path)
    # a result or a reason, each in its own stream
    assert (given.code, bool(given.out), bool(given.err)) == (code, not given.err, not given.out)
    # for a program always an object, which also says what could not be opened
    asked = verify(path)
    unreadable = [{"path": str(path), "message": given.err.removeprefix("lanebook: ").strip()}]
    assert (asked.code, asked.object["summary"]["exit_code"]) == (code, code)
    # a root without a lane was opened, and is empty
    opened = not given.err or given.err.endswith("packets/ holds no lane\n")
    assert asked.object["unreadable"] == ([] if opened else unreadable)


@pytest.mark.parametrize("inner", [".", "packets", "packets/sample", "packets/sample/evidence"])
def test_without_a_path_the_root_around_here_is_verified(inner: str, tmp_path: Path) -> None:
    lane(tmp_path)
    given = run("verify", cwd=tmp_path / inner)
    assert given == run("verify", tmp_path)
    assert given.code == 0


def test_without_a_path_and_a_root_there_is_no_verdict(tmp_path: Path) -> None:
    assert run("verify", cwd=tmp_path) == Answer(
        3,
        "",
        "lanebook: no packets/ folder here or in any folder above;"
        " 'lanebook init' makes a new site root\n",
    )


def test_several_paths_are_one_answer(tmp_path: Path) -> None:
    lane(tmp_path / "one", "first")
    bare = packet(tmp_path / "bare", {"x": b"x"})
    lane(tmp_path / "two", "second")
    (tmp_path / "two" / "packets" / "second" / "evidence" / "commands.sh").unlink()
    given = verify(tmp_path / "one", bare, tmp_path / "two")
    assert [(found["id"], found["outcome"]) for found in given.object["lanes"]] == [
        ("first", "pass"),
        ("bare", "pass"),
        ("second", "fail"),
    ]
    assert (given.code, verify(tmp_path / "one", tmp_path / "nowhere").code) == (1, 3)


def test_the_table(tmp_path: Path) -> None:
    lane(tmp_path, "a-sound", documents={"report.json": REPORT})
    held = lane(tmp_path, "b-refuted", {"x": b"x", "y": b"y"}, yml="colour: blue\n")
    (held / "evidence" / "x").write_bytes(b"x\n")
    documents(tmp_path / "other")
    os.rename(tmp_path / "other" / "packets" / "sample", tmp_path / "packets" / "c-claims")
    (tmp_path / "packets" / "c-claims" / "lane.yml").unlink()
    assert run("verify", tmp_path) == Answer(
        1,
        "a-sound    ● consistent       3 files    0 refuted     4 recomputed"
        "    0 cross-checked     2 claimed only\n"
        "b-refuted  ▲ refuted          2 files    1 refuted     2 recomputed"
        "    0 cross-checked     0 claimed only\n"
        "  ▲ FILE-DIFFERS  evidence/x\n"
        "      The file's bytes give another digest than the manifest lists."
        " Drift: final newline (a transformation of the present bytes gives the sealed digest).\n"
        f"      stated {digest(b'x')}, found {digest(b'x' + chr(10).encode())}\n"
        "  · 1 note  1 LANE-KEY; first: lane.yml\n"
        "c-claims   ○ claims only      0 files    0 refuted     0 recomputed"
        "    0 cross-checked     2 claimed only\n"
        f"3 lanes: 1 verified, 1 refuted, 1 claims only; 1 finding; {PROVEN}\n",
        "",
    )


def test_many_findings_are_counted_in_the_table_and_whole_in_the_object(tmp_path: Path) -> None:
    lane(tmp_path, files={f"{number:02}.json": b"{" for number in range(30)})
    lines = run("verify", tmp_path).out.splitlines()
    assert sum(line.startswith("  ▲ JSON-TRUNCATED") for line in lines) == 20
    assert lines[-2] == "  … and 10 more; --format json names all"
    assert len(only(verify(tmp_path))["findings"]) == 30


def test_strict_says_why(tmp_path: Path) -> None:
    lane(tmp_path, documents={"report.json": REPORT})
    given = run("verify", tmp_path, "--strict")
    assert (given.code, given.err) == (
        1,
        "--strict: claims that nothing can confirm count as findings\n",
    )
    assert run("-q", "verify", tmp_path, "--strict").err == ""


# --- wrong usage ---


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        pytest.param(
            ["nope"], "No such command 'nope'. ('lanebook --help' shows how)", id="command"
        ),
        pytest.param(
            ["verify", "--nope"],
            "No such option '--nope'. ('lanebook verify --help' shows how)",
            id="option",
        ),
        pytest.param(
            ["verify", "--format", "xml"],
            "Invalid value for '--format': 'xml' is not one of 'text', 'json', 'junit',"
            " 'sarif'. ('lanebook verify --help' shows how)",
            id="choice",
        ),
        pytest.param(
            ["verify", "-j", "-1"],
            "Invalid value for '-j' / '--jobs': -1 is not in the range 0<=x<=256."
            " ('lanebook verify --help' shows how)",
            id="range",
        ),
        pytest.param(
            ["seal"], "Missing argument 'PACKET'. ('lanebook seal --help' shows how)", id="seal"
        ),
        pytest.param(
            ["import"],
            "Missing argument 'DOCUMENTS...'. ('lanebook import --help' shows how)",
            id="import",
        ),
        pytest.param(
            ["explain", "FILE-DIFFER"],
            "no such code: FILE-DIFFER; did you mean FILE-DIFFERS, SITE-DIFFERS, PIN-DIFFERS?",
            id="near-code",
        ),
        pytest.param(
            ["explain", "\x1b[2Jqqq"],
            "no such code: \\x1b[2Jqqq; 'lanebook explain' lists all",
            id="far-code",
        ),
        pytest.param(
            ["a\x1b]0;x\x07b"],
            "No such command 'a\\x1b]0;x\\x07b'. ('lanebook --help' shows how)",
            id="hostile",
        ),
    ],
)
def test_wrong_usage_is_one_line(arguments: list[str], problem: str) -> None:
    given = run(*arguments)
    assert (given.code, given.out, given.err.count("\n")) == (2, "", 1)
    # click 8.1 and 8.2 put the name of an option in different quotes
    assert given.err.replace(": --nope", " '--nope'") == f"lanebook: {problem}\n".replace(
        ": --nope", " '--nope'"
    )


def test_without_a_command_the_help_is_shown() -> None:
    given = run()
    assert "\\x0a" not in given.out + given.err
    assert (given.code, given.out, given.err) == (2, run("--help").out, "")


COMMANDS = sorted(app.commands)


@pytest.mark.parametrize("command", ["", *COMMANDS], ids=["lanebook", *COMMANDS])
def test_every_help_has_an_example_that_names_the_command(command: str) -> None:
    given = run(*([command] if command else []), "--help")
    assert (given.code, given.err) == (0, "")
    assert re.search(rf"(?m)^  Examples:\n +lanebook {command}\b", given.out)
    assert given.out == run(*([command] if command else []), "-h").out
    if not command:
        assert [name for name in COMMANDS if f"  {name} " in given.out] == COMMANDS
        assert re.search(r"Exit codes: 0 verified; 1 .*; 2 .*;\s+3 ", given.out)


def test_version() -> None:
    assert run("--version") == Answer(0, f"lanebook {__version__}\n", "")


# --- terminals and colours ---


def on_terminal(*arguments: str | Path, cwd: Path, **more: str) -> str:
    """Return what a terminal receives on both streams."""
    master, slave = pty.openpty()
    received: list[bytes] = []

    def read() -> None:
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:
                return
            if not data:
                return
            received.append(data)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        done = module(
            *arguments,
            cwd=cwd,
            stdout=slave,
            stderr=slave,
            capture_output=False,
            env=environment(**more),
            stdin=subprocess.DEVNULL,
        )
    finally:
        os.close(slave)
        reader.join(20)
        os.close(master)
    assert done.returncode in (0, 1, 2, 3)
    return b"".join(received).decode()


OWN = re.compile(r"\x1b\[(?:0|1|22|31|32|34|90)m|\r\x1b\[K")
HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31m\r\n● all verified\u202e"


def shown(text: str) -> str:
    """Return what is left of a terminal's text without the project's own colours and bar."""
    return OWN.sub("", text).replace("\r\n", "\n")


def assert_harmless(text: str) -> None:
    left = shown(text)
    assert (
        re.findall(
            r"[^\n\x20-\x7e\xa0-\u200a\u2010-\u2027\u2030-\ufefe\U00010000-\U0010ffff]", left
        )
        == []
    )
    assert [line for line in left.splitlines() if line.startswith("● all")] == []


def hostile_file(root: Path) -> None:
    lane(root, files={**FILES, f"a{HOSTILE}b": b"x", f"c{HOSTILE}d.json": b"{"})


def hostile_lane(root: Path) -> None:
    lane(root, f"lane{HOSTILE}")


def hostile_extra(root: Path) -> None:
    write(
        lane(root), {f"evidence/a{HOSTILE}": b"x", f"{HOSTILE}.log": b"x", f"{HOSTILE}.md": b"\xff"}
    )


def hostile_link(root: Path) -> None:
    os.symlink("/nowhere", lane(root) / "evidence" / f"a{HOSTILE}")
    os.symlink("/nowhere", root / "packets" / f"a{HOSTILE}")


def hostile_lane_file(root: Path) -> None:
    said = json.dumps(HOSTILE)
    lane(
        root,
        yml=f"title: {said}\nwho: {said}\ndate: {said}\nprevious: {said}\n{said}: {said}\n"
        f"pins:\n  {said}: {said}\n",
    )


def hostile_manifest(root: Path) -> None:
    lines = listing(FILES) + f"{HOSTILE}\n{'0' * 64}  {HOSTILE}\n".encode()
    held = lane(root, manifest=lines)
    (held / "evidence" / TREE).write_bytes(HOSTILE.encode())


def hostile_status(root: Path) -> None:
    lane(
        root,
        documents={
            "report.json": json.dumps(
                {"final_status": f"A_B_READY{HOSTILE}", HOSTILE: HOSTILE, "date": HOSTILE}
            ),
            "checkpoint.json": json.dumps({"final_status": "B_C_READY"}),
            "notes.json": '{"' + "a" * 10 + '": 1, "' + "a" * 10 + '": 2}',
        },
    )


def hostile_profile(root: Path) -> None:
    lane(root, yml=f"tree_profile: {json.dumps(HOSTILE)}\n")


def hostile_tree_claim(root: Path) -> None:
    lane(root, documents={"report.json": json.dumps({"packet_tree_sha256": HOSTILE})})


def hostile_key(root: Path) -> None:
    stated = {HOSTILE: "A" * 64, "evidence_packet": {"file_count": 9}}
    lane(root, documents={"report.json": json.dumps(stated)})


def hostile_document_name(root: Path) -> None:
    lane(root, documents={f"a{HOSTILE}.md": "# Report\n"})
    (root / "lanebook.yml").write_text("limits: {document_bytes: 4}\n", "utf-8")


def hostile_setting(root: Path) -> None:
    lane(root)
    (root / "lanebook.yml").write_text(f"limits: {{{json.dumps(HOSTILE)}: 4}}\n", "utf-8")


@pytest.mark.parametrize("color", ["always", "never"])
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(hostile_file, id="file"),
        pytest.param(hostile_lane, id="lane"),
        pytest.param(hostile_extra, id="not-listed"),
        pytest.param(hostile_link, id="link"),
        pytest.param(hostile_lane_file, id="lane-file"),
        pytest.param(hostile_manifest, id="manifest"),
        pytest.param(hostile_status, id="status"),
        pytest.param(
            hostile_profile,
            id="tree-profile",
        ),
        pytest.param(
            hostile_tree_claim,
            id="tree-claim",
        ),
        pytest.param(
            hostile_key,
            id="key",
        ),
        pytest.param(
            hostile_document_name,
            id="document-name",
        ),
        pytest.param(
            hostile_setting,
            id="setting",
        ),
    ],
)
def test_what_a_packet_says_is_text_and_never_a_command(
    make: Callable[[Path], None], color: str, tmp_path: Path
) -> None:
    make(tmp_path)
    given = run("--color", color, "verify", tmp_path)
    assert given.code in (1, 3)
    assert_harmless(given.out)
    assert_harmless(given.err)


def test_a_terminal_gets_colours_and_no_escape_of_a_packet(tmp_path: Path) -> None:
    hostile_file(tmp_path)
    hostile_lane(tmp_path)
    text = on_terminal("verify", tmp_path, cwd=tmp_path)
    assert "\x1b[31m" in text
    assert_harmless(text)
    assert "verifying lanes" not in OWN.sub("\n", text).splitlines()[-1]


def test_a_hostile_path_on_the_command_line_is_told_harmlessly(tmp_path: Path) -> None:
    for command in ("verify", "seal", "import"):
        given = run(command, tmp_path / HOSTILE.replace("/", ""))
        assert (given.code, given.out) == (3, "")
        assert_harmless(given.err)


def test_a_hostile_name_given_to_import_is_told_harmlessly(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / f"a{HOSTILE}.md")
    given = run("import", tmp_path / f"a{HOSTILE}.md", cwd=tmp_path)
    assert given.code == 3
    assert_harmless(given.err)


@pytest.mark.parametrize(
    ("options", "more", "coloured"),
    [
        pytest.param([], {}, True, id="terminal"),
        pytest.param([], {"NO_COLOR": "1"}, False, id="no-color"),
        pytest.param([], {"NO_COLOR": ""}, True, id="empty-no-color"),
        pytest.param([], {"TERM": "dumb"}, False, id="dumb"),
        pytest.param(["--color", "never"], {}, False, id="never"),
        pytest.param(["--color", "always"], {"NO_COLOR": "1"}, True, id="always-before-no-color"),
    ],
)
def test_colours_on_a_terminal(
    options: list[str], more: dict[str, str], coloured: bool, tmp_path: Path
) -> None:
    lane(tmp_path)
    text = on_terminal(*options, "verify", tmp_path, cwd=tmp_path, **more)
    assert (re.search(r"\x1b\[\d+m", text) is not None) == coloured
    assert shown(text).endswith(run("verify", tmp_path).out)


@pytest.mark.parametrize(
    ("options", "more", "coloured"),
    [
        pytest.param([], {}, False, id="no-terminal"),
        pytest.param([], {"FORCE_COLOR": "1"}, True, id="force-color"),
        pytest.param(["--color", "always"], {}, True, id="always"),
        pytest.param(["--color", "never"], {"FORCE_COLOR": "1"}, False, id="never"),
    ],
)
def test_colours_in_a_pipe(
    options: list[str], more: dict[str, str], coloured: bool, tmp_path: Path
) -> None:
    lane(tmp_path)
    done = module(*options, "verify", tmp_path, cwd=tmp_path, env=environment(**more))
    assert ("\x1b[" in done.stdout, done.stderr) == (coloured, "")


def test_what_the_stream_cannot_show_is_escaped(tmp_path: Path) -> None:
    lane(tmp_path)
    done = module("verify", tmp_path, cwd=tmp_path, env=environment(PYTHONIOENCODING="ascii"))
    assert (done.returncode, done.stderr, "\\u25cf consistent" in done.stdout) == (0, "", True)


def test_a_hostile_line_is_shown_even_where_somebody_forgot(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = Output("always", False)
    output.result(paint("▲", "▲") + " a\x1b[2Jb\nc\u202ed\x1b]0;x\x07")
    output.message("a\x1b[31m\nb")
    output.error("a\x1b[31m\nb")
    assert capsys.readouterr() == (
        "\x1b[31m\x1b[1m▲\x1b[0m a\\x1b[2Jb\\x0ac\\u202ed\\x1b]0;x\\x07\n",
        "a\\x1b[31m\\x0ab\n\x1b[31mlanebook: \x1b[0ma\\x1b[31m\\x0ab\n",
    )


# --- several paths ---


@pytest.mark.parametrize(
    ("damage", "code"), [(False, 3), (True, 1)], ids=["the-other-good", "the-other-refuted"]
)
def test_a_path_that_cannot_be_opened_hides_no_other(
    damage: bool, code: int, tmp_path: Path
) -> None:
    held = packet(tmp_path / "held")
    if damage:
        (held / "commands.sh").write_bytes(b"other")
    given = verify(tmp_path / "nowhere", held)
    assert (given.code, given.err) == (
        code,
        f"lanebook: {tmp_path / 'nowhere'}: no such file or folder\n",
    )
    assert (only(given)["id"], given.object["summary"]["exit_code"]) == ("held", code)


def test_a_lane_that_is_named_in_several_ways_is_told_once(tmp_path: Path) -> None:
    one = lane(tmp_path, "one")
    two = lane(tmp_path, "two")

    def told(*paths: Path) -> list[str]:
        return [found["id"] for found in verify(*paths).object["lanes"]]

    assert told(tmp_path, tmp_path / "packets", one) == ["one", "two"]
    assert told(one, one / "evidence") == ["one"]
    assert told(two, one) == ["one", "two"]


def test_a_bug_keeps_its_traceback_and_refutes_nothing(tmp_path: Path) -> None:
    program = (
        "import sys, generator.cli.app as app, generator.__main__ as main\n"
        "def call(arguments): raise RuntimeError('a' + chr(27) + '[2J')\n"
        "app.call = call\n"
        "main.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.splitlines()[-1]) == (
        3,
        "",
        "RuntimeError: a\\x1b[2J",
    )


# --- streams that go away ---


def test_a_reader_that_has_gone_is_no_traceback(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = module(
            "explain", cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE, capture_output=False
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (3, "")


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w") as full:
        done = module(
            "explain", cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, capture_output=False
        )
    assert (done.returncode, done.stderr) == (3, "lanebook: No space left on device\n")


def test_a_closed_standard_output_is_no_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" -m generator explain >&-', sys.executable],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (3, False)


# --- explain and completion ---


def test_explain_tells_one_code() -> None:
    told = (
        "FILE-MISSING\n"
        "  A listed file is not in the packet.\n"
        "  Why it matters: Evidence that was sealed cannot be looked at.\n"
        "  What to do:     Put the file back; if another packet holds it, pin its digest\n"
        "                  in lane.yml.\n"
        "  Rule:           listed-files; protects against evidence that was changed,\n"
        "                  removed or added after sealing\n"
    )
    assert [run("explain", name) for name in ("FILE-MISSING", "file-missing")] == [
        Answer(0, told, "")
    ] * 2


def test_explain_gives_one_code_as_an_object() -> None:
    text = CODES["FILE-MISSING"]
    assert run("explain", "FILE-MISSING", "--format", "json").object == {
        "schema": "lanebook/code/1",
        "code": "FILE-MISSING",
        "rule": "listed-files",
        "protects": "against evidence that was changed, removed or added after sealing",
        "meaning": text.meaning,
        "why": text.why,
        "todo": text.todo,
    }


def test_explain_lists_all_codes() -> None:
    lines = run("explain").out.splitlines()
    assert [line.split("  ")[0] for line in lines] == [*CODES, *GATE, *ERRORS, *CHECKS]
    assert [line.partition("  ")[2].strip() for line in lines] == [
        *(text.meaning for text in (CODES | GATE).values()),
        *(f"Error: {text.meaning}" for text in ERRORS.values()),
        *(f"Check: {text.meaning}" for text in CHECKS.values()),
    ]
    listed = run("explain", "--format", "json").object
    assert (listed["schema"], [one["code"] for one in listed["codes"]]) == (
        "lanebook/codes/1",
        [*CODES, *GATE],
    )
    assert {tuple(one) for one in listed["codes"]} == {("code", "rule", "meaning", "why", "todo")}
    assert listed["errors"] == [{"code": name, **text._asdict()} for name, text in ERRORS.items()]
    assert listed["checks"] == [{"code": name, **text._asdict()} for name, text in CHECKS.items()]


@pytest.mark.parametrize("code", [*ERRORS, *CHECKS])
def test_every_code_that_is_printed_is_explained(code: str) -> None:
    assert sum(code in codes for codes in (CODES, GATE, ERRORS, CHECKS)) == 1
    kind = (
        "an error that ends a command; not a finding"
        if code in ERRORS
        else "a row of 'verify --format junit' and 'sarif'; not a finding"
    )
    given = run("explain", code)
    assert (given.code, given.out.splitlines()[-1]) == (0, f"  Kind:           {kind}")


def test_every_code_in_the_source_is_known() -> None:
    source = Path(generator.__file__).parent
    used = {
        code
        for path in source.rglob("*.py")
        for code in re.findall(r'\bcode="([A-Z0-9-]+)"', path.read_text("utf-8"))
    }
    # the code of an error whose writer gave none
    assert used - {"INPUT"} <= {*CODES, *GATE, *ERRORS}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str, tmp_path: Path) -> None:
    done = module("completion", shell, cwd=tmp_path)
    assert (
        done.returncode,
        done.stderr,
        f"_LANEBOOK_COMPLETE={shell}_complete" in done.stdout,
    ) == (0, "", True)
    if shell == "bash":
        checked = subprocess.run(
            ["bash", "-n"], input=done.stdout.encode(), capture_output=True, check=False
        )
        assert (checked.returncode, checked.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        pytest.param("lanebook ver", ["verify", "verify-site"], id="command"),
        pytest.param("lanebook verify --f", ["--format"], id="option"),
        pytest.param("lanebook verify --format j", ["json", "junit"], id="choice"),
        pytest.param("lanebook completion ", ["bash", "zsh", "fish"], id="shells"),
    ],
)
def test_completion_answers(words: str, found: list[str], tmp_path: Path) -> None:
    more = environment(
        _LANEBOOK_COMPLETE="bash_complete",
        COMP_WORDS=words,
        COMP_CWORD=str(len(words.split(" ")) - 1),
    )
    done = module(cwd=tmp_path, env=more)
    assert ([line.partition(",")[2] for line in done.stdout.split()], done.stderr) == (found, "")


# --- init ---


def starting_root() -> set[str]:
    folder = Path(__file__).parents[1] / "templates" / "root"
    return set(content(folder))


@pytest.mark.parametrize(
    ("name", "cwd"),
    [
        pytest.param("new", ".", id="new"),
        pytest.param("a/b/c", ".", id="nested"),
        pytest.param("empty", ".", id="empty"),
        pytest.param(None, "empty", id="here"),
        pytest.param(".", "empty", id="dot"),
    ],
)
def test_init_makes_a_root_that_is_verified(name: str | None, cwd: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    given = run("init", *([name] if name else []), cwd=tmp_path / cwd)
    made = tmp_path / cwd / (name or ".")
    files = starting_root()
    assert given == Answer(0, f"{len(files)} files written; next: lanebook build\n", "")
    assert set(content(made)) == files
    assert run("verify", cwd=made).code == 0
    assert [path.name for path in tmp_path.rglob("*.new")] == []


@pytest.mark.parametrize("inside", ["a file", ".hidden"])
def test_init_leaves_a_folder_that_is_not_empty_alone(inside: str, tmp_path: Path) -> None:
    write(tmp_path / "held", {inside: b"mine"})
    assert run("init", "held", cwd=tmp_path) == Answer(
        2, "", "lanebook: held is not empty; 'lanebook init NAME' makes a new folder\n"
    )
    assert run("init", cwd=tmp_path / "held") == Answer(
        2, "", "lanebook: this folder is not empty; 'lanebook init NAME' makes a new folder\n"
    )
    assert content(tmp_path) == {f"held/{inside}": b"mine"}


def test_init_removes_nothing_that_it_did_not_make(tmp_path: Path) -> None:
    write(tmp_path / ".foo.new", {"mine": b"mine"})
    assert run("init", tmp_path / "foo").code == 0
    assert content(tmp_path / ".foo.new") == {"mine": b"mine"}
    assert sorted(os.listdir(tmp_path)) == [".foo.new", "foo"]


@pytest.mark.parametrize("at", ["file", "file/below", "dangling"])
def test_init_where_nothing_can_be_made(at: str, tmp_path: Path) -> None:
    write(tmp_path, {"file": b"mine"})
    os.symlink("nowhere", tmp_path / "dangling")
    given = run("init", at, cwd=tmp_path)
    assert (given.code, given.out, content(tmp_path)) in [
        (2, "", {"file": b"mine"}),
        (3, "", {"file": b"mine"}),
    ]
    assert given.err.count("\n") == 1


# --- seal ---


def unsealed(root: Path, files: dict[str, bytes] | None = None, yml: str = "") -> Path:
    held = lane(root, files=FILES if files is None else files, yml=yml)
    (held / "evidence" / MANIFEST).unlink()
    (held / "evidence" / TREE).unlink()
    return held


SEALED = {
    f"evidence/{path}": data
    for path, data in {**FILES, MANIFEST: listing(FILES), TREE: tree_of(listing(FILES))}.items()
}
TREE_HASH = digest(listing(FILES))


@pytest.mark.parametrize("inner", [".", "evidence"], ids=["lane", "evidence"])
def test_what_is_sealed_is_verified(inner: str, tmp_path: Path) -> None:
    held = unsealed(tmp_path)
    assert run("seal", held / inner) == Answer(0, f"{TREE_HASH}  3 files\n", "")
    assert content(held) == {"lane.yml": b"id: sample\n", **SEALED}
    assert verify(tmp_path).code == 0
    before = (held / "evidence" / MANIFEST).stat()
    assert run("seal", held / inner) == Answer(0, f"{TREE_HASH}  3 files, as before\n", "")
    after = (held / "evidence" / MANIFEST).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_bare_packet_is_sealed_too(tmp_path: Path) -> None:
    assert run("seal", write(tmp_path / "packet", FILES)) == Answer(
        0, f"{TREE_HASH}  3 files\n", ""
    )
    assert verify(tmp_path / "packet").code == 0
    assert sorted(os.listdir(tmp_path)) == ["packet"]


def test_another_seal_is_replaced_only_when_asked(tmp_path: Path) -> None:
    held = lane(tmp_path)
    (held / "evidence" / "commands.sh").write_bytes(b"exit 1\n")
    before = content(held)
    given = run("seal", held)
    assert (given.code, given.out, content(held)) == (3, "", before)
    assert given.err == (
        "lanebook: evidence: sealed already, and the files are not as they were then;"
        " 'lanebook verify' says what differs, --again seals them as they are now\n"
    )
    tree = digest(listing({**FILES, "commands.sh": b"exit 1\n"}))
    assert run("seal", held, "--again") == Answer(0, f"{tree}  3 files\n", "")
    assert verify(tmp_path).code == 0


def with_link(held: Path) -> None:
    os.symlink("commands.sh", held / "evidence" / "link")


def with_fifo(held: Path) -> None:
    os.mkfifo(held / "evidence" / "pipe")


def holding(path: str, data: bytes = b"x") -> Callable[[Path], None]:
    def damage(held: Path) -> None:
        (held / "evidence" / path).write_bytes(data)

    return damage


def with_linked_manifest(held: Path) -> None:
    (held / "target").write_bytes(b"mine")
    os.symlink("../target", held / "evidence" / MANIFEST)


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        pytest.param(with_link, "KIND-SYMLINK", id="link"),
        pytest.param(with_fifo, "KIND-FIFO", id="fifo"),
        pytest.param(with_linked_manifest, "KIND-SYMLINK", id="linked-manifest"),
        pytest.param(holding("-"), "NAME-DASH", id="dash"),
        pytest.param(holding("Commands.sh"), "NAME-CASE", id="case"),
        pytest.param(holding("a\nb"), "NAME-CONTROL", id="line-feed"),
        pytest.param(holding("a\\b"), "PATH-BACKSLASH", id="backslash"),
        pytest.param(holding("hash_manifest.txt"), "NAME-CASE", id="like-a-seal"),
        pytest.param(holding("bad.json", b"{"), "JSON-TRUNCATED", id="json"),
    ],
)
def test_what_verify_would_refuse_is_not_sealed(
    damage: Callable[[Path], None], code: str, tmp_path: Path
) -> None:
    held = unsealed(tmp_path)
    damage(held)
    before = content(held)
    given = run("seal", held)
    assert (given.code, given.out.split("\n")[0].split("  ")[0]) == (1, f"▲ {code}")
    assert re.fullmatch(r"lanebook: not sealed: \d findings?; nothing was written\n", given.err)
    assert (content(held), os.path.lexists(held / "evidence" / TREE)) == (before, False)


@pytest.mark.parametrize(
    ("yml", "settings"),
    [
        pytest.param(
            f"pins:\n  commands.sh: {digest(b'approved')}\n",
            "",
            id="pin-differs",
        ),
        pytest.param(
            f"pins:\n  gone.sh: {digest(b'approved')}\n",
            "",
            id="held-nowhere",
        ),
        pytest.param(
            "tree_profile: sha1sum\n",
            "",
            id="profile",
        ),
        pytest.param(
            "",
            "limits: {files: 1}\n",
            id="limits",
        ),
        pytest.param("title: [\n", "", id="lane-file"),
        pytest.param("date: 12 June\n", "", id="date"),
    ],
)
def test_what_is_around_the_packet_counts_when_it_is_sealed(
    yml: str, settings: str, tmp_path: Path
) -> None:
    held = unsealed(tmp_path, yml=yml)
    if settings:
        (tmp_path / "lanebook.yml").write_text(settings, "utf-8")
    before = content(held)
    assert run("seal", held).code != 0
    assert content(held) == before


def test_a_lane_whose_tree_is_pinned_is_sealed_as_pinned_only(tmp_path: Path) -> None:
    held = unsealed(tmp_path)
    pins = tmp_path / "pins.yml"
    pins.write_text(f"lanes:\n  sample: {digest(b'')}\n", "utf-8")
    given = run("seal", held)
    assert (given.code, given.out.splitlines()[0]) == (1, "▲ PIN-TREE  pins.yml")
    pins.write_text(f"lanes:\n  sample: {TREE_HASH}\n", "utf-8")
    assert run("seal", held).code == 0
    assert verify(tmp_path).code == 0


def test_a_packet_that_is_refuted_holds_nothing_for_others(tmp_path: Path) -> None:
    shared = FILES["states/before.sql"]
    other = lane(tmp_path, "holder", {"before.sql": shared})
    (other / "evidence" / "more").write_bytes(b"x")
    kept = {path: data for path, data in FILES.items() if data != shared}
    held = unsealed(tmp_path, kept, f"pins:\n  states/before.sql: {digest(shared)}\n")
    given = run("seal", held)
    assert (given.code, given.out.splitlines()[0]) == (
        1,
        "▲ PIN-HELD  evidence/states/before.sql",
    )


def test_a_disk_that_fills_up_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = unsealed(tmp_path)
    before = content(tmp_path)
    fdopen = os.fdopen

    def full(descriptor: int, *arguments: Any, **more: Any) -> Any:
        if arguments == ("wb",):
            os.close(descriptor)
            raise OSError(28, "full")
        return fdopen(descriptor, *arguments, **more)

    monkeypatch.setattr(os, "fdopen", full)
    given = run("seal", held)
    monkeypatch.undo()
    assert (given.code, content(tmp_path)) == (3, before)


def test_a_pinned_file_that_another_packet_holds_is_sealed_as_held_elsewhere(
    tmp_path: Path,
) -> None:
    shared = FILES["states/before.sql"]
    lane(tmp_path, "holder", {"before.sql": shared})
    kept = {path: data for path, data in FILES.items() if data != shared}
    held = unsealed(tmp_path, kept, f"pins:\n  states/before.sql: {digest(shared)}\n")
    assert run("seal", held) == Answer(
        0, f"{TREE_HASH}  3 files\n", "listed, held elsewhere: states/before.sql\n"
    )
    assert (held / "evidence" / MANIFEST).read_bytes() == listing(FILES)
    assert verify(tmp_path).code == 0


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        pytest.param(lambda root: root / "nowhere", "no such folder", id="missing"),
        pytest.param(lambda root: write(root, {"x": b"x"}) / "x", "no such folder", id="file"),
        pytest.param(lambda root: write(root / "empty", {}), "no files to seal", id="empty"),
    ],
)
def test_what_cannot_be_sealed(make: Callable[[Path], Path], problem: str, tmp_path: Path) -> None:
    given = run("seal", make(tmp_path))
    assert (given.code, given.out, given.err.endswith(f"{problem}\n")) == (3, "", True)


@pytest.mark.parametrize(
    "error", [OSError(28, "full"), KeyboardInterrupt()], ids=["full-disk", "interrupted"]
)
def test_a_seal_that_dies_half_way_is_never_verified_and_can_be_made_again(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = unsealed(tmp_path)
    replace = os.replace
    moved: list[str] = []

    def dying(source: Any, target: Any) -> None:
        if moved:
            raise error
        moved.append(os.path.basename(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", dying)
    given = run("seal", held)
    monkeypatch.undo()
    assert (given.code, given.out) == (3 if isinstance(error, OSError) else 130, "")
    assert (moved, verify(tmp_path).code) == ([MANIFEST], 1)
    assert set(os.listdir(held / "evidence")) == {"commands.sh", "result.json", "states", MANIFEST}
    assert run("seal", held, "--again").code == 0
    assert verify(tmp_path).code == 0
    assert sorted(os.listdir(held)) == ["evidence", "lane.yml"]


def test_a_link_where_the_new_seal_is_put_together_is_not_followed(tmp_path: Path) -> None:
    held = unsealed(tmp_path)
    (tmp_path / "victim").write_bytes(b"mine")
    os.symlink(tmp_path / "victim", held / f".evidence.{MANIFEST}.new")
    assert run("seal", held).code in (0, 3)
    assert (tmp_path / "victim").read_bytes() == b"mine"


# --- import ---


def test_documents_become_lanes_that_verify_reads(tmp_path: Path) -> None:
    status = "NORTH_TANK_SWAP_READY"
    write(
        tmp_path / "old",
        {
            "a.md": f"# Tank report (2031-01-02)\n\nFinal status: {status}\n".encode(),
            "b.json": json.dumps({"final_status": status, "date": "2031-01-02"}).encode(),
            "c.md": b"# Checkpoint\n\nFinal status: SOUTH_TANK_SWAP_READY\n",
        },
    )
    (tmp_path / "new").mkdir()
    given = run("import", *sorted((tmp_path / "old").iterdir()), cwd=tmp_path / "new")
    assert given == Answer(
        0,
        "packets/north-tank-swap\n"
        "  report.json               machine report        from b.json\n"
        "  report.md                 report                from a.md\n"
        "packets/south-tank-swap\n"
        "  checkpoint.md             checkpoint            from c.md\n",
        "",
    )
    answer = verify(tmp_path / "new")
    assert (answer.code, [(one["id"], one["integrity"]) for one in answer.object["lanes"]]) == (
        3,
        [("north-tank-swap", "claims only"), ("south-tank-swap", "claims only")],
    )
    assert run("import", *sorted((tmp_path / "old").iterdir()), cwd=tmp_path / "new") == given


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        pytest.param("bad.md", None, "bad.md: no such file", id="missing"),
        pytest.param("bad.md", b"\xff", "(DOC-UTF8)", id="not-utf-8"),
        pytest.param("bad.md", b" ", "(DOC-EMPTY)", id="blank"),
        pytest.param("bad.json", b'{"a": 1, "a": 2}', "(JSON-REPEATED-KEY)", id="json"),
    ],
)
def test_a_document_that_cannot_be_read_imports_nothing(
    name: str, data: bytes | None, problem: str, tmp_path: Path
) -> None:
    write(tmp_path, {"good.md": b"# Tank report\n\nFinal status: NORTH_TANK_SWAP_READY\n"})
    if data is not None:
        write(tmp_path, {name: data})
    given = run("import", "good.md", name, cwd=tmp_path)
    assert (given.code, given.out, given.err.count("\n")) == (3, "", 1)
    assert given.err.endswith(f"{problem}\n")
    assert not (tmp_path / "packets").exists()


def test_the_module_is_the_command(tmp_path: Path) -> None:
    lane(tmp_path)
    done = module("verify", tmp_path, "--format", "json", cwd=tmp_path)
    assert Answer(done.returncode, done.stdout, done.stderr) == verify(tmp_path)
