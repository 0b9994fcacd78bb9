"""The options of a decision packet weigh the same; only the hold may be recommended (spec 3)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.ballots import Ballot, Choice, ballots, is_hold
from generator.model.finding import Finding
from generator.names import visible
from generator.rules.ballot_samples import EXECUTE, lane, listed
from generator.rules.base import Code, Rule
from generator.rules.context import InLane

CODES = {
    "DECISION-WEIGHT": Code(
        "A decision packet gives an option that does not hold more weight than the others.",
        "A recommendation, or bold print, steers an owner who reads quickly.",
        "Describe each option in the same way; recommend nothing but the default that holds.",
    ),
}
_WORD = (
    r"(?:recommend\w*|prefer(?:red|s|ence)?|advis\w+|suggest\w*|favou?r(?:ed|s)?|endors\w+|urg(?:e|es|ed)"
    r"|(?:best|right|better|obvious|sensible) (?:choice|option|call|way)|opt for|go (?:with|for)"
    r"|should (?:choose|pick|select|take|be (?:chosen|picked|selected|taken)))"
)
_EXECUTING = re.compile(
    rf"(?i)\b{_WORD}\W+(?:\w+\W+){{0,2}}?(?:execut(?:e|ing|ion)|apply(?:ing)?|deploy(?:ing|ment)?"
    r"|cut-?over|cutting over|going live|go-live)\b"
)
"""Recommends an act and not an option, which comes to the same."""
_ELSEWHERE = re.compile(
    r"(?i)\b(?:rehears\w+|dry-?run|pre-?checks?|clone|read-only|scoping|design|sandbox|staging)\b"
)
_DOUBLE = re.compile(r"(?i)\bno reason (?:not to|against)\b")
_AGAINST_HOLD = re.compile(
    r"(?i)\b(?:advis\w+|recommend\w*) against (?:the )?[`*]{0,3}(?P<one>[A-Z_0-9]*HOLD\w*)"
    r"|\b(?:not|never) (?:recommend|advis|suggest|prefer)\w* [`*]{0,3}(?P<two>[A-Z_0-9]*HOLD\w*)"
)
_RECOMMENDED = re.compile(rf"(?i)\b{_WORD}\b")
_NOT_RECOMMENDED = re.compile(
    rf"(?i)\b(?:not?|never|nothing|nobody|neither|nor|without|against|un)\b(?:\W+\w+){{0,3}}?\W*{_WORD}"
    rf"|n't\W+(?:\w+\W+){{0,2}}{_WORD}"
    rf"|{_WORD}\W+(?:\w+\W+){{0,2}}(?:against|not|no|nothing|none|neither)\b"
)
_NUMBER = re.compile(r"(?i)\boption (?P<number>[0-9]{1,2})\b|\b(?P<ordinal>\w{4,6}) option\b")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
_LONGEST = 600


def check(subject: InLane) -> Iterator[Finding]:
    """Look for an option that is marked beyond the others and does not hold."""
    for ballot in ballots(subject.lane.documents):
        for token, where, why in dict.fromkeys(_heavier(ballot)):
            yield Finding(
                "DECISION-WEIGHT",
                where,
                visible(token, 80),
                "the weight of the others",
                f"The decision packet {why} an option that does not hold."
                if why != "advises against"
                else "The decision packet advises against the option that holds.",
            )


def _heavier(ballot: Ballot) -> Iterator[tuple[str, str, str]]:
    plain = any(not choice.emphasised for choice in ballot.choices)
    for listing in ballot.listings:
        for choice in listing:
            if is_hold(choice.token):
                if _NOT_RECOMMENDED.search(choice.remark[:_LONGEST]):
                    yield choice.token, choice.where, "advises against"
                continue
            if _recommends(choice.remark) or _recommends(choice.means):
                yield choice.token, choice.where, "recommends"
            elif plain and choice.emphasised:
                yield choice.token, choice.where, "emphasises"
    own = {choice.where for listing in ballot.listings for choice in listing}
    offered = _by_name(ballot.choices)
    for said in ballot.recommended:
        if _NOT_RECOMMENDED.search(f"recommended: {said.text[:_LONGEST]}") is None:
            named = _named(said.text, offered, ballot.choices)
            if not named and not is_hold(said.text) and said.text.isupper():
                named = said.text
            if named:
                yield named, said.where, "recommends"
    for said in ballot.sentences:
        against = _AGAINST_HOLD.search(said.text)
        if against is not None:
            yield against["one"] or against["two"], said.where, "advises against"
        if said.where not in own and _recommends(said.text):
            named = _named(said.text, offered, ballot.choices)
            act = _EXECUTING.search(said.text)
            if named:
                yield named, said.where, "recommends"
            elif act is not None and not _ELSEWHERE.search(said.text):
                yield act[0], said.where, "recommends"


def _recommends(text: str) -> bool:
    text = _DOUBLE.sub("", text[:_LONGEST])
    return _RECOMMENDED.search(text) is not None and _NOT_RECOMMENDED.search(text) is None


def _by_name(choices: tuple[Choice, ...]) -> re.Pattern[str] | None:
    tokens = sorted({choice.token for choice in choices if not is_hold(choice.token)})[:100]
    if not tokens:
        return None
    return re.compile(rf"(?<![A-Z0-9_])(?:{'|'.join(map(re.escape, tokens))})(?![A-Z0-9_])")


def _named(text: str, offered: re.Pattern[str] | None, choices: tuple[Choice, ...]) -> str:
    """Return the option that a text names, by its token or its number, where it does not hold."""
    match = offered.search(text[:_LONGEST]) if offered is not None else None
    if match is not None:
        return match[0]
    number = _NUMBER.search(text[:_LONGEST])
    if number is None or not choices:
        return ""
    ordinal = (number["ordinal"] or "").lower()
    at = int(number["number"] or 0) - 1
    if ordinal:
        at = _ORDINALS.index(ordinal) if ordinal in _ORDINALS else -1
        at = len(choices) - 1 if ordinal == "last" else at
    if not 0 <= at < len(choices) or is_hold(choices[at].token):
        return ""
    return choices[at].token


RULE = Rule(
    name="decision-weight",
    protects="against a decision packet that steers by weight",
    codes=CODES,
    check=check,
    sound=lane,
    controls={
        "DECISION-WEIGHT": lambda: lane(lines=listed(remarks={EXECUTE: "recommended"})),
    },
)
