"""A lane as it can be held against another: flat facts by section, each with what a change means.

A portrait holds all that the comparison needs to know, so that a browser, which knows no rules,
comes to the same result: see ``templates/assets/lanebook-compare.js``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from generator import legs
from generator.facts import NOTHING_SAID, DecisionPacket, LaneFacts
from generator.model.decision import DecisionState, Recorded
from generator.model.digest import is_digest, sha256
from generator.model.document import read_place
from generator.model.finding import Claim
from generator.model.lane import LaneMeta
from generator.model.outcome import Agreement, Integrity, Level, Outcome
from generator.model.packet import State
from generator.model.verdict import LaneVerdict, RootVerdict
from generator.names import short, visible
from generator.standing import Blockers

SCHEMA = "lanebook/portrait/1"
MOST_FACTS = 20_000
"""Facts of one section; a portrait says how many it leaves out."""


class Section(NamedTuple):
    """A part of a portrait, in the order in which a reader wants them."""

    id: str
    title: str
    new: str = "new"
    gone: str = "no longer there"
    moved: str = "renamed"
    """The words for a fact that came, that went, and that has another name."""
    together: bool = False
    """Whether facts of which one lane has none at all are one change."""


SECTIONS = (
    Section("outcome", "Outcome"),
    Section("production", "Production, as stated", gone="no longer stated"),
    Section("findings", "Findings and contradictions", moved="told otherwise"),
    Section("blockers", "Blockers and legs", gone="left out"),
    Section("decision", "Options, default, decisions", new="offered", gone="no longer offered"),
    Section("reservations", "Reservations", gone="no longer stated", together=True),
    Section("pins", "Pins", gone="no longer pinned"),
    Section("probes", "Probes and classes", gone="dropped", together=True),
    Section("surfaces", "Forbidden surfaces", gone="dropped", together=True),
    Section("preflight", "Preflight", gone="no longer quoted", together=True),
    Section("claims", "Claims", gone="no longer stated"),
    Section("files", "Files and hashes", moved="another name", together=True),
)

WORSE, OTHER, BETTER = -1, 0, 1


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of a lane."""

    key: str
    """Unique in its section, and the same in every lane that tells of the same thing."""
    says: str
    """What is known of it; two facts are the same where this is."""
    label: str = ""
    """How a reader is told of it, where that is not the key."""
    where: str = ""
    """Where it stands in its lane."""
    rank: int | None = None
    """More is better; a change between facts without ranks is neither."""
    new: int = OTHER
    """What it means that only the later lane has it: WORSE, OTHER or BETTER."""
    gone: int = OTHER
    """The same where only the earlier one has it."""
    changed: int = OTHER
    """What a change means that ranks do not tell."""
    kin: str = ""
    """Where exactly one fact of a kin went and one came, it is one fact under another name."""
    lead: int = 0
    """Its number among the facts that the first sentence tells of, changed or not; 0: none."""

    def plain(self) -> dict[str, Any]:
        """Return it for JSON; what is as usual is left out."""
        value: dict[str, Any] = {"says": self.says}
        if self.label and self.label != self.key:
            value["label"] = self.label
        if self.where:
            value["where"] = self.where
        if self.rank is not None:
            value["rank"] = self.rank
        for name in ("new", "gone", "changed"):
            if getattr(self, name):
                value[name] = getattr(self, name)
        if self.kin:
            value["kin"] = self.kin
        if self.lead:
            value["lead"] = self.lead
        return value


Portrait = dict[str, Any]
"""Plain JSON: ``schema``, ``lane`` (id, title, date) and ``facts``, which gives for each section
the facts by key, as :meth:`Fact.plain` writes them."""


def portrait(
    lane: LaneVerdict, facts: LaneFacts, now: Blockers, decisions: Iterable[Recorded] = ()
) -> Portrait:
    """Return the portrait of a lane.

    Args:
        lane: its verdict, with the facts of its evidence.
        facts: what it says of production, with the blocker map of its evidence.
        now: where every blocker stood after it.
        decisions: what is recorded of its decisions.
    """
    parts: dict[str, Iterable[Fact]] = {
        "outcome": _outcome(lane),
        "production": _production(facts),
        "findings": _findings(lane),
        "blockers": _blockers(lane, facts, now),
        "decision": _decision(facts, decisions),
        "reservations": _reservations(facts),
        "pins": _pins(lane),
        "files": _files(lane),
        **_of_claims(lane),
    }
    return {
        "schema": SCHEMA,
        "lane": {"id": lane.id, "title": short(lane.title), "date": lane.date},
        "facts": {one.id: _by_key(parts[one.id]) for one in SECTIONS},
    }


