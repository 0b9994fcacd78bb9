"""Documents are read with their damage: nothing guessed, nothing lost, every place a real one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.errors import InputError
from generator.model.document import Damage, Document, DocumentKind, HashMention, Statement
from generator.reading import hashes, pipetables, statements, textdoc
from generator.reading.documents import read_document
from generator.reading.limits import Limits

SEEDS = Path(__file__).parents[2] / "shared" / "seeds"
DIGEST = "0f1e2d3c4b5a69788796a5b4c3d2e1f00123456789abcdef0123456789abcdef"


def read(text: str, name: str = "x.md") -> Document:
    return read_document(name, text.encode())


def pairs(document: Document) -> list[tuple[str, str, str]]:
    return [(said.key, said.value, said.where) for said in document.statements]


def damage(document: Document) -> list[tuple[str, str]]:
    return [(one.where, one.what) for one in document.damage]


# --- refused ---


@pytest.mark.parametrize(
    ("name", "data", "code", "problem"),
    [
        pytest.param("a.md", b"", "DOC-EMPTY", "a.md: the document holds nothing", id="empty"),
        pytest.param("a.md", b" \n\t", "DOC-EMPTY", "a.md: the document holds nothing", id="blank"),
        pytest.param(
            "a.md", b"x\n\xff", "DOC-UTF8", "a.md: not UTF-8: byte 0xFF (line 2)", id="not-utf8"
        ),
        pytest.param(
            "a.md", b"x" * 65, "DOC-SIZE", "a.md: 65 bytes, the limit is 64", id="too-large"
        ),
    ],
)
def test_refuses(name: str, data: bytes, code: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        read_document(name, data, limits=Limits(document_bytes=64))
    assert (caught.value.code, str(caught.value)) == (code, problem)


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        pytest.param("report.json", b'{"a": 1, "a": 2}', "JSON-REPEATED-KEY", id="repeated-key"),
        pytest.param("report.json", b'{"a": NaN}', "JSON-NAN", id="nan"),
        pytest.param("x.txt", b'Title\n{"a": 1} {}', "JSON-SECOND", id="behind-a-title"),
    ],
)
def test_a_machine_report_is_strict_json(name: str, data: bytes, code: str) -> None:
    with pytest.raises(InputError) as caught:
        read_document(name, data)
    assert caught.value.code == code


# --- kind, title, date, status ---


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("report.json", "{}", DocumentKind.MACHINE_REPORT),
        ("lane-report-2031-01-02.json", "{}", DocumentKind.MACHINE_REPORT),
        ("old.txt", 'Some lane (machine)\n{"a": 1}', DocumentKind.MACHINE_REPORT),
        ("report.md", "# Checkpoint", DocumentKind.REPORT),
        ("report-2.md", "# Checkpoint", DocumentKind.REPORT),
        ("lane-report-2031-01-02.md", "x", DocumentKind.REPORT),
        ("lane-checkpoint-2031-01-02.md", "x", DocumentKind.CHECKPOINT),
        ("lane-decision-packet-2031-01-02.md", "x", DocumentKind.DECISION_PACKET),
        ("decision-packet.md", "# Report", DocumentKind.DECISION_PACKET),
        ("lane-governance-addendum-2031-01-02.md", "x", DocumentKind.ADDENDUM),
        ("a.txt", "Checkpoint - tank swap\nall well.", DocumentKind.CHECKPOINT),
        ("a.txt", "Owner Decision Packet\nall well.", DocumentKind.DECISION_PACKET),
        ("a.txt", "Governance addendum 3\nall well.", DocumentKind.ADDENDUM),
        ("a.txt", "Tank swap report\nall well.", DocumentKind.REPORT),
        ("a.txt", "Reportage\nall well.", DocumentKind.OTHER),
    ],
)
def test_kind_comes_from_the_name_then_the_title(name: str, text: str, kind: DocumentKind) -> None:
    assert read(text, name).kind is kind


@pytest.mark.parametrize(
    ("text", "title", "date"),
    [
        pytest.param("Tank swap (2031-01-02)\ntext.", "Tank swap (2031-01-02)", "2031-01-02"),
        pytest.param("# Tank *swap*\n\ntext", "Tank swap", ""),
        pytest.param("Tank swap\n=====\ntext", "Tank swap", ""),
        pytest.param("a sentence first.\n\n# Tank swap", "Tank swap", ""),
        pytest.param("a sentence only.", "x.md", ""),
        pytest.param("# T (2031-02-30)", "T (2031-02-30)", "", id="no-such-day"),
        pytest.param("# T (2031-01-02)\n\nDate: 2031-01-02\n", "T (2031-01-02)", "2031-01-02"),
        pytest.param("# T (2031-01-02)\n\nDate: 2031-01-03\n", "T (2031-01-02)", "", id="two"),
    ],
)
def test_title_and_date_are_the_stated_ones(text: str, title: str, date: str) -> None:
    document = read(text)
    assert (document.title, document.date) == (title, date)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        pytest.param("Status: TANK_SWAP_READY\n", "TANK_SWAP_READY"),
        pytest.param("# T\n\nFinal status: TANK_SWAP_READY (status B)\n", "TANK_SWAP_READY"),
        pytest.param("# T\n\n- **Final status:** `TANK_SWAP_READY`.\n", "TANK_SWAP_READY"),
        pytest.param(
            "# T\n\n| what | is |\n|---|---|\n| Final status | TANK_READY |\n", "TANK_READY"
        ),
        pytest.param("# T\n\n> Final status: OTHER_LANE_READY\n", None, id="quoted"),
        pytest.param("# T\n\n## Previous lane\n\nFinal status: OTHER_READY\n", None, id="previous"),
        pytest.param("# T\n\n## Pumps\n\nStatus: OTHER_READY\n", None, id="status-of-a-part"),
        pytest.param("# T\n\n```\nFinal status: OTHER_READY\n```\n", None, id="code"),
        pytest.param("# T\n\nStatus: A_B\n\n## End\n\nFinal status: C_D\n", "C_D", id="final-wins"),
    ],
)
def test_status_is_the_documents_own(text: str, status: str | None) -> None:
    found = read(text).status
    assert (found.value if found else None) == status


# --- statements ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Pump: off\n", [("Pump", "off", 1)], id="plain"),
        pytest.param("- Pump: off.\n- Valve: shut\n", [("Pump", "off", 1), ("Valve", "shut", 2)]),
        pytest.param("**Pump:** `off`\n", [("Pump", "off", 1)], id="bold"),
        pytest.param(
            "Pump: off · Valve: shut · gas leak: none.\n",
            [("Pump", "off", 1), ("Valve", "shut", 1), ("gas leak", "none", 1)],
            id="middle-dots",
        ),
        pytest.param(
            "Pump: off . Valve: shut\n", [("Pump", "off", 1), ("Valve", "shut", 1)], id="stops"
        ),
        pytest.param(
            "- Pump:\nP_7 - Valve:\nV_9 shut\n",
            [("Pump", "P_7", 2), ("Valve", "V_9 shut", 3)],
            id="value-on-the-next-line",
        ),
        pytest.param("Pumps:\nValve: shut\n", [("Valve", "shut", 2)], id="a-key-is-no-value"),
        pytest.param(
            "Pump: runs dry when\nnobody looks. More text\n",
            [("Pump", "runs dry when nobody looks", 1)],
            id="wrapped",
        ),
        pytest.param("see http://pump.example: off\n", [], id="url"),
        pytest.param("Default = HOLD. No more.\n", [("Default", "HOLD", 1)], id="equals"),
        pytest.param(
            "It says `leak_found=false`,\nx_y == z and a_b != c.\n",
            [("leak_found", "false", 1)],
            id="assignment",
        ),
        pytest.param("```\nPump: off\n```\n", [], id="code"),
    ],
)
def test_text_states(text: str, expected: list[tuple[str, str, int]]) -> None:
    assert pairs(read(text)) == [(key, value, f"x.md:{line}") for key, value, line in expected]


def test_json_states_every_leaf_in_its_spelling() -> None:
    text = (
        '{"n": 12345678901234567890, "f": 1.50, "t": true, "z": null, "a/b": {"~": ["x", {}]},'
        ' "none": []}'
    )
    document = read(text, "report.json")
    assert list(document.statements) == [
        Statement("n", "12345678901234567890", "report.json#/n", "integer"),
        Statement("f", "1.50", "report.json#/f", "number"),
        Statement("t", "true", "report.json#/t", "boolean"),
        Statement("z", "null", "report.json#/z", "null"),
        Statement("a~1b/~0/0", "x", "report.json#/a~1b/~0/0", "string"),
        Statement("a~1b/~0/1", "{}", "report.json#/a~1b/~0/1", "object"),
        Statement("none", "[]", "report.json#/none", "array"),
    ]


def test_json_keeps_unknown_keys_title_and_own_status() -> None:
    text = (
        'Pump swap (machine, 2031-01-02)\n{"doc": "pump", "final_status": "PUMP_SWAP_READY",'
        ' "before": {"final_status": "OTHER_READY"}, "odd": 1}'
    )
    document = read(text, "x.txt")
    assert document.title == "Pump swap (machine, 2031-01-02)"
    assert document.date == "2031-01-02"
    assert document.status == Statement(
        "final_status", "PUMP_SWAP_READY", "x.txt#/final_status", "string"
    )
    assert isinstance(document.data, dict)
    assert list(document.data) == ["doc", "final_status", "before", "odd"]


# --- hashes ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            f"Pump file `pump.py` has {DIGEST}.",
            HashMention(DIGEST, "full", "x.md:1", "pump.py"),
            id="full",
        ),
        pytest.param(
            f"text\n\n{DIGEST}  bin/pump.sh\n",
            HashMention(DIGEST, "full", "x.md:3", "bin/pump.sh"),
            id="sha256sum",
        ),
        pytest.param(
            f"see other.md. Tree {DIGEST}", HashMention(DIGEST, "full", "x.md:1"), id="sentence"
        ),
        pytest.param(
            "pump.py 0f1e2d3c…abcdef",
            HashMention("0f1e2d3c…abcdef", "weak", "x.md:1", "pump.py"),
            id="weak",
        ),
        pytest.param(
            "P7 0f1e2d3c..", HashMention("0f1e2d3c..", "weak", "x.md:1", "P7"), id="no-tail"
        ),
        pytest.param(
            "| pump | 0f1e2d...cdef |\n|-|-|\n",
            HashMention("0f1e2d...cdef", "weak", "x.md:1", "pump"),
            id="cell",
        ),
        pytest.param(
            f"pump.pysha256{DIGEST}", HashMention(DIGEST, "full", "x.md:1", "pump.py"), id="sha256"
        ),
        pytest.param(
            f"packet tree{DIGEST}. ",
            HashMention(DIGEST, "full", "x.md:1", "packet tree"),
            id="tree",
        ),
        pytest.param(
            "MD rev12345abcd…",
            HashMention(
                "rev12345abcd…",
                "ambiguous",
                "x.md:1",
                "MD",
                (
                    "revision 1, hash 2345abcd…",
                    "revision 12, hash 345abcd…",
                    "revision 123, hash 45abcd…",
                    "revision 1234, hash 5abcd…",
                    "revision 12345, hash abcd…",
                ),
            ),
            id="revision",
        ),
        pytest.param(
            "rev1abcd2f…", HashMention("abcd2f…", "weak", "x.md:1"), id="one-revision-only"
        ),
        pytest.param(
            f"MD rev31{DIGEST}",
            HashMention(DIGEST, "full", "x.md:1", "MD"),
            id="revision-and-whole-hash",
        ),
        pytest.param(
            "it is 0f1e2d3c..9a8able",
            HashMention(
                "0f1e2d3c..9a8able",
                "ambiguous",
                "x.md:1",
                "",
                ("hash 0f1e2d3c..9a8", "hash 0f1e2d3c..9a8a", "hash 0f1e2d3c..9a8ab"),
            ),
            id="word-behind",
        ),
        pytest.param(
            f"the noise{DIGEST}",
            HashMention(f"e{DIGEST}", "ambiguous", "x.md:1", "", (f"e{DIGEST}"[:64], DIGEST)),
            id="word-before",
        ),
    ],
)
def test_hashes(text: str, expected: HashMention) -> None:
    assert read(text).hashes == (expected,)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("they added...", id="word"),
        pytest.param("1000..1020", id="range"),
        pytest.param("a" * 63, id="63"),
        pytest.param(DIGEST * 2, id="sha512"),
        pytest.param(DIGEST.upper(), id="upper-case"),
    ],
)
def test_no_hashes(text: str) -> None:
    assert read(text).hashes == ()


def test_an_upper_case_digest_is_named() -> None:
    assert damage(read(f"x.\n\n{DIGEST.upper()}")) == [
        ("x.md:3", "64 upper-case digits; not a digest in the form that counts")
    ]


def test_json_strings_are_searched_and_labelled_by_key_or_file() -> None:
    text = f'{{"pump_sha256": "{DIGEST}", "l": {{"note": ["copy of pump.py (0f1e2d..abc)"]}}}}'
    assert read(text, "report.json").hashes == (
        HashMention(DIGEST, "full", "report.json#/pump_sha256", "pump_sha256"),
        HashMention("0f1e2d..abc", "weak", "report.json#/l/note/0", "pump.py"),
    )


@given(st.text("0123456789abcdefg.…rev treshax256", max_size=200))
def test_hash_places_lie_inside_and_readings_are_several(text: str) -> None:
    for hit in hashes.find(text):
        assert 0 <= hit.start < hit.end <= len(text)
        assert text[hit.start : hit.end].endswith(hit.text)
        assert (len(hit.readings) > 1) == (hit.form == "ambiguous")
        assert len(set(hit.readings)) == len(hit.readings)


# --- damage ---


def test_a_title_given_twice_is_one_title() -> None:
    document = read("Tank — SWAP (2031-01-02)\nTank - Swap (2031-01-02)\nPump: off\n")
    assert document.title == "Tank — SWAP (2031-01-02)"
    assert [section.title for section in document.sections] == ["Tank — SWAP (2031-01-02)"]
    assert damage(document) == [
        ("x.md:2", "the title is given twice, spelled differently; the first one is taken")
    ]


def test_numbered_headings_that_lost_their_marks() -> None:
    text = (
        "Tank report\n1. Pumps\nAll off.\n2. Valves\n1. one\n2. two\n3. three\nText.\n3. End\nx.\n"
    )
    document = read(text)
    assert [(one.title, one.level, one.line) for one in document.sections] == [
        ("Tank report", 1, 1),
        ("1. Pumps", 2, 2),
        ("2. Valves", 2, 4),
        ("3. End", 2, 9),
    ]
    assert damage(document) == [
        ("x.md:2", "3 numbered headings have lost their marks; read as headings: lines 2, 4, 9")
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("# T\n\n## A\n\n1. One\ntext\n2. Two\ntext\n", id="marks-are-there"),
        pytest.param("# T\n\n1. One\n2. Two\n3. Three\n", id="list"),
        pytest.param("# T\n\n1. One\n   text\n2. Two\n   text\n", id="indented-items"),
        pytest.param("# T\n\n1. Ends here.\ntext\n2. Ends too.\ntext\n", id="sentences"),
    ],
)
def test_lists_stay_lists(text: str) -> None:
    assert [one for one in read(text).sections if one.title[0].isdigit()] == []


def test_headings_without_number_only_where_safe() -> None:
    text = (
        "Tank checkpoint\nPump: off\nWhat was done\n- Drained it.\nThe next one\nis a sentence "
        "wrapped\nOver lines.\nEvidence\nPacket is sealed.\n"
    )
    document = read(text)
    assert [(one.title, one.line) for one in document.sections] == [
        ("Tank checkpoint", 1),
        ("What was done", 3),
        ("Evidence", 8),
    ]


def test_rows_broken_in_the_only_way_are_whole_again() -> None:
    text = (
        "| pump | state | who |\n|---|---|---|\nP-1 |\noff | me |\n| P-2 | on\nagain | you |\n"
        "Afterword\n"
    )
    document = read(text)
    (table,) = document.tables
    assert table.header == ("pump", "state", "who")
    assert table.rows == (("P-1", "off", "me"), ("P-2", "on again", "you"))
    assert (table.where, table.row_lines) == ("x.md:1", (3, 5))
    assert document.damage == (
        Damage(
            "x.md:3",
            "2 table rows broken over several lines; rejoined in the only way that gives 3 cells "
            "as in the header",
        ),
        Damage("x.md:7", "text right behind a table; not read as a row of it"),
    )


def test_rows_that_cannot_be_rejoined_keep_their_cells() -> None:
    document = read("| a | b | c |\n|---|---|---|\n| 1 | 2 |\n| 1 | 2 | 3 | 4 |\nx |\n")
    assert document.tables[0].rows == (("1", "2"), ("1", "2", "3", "4"), ("x",))
    assert damage(document) == [
        (
            "x.md:3",
            "3 table rows of another width than the header (here 2 of 3); the cells are kept as "
            "they stand",
        )
    ]


def test_rows_with_two_readings_are_not_rejoined() -> None:
    # The line without a pipe may end the first row, or begin the second.
    document = read("| a | b | c |\n|---|---|---|\n1 |\n2 | 3\nx\n4 |\n5 | 6\n")
    assert document.tables[0].rows == (("1",), ("2", "3"), ("x",), ("4",), ("5", "6"))
    assert "kept as they stand" in document.damage[0].what


def test_lists_that_run_together() -> None:
    document = read("- Pump off.- Valve shut\n\nDrained — YES. 2. Filled — YES.\n")
    assert damage(document) == [
        ("x.md:1", "list items run together"),
        ("x.md:3", "numbered items run together"),
    ]


def test_tables_in_quotes_and_lists_are_found() -> None:
    document = read("> | pump | state |\n> |---|---|\n> | P-1 | off |\n\n- x\n\n  |a|b|\n  |-|-|\n")
    assert [(one.where, one.header) for one in document.tables] == [
        ("x.md:1", ("pump", "state")),
        ("x.md:7", ("a", "b")),
    ]
    assert pairs(document) == [("P-1", "off", "x.md:3")]


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=2, max_size=4), min_size=1, max_size=6))
def test_whole_rows_are_never_changed(rows: list[list[str]]) -> None:
    lines = ["| h | i | j |", "|---|---|---|"] + [f"| {' | '.join(row)} |" for row in rows]
    (table,) = pipetables.find(lines, lambda at: False)
    assert [list(row.cells) for row in table.rows] == rows
    assert table.rejoined == ()


# --- the five seeds ---


def seed(start: str) -> Document:
    for path in sorted(SEEDS.glob(f"{start}*.txt")):
        return read_document(f"{start}.txt", path.read_bytes())
    pytest.skip("the seeds are not here")


@pytest.mark.parametrize(
    ("start", "kind", "forms", "tables", "sections"),
    [
        ("000", DocumentKind.REPORT, {"full": 2, "weak": 2, "ambiguous": 3}, [(2, 12), (5, 7)], 15),
        ("001", DocumentKind.DECISION_PACKET, {"full": 1}, [(4, 7)], 5),
        ("002", DocumentKind.MACHINE_REPORT, {"full": 2, "weak": 1}, [], 0),
        ("003", DocumentKind.REPORT, {"weak": 12}, [(2, 6)], 14),
        ("004", DocumentKind.CHECKPOINT, {"full": 1, "ambiguous": 1}, [], 7),
    ],
)
def test_seeds(
    start: str,
    kind: DocumentKind,
    forms: dict[str, int],
    tables: list[tuple[int, int]],
    sections: int,
) -> None:
    document = seed(start)
    assert document.kind is kind
    assert document.date == "2026-06-12"
    assert Counter(mention.form for mention in document.hashes) == forms
    assert [(len(one.header), len(one.rows)) for one in document.tables] == tables
    assert all(len(row) == len(one.header) for one in document.tables for row in one.rows)
    assert len(document.sections) == sections


@pytest.mark.parametrize(
    ("start", "status", "where"),
    [
        ("000", "FIX7_P0_PRODUCTION_REHEARSAL_ONLY_ROLLBACK_READY", "000.txt:5"),
        ("001", None, None),
        (
            "002",
            "FIX7_P0_PRODUCTION_SHAPED_CLONE_REHEARSAL_READY_NOT_APPLIED",
            "002.txt#/final_status",
        ),
        ("003", "FIX7_P0_NO_PRODUCTION_IMPLEMENTATION_EXECUTION_AND_REVIEW_APPLIED", "003.txt:5"),
        ("004", "FIX7_P0_PRODUCTION_SHAPED_CLONE_REHEARSAL_READY_NOT_APPLIED", "004.txt:3"),
    ],
)
def test_own_status_of_the_seeds(start: str, status: str | None, where: str | None) -> None:
    found = seed(start).status
    assert (found and found.value, found and found.where) == (status, where)


def test_revisions_of_a_seed_are_never_chosen() -> None:
    found = [one for one in seed("000").hashes if one.form == "ambiguous"]
    assert [(one.text, one.label, len(one.readings)) for one in found] == [
        ("rev24aded8857…", "registry JSON", 2),
        ("rev240cf39cd4…", "MD", 3),
        ("rev1164cead553…", "00-index", 4),
    ]


# --- laws ---

_FRAGMENTS = st.sampled_from(
    [
        *("# ", "## T", "1. A", "2. B", "- ", "> ", "| a | b |", "|---|---|", "x |", "Key: ", "v"),
        *(
            "\n",
            "\n\n",
            "\r\n",
            "\r",
            "```",
            "~~~",
            "    ",
            " · ",
            " . ",
            "**",
            "`",
            "…",
            "..",
            "=",
        ),
        *(
            "rev12ab34cd…",
            DIGEST,
            "sha256",
            "0f1e2d3c…9a",
            "Final status:",
            "{",
            "}",
            "\0",
            "\ufeff",
        ),
        *("===", "---", "\u2028", "\x0b", "\t", "\\", "[x](y)", "(2031-01-02)", "é", "\U0001f600"),
    ]
)
_NAMES = st.sampled_from(["x.md", "x.txt", "report.json", "checkpoint.md", "", ".", "a/b\\c", "#:"])


def lines_of(data: bytes) -> int:
    return len(re.split(r"\r\n|\r|\n", data.decode()))


def check(name: str, data: bytes) -> None:
    try:
        document = read_document(name, data)
    except InputError:
        return
    places = [
        *(one.where for one in document.statements),
        *(one.where for one in document.hashes),
        *(one.where for one in document.tables),
        *(one.where for one in document.damage),
    ]
    if document.data is None and document.kind is not DocumentKind.MACHINE_REPORT:
        last = lines_of(data)
        for where in places:
            file, _, line = where.rpartition(":")
            assert file == name
            assert 1 <= int(line) <= last
        assert all(1 <= one.line <= last for one in document.sections)
    else:
        assert all(where.startswith(f"{name}#") for where in places)
    assert document.size == len(data)
    assert document.title or not name


@given(_NAMES, st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    check(name, data)


@settings(max_examples=400)
@given(_NAMES, st.lists(_FRAGMENTS | st.text(max_size=5), max_size=60))
def test_any_text_is_read_or_refused(name: str, parts: list[str]) -> None:
    check(name, "".join(parts).encode("utf-8", "replace"))


@given(st.lists(_FRAGMENTS, max_size=40))
def test_a_full_hash_on_a_line_of_its_own_is_never_lost(parts: list[str]) -> None:
    text = f"{''.join(parts)}\n\n{DIGEST}\n"
    found = read(text, "report.md").hashes
    assert any(one.text == DIGEST and one.form == "full" for one in found)


@given(st.text(max_size=200))
def test_plain_text_keeps_its_lines(text: str) -> None:
    assert statements.plain(text).count("\n") == text.count("\n")


# --- large and hostile ---


def calls_while(action: Callable[[], object]) -> int:
    """Return how many Python functions ran: work that no clock and no other process changes."""
    import sys

    count = 0

    def counting(*_: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(counting)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "unit",
    [
        pytest.param("lorem ipsum: dolor sit amet 0f1e2d..9a\n", id="lines"),
        pytest.param("- a\n", id="items"),
        pytest.param("> - > - > - a\n", id="nested"),
        pytest.param("| a | b |\n|---|---|\n| 1 | 2 |\n\n", id="tables"),
        pytest.param("a |\nb |\n", id="broken-rows"),
        pytest.param("1. Foo\ntext\n", id="numbers"),
        pytest.param("Done.\nHead\n", id="bare-headings"),
        pytest.param("Key: some value,\n", id="continued"),
        pytest.param("```\n", id="fences"),
        pytest.param("  - a\n\n", id="loose-items"),
        pytest.param("|-|-|\n", id="delimiters"),
    ],
)
def test_work_grows_with_the_size_and_not_faster(unit: str) -> None:
    small, large = "| h | i |\n|---|---|\n" + unit * 300, "| h | i |\n|---|---|\n" + unit * 1200
    read("warm up: done")
    once = calls_while(lambda: read(small))
    assert calls_while(lambda: read(large)) < 6 * once


FIVE_MB = 5_000_000


@pytest.mark.parametrize(
    "unit",
    [
        "x",
        "0f1",
        "|",
        "*",
        "`",
        "[",
        "(",
        "_",
        "a_",
        " ",
        "> ",
        "- ",
        "a: ",
        ". - ",
        "!",
        "\\",
        "=",
        "<",
    ],
)
def test_one_line_of_five_megabytes_is_set_aside(unit: str) -> None:
    line = unit * (FIVE_MB // len(unit)) + "z"
    work = calls_while(lambda: read(f"# T\n\n{line}\n\nPump: off\n"))
    document = read(f"# T\n\n{line}\n\nPump: off\n")
    assert document.statements[-1] == Statement("Pump", "off", "x.md:5")
    assert document.damage[0] == Damage(
        "x.md:3", f"a line of {len(line)} characters, read without Markdown"
    )
    # The worst is an escape at every second place: `re` calls Python to put each letter back.
    assert work < 6 * len(line)


def test_five_megabytes_of_prose_and_ten_thousand_tables() -> None:
    prose = (
        "Water went from one tank to the next, and nobody was told of it.\n" * 5 + "\n"
    ) * 14_000
    table = "| pump | state |\n|---|---|\n| P-1 | off |\n\n"
    document = read(f"# T\n\n{prose}{table * 10_000}")
    assert document.size > 4_500_000
    assert len(document.tables) == len(document.statements) == 10_000
    assert document.damage == ()


def test_more_lines_than_the_parser_gets_are_read_one_by_one() -> None:
    text = "# T\n\n- Pump: off\n" + "\n" * textdoc.MAX_LINES + f"## End\n- {DIGEST}\n"
    document = read(text)
    last = textdoc.MAX_LINES + 5
    assert pairs(document) == [("Pump", "off", "x.md:3")]
    assert document.hashes == (HashMention(DIGEST, "full", f"x.md:{last}"),)
    assert [section.title for section in document.sections] == ["T", "End"]
    assert "read line by line" in document.damage[0].what


@pytest.mark.parametrize("mark", ["> ", "- ", "1. ", "  - "])
def test_what_is_nested_too_deeply_is_kept(mark: str) -> None:
    document = read("text.\n\n" + mark * 200 + f"Pump {DIGEST}\n")
    assert [(one.text, one.where) for one in document.hashes] == [(DIGEST, "x.md:3")]


def test_reading_documents_does_not_import_the_parser() -> None:
    import subprocess
    import sys

    code = "import sys, generator.reading.documents; sys.exit('markdown_it' in sys.modules)"
    root = Path(__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_a_long_key_over_many_values_is_refused_before_it_takes_the_memory() -> None:
    data = b'{"%s": [%s]}' % (b"k" * 500_000, b", ".join([b"0"] * 20_000))
    with pytest.raises(InputError) as caught:
        read_document("report.json", data, limits=Limits(document_bytes=1024 * 1024))
    assert (caught.value.code, str(caught.value)) == (
        "JSON-BYTES",
        "report.json: its JSON Pointers have more than 4194304 characters together"
        " (limit document_bytes, 4 times)",
    )
