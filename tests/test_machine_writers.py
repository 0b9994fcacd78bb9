"""The two writers: JUnit XML and SARIF say what the results say, and hold whatever text comes."""

from __future__ import annotations

import io
import json
from collections import Counter
from dataclasses import replace

import junitparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from generator import __version__
from generator.model.result import Result, RuleText
from generator.names import visible
from generator.render.junit import junit
from generator.render.sarif import relative_uri, sarif
from tests.machine_support import jenkins, outcomes, read_junit, read_sarif

RULES = {
    "FILE-DIFFERS": RuleText("A file differs.", "Its bytes changed.", "Ask who changed it."),
    "NEVER": RuleText("Never found.", "It is not in any result.", "Nothing."),
}
EACH = [
    Result("lane-a", "evidence/a.txt", "passed", word="recomputed", file="packets/lane-a/a.txt"),
    Result(
        "lane-a",
        "FILE-DIFFERS evidence/b c.json",
        "failed",
        "FILE-DIFFERS",
        "The digest is another.",
        "packets/lane-a/evidence/b c.json",
        pointer="/files/0",
    ),
    Result(
        "lane-a", "x.md:12 date", "skipped", "", "stated 3", "packets/x.md", 12, "", "claimed only"
    ),
    Result("lane-b", "rule json", "error", "", "ValueError: no"),
    Result("lane-b", "token", "skipped", word="not applicable"),
]


def test_junit_whole() -> None:
    assert junit(EACH, name="lanebook verify").decode() == (
        """\
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="lanebook verify" tests="5" failures="1" errors="1">
  <testsuite name="lane-a" tests="3" failures="1" errors="0" skipped="1">
    <testcase name="evidence/a.txt" classname="lane-a">
      <system-out>recomputed: packets/lane-a/a.txt</system-out>
    </testcase>
    <testcase name="FILE-DIFFERS evidence/b c.json" classname="lane-a">
      <failure type="FILE-DIFFERS" message="The digest is another.">The digest is another.;"""
        """ packets/lane-a/evidence/b c.json#/files/0</failure>
    </testcase>
    <testcase name="x.md:12 date" classname="lane-a">
      <skipped type="claimed only" message="claimed only: stated 3">stated 3;"""
        """ packets/x.md:12</skipped>
    </testcase>
  </testsuite>
  <testsuite name="lane-b" tests="2" failures="0" errors="1" skipped="1">
    <testcase name="rule json" classname="lane-b">
      <error type="error" message="ValueError: no">ValueError: no</error>
    </testcase>
    <testcase name="token" classname="lane-b">
      <skipped type="not applicable" message="not applicable"></skipped>
    </testcase>
  </testsuite>
</testsuites>
"""
    )
    assert outcomes(read_junit(junit(EACH, name="x"))) == {
        "lane-a": Counter(passed=1, failed=1, skipped=1),
        "lane-b": Counter(error=1, skipped=1),
    }


@pytest.mark.skipif(jenkins() is None, reason="no source of pytest here; `make test` fetches it")
def test_junit_holds_against_the_schema_of_jenkins() -> None:
    good = junit(EACH, name="lanebook verify")
    for spoilt in (
        good,
        good.replace(b" classname=", b" when="),
        good.replace(b"skipped", b"left"),
    ):
        assert jenkins().validate(etree.fromstring(spoilt)) == (spoilt == good)


def test_another_reader_finds_the_same_in_junit() -> None:
    read = junitparser.JUnitXml.fromfile(io.BytesIO(junit(EACH, name="lanebook verify")))
    assert [
        (suite.name, suite.tests, suite.failures, suite.errors, suite.skipped) for suite in read
    ] == [
        ("lane-a", 3, 1, 0, 1),
        ("lane-b", 2, 0, 1, 1),
    ]
    assert [
        (case.name, [type(result).__name__ for result in case.result])
        for suite in read
        for case in suite
    ] == [
        ("evidence/a.txt", []),
        ("FILE-DIFFERS evidence/b c.json", ["Failure"]),
        ("x.md:12 date", ["Skipped"]),
        ("rule json", ["Error"]),
        ("token", ["Skipped"]),
    ]