def root_portrait(verdict: RootVerdict, facts: Mapping[str, LaneFacts], now: Blockers) -> Portrait:
    """Return the portrait of a whole root: its lanes, its blockers, its decisions.

    Args:
        verdict: over the root.
        facts: what each lane says of production.
        now: where every blocker stands.
    """
    newest = verdict.lanes[-1] if verdict.lanes else None
    packets = [facts[lane.id] for lane in verdict.lanes if facts[lane.id].decision is not None]
    parts: dict[str, Iterable[Fact]] = {
        "outcome": (
            *_lanes(verdict.lanes),
            *(Fact(f"not read: {short(name)}", "lies there") for name in verdict.unread),
        ),
        # a lane that is new here is held against no other
        "production": (
            replace(one, key=f"{lane.id}: {one.key}", where="")
            for lane in verdict.lanes
            for one in _production(facts[lane.id])
            if one.rank == 0
        ),
        "blockers": _blockers(newest, facts[newest.id], now) if newest is not None else (),
        "decision": (
            *_decision(packets[-1] if packets else NOTHING_SAID, ()),
            *(_recorded(one, f"{one.lane}: ") for one in verdict.decisions),
        ),
    }
    return {
        "schema": SCHEMA,
        "lane": {"id": "", "title": "", "date": newest.date if newest is not None else ""},
        "facts": {one.id: _by_key(parts.get(one.id, ())) for one in SECTIONS},
    }


def _lanes(lanes: Sequence[LaneVerdict]) -> Iterator[Fact]:
    yield Fact("lanes", str(len(lanes)), lead=3)
    for lane in lanes:
        failed = lane.outcome is Outcome.FAIL
        yield Fact(
            f"lane {lane.id}",
            f"{lane.outcome}, {lane.integrity}",
            rank=10 * _OUTCOMES[lane.outcome] + _INTEGRITY[lane.integrity],
            new=WORSE if failed else OTHER,
            # whatever it was: what is no longer there can no longer be looked at
            gone=WORSE,
            kin=_held(lane),
        )


def _held(lane: LaneVerdict) -> str:
    """Return the same for lanes of the same bytes only: a lane that says other things is another.

    Empty for a lane of which nothing was read.
    """
    documents = [(document.kind, document.sha256) for document in lane.documents]
    if lane.tree is None and not documents:
        return ""
    # of a sound packet the tree hash says it all
    unsound = () if lane.files.sound else lane.files
    states = [(state.path, state.state, state.computed) for state in unsound]
    return sha256(repr((lane.tree, states, documents)).encode("utf-8", "surrogatepass"))


def _by_key(facts: Iterable[Fact]) -> dict[str, dict[str, Any]]:
    """Return facts by key; a key that comes again is numbered."""
    found: dict[str, dict[str, Any]] = {}
    taken: dict[str, int] = {}
    left_out: list[Fact] = []
    for fact in facts:
        if len(found) >= MOST_FACTS:
            left_out.append(fact)
            continue
        key = fact.key
        while key in found:
            taken[fact.key] = taken.get(fact.key, 1) + 1
            key = f"{fact.key} ({taken[fact.key]})"
        found[key] = fact.plain()
    if left_out:
        told = sha256(repr([(fact.key, fact.says) for fact in left_out]).encode())
        found["facts left out here"] = Fact(
            "",
            f"{len(left_out)}, SHA-256 {told[:12]}…",
            rank=-len(left_out),
            new=WORSE,
            # what is not looked into is not taken for as good as it was
            changed=WORSE,
        ).plain()
    return found


# --- what was derived ---

_OUTCOMES = {
    Outcome.PASS: 2,
    Outcome.UNKNOWN: 1,
    Outcome.NOT_RUN: 1,
    Outcome.NOT_APPLICABLE: 1,
    Outcome.FAIL: 0,
}
_INTEGRITY = {
    Integrity.PINNED: 5,
    Integrity.CITED: 4,
    Integrity.CONSISTENT: 3,
    Integrity.CLAIMS_ONLY: 2,
    Integrity.UNSEALED: 2,
    Integrity.REFUTED: 1,
    Integrity.REFUSED: 0,
}
_TIES = {"hash": 3, "hash as stated": 2, "status only": 1, "named only": 1, "broken": 0}


