"""Results as JUnit XML, which CI systems show as tests.

There is no standard. The elements and attributes are those that the schema ``junit-10.xsd`` of
Jenkins' xUnit plugin and the readers of GitLab and Jenkins have in common. Times, hosts and dates,
which all of them do without, are left out: same input, same bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from generator.model.result import Result
from generator.names import visible

# no Char of XML 1.0 (2.2); all others that are none are made visible with what else is hostile
_NO_CHAR = re.compile("[\ufffe\uffff]")


def junit(results: Sequence[Result], *, name: str) -> bytes:
    r"""Return one ``testsuites`` document, with a suite for each group in its first order.

    It is ASCII, with references for all else, so that it goes through any pipe as it is. Text from
    packets stays text: what XML cannot hold, or what a reader would not see, is written as an
    escape such as ``\x1b``.
    """
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.group, []).append(result)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    total = _counts(results)
    lines.append(
        f"<testsuites name={_quoted(name)} tests={_number(len(results))}"
        f" failures={_number(total['failed'])} errors={_number(total['error'])}>"
    )
    for group, members in groups.items():
        counts = _counts(members)
        lines.append(
            f"  <testsuite name={_quoted(group)} tests={_number(len(members))}"
            f" failures={_number(counts['failed'])} errors={_number(counts['error'])}"
            f" skipped={_number(counts['skipped'])}>"
        )
        taken: Counter[str] = Counter()
        for result in members:
            lines.extend(_case(result, _unique(_clean(result.name), taken)))
        lines.append("  </testsuite>")
    lines.append("</testsuites>\n")
    return "\n".join(lines).encode("ascii", "xmlcharrefreplace")


def _counts(results: Sequence[Result]) -> Counter[str]:
    return Counter(result.outcome for result in results)


def _unique(name: str, taken: Counter[str]) -> str:
    """Return a name that no test of the suite has yet, as readers keep one test a name."""
    told = name
    while told in taken:
        taken[name] += 1
        told = f"{name} ({taken[name]})"
    taken[told] = 1
    return told


def _case(result: Result, name: str) -> Iterator[str]:
    opening = f"    <testcase name={_quoted(name)} classname={_quoted(result.group)}"
    place = _place(result)
    body = "; ".join(part for part in (result.message, place) if part)
    if result.outcome == "passed":
        told = ": ".join(part for part in (result.word, body) if part)
        if not told:
            yield f"{opening}/>"
            return
        yield f"{opening}>"
        yield f"      <system-out>{_text(told)}</system-out>"
    else:
        element = _ELEMENTS[result.outcome]
        kind = result.code or result.word or result.outcome
        message = result.message or result.word or result.outcome
        if result.outcome == "skipped" and result.word:
            kind, message = result.word, ": ".join(filter(None, (result.word, result.message)))
        yield f"{opening}>"
        yield (
            f"      <{element} type={_quoted(kind)} message={_quoted(message)}>"
            f"{_text(body)}</{element}>"
        )
    yield "    </testcase>"


_ELEMENTS = {"failed": "failure", "error": "error", "skipped": "skipped"}


def _place(result: Result) -> str:
    """Return where it stands, as lanebook writes places: ``file:line`` or ``file#/pointer``."""
    line = f":{result.line}" if result.line is not None else ""
    pointer = f"#{result.pointer}" if result.pointer else ""
    return f"{result.file}{line}{pointer}"


def _clean(text: str) -> str:
    return _NO_CHAR.sub(lambda match: f"\\u{ord(match[0]):04x}", visible(text))


def _text(text: str) -> str:
    return escape(_clean(text))


def _quoted(text: str) -> str:
    return quoteattr(_clean(text))


def _number(count: int) -> str:
    return f'"{count}"'