def test_junit_numbers_what_has_one_name() -> None:
    names = ["a", "a", "a (2)", "a", "\x1b", "\\x1b"]
    results = [*(Result("lane", name, "passed") for name in names), Result("other", "a", "passed")]
    root = read_junit(junit(results, name="x"))
    assert [[case.get("name") for case in suite] for suite in root] == [
        ["a", "a (2)", "a (2) (2)", "a (3)", "\\x1b", "\\x1b (2)"],
        ["a"],
    ]


def test_nothing_at_all() -> None:
    assert len(read_junit(junit([], name="x"))) == 0
    run = read_sarif(sarif([], RULES, command="lanebook verify"))
    assert (run["results"], run["invocations"][0]["executionSuccessful"]) == ([], True)


def test_sarif_whole() -> None:
    run = read_sarif(sarif(EACH, RULES, command="lanebook verify"))
    prints = [result.pop("partialFingerprints") for result in run["results"]]
    assert all(list(one) == ["lanebook/v1"] for one in prints)
    base = {"uriBaseId": "%SRCROOT%"}
    assert run == {
        "tool": {
            "driver": {
                "name": "lanebook",
                "version": __version__,
                "rules": [
                    {
                        "id": "FILE-DIFFERS",
                        "shortDescription": {"text": "A file differs."},
                        "fullDescription": {"text": "Its bytes changed."},
                        "help": {"text": "Ask who changed it."},
                        "defaultConfiguration": {"level": "error"},
                    }
                ],
            }
        },
        "automationDetails": {"id": "lanebook verify/"},
        "invocations": [
            {
                "executionSuccessful": False,
                "toolExecutionNotifications": [
                    {
                        "level": "error",
                        "message": {"text": "lane-b: rule json: ValueError: no"},
                    }
                ],
            }
        ],
        "originalUriBaseIds": {
            "%SRCROOT%": {"description": {"text": "The folder that was looked at."}}
        },
        "columnKind": "unicodeCodePoints",
        "results": [
            {
                "kind": "pass",
                "level": "none",
                "message": {"text": "evidence/a.txt: recomputed"},
                "locations": [
                    {
                        "physicalLocation": {
                            "artifactLocation": {"uri": "packets/lane-a/a.txt", **base}
                        }
                    }
                ],
                "properties": {"group": "lane-a", "outcome": "passed", "word": "recomputed"},
            },
            {
                "ruleId": "FILE-DIFFERS",
                "ruleIndex": 0,
                "kind": "fail",
                "level": "error",
                "message": {"text": "FILE-DIFFERS evidence/b c.json: The digest is another."},
                "locations": [
                    {
                        "physicalLocation": {
                            "artifactLocation": {
                                "uri": "packets/lane-a/evidence/b%20c.json",
                                **base,
                            }
                        },
                        "logicalLocations": [{"fullyQualifiedName": "/files/0"}],
                    }
                ],
                "properties": {"group": "lane-a", "outcome": "failed"},
            },
            {
                "kind": "open",
                "level": "none",
                "message": {"text": "x.md:12 date: claimed only: stated 3"},
                "locations": [
                    {
                        "physicalLocation": {
                            "artifactLocation": {"uri": "packets/x.md", **base},
                            "region": {"startLine": 12},
                        }
                    }
                ],
                "properties": {"group": "lane-a", "outcome": "skipped", "word": "claimed only"},
            },
            {
                "kind": "notApplicable",
                "level": "none",
                "message": {"text": "token: not applicable"},
                "properties": {"group": "lane-b", "outcome": "skipped", "word": "not applicable"},
            },
        ],
    }


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("claimed only", "open"),
        ("not run", "open"),
        ("", "open"),
        ("ambiguous", "review"),
        ("not applicable", "notApplicable"),
        ("note", "informational"),
    ],
)
def test_what_was_skipped_is_never_a_pass(word: str, kind: str) -> None:
    one = Result("lane", "claim", "skipped", word=word)
    (result,) = read_sarif(sarif([one], {}, command="x"))["results"]
    assert (result["kind"], result["level"]) == (kind, "none")
    assert outcomes(read_junit(junit([one], name="x"))) == {"lane": Counter(skipped=1)}