def _outcome(lane: LaneVerdict) -> Iterator[Fact]:
    yield Fact("outcome", lane.outcome, rank=_OUTCOMES[lane.outcome], lead=3)
    yield Fact("integrity", lane.integrity, rank=_INTEGRITY[lane.integrity], lead=4)
    status = short(lane.stated_status) or "none stated"
    yield Fact("stated status", status, where=lane.said.status_where if lane.said else "")
    tied = bool(lane.link.kind)
    yield Fact(
        "tie to the lane before",
        lane.link.kind or "none known",
        rank=_TIES.get(lane.link.kind),
        # a first lane has none, and is no worse than others; a tie that is lost is
        changed=OTHER if tied else WORSE,
    )
    if tied:
        yield Fact("the lane before", visible(lane.link.previous, 120))
    for rule in lane.errors:
        yield Fact(
            f"rule that crashed: {rule.partition(':')[0]}", short(rule), new=WORSE, gone=BETTER
        )


def _findings(lane: LaneVerdict) -> Iterator[Fact]:
    kinds = {document.name: str(document.kind) for document in lane.documents}
    for finding in lane.findings:
        name = read_place(finding.where).name
        of = kinds.get(name, name)
        pointer = _named(finding.where, lane).partition("#")[2]
        spot = f"{of}#{pointer}" if pointer else of
        weight = WORSE if finding.refutes else OTHER
        label = visible(f"{finding.code} in {spot}") + ("" if finding.refutes else ", a note")
        # what moved in its document is where it was for who compares
        words = _PLACES.sub("", f"{finding.message} {_subject(finding.stated)}".strip())
        says = f"{finding.message} {_sides(finding.stated, finding.computed)}".strip()
        yield Fact(
            f"{label}: {short(words)}",
            short(_PLACES.sub("", says)),
            label=label,
            where=visible(finding.where),
            new=weight,
            gone=-weight,
            # another contradiction is no other wording of this one; other numbers may be
            kin=f"{label}: {short(_NUMBERS.sub('', words))}",
        )


_PLACES = re.compile(r"(?<=\.md):[0-9]+|(?<=\.txt):[0-9]+|(?<=\.json)#/[^\s,;)]*[^\s,;).]")
_NUMBERS = re.compile(r"(?<![\w-])[0-9]+(?:[.,/][0-9]+)*(?![\w-])")


def _subject(stated: str) -> str:
    """Return what a stated value is of: ``Drift classes`` of ``Drift classes: 8``."""
    return stated.rpartition(": ")[0]


def _sides(stated: str, computed: str) -> str:
    sides = [f"stated {short(stated, 80)}"] if stated else []
    sides += [f"found {short(computed, 80)}"] if computed else []
    return f"({', '.join(sides)})" if sides else ""


def _files(lane: LaneVerdict) -> Iterator[Fact]:
    if lane.tree is not None:
        yield Fact("tree hash, computed", lane.tree, where=f"{lane.evidence}/HASH_MANIFEST.txt")
    for state in lane.files:
        digest = state.computed or state.listed or "no digest"
        good = state.state in (State.MATCH, State.HELD_ELSEWHERE)
        yield Fact(
            short(state.path, 300),
            digest if state.state is State.MATCH else f"{digest}, {state.state}",
            where=f"{lane.evidence}/{visible(state.path)}",
            # whole or not is better or worse; another digest is neither
            rank=1 if good else 0,
            new=OTHER if good else WORSE,
            kin=digest,
        )
    for document in lane.documents:
        yield Fact(f"document: {document.kind}", document.sha256, where=document.name)


# --- what is stated ---


def _production(facts: LaneFacts) -> Iterator[Fact]:
    # documents spell the same denial in many ways, which is no change
    for what, _, where in facts.untouched:
        yield Fact(_plain(what), "not touched, as stated", where=where, rank=1)
    for what, stated, where in facts.touched:
        key, says = _plain(what), short(stated)
        yield Fact(key, says, where=where, rank=0, new=WORSE, gone=BETTER)


def _plain(words: str) -> str:
    return short(_NOT_WORD.sub(" ", words.lower()).strip(), 120)


_NOT_WORD = re.compile(r"[^a-z0-9]+")


