"""The pages that belong to no single lane."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from generator import __version__, decision_schema
from generator.ballots import executes, is_hold
from generator.comparing.difference import Difference
from generator.decided import by_lane
from generator.evidence import json_schemas
from generator.evidence.kinds import KINDS
from generator.facts import DecisionPacket, LaneFacts
from generator.model.claims import ClaimCounts
from generator.model.decision import BlockerMap, DecisionState, Recorded
from generator.model.outcome import Outcome
from generator.model.verdict import LaneVerdict, RootVerdict
from generator.render import (
    blocker_page,
    contradictions,
    decision_rows,
    glossary,
    governance_page,
    words,
)
from generator.render.chain_page import anchors, chain_page
from generator.render.diff_pages import FOLDER, compare_page, pair_name
from generator.render.lane_pages import blocker_mark
from generator.render.links import href
from generator.render.over_lanes import OverLanes
from generator.render.page import Page
from generator.render.pictures import NOTHING
from generator.render.words import Mark, plural, shown
from generator.rules.base import Rule
from generator.rules.catalogue import ALL, READING_RULES
from generator.rules.evidence import EVIDENCE_RULES
from generator.rules.over_chain import CHAIN_RULES
from generator.rules.over_decisions import DECISION_RULES
from generator.rules.over_documents import LANE_RULES
from generator.rules.over_packets import PACKET_RULES
from generator.rules.over_roots import ROOT_RULES
from generator.selftest import ControlResult, Proof
from generator.standing import Blockers, Standing

NEWEST = 10
"""Lanes on the home page."""

_ANCHOR = re.compile(r"[^a-z0-9]+")

_GROUPS: tuple[tuple[str, str, Sequence[Rule[Any]]], ...] = (
    ("reading", "Applied while a lane is read, before anything is believed of it.", READING_RULES),
    ("packets", "Over the files of an evidence packet and its seal.", PACKET_RULES),
    (
        "evidence",
        "Over what the evidence files of a packet say: first their form, then kind by kind.",
        EVIDENCE_RULES,
    ),
    ("documents", "Over what the documents of a lane say.", LANE_RULES),
    ("lanes", "Over the lanes of a root among each other.", ROOT_RULES),
    ("chain", "Over the lanes along their order, each against those before it.", CHAIN_RULES),
    ("decisions", "Over the decisions that are recorded beside the lanes.", DECISION_RULES),
)
"""What rules look at, in the order in which they do."""


def anchor(text: str) -> str:
    """Return an anchor made from letters and digits of ``text`` only."""
    return _ANCHOR.sub("-", text.lower()).strip("-") or "x"


class SitePages:
    """Renders what is said about all lanes together."""

    def __init__(
        self,
        verdict: RootVerdict,
        facts: Mapping[str, LaneFacts],
        blockers: Blockers,
        proof: Proof,
        over: OverLanes,
        now: BlockerMap,
        since: Difference | None = None,
    ) -> None:
        """Take the verdict over the root, each lane's facts, all blockers, and the proof.

        ``since`` is what changed to the newest lane from the one before it.
        """
        self.since = since
        self.over = over
        self.verdict = verdict
        self.lanes = verdict.lanes
        self.newest_first = tuple(reversed(verdict.lanes))
        self.facts = facts
        self.proof = proof
        self.now = blockers
        self.in_chain = anchors(verdict.lanes)
        self.map = now
        self.titles = {lane.id: lane.title for lane in verdict.lanes}
        self.anchors = blocker_page.anchors_of(blockers)

    def pages(self) -> Iterator[Page]:
        """Yield all of them."""
        yield self.home()
        yield self.lane_list()
        yield self.blockers()
        yield self.decisions()
        yield self.governance()
        yield chain_page(self.lanes)
        yield self.contradictions()
        yield compare_page(self.newest_first)
        yield self.validators()
        yield self.glossary()
        yield from self.codes()

    # Home

    def home(self) -> Page:
        """Return where production stands, at a glance."""
        total = _sum(lane.counts for lane in self.lanes)
        refuting = sum(len(lane.refuting) for lane in self.lanes)
        verified = sum(lane.outcome is Outcome.PASS for lane in self.lanes)
        standing, headline, css = self._standing()
        newest = self.newest_first[0] if self.newest_first else None
        since = self.since
        cards = [
            _card(
                words.RECOMPUTED,
                plural(total.recomputed, "claim"),
                f"derived again from bytes; {plural(verified, 'lane')} verified",
            ),
            _card(
                words.CROSS_CHECKED,
                plural(total.cross_checked, "claim"),
                "documents compared with each other",
            ),
            _card(
                words.CLAIMED_ONLY,
                plural(total.claimed_only, "claim"),
                "nothing here can confirm them",
            ),
            _card(words.REFUTED, plural(refuting, "finding"), "stated one way, found another"),
        ]
        blockers = [self._blocker_row(item) for item in blocker_page.foremost(self.now)]
        unshown = len(self.now.standing) - len(blockers)
        attention = [
            {
                "title": lane.title,
                "words": f"{lane.integrity}, {plural(len(lane.refuting), 'finding')}"
                + (f", first: {lane.refuting[0].code}" if lane.refuting else ""),
                "href": href(f"lanes/{lane.id}/verification.md#findings"),
            }
            for lane in self.newest_first
            if lane.refuting or lane.errors
        ]
        wrong = len(attention)
        refused = [one for one in self.verdict.decisions if one.state is DecisionState.REFUSED]
        if refused:
            attention.insert(
                0,
                {
                    "title": "Recorded decisions",
                    "words": f"{plural(len(refused), 'record')} refused, first: {refused[0].file}",
                    "href": href("decisions.md#recorded"),
                },
            )
        decided_words, decided = self._decided()
        rows = [self._lane_row(lane, "lanes/") for lane in self.newest_first[:NEWEST]]
        data = {
            "schema": "lanebook/home/1",
            "headline": headline,
            "standing": standing,
            "open_words": self._open_words(),
            "refuted_words": self._refuted_words(),
            "decisions_words": decision_rows.counted(self.verdict.decisions),
            "newest_words": "The newest lane is" if newest else "There is no lane yet.",
            "newest_title": newest.title if newest else "",
            "newest_more": _newest_more(newest) if newest else "",
            "since_words": f"Since the lane before: {since.headline}" if since else "",
            "cards": [card["data"] for card in cards],
            "blockers_words": self._blockers_from()
            + (f" {plural(unshown, 'more blocker')} on the page of blockers." if unshown else ""),
            "blockers_caption": f"{plural(len(blockers), 'blocker')}, in the newest list's order"
            + (", open ones first" if unshown else "")
            if blockers
            else "",
            "blockers": [row["data"] for row in blockers],
            "picture_words": blocker_page.picture_words(self.over.steps),
            "decided_words": decided_words,
            "decided": [item["data"] for item in decided],
            "attention_words": f"{plural(wrong, 'lane')} with something wrong."
            if wrong
            else "No rule refuted anything in any lane; see to the records below."
            if attention
            else "No rule refuted anything in any lane.",
            "attention": [
                {"title": item["title"], "words": item["words"]} for item in attention[:NEWEST]
            ],
            "lanes_caption": f"The {plural(len(rows), 'newest lane')}, newest first",
            "lanes": [row["data"] for row in rows],
            "all_lanes": f"All {plural(len(self.lanes), 'lane')}",
        }
        aids = {
            "verdict": {"css": css, "sign": "", "headline": headline},
            "newest_href": href(f"lanes/{newest.id}/index.md") if newest else "",
            "since_href": href(
                f"{FOLDER}/{pair_name(since.before['id'], since.after['id'])}.md" if since else ""
            ),
            "cards": cards,
            "blockers": blockers,
            "picture": self.over.drawn.get(blocker_page.PICTURE, NOTHING),
            "attention": attention[:NEWEST],
            "decided": decided,
            "lanes": rows,
        }
        return Page("index", "index.md.j2", data, aids)

    def _decided(self) -> tuple[str, list[dict[str, Any]]]:
        """Return the decisions that say something now: those that no later one superseded."""
        standing = [
            one for one in self.verdict.decisions if one.state is not DecisionState.SUPERSEDED
        ]
        rows = [decision_rows.row(one, self.titles, "lanes/") for one in standing[:NEWEST]]
        keys = ("state", "option", "lane", "decided_by", "decided_on", "words")
        decided = [row | {"data": {key: row["data"][key] for key in keys}} for row in rows]
        if not standing:
            return "No decision is recorded. Every default holds.", []
        more = f" The first {NEWEST} are shown." if len(standing) > NEWEST else ""
        return (
            "As recorded. lanebook neither approves a decision nor carries it out; where one is"
            f" stale or refused, the default holds.{more}",
            decided,
        )

    def _standing(self) -> tuple[str, str, str]:
        """Say where production stands; whatever is unclear holds."""
        packets = (
            (lane, packet)
            for lane in self.newest_first
            if (packet := self.facts[lane.id].decision) is not None
        )
        newest = next(packets, None)
        nobody = (
            "no decision is recorded"
            if not self.verdict.decisions
            else "no recorded decision changes that"
        )
        if newest is None:
            return (
                f"No lane here puts a decision to an owner, and {nobody}.",
                "Nothing here allows production to be touched",
                "lb-hold",
            )
        lane, decision = newest
        if decision.selected:
            return (
                f"The newest decision packet ({lane.title}) states a selection, which a decision"
                f" packet may not do; {nobody}.",
                "Nothing here allows production to be touched",
                "lb-refuted",
            )
        if not decision.holds:
            return (
                f"The newest decision packet ({lane.title}) states {decision.default or 'no'} as"
                f" its default, which is no hold; {nobody}.",
                "Nothing here allows production to be touched",
                "lb-refuted",
            )
        return self._by_decision(lane, decision.default) or (
            f"Nobody has decided otherwise, and the default is {decision.default}, as stated.",
            "Production must not be touched: it is on hold",
            "lb-hold",
        )

    def _by_decision(self, lane: LaneVerdict, default: str) -> tuple[str, str, str] | None:
        """Say where production stands by what is recorded on the lane whose packet is newest."""
        last = next(
            (
                one
                for one in reversed(self.verdict.decisions)
                if one.lane == lane.id and one.decision is not None
            ),
            None,
        )
        if last is None or last.decision is None:
            return None
        taken = last.decision
        on_hold = "Production must not be touched: it is on hold"
        said = f"{taken.option} is recorded on {lane.title}, by {taken.decided_by}"
        if last.state is not DecisionState.CURRENT:
            return (
                f"{said}, and it is {last.state.value}; so the default, {default}, holds.",
                on_hold,
                "lb-hold",
            )
        if is_hold(taken.option):
            return f"{said}; what it was taken on is as it was.", on_hold, "lb-hold"
        if not executes(taken.option):
            return (
                f"{said}; by its name it stops short of production.",
                "Production must not be touched: what was decided stops short of it",
                "lb-hold",
            )
        open_now = len(self.map.open)
        if open_now:
            return (
                f"{said}, despite open blockers; what it was taken on is as it was.",
                f"Production must not be touched: {plural(open_now, 'blocker')} open",
                "lb-hold",
            )
        return (
            f"{said}; what it was taken on is as it was. lanebook approves nothing.",
            f"An owner decided for {taken.option}, and no blocker is open",
            "lb-hold",
        )

    def _refuted_words(self) -> str:
        """Say at the top that something here is refuted: a published site may be, when allowed."""
        lanes = [lane for lane in self.lanes if lane.refuting]
        records = [
            one
            for one in self.verdict.decisions
            if any(finding.refutes for finding in one.findings)
        ]
        count = sum(len(lane.refuting) for lane in lanes)
        count += sum(finding.refutes for one in records for finding in one.findings)
        if not count:
            return ""
        where = [plural(len(lanes), "lane")] if lanes else []
        where += [plural(len(records), "recorded decision")] if records else []
        return f"{words.REFUTED.sign} Shown with findings: {plural(count, 'finding')} in " + (
            " and ".join(where)
        )

    def _open_words(self) -> str:
        """Count what is open; where a lane states more than are named, its number comes first."""
        named, stated = self.now.open_named, self.now.open_stated
        if not self.now.standing and not stated:
            return "No lane lists blockers"
        if not stated or stated == str(named):
            return f"{plural(named, 'blocker')} open"
        if stated.isdecimal() and len(stated) < 10 and int(stated) > named:
            return f"{plural(int(stated), 'blocker')} open as stated, {named} of them named"
        return f"{plural(named, 'blocker')} open, {stated} as the newest count states"

    def _blockers_from(self) -> str:
        if self.now.newest is None:
            return "No lane lists blockers."
        return (
            f"Each as stated by the newest lane that names it. The newest list is that of"
            f" {self.now.newest.title}."
        )

    def _blocker_row(self, standing: Standing) -> dict[str, Any]:
        blocker = standing.blocker
        data = {
            "id": blocker.id,
            "state": standing.state,
            "note": standing.note,
            "actor": blocker.actor,
            "next_action": blocker.next_action,
            "blocks": blocker.blocks,
        }
        return {
            "data": data,
            **data,
            "mark": blocker_mark(standing),
            "href": href(f"blockers.md#{self.anchors[blocker.id]}"),
        }

    def _lane_row(self, lane: LaneVerdict, prefix: str) -> dict[str, Any]:
        refuting = len(lane.refuting)
        counts = lane.counts
        data = {
            "lane": lane.title,
            "date": lane.date or "no date",
            "stated_status": lane.stated_status,
            "integrity": lane.integrity.value,
            "outcome": lane.outcome.value,
            "findings": plural(refuting, "finding"),
            "link": words.link_words(lane),
        }
        base = f"{prefix}{lane.id}/verification.md"
        present = {
            "recomputed": counts.recomputed,
            "cross_checked": counts.cross_checked,
            "claimed_only": counts.claimed_only,
            "refuted": counts.refuted,
        }
        names = {"cross_checked": "crosschecked", "claimed_only": "claimed"}
        return {
            "data": data,
            **data,
            "title": lane.title,
            "href": href(f"{prefix}{lane.id}/index.md"),
            "findings_href": href(f"{base}#findings"),
            "link_href": href(f"{'' if prefix else '../'}chain.md{self.in_chain[lane.id]}"),
            "integrity_mark": words.of_integrity(lane.integrity),
            "outcome_mark": words.of_outcome(lane.outcome),
            "counts": present,
            "anchors": {
                key: href(f"{base}#{names.get(key, key)}" if count else base)
                for key, count in present.items()
            },
        }

    def lane_list(self) -> Page:
        """Return the list of all lanes, newest first."""
        rows = [self._lane_row(lane, "") for lane in self.newest_first]
        data = {
            "schema": "lanebook/lanes/1",
            "words": f"{plural(len(rows), 'lane')}, newest first. Order comes from what the lanes"
            " say of each other, never from dates alone.",
            "caption": "All lanes",
            "lanes": [row["data"] | row["counts"] for row in rows],
            "unread_words": "Beside the lanes lies what lanebook does not read:"
            if self.verdict.unread
            else "",
            "unread": list(self.verdict.unread),
        }
        return Page("lanes/index", "lanes.md.j2", data, {"lanes": rows})

    # Blockers, decisions, governance

    def blockers(self) -> Page:
        """Return every blocker now, and what lanes said of each."""
        return blocker_page.page(
            self.now,
            self.over.histories,
            (self.over.steps, self.over.drawn.get(blocker_page.PICTURE, NOTHING)),
            self.anchors,
            (self._open_words(), self._blockers_from()),
            self._place,
        )

    def _place(self, lane: LaneVerdict, where: str) -> Markup:
        """Return the link from the top of the site to a place of a lane."""
        inside = self.over.places(lane).href(where)
        return href(f"lanes/{lane.id}/{inside}" if inside else "")

    def decisions(self) -> Page:
        """Return the decision packets, and the decisions that are recorded, with their state."""
        recorded = by_lane(self.verdict.decisions)
        packets = [
            self._packet_row(lane, packet, recorded.get(lane.id, ()))
            for lane in self.newest_first
            if (packet := self.facts[lane.id].decision) is not None
        ]
        told, rows = decision_rows.table(self.verdict.decisions, self.titles, "lanes/")
        data = {
            "schema": "lanebook/decisions/1",
            "recorded_words": "0 decisions are recorded. Until one is, every default holds."
            if not self.verdict.decisions
            else f"{decision_rows.counted(self.verdict.decisions)}. Where a decision is stale or"
            " refused, the default of its lane holds.",
            **told,
            "record_words": "A decision is a file in decisions/, written by lanebook decide and"
            " bound to the evidence tree, the blocker map over all lanes and the decision packet."
            " The blocker map now:",
            "blocker_map": self.map.digest,
            "packets_words": f"{plural(len(packets), 'decision packet')}."
            if packets
            else "No lane puts a decision to an owner.",
            "packets_caption": "Decision packets, newest lane first" if packets else "",
            "packets": [item["data"] for item in packets],
        }
        aids = {
            "packets": packets,
            **rows,
            "schema_href": href(f"schemas/{decision_schema.NAME}"),
        }
        return Page("decisions", "decisions.md.j2", data, aids)

    def _packet_row(
        self, lane: LaneVerdict, packet: DecisionPacket, recorded: Sequence[Recorded]
    ) -> dict[str, Any]:
        last = recorded[-1] if recorded else None
        data = {
            "lane": lane.title,
            "default": packet.default,
            "holds": "holds" if packet.holds else "is no hold",
            "selected": packet.selected or "nothing",
            "options": len(packet.options),
            "tree": packet.tree or "not stated",
            "held_against": "no evidence is here"
            if lane.tree is None
            else "the evidence of its lane"
            if packet.tree == lane.tree
            else "not the evidence of its lane",
            "decided": last.decision.option
            if last is not None and last.decision is not None
            else "no readable record"
            if last is not None
            else "nothing",
            "decision_state": last.state.value if last is not None else "not recorded",
        }
        return {
            "data": data,
            **data,
            "tree": shown(packet.tree or "not stated"),
            "mark": decision_rows.of_decision(last.state)
            if last is not None
            else Mark("–", "not recorded", "lb-none"),
            "href": href(f"lanes/{lane.id}/decision.md"),
        }

    def governance(self) -> Page:
        """Return reserved ranges and consumed delegations, as stated."""
        return governance_page.page(
            self.over.numbers, self.over.drawn, self.lanes, self.facts, self._place
        )

    def contradictions(self) -> Page:
        """Return what documents of one lane state differently."""
        return contradictions.page(self.lanes, self._place)

    # Rules

    def validators(self) -> Page:
        """Return every rule with its sound sample, its controls and their answers."""
        answers = {(item.rule, item.code): item for item in self.proof.results}
        groups: list[dict[str, Any]] = []
        summary: list[dict[str, Any]] = []
        for title, sentence, members in _GROUPS:
            rules = [self._rule(rule, answers) for rule in members]
            summary.extend(self._summarised(rule, title) for rule in rules)
            groups.append(
                {
                    "data": {
                        "title": title,
                        "words": sentence,
                        "rules": [rule["data"] for rule in rules],
                    },
                    "title": title,
                    "words": sentence,
                    "anchor": f"over-{anchor(title)}",
                    "rules": rules,
                }
            )
        kinds = [
            {
                "file": kind.file,
                "about": kind.about,
                "json_schema": json_schemas.name(kind),
                "href": href(f"schemas/{json_schemas.name(kind)}"),
            }
            for kind in KINDS
        ]
        held = sum(item.held for item in self.proof.results if item.code)
        sentence = (
            f"{plural(self.proof.rules, 'rule')}, each silent on its sound sample;"
            f" {held} of {plural(self.proof.controls, 'control')} answered by exactly their own"
            " code, before any verdict of this site was believed."
        )
        data = {
            "schema": "lanebook/validators/2",
            "headline": "Every rule was proven in this run",
            "words": sentence,
            "rule_base": self.verdict.rule_base,
            "version": __version__,
            "summary": [row["data"] for row in summary],
            "groups": [item["data"] for item in groups],
            "kinds_words": f"{plural(len(kinds), 'kind')} of evidence file, each in one form",
            "kinds": [
                {key: item[key] for key in ("file", "about", "json_schema")} for item in kinds
            ],
        }
        aids = {
            "verdict": {
                "css": words.RECOMPUTED.css,
                "sign": words.RECOMPUTED.sign,
                "headline": data["headline"],
            },
            "summary": summary,
            "groups": groups,
            "kinds": kinds,
        }
        return Page("validators", "validators.md.j2", data, aids)

    def _rule(
        self, rule: Rule[Any], answers: Mapping[tuple[str, str], ControlResult]
    ) -> dict[str, Any]:
        """Return one rule with its codes and what answered their controls."""
        sound = answers.get((rule.name, ""))
        codes = []
        for code, text in rule.codes.items():
            result = answers.get((rule.name, code))
            proven = result is not None and result.held
            codes.append(
                {
                    "code": code,
                    "meaning": text.meaning,
                    "answer": f"answered by {code}" if proven else "not proven",
                }
            )
        held = sum(item["answer"] != "not proven" for item in codes)
        mark = words.RECOMPUTED if held == len(codes) else words.REFUTED
        data: dict[str, Any] = {
            "name": rule.name,
            "protects": rule.protects,
            "silent": "Silent on its sound sample."
            if sound is not None and sound.held
            else "Not proven on its sound sample.",
            "words": f"{plural(len(codes), 'code')}, {plural(held, 'control')} held",
            "codes": codes,
        }
        return {
            "data": data,
            **data,
            "held": held,
            "mark": mark._replace(word=f"{held} of {len(codes)}"),
            "anchor": anchor(rule.name),
            "table": f"{anchor(rule.name)}-codes",
            "caption": f"Codes of {rule.name}",
            "codes": [item | {"href": href(f"codes/{item['code']}.md")} for item in codes],
        }

    def _summarised(self, rule: Mapping[str, Any], group: str) -> dict[str, Any]:
        data = {
            "rule": rule["name"],
            "over": group,
            "protects": rule["protects"],
            "codes": len(rule["codes"]),
            "held": rule["mark"].word,
        }
        return {"data": data, **data, "mark": rule["mark"], "href": href(f"#{rule['anchor']}")}

    def glossary(self) -> Page:
        """Return the words of this site."""
        found = glossary.groups()
        groups = [group | {"anchor": anchor(group["title"])} for group in found]
        data = {"schema": "lanebook/glossary/1", "groups": found}
        return Page("glossary", "glossary.md.j2", data, {"groups": groups})

    def codes(self) -> Iterator[Page]:
        """Yield a page for each code."""
        for rule in ALL:
            for code, text in rule.codes.items():
                data = {
                    "schema": "lanebook/code/1",
                    "code": code,
                    "meaning": text.meaning,
                    "why": text.why,
                    "todo": text.todo,
                    "rule": rule.name,
                    "protects": rule.protects,
                }
                aids = {"rule_href": href(f"../validators.md#{anchor(rule.name)}")}
                yield Page(f"codes/{code}", "code.md.j2", data, aids)


def _newest_more(lane: LaneVerdict) -> str:
    status = f"; its status as stated: {lane.stated_status}" if lane.stated_status else ""
    return f"({lane.date or 'no date'}){status}. Integrity: {lane.integrity}."


def _card(mark: Mark, count: str, sentence: str) -> dict[str, Any]:
    data = {"kind": mark.word, "count": count, "words": sentence}
    return {"data": data, **data, "mark": mark, "href": href("lanes/index.md#lanes")}


def _sum(counts: Iterable[ClaimCounts]) -> ClaimCounts:
    totals = [0, 0, 0, 0]
    for item in counts:
        for index, count in enumerate(item):
            totals[index] += count
    return ClaimCounts(*totals)
