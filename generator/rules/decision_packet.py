"""A decision packet selects nothing, and has one default, which holds (spec 3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from generator.ballots import Ballot, Said, ballots, is_hold
from generator.model.finding import Finding
from generator.names import visible
from generator.rules.ballot_samples import EXECUTE, HOLD, OPTIONS, lane, listed
from generator.rules.base import Code, Rule
from generator.rules.context import InLane

CODES = {
    "DECISION-SELECTED": Code(
        "A decision packet states a selection.",
        "It puts options to an owner; one that is selected already steers the decision.",
        "Take the selection out of the packet; a decision is recorded by its owner, elsewhere.",
    ),
    "DECISION-DEFAULT": Code(
        "A decision packet does not have exactly one default that holds.",
        "What happens if nobody decides must be that nothing happens.",
        "State one default, and let it be the option that holds.",
    ),
    "DECISION-DEFAULT-UNKNOWN": Code(
        "The default of a decision packet is none of its options.",
        "Whoever does not decide would leave it at something that nobody was shown.",
        "Offer the default among the options, in the very same word.",
    ),
}
_CHOSEN = re.compile(
    r"(?i)\b(?:pre-?)?(?:selected|chosen|picked|decided (?:on|for)"
    r"|approved by|agreed (?:on|to|upon)|settled (?:on|for)|opted for)\b"
)
_SILENCE = re.compile(
    r"(?i)\b(?:if|unless|without|absent|barring|failing)\b[^;]{0,80}?\b(?:nobody|no one|no|not"
    r"|objects?|objections?|answers?|repl(?:y|ies)|responds?|response|veto\w*|otherwise)\b"
)
"""What happens where the owner says nothing: that is the default, in other words."""
_NEGATED = re.compile(r"(?i)\b(?:not|never|no|nothing|cannot|nor|neither|only|must|may)\b|n't\b")
_ONLY_SPOKEN_OF = re.compile(
    r"(?i)\b(?:not|no|none|nothing|nobody|neither|nor|never|if|when|whether|unless|until|once|may"
    r"|can|could|should|would|must|only|previous\w*|prior|earlier|before|consumed|delegat\w+)\b"
    r"|n't\b"
)
"""Words by which a sentence speaks of a choice without making one."""


def check(subject: InLane) -> Iterator[Finding]:
    """Look at what every decision packet of the lane selects, and at its defaults."""
    found = ballots(subject.lane.documents)
    stated = any(ballot.defaults for ballot in found)
    for ballot in found:
        for text, where in dict.fromkeys(_selected(ballot)):
            yield Finding(
                "DECISION-SELECTED",
                where,
                visible(text, 160),
                "nothing",
                "The decision packet states a selection.",
            )
        # a text that only leads to the options states no default of its own
        if ballot.defaults or ballot.options or not stated:
            yield from _default(ballot, _offered(ballot, found))


def _by_silence(ballot: Ballot) -> Iterator[Said]:
    """Yield what a sentence lets happen where nobody decides, other than to hold."""
    tokens = sorted({token for token in ballot.options if token})
    for said in ballot.sentences:
        match = _SILENCE.search(said.text)
        if match is None:
            continue
        named = [token for token in tokens if token in said.text]
        rest = said.text[: match.start()] + said.text[match.end() :]
        if named and not any(map(is_hold, named)) and not _NEGATED.search(rest):
            yield Said(named[0], said.where)


def _selected(ballot: Ballot) -> Iterator[tuple[str, str]]:
    yield from ((said.text, said.where) for said in ballot.selected)
    tokens = sorted(set(ballot.options))
    for sentence in ballot.sentences:
        match = _CHOSEN.search(sentence.text)
        if match is None or _ONLY_SPOKEN_OF.search(sentence.text):
            continue
        if any(token in sentence.text for token in tokens):
            yield sentence.text, sentence.where


def _offered(ballot: Ballot, found: Sequence[Ballot]) -> tuple[str, ...]:
    return ballot.options or next((one.options for one in found if one.options), ())


def _default(ballot: Ballot, options: Sequence[str]) -> Iterator[Finding]:
    silent = tuple(_by_silence(ballot))
    if silent:
        ballot = ballot._replace(defaults=(*ballot.defaults, *silent))
    defaults = ballot.default_tokens()
    where = ballot.defaults[0].where if ballot.defaults else ballot.where
    if len(defaults) != 1 or not is_hold(defaults[0]):
        yield Finding(
            "DECISION-DEFAULT",
            where if len(defaults) == 1 else ballot.where,
            "; ".join(visible(one, 80) for one in defaults[:10]),
            "one default that holds",
            "The decision packet states no default."
            if not defaults
            else "The decision packet states more than one default."
            if len(defaults) > 1
            else "The default of the decision packet does not hold.",
        )
    elif defaults[0] not in options and any(is_hold(token) for token in options):
        yield Finding(
            "DECISION-DEFAULT-UNKNOWN",
            where,
            visible(defaults[0], 80),
            "; ".join(visible(one, 80) for one in options[:10]),
            "The default is none of the options.",
        )


RULE = Rule(
    name="decision-packet",
    protects="against a decision packet that decides",
    codes=CODES,
    check=check,
    sound=lane,
    controls={
        "DECISION-SELECTED": lambda: lane(lines=listed(checked=True)),
        "DECISION-DEFAULT": lambda: lane(lines=listed(remarks={EXECUTE: "default"})),
        "DECISION-DEFAULT-UNKNOWN": lambda: lane(
            packet={"default": "HOLD_EVERYTHING", "options": [HOLD, *OPTIONS[1:]]}
        ),
    },
)