def _blockers(lane: LaneVerdict, facts: LaneFacts, now: Blockers) -> Iterator[Fact]:
    """Tell of every blocker as it stood after the lane: none vanishes that a lane leaves out."""
    yield Fact(
        "open blockers",
        str(now.open_named) if now.standing else "none is named",
        # none named is not none open
        rank=-now.open_named if now.standing else None,
        lead=2,
    )
    if facts.open_stated:
        yield Fact("open blockers, as stated", short(facts.open_stated))
    for one in now.standing:
        row, closed = one.blocker, not one.open
        name = short(row.id, 120)
        left_out = "" if one.lane.id == lane.id else "; this lane leaves it out"
        note = f" ({one.note})" if one.note and not left_out else ""
        weight = OTHER if closed else WORSE
        where = row.where if not left_out else ""
        yield Fact(
            name,
            f"{one.state}{note}{left_out}",
            label=f"blocker {name}",
            where=where,
            rank=len(_PROGRESS) if closed else _PROGRESS.index(row.progress),
            new=weight,
            gone=weight,
        )
        for leg in one.legs:
            if leg.carried:
                continue  # a later lane tells of this blocker's legs and not of this one
            called = short(leg.name, 120)
            yield Fact(
                f"{name}, leg: {called}",
                short(leg.state),
                label=f"blocker {name}, leg {called}",
                where=where,
                rank=int(legs.is_done(leg.state)),
                gone=weight,
                kin=f"legs of {name}",
            )
        for what, text in (
            ("who acts", row.actor),
            ("next action", row.next_action),
            ("blocks", row.blocks),
        ):
            if text:
                key = f"{name}, {what}"
                yield Fact(key, short(text), label=f"blocker {key}", where=where)


_PROGRESS = ("none", "narrowed", "classified", "design delivered", "partially discharged")
"""The second axis from least to most (spec 1)."""


def _decision(facts: LaneFacts, decisions: Iterable[Recorded]) -> Iterator[Fact]:
    packet = facts.decision
    yield Fact(
        "default",
        _default(packet),
        where=packet.where if packet is not None else "",
        rank=None if packet is None else int(packet.holds),
        changed=WORSE if packet is not None and packet.defaults and not packet.holds else OTHER,
        lead=1,
    )
    if packet is not None:
        selected = short(packet.selected) or "nothing"
        yield Fact(
            "selected",
            selected,
            where=packet.where,
            rank=int(not packet.selected),
            new=WORSE if packet.selected else OTHER,
        )
        options = [short(option, 120) for option in packet.options]
        for option in options:
            yield Fact(f"option {option}", "offered", where=packet.where)
        if options:
            yield Fact("order of the options", short(", ".join(options), 2000), where=packet.where)
        if packet.tree:
            yield Fact("evidence that it was written on", short(packet.tree), where=packet.where)
        if packet.blocker_map:
            yield Fact("blocker map that it was written on", short(packet.blocker_map))
    if facts.delegation:
        yield Fact("delegation consumed", short(facts.delegation))
    if facts.next_step:
        yield Fact("next step", short(facts.next_step))
    for one in decisions:
        yield _recorded(one)


def _recorded(one: Recorded, of: str = "") -> Fact:
    current = one.state is DecisionState.CURRENT
    return Fact(
        f"{of}recorded decision {one.number}",
        f"{one.state}: {short(one.decision.option, 120) if one.decision else 'no option'}",
        where=one.file,
        rank=int(current),
        new=OTHER if current else WORSE,
        gone=WORSE,
    )


def _default(packet: DecisionPacket | None) -> str:
    if packet is None:
        return "no decision packet"
    if not packet.defaults:
        return "none stated"
    return ", ".join(short(one, 120) for one in packet.defaults)


def _reservations(facts: LaneFacts) -> Iterator[Fact]:
    one = facts.reservation
    if one is None:
        return
    name = short(one.objects, 60)
    reserved = name if ".." in name else f"{name} {one.first}..{one.last}".strip()
    yield Fact("range", reserved, where=one.where)
    for key, text in (
        ("above the ceiling", one.above_ceiling),
        ("applied now", one.apply_now),
        ("canonical fold", one.canonical_fold),
    ):
        if text:
            rank = int(_is_denied(text)) if key != "above the ceiling" else None
            weight = WORSE if rank == 0 else OTHER
            yield Fact(key, short(text), where=one.where, rank=rank, new=weight)


