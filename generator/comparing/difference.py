"""Two portraits in, what changed between them out; it knows sections and facts, and no lanes.

The compare page does the same in a browser, from the same portraits: whatever is changed here is
changed in ``templates/assets/lanebook-compare.js`` as well, and a test holds them together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from generator.comparing.portrait import BETTER, OTHER, SECTIONS, WORSE, Portrait, Section

WORDS = {WORSE: "worse", BETTER: "better", OTHER: "other"}
"""What each direction is called in JSON."""
_DIGITS = re.compile(r"([0-9]+)")


class Change(NamedTuple):
    """One fact that is not as it was."""

    section: Section
    label: str
    kind: str
    """``changed``, or the section's word for a fact that is new, gone, or has another name."""
    direction: int
    """WORSE, OTHER or BETTER."""
    before: str
    """Empty where it was not there."""
    after: str
    where_before: str = ""
    where_after: str = ""

    def plain(self) -> dict[str, str]:
        """Return it for JSON."""
        return {
            "section": self.section.id,
            "what": self.label,
            "kind": self.kind,
            "before": self.before,
            "after": self.after,
            "where_before": self.where_before,
            "where_after": self.where_after,
        }


class Lead(NamedTuple):
    """A fact that the first sentence tells of, whether it changed or not."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed from one portrait to another, by section and then by key."""

    before: Mapping[str, str]
    """``id``, ``title`` and ``date`` of the earlier lane."""
    after: Mapping[str, str]
    changes: tuple[Change, ...]
    same: int
    """Facts of which both say the same."""
    leads: tuple[Lead, ...]

    def towards(self, direction: int) -> tuple[Change, ...]:
        """Return the changes for the worse, for the better, or the rest."""
        return tuple(change for change in self.changes if change.direction == direction)

    @property
    def worse(self) -> tuple[Change, ...]:
        """The regressions."""
        return self.towards(WORSE)

    @property
    def headline(self) -> str:
        """What a decision owner wants first: did anything get worse?"""
        told = in_short(self.changes)
        return f"{told[0].upper()}{told[1:]}."

    @property
    def standing(self) -> str:
        """How production stands after it, and before."""
        told = "; ".join(
            f"{lead.label}: {lead.after}"
            + (", as before" if lead.before == lead.after else f", was {lead.before}")
            for lead in self.leads
        )
        return f"{told[:1].upper()}{told[1:]}."

    def plain(self) -> dict[str, Any]:
        """Return it for JSON."""
        told = {word: self.towards(one) for one, word in WORDS.items()}
        return {
            "before": dict(self.before),
            "after": dict(self.after),
            "headline": self.headline,
            "standing": self.standing,
            "counts": {word: len(changes) for word, changes in told.items()} | {"same": self.same},
            **{word: [change.plain() for change in changes] for word, changes in told.items()},
        }


def in_short(changes: Iterable[Change]) -> str:
    """Return how many facts got worse and better, as a part of a sentence."""
    found = tuple(changes)
    worse = [change for change in found if change.direction == WORSE]
    better = [change for change in found if change.direction == BETTER]
    return f"{_counted(worse, 'got worse')}, {_counted(better, 'got better')}"


def _counted(changes: Sequence[Change], what: str) -> str:
    if not changes:
        return f"nothing {what}"
    by_section = [
        f"{count} in {section.title.lower()}"
        for section in SECTIONS
        if (count := sum(change.section == section for change in changes))
    ]
    facts = "fact" if len(changes) == 1 else "facts"
    return f"{len(changes)} {facts} {what} ({', '.join(by_section)})"


def difference(before: Portrait, after: Portrait) -> Difference:
    """Return what changed from one portrait to another."""
    changes: list[Change] = []
    same = 0
    leads: dict[int, Lead] = {}
    for section in SECTIONS:
        one, other = before["facts"][section.id], after["facts"][section.id]
        changes += _in_section(section, one, other)
        same += sum(
            key in other and other[key]["says"] == fact["says"] for key, fact in one.items()
        )
        for key, fact in other.items():
            if fact.get("lead"):
                was = one[key]["says"] if key in one else "unknown"
                leads[fact["lead"]] = Lead(fact.get("label", key), was, fact["says"])
    told = tuple(leads[number] for number in sorted(leads))
    return Difference(before["lane"], after["lane"], tuple(changes), same, told)