def fingerprints(*results: Result) -> list[str]:
    run = read_sarif(sarif(results, {}, command="x"))
    return [result["partialFingerprints"]["lanebook/v1"] for result in run["results"]]


def test_a_fingerprint_stays_while_lines_move_and_values_change() -> None:
    one = Result("lane", "a.md:12 date", "failed", "X", "stated 3", "a.md", 12)
    (mark,) = fingerprints(one)
    moved = replace(one, name="a.md:40 date", line=40, message="stated 4")
    assert fingerprints(moved) == [mark]
    for other in (
        replace(one, group="lane-2"),
        replace(one, code="Y"),
        replace(one, name="a.md:12 day"),
        replace(one, file="b.md"),
        replace(one, pointer="/a"),
    ):
        assert fingerprints(other) != [mark]
    assert fingerprints(one, moved) == [mark, mark[:-1] + "2"]


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("packets/lane/a.json", "packets/lane/a.json"),
        ("a b#c?d%e:f.md", "a%20b%23c%3Fd%25e%3Af.md"),
        ("é/\udcff", "%C3%A9/%FF"),
        ("back\\slash", "back%5Cslash"),
        ("packets/lane/evidence//etc/passwd", "packets/lane/evidence"),
        ("packets/lane/evidence/../../../x", "packets/lane/evidence"),
        ("./x", ""),
        ("/etc/passwd", ""),
        ("", ""),
    ],
)
def test_a_path_becomes_a_reference_that_stays_below_its_base(path: str, uri: str) -> None:
    assert relative_uri(path) == uri


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{0} of {1}", "{{0}} of {{1}}"),
        ("[here](https://example.org)", "\\[here\\](https://example.org)"),
        ("a[1] and \\d", "a[1] and \\d"),
        ("\\[x](1)", "\\\\\\[x\\](1)"),
        ("\x1b[31m", "\\x1b[31m"),
    ],
)
def test_a_message_of_sarif_has_no_link_and_no_placeholder(text: str, told: str) -> None:
    one = Result("lane", "n", "failed", message=text)
    (result,) = read_sarif(sarif([one], {}, command="x"))["results"]
    assert result["message"] == {"text": f"n: {told}"}


TEXT = st.text(st.characters(exclude_categories=()), max_size=30)
HOSTILE = st.one_of(
    TEXT,
    st.sampled_from(
        [
            "]]>",
            '"/><testcase name="x"/>',
            "</failure>&lt;&#0;<!--",
            "\x00\x0b\x1f\ufffe\uffff\ud800",
            "\u202egnp.exe",
            "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>&b;",
        ]
    ),
)
RESULTS = st.lists(
    st.builds(
        Result,
        group=HOSTILE,
        name=HOSTILE,
        outcome=st.sampled_from(["passed", "failed", "error", "skipped"]),
        code=HOSTILE,
        message=HOSTILE,
        file=HOSTILE,
        line=st.none() | st.integers(1, 10**9),
        pointer=HOSTILE,
        word=HOSTILE,
    ),
    max_size=4,
)


@given(RESULTS)
def test_any_text_stays_text(results: list[Result]) -> None:
    written = junit(results, name="x")
    elements = Counter(
        case[0].tag if len(case) else "" for case in read_junit(written).iter("testcase")
    )
    counts = Counter(result.outcome for result in results)
    assert (elements["failure"], elements["error"], elements["skipped"]) == (
        counts["failed"],
        counts["error"],
        counts["skipped"],
    )
    assert elements.total() == len(results)
    assert written.isascii()
    shown = written.decode().replace("\n", "")
    assert visible(shown) == shown
    run = read_sarif(sarif(results, {}, command="x"))
    assert len(run["results"]) == sum(result.outcome != "error" for result in results)
    texts = [result["message"]["text"] for result in run["results"]]
    assert [visible(text) for text in texts] == texts


@given(RESULTS)
def test_same_results_same_bytes(results: list[Result]) -> None:
    again = [replace(result) for result in results]
    assert junit(results, name="x") == junit(again, name="x")
    assert sarif(results, {}, command="x") == sarif(again, {}, command="x")
    assert json.loads(sarif(results, {}, command="x"))["version"] == "2.1.0"