def _is_denied(text: str) -> bool:
    """Whether a value begins with a no, and nothing behind it takes that back."""
    return _DENIED.match(text) is not None and _NOT_DENIED.search(text) is None


_DENIED = re.compile(r"\W*(?:no|not|none|false)\b", re.IGNORECASE)
_NOT_DENIED = re.compile(
    r"\b(?:only|but|except|unless|until|delay|longer|already|yes|true)\b"
    r"|(?<!\bnot )(?<!\bnever )\b(?:applied|folded)\b",
    re.IGNORECASE,
)


def _pins(lane: LaneVerdict) -> Iterator[Fact]:
    for path, digest in lane.meta.pins.items():
        # each lane pins scripts of its own: other bytes are neither better nor worse
        yield Fact(f"{short(path, 200)}, by lane.yml", str(digest), where="lane.yml")
    if lane.pin is not None and lane.pin.tree:
        yield Fact("tree hash, by pins.yml", lane.pin.tree)
    stated: dict[str, dict[str, str]] = {}
    for pin in lane.said.pins if lane.said is not None else ():
        if pin.one_file and is_digest(pin.digest):
            stated.setdefault(short(pin.name, 200), {}).setdefault(pin.digest, pin.where)
    for name, found in stated.items():
        where = next(iter(found.values()))
        # not every lane has to name what earlier ones pinned; naming other bytes is worse
        yield Fact(name, ", ".join(sorted(found)), where=where, changed=WORSE)


# --- the claim ledger ---

_KNOWN = {Level.RECOMPUTED: 3, Level.CROSS_CHECKED: 2, Level.CLAIMED_ONLY: 1}
_PROBES = "bad-input-probes.json#/probes/"
_SURFACES = "forbidden-surface-proof.json#/surfaces/"
_LISTS = {
    "surfaces": ("surfaces", "surface"),
    "forbidden_surfaces": ("surfaces", "surface"),
    "classes": ("probes", "class"),
    "drift_classes": ("probes", "class"),
    "probes": ("probes", "probe"),
    "bad_input_probes": ("probes", "probe"),
}
"""Keys of lists whose items are compared one by one: section, and word for one.

Documents list other surfaces too, such as those of their CI, which nobody promised to leave alone.
"""
_LEFT_ALONE = ("UNTOUCHED", "NOT_REQUESTED")
_COUNTS = {
    "bad-input probes": "probes",
    "drift classes": "probes",
    "forbidden surfaces": "surfaces",
}
_SMALL = re.compile(r"[0-9]{1,9}\Z")
_INDEX = re.compile(r"/([0-9]{1,9})(?=/|\Z)")


def _of_claims(lane: LaneVerdict) -> dict[str, list[Fact]]:
    """Place each claim in one section."""
    found: dict[str, list[Fact]] = {"probes": [], "surfaces": [], "preflight": [], "claims": []}
    found["claims"] += _of_lane_file(lane.meta)
    for subject, number in lane.detail.counts:
        section = _COUNTS.get(subject)
        rank = int(number) if section and re.fullmatch(r"[0-9]{1,6}", number) else None
        gone = WORSE if section else OTHER
        fact = Fact(f"{subject}, as counted", short(number), rank=rank, gone=gone)
        found[section or "claims"].append(fact)
    kinds = {document.name: str(document.kind) for document in lane.documents}
    before = f"{lane.evidence}/{_PROBES}"
    probes: dict[str, dict[str, Claim]] = {}
    surfaces: list[Fact] = []
    listed: list[tuple[str, Fact, Fact]] = []
    for claim in (*lane.evidence_claims, *lane.document_claims):
        at, _, member = claim.where.rpartition("/")
        if claim.where.startswith(before) and at[len(before) :].isdecimal():
            probes.setdefault(at, {}).setdefault(member, claim)
            continue
        if claim.where.startswith(f"{lane.evidence}/{_SURFACES}") and member == "state":
            # in a list where one name stands twice, an item goes by its number
            surfaces.append(_surface(claim, _item(at, lane) or at.rpartition("/")[2]))
            continue
        section, fact = _claim(claim, lane, kinds)
        item = _listed(claim, lane)
        if item is None:
            found[section].append(fact)
        else:
            listed.append((item[0], item[1], fact))
    found["probes"] += [_probe(at, told) for at, told in probes.items()]
    found["surfaces"] += surfaces
    for section, item_fact, fact in listed:
        # documents repeat what the evidence lists; without any, their word is all there is
        from_evidence = probes if section == "probes" else surfaces
        found["claims" if from_evidence else section].append(fact if from_evidence else item_fact)
    return found