def natural(key: str) -> tuple[list[tuple[int, int, str]], str]:
    """Return what sorts keys as people count: PER-2 before PER-10.

    Runs of digits come first and are compared as numbers, the rest by code points.
    """
    parts = _DIGITS.split(key)
    # a longer number is a larger one; Python reads none of more than 4,300 digits
    runs = [
        (0, len(part.lstrip("0")), part.lstrip("0")) if index % 2 else (1, 0, part)
        for index, part in enumerate(parts)
        if part
    ]
    return runs, key


Facts = Mapping[str, Mapping[str, Any]]


def _in_section(section: Section, one: Facts, other: Facts) -> Iterator[Change]:
    # what is worse by being there is named, one by one
    named = not one and WORSE in (fact.get("new") for fact in other.values())
    if section.together and len(one) + len(other) > 1 and not (one and other) and not named:
        yield _all(section, one, other)
        return
    went = {key: one[key] for key in one if key not in other}
    came = {key: other[key] for key in other if key not in one}
    renamed = _renamed(went, came)
    found: dict[str, Change] = {}
    for key, fact in one.items():
        if key in other:
            if fact["says"] != other[key]["says"]:
                direction = _direction(fact, other[key])
                found[key] = _change(section, key, "changed", direction, fact, other[key])
        elif key in renamed:
            label = f"{fact.get('label', key)} → {_label(renamed[key], other)}"
            direction = _direction(fact, other[renamed[key]])
            change = _change(section, key, section.moved, direction, fact, other[renamed[key]])
            found[key] = change._replace(label=label)
        else:
            found[key] = _change(section, key, section.gone, fact.get("gone", OTHER), fact, {})
    taken = set(renamed.values())
    for key, fact in came.items():
        if key not in taken:
            found[key] = _change(section, key, section.new, fact.get("new", OTHER), {}, fact)
    yield from (found[key] for key in sorted(found, key=natural))


def _all(section: Section, one: Facts, other: Facts) -> Change:
    """Return the one change of a section of which one side has nothing."""
    facts, what = (one, "gone") if one else (other, "new")
    weights = [fact.get(what, OTHER) for fact in facts.values()]
    direction = WORSE if WORSE in weights else max(weights)
    count = f"{len(facts)} fact" + ("s" if len(facts) > 1 else "")
    return Change(
        section,
        f"all of {section.title.lower()}",
        section.gone if one else section.new,
        direction,
        count if one else "",
        count if other else "",
    )


def _label(key: str, facts: Facts) -> str:
    return str(facts[key].get("label", key))


def _renamed(went: Facts, came: Facts) -> dict[str, str]:
    """Return the facts that only have another name: one of a kin went, and one came as good.

    One that is better or worse is another fact: no open leg is proven under another name.
    """
    before, after = _by_kin(went), _by_kin(came)
    return {
        keys[0]: after[kin][0]
        for kin, keys in before.items()
        if len(keys) == 1
        and len(after.get(kin, ())) == 1
        and went[keys[0]].get("rank") == came[after[kin][0]].get("rank")
    }


def _by_kin(facts: Facts) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, fact in facts.items():
        if fact.get("kin"):
            found.setdefault(fact["kin"], []).append(key)
    return found


def _direction(before: Mapping[str, Any], after: Mapping[str, Any]) -> int:
    old, new = before.get("rank"), after.get("rank")
    if old is not None and new is not None and old != new:
        return BETTER if new > old else WORSE
    return int(after.get("changed", OTHER))


def _change(
    section: Section,
    key: str,
    kind: str,
    direction: int,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> Change:
    """Return a change; of a fact that is not there, nothing is said."""
    return Change(
        section,
        str((after or before).get("label", key)),
        kind,
        direction,
        before.get("says", ""),
        after.get("says", ""),
        before.get("where", ""),
        after.get("where", ""),
    )