def _of_lane_file(meta: LaneMeta) -> Iterator[Fact]:
    """Yield what ``lane.yml`` says and no other section tells of; the id is the lane itself."""
    usual = LaneMeta(meta.id)
    for key in ("title", "date", "who", "delegation", "tree_profile"):
        text = getattr(meta, key)
        if text != getattr(usual, key):
            yield Fact(f"lane.yml: {key}", short(text), where="lane.yml")


def _probe(at: str, told: Mapping[str, Claim]) -> Fact:
    """Return one recorded probe of the gate, whose claims are one fact."""

    def stated(key: str) -> str:
        return short(told[key].stated, 120) if key in told else ""

    name = stated("class") or stated("reject_code") or at.rpartition("/")[2]
    refused = stated("allowed") == "false"
    level = min(_rank(claim) for claim in told.values())
    answer = f"refused, {stated('reject_code')}" if refused else "allowed"
    return _promised(f"probe {name}", f"{answer} ({_word(level)})", at, level if refused else 0)


def _surface(claim: Claim, name: str) -> Fact:
    """Return one surface of the proof that none was touched."""
    level = _rank(claim)
    says = f"{short(claim.stated) or 'empty'} ({_word(level)})"
    kept = level if claim.stated in _LEFT_ALONE else 0
    return _promised(f"surface {name}", says, claim.where, kept)


def _listed(claim: Claim, lane: LaneVerdict) -> tuple[str, Fact] | None:
    """Return the section and the fact of an item that a document lists by its name."""
    name = _item(claim.where, lane)
    key = claim.where.rpartition("/")[0].rpartition("/")[2]
    if not name or key not in _LISTS:
        return None
    section, one = _LISTS[key]
    level = _rank(claim)
    return section, _promised(f"{one} {name}", f"listed ({_word(level)})", claim.where, level)


def _promised(key: str, says: str, where: str, kept: int) -> Fact:
    """Return what a lane looked at and promises of it; to drop it is worse, whatever it was.

    ``kept`` says how the promise is known, and is 0 where it is not kept.
    """
    return Fact(key, says, where=where, rank=kept, new=BETTER if kept else WORSE, gone=WORSE)


def _claim(claim: Claim, lane: LaneVerdict, kinds: Mapping[str, str]) -> tuple[str, Fact]:
    level = _rank(claim)
    told = _told_as(claim, lane)
    name = read_place(claim.where).name
    fact = Fact(
        short(f"{kinds.get(name, name)}: {told}", 400),
        f"{short(claim.stated) or 'empty'} ({_word(level)})",
        where=claim.where,
        rank=level,
        new=OTHER if level else WORSE,
    )
    return ("preflight" if told.startswith("preflight/") else "claims"), fact


def _item(where: str, lane: LaneVerdict) -> str:
    """Return the name of the list item at a place; empty where it has none."""
    at, _, index = where.rpartition("/")
    items = lane.detail.names.get(at, ())
    return items[int(index)] if _SMALL.match(index) and int(index) < len(items) else ""


def _told_as(claim: Claim, lane: LaneVerdict) -> str:
    """Return what is claimed, without the place in which it stands."""
    if "#/" in claim.where:
        told = _named(claim.where, lane).split("#/", 1)[1]
        # a claim that is more than its place says so at its end
        return told + claim.id[len(claim.where) :] if claim.id.startswith(claim.where) else told
    for prefix in (f"{claim.where} ", f"{claim.where}#"):
        if claim.id.startswith(prefix):
            return claim.id[len(prefix) :]
    return claim.id


def _named(where: str, lane: LaneVerdict) -> str:
    """Return a place with the names of list items in the place of their numbers."""
    names = lane.detail.names
    if not names or "#/" not in where:
        return where
    shown, end = "", 0
    for index in _INDEX.finditer(where, where.index("#")):
        items = names.get(where[: index.start()])
        if items and int(index[1]) < len(items):
            shown += f"{where[end : index.start()]}[{items[int(index[1])]}]"
            end = index.end()
    return shown + where[end:]


def _rank(claim: Claim) -> int:
    return 0 if claim.agreement is Agreement.DIFFERS else _KNOWN[claim.level]


def _word(rank: int) -> str:
    return next((str(level) for level, known in _KNOWN.items() if known == rank), "refuted")
