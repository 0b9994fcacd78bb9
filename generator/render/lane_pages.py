"""The pages of a lane, from its verdict: six, and one for each evidence file of a known kind."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from generator.ballots import executes
from generator.facts import Blocker, DecisionPacket, LaneFacts
from generator.model.decision import BlockerMap, Recorded
from generator.model.digest import Digest
from generator.model.document import Document, DocumentKind, Table, read_place
from generator.model.finding import Claim, Finding
from generator.model.outcome import Integrity
from generator.model.packet import State
from generator.model.verdict import LaneVerdict
from generator.names import visible
from generator.profiles import DEFAULT, PROFILES
from generator.reading import strictjson
from generator.render import decision_rows, evidence_pages, words
from generator.render.contradicted import beside
from generator.render.evidence_pages import Contents, EvidenceFile
from generator.render.links import href
from generator.render.page import Page
from generator.render.places import Places
from generator.render.words import Mark, plural, shown
from generator.rules.catalogue import CODES
from generator.standing import Standing

_TABS = (
    ("Overview", "index"),
    ("Report", "report"),
    ("Checkpoint", "checkpoint"),
    ("Decision", "decision"),
    ("Evidence", "evidence"),
    ("Verification", "verification"),
)
_LONGEST_HEADING = 110
_MOST_NAMED = 10
BLOCKER_MAP = "production-readiness-blocker-map.json"
MOST_FINDINGS = 100
"""Findings on one page."""
MOST_CLAIMS = 1000
"""Claims of one level in the ledger of one lane."""


class Surroundings(NamedTuple):
    """What a lane's pages say of everything around it."""

    titles: Mapping[str, str]
    """Lane id to title, for links to the neighbours."""
    blockers_now: Mapping[str, Standing]
    """Where every blocker stands, by id."""
    rules: int
    controls: int
    rule_base: Digest
    blocker_map: BlockerMap
    """The same with its digest, as decisions are bound to it."""
    decisions: Mapping[str, tuple[Recorded, ...]]
    """Lane id to what is recorded of its decisions."""
    json_limits: strictjson.Limits = strictjson.DEFAULT
    """Within which the evidence was read."""
    in_chain: Mapping[str, str] = {}
    """Lane id to the anchor of its row in the page of the chain."""
    diffs: Mapping[str, str] = {}
    """Lane id to the page that says what changed since the lane before it."""


class LanePages:
    """Renders one lane; what its pages share is worked out once."""

    def __init__(
        self,
        lane: LaneVerdict,
        facts: LaneFacts,
        published: Mapping[Digest, str],
        around: Surroundings,
        contents: Contents,
    ) -> None:
        """Take what is known of the lane and of its surroundings.

        Args:
            lane: the verdict.
            facts: what the lane's documents say of production.
            published: digest to file ending of the bytes under the lane's ``files/``.
            around: what is known beside the lane.
            contents: gives the bytes of its evidence files.
        """
        self.lane = lane
        self.facts = facts
        self.evidence_files = tuple(
            evidence_pages.evidence_files(lane, contents, around.json_limits)
        )
        anchors = {
            file.place: file.anchors for file in self.evidence_files if file.anchors is not None
        }
        self.places = Places(lane, published, anchors)
        self.around = around
        self.titles = around.titles
        self.claims = _ordered(lane.claims)
        listed, _ = _bounded(self.claims)
        self.ledger: dict[Claim, int] = {}
        for number, claim in enumerate(listed, 1):
            self.ledger.setdefault(claim, number)
        self.contradicted = beside(lane)
        self.counts = lane.counts

    def pages(self) -> Iterator[Page]:
        """Yield the six pages, then those of the evidence files."""
        yield self.index()
        yield self.report()
        yield self.checkpoint()
        yield self.decision()
        yield self.evidence()
        yield self.verification()
        for file in self.evidence_files:
            yield self.evidence_file(file)

    def _page(
        self, name: str, template: str, data: dict[str, Any], aids: dict[str, Any], tab: str = ""
    ) -> Page:
        mark, headline = words.headline(self.lane)
        common = {
            "schema": f"lanebook/{template.split('.')[0]}/1",
            "lane": self.lane.id,
            "title": self.lane.title,
            "headline": headline,
            "reach": words.reach(self.lane.integrity),
        }
        tabs = [
            {
                "name": title,
                "href": href(f"{page}.md"),
                "current": "page" if page == name else "true" if page == tab else "",
            }
            for title, page in _TABS
        ]
        tabs.append(
            {
                "name": "Diff",
                "href": href(f"../../{self.around.diffs.get(self.lane.id, 'compare.md')}"),
                "current": "",
            }
        )
        tabs.append({"name": "JSON", "href": href(f"{name}.json"), "current": ""})
        aids = {
            "head": f"{self.lane.id}, {name}" if name != "index" else self.lane.id,
            "tabs": tabs,
            "verdict": {"css": mark.css, "sign": mark.sign, "headline": headline},
            **aids,
        }
        return Page(f"lanes/{self.lane.id}/{name}", template, common | data, aids)

    def _link(self, where: str) -> Markup:
        return href(self.places.href(where))

    # The overview

    def index(self) -> Page:
        """Return the overview: outcome, what was done, what stays open, findings."""
        lane, facts = self.lane, self.facts
        outcome = list(self._outcome())
        done = [
            {"what": what, "stated": stated, "where": where} for what, stated, where in facts.done
        ]
        untouched = [
            {"what": what, "stated": stated, "where": where}
            for what, stated, where in facts.untouched
        ]
        touched = [
            {"what": what, "stated": stated, "where": where}
            for what, stated, where in facts.touched
        ]
        settings = list(self._settings())
        blockers = [
            {"id": item.id, "state": item.state, "where": item.where} for item in facts.blockers
        ]
        findings = [
            self._finding(number, item)
            for number, item in enumerate(lane.findings[:MOST_FINDINGS], 1)
        ]
        recorded, recorded_rows = self._recorded()
        before_title = self.titles.get(lane.link.previous, "")
        data = {
            "date_words": lane.date or "no stated date",
            "folder": lane.folder,
            "stated_outcome": lane.stated_outcome.value,
            "outcome": lane.outcome.value,
            "integrity": lane.integrity.value,
            "files": self._files_words(),
            "counts": self.counts._asdict(),
            "outcome_rows": [row["data"] for row in outcome],
            "before": {
                "words": "Before this lane:"
                if lane.link.previous
                else "No lane is known before it.",
                "title": before_title,
                "how": f", linked {words.link_words(lane)}." if lane.link.kind else "",
            },
            "after": {
                "words": "After it:" if lane.next else "No lane is known after it.",
                "title": self.titles.get(lane.next, ""),
            },
            "in_chain": "Its place in the chain",
            "done_words": _as_stated(len(done), "part of the work", "parts of the work"),
            "done": done,
            "untouched_words": _as_stated(
                len(untouched), "statement on production", "statements on production"
            ),
            "untouched": untouched,
            "touched_words": "These statements on production do not say that nothing was touched:"
            if touched
            else "",
            "touched": touched,
            "open_words": self._open_words(),
            "blockers": blockers,
            **recorded,
            "findings_words": self._findings_words(),
            "findings": [item["data"] for item in findings],
            "rules_words": self._rules_words(),
            "rules_detail": self._rules_detail(),
            "settings_caption": "What lane.yml says" if settings else "",
            "settings": [row["data"] for row in settings],
        }
        present = {words.of_claim(claim).word for claim in self.claims}
        aids = {
            "outcome_rows": outcome,
            "anchors": {
                key: href(f"verification.md#{anchor}" if level in present else "verification.md")
                for key, (level, anchor) in {
                    "recomputed": ("recomputed", "recomputed"),
                    "cross_checked": ("cross-checked", "crosschecked"),
                    "claimed_only": ("claimed only", "claimed"),
                    "refuted": ("refuted", "refuted"),
                }.items()
            },
            "chain_href": href(f"../../chain.md{self.around.in_chain.get(lane.id, '')}"),
            "before_href": href(f"../{lane.link.previous}/index.md") if before_title else "",
            "after_href": href(f"../{lane.next}/index.md") if lane.next else "",
            "done": [item | {"href": self._link(item["where"])} for item in done],
            "untouched": [item | {"href": self._link(item["where"])} for item in untouched],
            "touched": [item | {"href": self._link(item["where"])} for item in touched],
            "blockers": [item | {"href": self._link(item["where"])} for item in blockers],
            "findings": findings,
            "settings": settings,
            **recorded_rows,
        }
        return self._page("index", "lane.md.j2", data, aids)

    def _settings(self) -> Iterator[dict[str, Any]]:
        """Yield what ``lane.yml`` says beside the title and the date."""
        meta = self.lane.meta
        rows = [
            ("who", meta.who, "shown here"),
            ("previous", meta.previous, "the lane before this one"),
            ("delegation", meta.delegation, "where its delegation was given"),
            *(
                (f"pins: {visible(path)}", pin, "must be these bytes")
                for path, pin in meta.pins.items()
            ),
            *((key, value, "none: lanebook does not know this key") for key, value in meta.unknown),
        ]
        for key, value, effect in rows:
            if value:
                data = {"key": key, "value": value, "effect": effect}
                yield {"data": data, **data, "shown": shown(value)}

    def _outcome(self) -> Iterator[dict[str, Any]]:
        """Yield the rows that a reader wants first: status, tree hash, files."""
        lane = self.lane
        stated = lane.stated_status
        yield _outcome_row(
            "final status",
            stated or "no status stated",
            "",
            words.CLAIMED_ONLY if stated else words.CLAIMED_ONLY._replace(word="nothing stated"),
        )
        if lane.tree is None:
            yield _outcome_row("evidence", "", "no packet", words.CLAIMED_ONLY)
            return
        same = lane.stated_tree == lane.tree
        yield _outcome_row(
            "tree hash",
            lane.stated_tree or "no usable tree file",
            lane.tree,
            words.RECOMPUTED._replace(word="agrees")
            if same
            else words.REFUTED._replace(word="differs"),
        )
        matching = sum(state.state is State.MATCH for state in lane.files)
        listed = sum(state.listed is not None for state in lane.files)
        good = lane.integrity.green
        yield _outcome_row(
            "files",
            f"{listed} listed",
            self._files_words(),
            words.RECOMPUTED._replace(word="agrees")
            if good
            else words.REFUTED._replace(word="differs")
            if lane.integrity is not Integrity.UNSEALED
            else words.CLAIMED_ONLY._replace(word=f"{matching} confirmed"),
        )

    def _files_words(self) -> str:
        if not self.lane.files:
            return "No evidence files"
        counts: dict[str, int] = {}
        for state in self.lane.files:
            counts[state.state] = counts.get(state.state, 0) + 1
        parts = ", ".join(f"{count} {name}" for name, count in counts.items())
        return f"{plural(len(self.lane.files), 'file')}: {parts}"

    def _open_words(self) -> str:
        stated = self.facts.open_stated
        listed = sum(item.open for item in self.facts.blockers)
        if not self.facts.blockers and not stated:
            return "No document of this lane lists blockers."
        said = f"{stated} open as stated; " if stated else ""
        return f"{said}{plural(listed, 'open blocker')} listed. As stated by the documents:"

    def _findings_words(self) -> str:
        refuting = len(self.lane.refuting)
        notes = len(self.lane.findings) - refuting
        if not self.lane.findings:
            return "No rule found anything wrong."
        told = f"{plural(refuting, 'finding')} that refute something, {plural(notes, 'note')}."
        if len(self.lane.findings) > MOST_FINDINGS:
            return f"{told} The first {MOST_FINDINGS} are shown; lanebook verify names all."
        return told

    def _rules_words(self) -> str:
        return f"{self.around.rules} rules checked, {self.around.controls} controls bit"

    def _rules_detail(self) -> str:
        codes = sorted({finding.code for finding in self.lane.findings})
        silent = len(CODES) - len([code for code in codes if code in CODES])
        return f"Of {len(CODES)} codes, {silent} were not raised by this lane."

    def _finding(self, number: int, finding: Finding) -> dict[str, Any]:
        code = CODES.get(finding.code)
        heading = code.meaning.rstrip(".") if code is not None else finding.message.rstrip(".")
        data = {
            "code": finding.code,
            "severity": finding.severity,
            "heading": heading,
            "where": finding.where,
            "stated": finding.stated,
            "computed": finding.computed,
            "message": finding.message,
            "why": code.why if code is not None else "",
            "todo": code.todo if code is not None else "",
        }
        return {
            "data": data,
            **data,
            "id": f"finding-{number}",
            "label": f"Finding {number}",
            "css": "" if finding.refutes else Markup(" lb-advice"),
            "stated": shown(finding.stated),
            "computed": shown(finding.computed),
            "href": self._link(finding.where),
            "code_href": href(f"../../codes/{finding.code}.md"),
        }

    # Report and checkpoint

    def report(self) -> Page:
        """Return every claim of the reports, in the documents' own order."""
        kinds = (
            DocumentKind.MACHINE_REPORT,
            DocumentKind.REPORT,
            DocumentKind.ADDENDUM,
            DocumentKind.OTHER,
        )
        documents = [item for item in self.lane.documents if item.kind in kinds]
        intro = (
            f"{plural(len(documents), 'document')}, statement by statement, each with what could"
            " be computed against it."
            if documents
            else "No report came with this lane."
        )
        return self._documents("report", documents, intro, [], "")

    def checkpoint(self) -> Page:
        """Return the lane at a glance, and what its checkpoints state."""
        documents = [item for item in self.lane.documents if item.kind is DocumentKind.CHECKPOINT]
        intro = (
            "The lane at a glance, put together from its documents and its evidence."
            if documents or self.lane.documents or self.lane.files
            else "Nothing came with this lane from which a checkpoint could be put together."
        )
        return self._documents(
            "checkpoint", documents, intro, list(self._glance()), "Checkpoint, as stated"
        )

    def _glance(self) -> Iterator[tuple[str, str, str]]:
        lane, facts = self.lane, self.facts
        status = next((item.status for item in lane.documents if item.status is not None), None)
        yield "final status", lane.stated_status, status.where if status else ""
        yield "delegated decision consumed", facts.delegation, ""
        yield from facts.untouched
        if lane.tree is not None:
            yield "evidence tree, computed", lane.tree, f"{lane.evidence}/HASH_MANIFEST.txt"
        if facts.reservation is not None:
            reserved = facts.reservation
            yield "objects reserved", reserved.objects, reserved.where
            yield "above ceiling", reserved.above_ceiling, reserved.where
            yield "applied now", reserved.apply_now, reserved.where
        if facts.open_stated:
            yield "open blockers", facts.open_stated, ""
        if facts.decision is not None:
            yield "default", facts.decision.default, facts.decision.where
        yield "next step", facts.next_step, ""

    def _documents(
        self,
        name: str,
        documents: Sequence[Document],
        intro: str,
        glance: Sequence[tuple[str, str, str]],
        caption: str,
    ) -> Page:
        by_document: dict[str, list[Claim]] = {}
        for claim in self.lane.document_claims:
            by_document.setdefault(read_place(claim.where).name, []).append(claim)
        built = [
            self._document(number, item, by_document.get(item.name, []))
            for number, item in enumerate(documents, 1)
        ]
        derived = [
            {"what": what, "stated": stated, "where": where}
            for what, stated, where in glance
            if stated
        ]
        data = {
            "page": name,
            "intro": intro,
            "derived_caption": caption if derived else "",
            "derived": derived,
            "documents": [item["data"] for item in built],
        }
        aids = {
            "derived": [
                item | {"stated": shown(item["stated"]), "href": self._link(item["where"])}
                for item in derived
            ],
            "documents": built,
        }
        return self._page(name, "documents.md.j2", data, aids)

    def _document(self, number: int, document: Document, claims: Sequence[Claim]) -> dict[str, Any]:
        groups: dict[str, list[Claim]] = {}
        lines = [section.line for section in document.sections]
        for claim in claims:
            groups.setdefault(_section_of(claim, document, lines), []).append(claim)
        sections = []
        for index, (title, members) in enumerate(groups.items(), 1):
            rows = [self._claim_row(claim, _key_of(claim)) for claim in members]
            sections.append(
                {
                    "id": f"document-{number}-part-{index}",
                    "caption": title,
                    "rows": rows,
                    "data": {"caption": title, "claims": [row["data"] for row in rows]},
                }
            )
        tables = [
            {
                "id": f"document-{number}-table-{index}",
                "caption": f"Table in {table.where}",
                "header": _filled(table.header, _width(table)),
                "rows": [_filled(row, _width(table)) for row in table.rows],
                "data": {
                    "where": table.where,
                    "header": [cell for cell in table.header if cell],
                    "rows": [list(row) for row in table.rows],
                },
            }
            for index, table in enumerate(document.tables, 1)
            if len(table.header) > 2
        ]
        data: dict[str, Any] = {
            "name": document.name,
            "kind": document.kind.value.capitalize(),
            "title": document.title,
            "sha256": document.sha256,
            "size": document.size,
            "parts": [section["data"] for section in sections],
            "tables": [table["data"] for table in tables],
        }
        return {
            "data": data,
            **data,
            "id": f"document-{number}",
            "href": href(self.places.viewer(document.sha256)),
            "sections": sections,
            "tables": tables,
        }

    def _claim_row(self, claim: Claim, key: str) -> dict[str, Any]:
        number = self.ledger.get(claim)
        contradictions = [
            {"words": f"contradicted: {found}", "href": href(self._finding_href(at))}
            for at, found in self.contradicted.get(claim.where, ())
        ]
        data: dict[str, Any] = {
            "claim": key,
            "stated": claim.stated,
            "recomputed": claim.recomputed or "",
            "agreement": claim.agreement.value,
            "level": words.of_claim(claim).word,
            "where": claim.where,
        }
        if contradictions:
            data["contradictions"] = [item["words"] for item in contradictions]
        return {
            "data": data,
            "contradictions": contradictions,
            "ledger_href": href(f"verification.md#claim-{number}" if number else ""),
            "key": key or "–",
            "stated": shown(claim.stated),
            "recomputed": shown(claim.recomputed),
            "agreement": claim.agreement.value,
            "mark": words.of_claim(claim),
            "place": claim.where,
            "href": self._link(claim.where),
        }

    def _finding_href(self, number: int) -> str:
        """Return where a finding of the lane is told, one that is not shown at the head."""
        place = f"finding-{number}" if number <= MOST_FINDINGS else "findings"
        return f"verification.md#{place}"

    # Decision

    def decision(self) -> Page:
        """Return the decision packet as a ballot: nothing selected, nothing steered."""
        facts, lane = self.facts, self.lane
        packet = facts.decision
        open_now = len(self.around.blocker_map.open)
        options = []
        if packet is not None:
            options = [
                {
                    "number": number,
                    "token": token,
                    "means": f"As stated: {packet.meanings[token]}"
                    if token in packet.meanings
                    else "No document of this lane says what it means.",
                    "standing": "Default. It holds if nobody decides."
                    if token == packet.default and packet.holds
                    else "Default, as stated."
                    if token == packet.default
                    else "Not the default.",
                    "readiness": _readiness(token, open_now),
                }
                for number, token in enumerate(packet.options, 1)
            ]
        stated = {item.id: item for item in reversed(facts.blockers)}
        preconditions = [
            self._precondition(one, stated.get(one.blocker.id))
            for one in (self.around.blockers_now.values() if packet else ())
        ]
        recorded, rows = self._recorded()
        headline = _decision_headline(facts)
        data = {
            "headline": headline,
            "written_on": _written_on(packet.tree, lane.tree) if packet is not None else "",
            "tree": packet.tree if packet is not None else "",
            **self._on_which_map(packet),
            "intro": _decision_intro(facts),
            "default_words": _default_words(facts),
            "default": ", ".join(packet.defaults) if packet else "",
            "options": options,
            **recorded,
            "preconditions_words": "Every blocker of any lane as it stands now, and as this lane"
            " states it"
            if preconditions
            else "",
            "preconditions": [item["data"] for item in preconditions],
            "next_step": facts.next_step,
        }
        aids = {
            "options": options,
            "preconditions": preconditions,
            **rows,
            "verdict": {"css": "lb-hold", "sign": "", "headline": headline},
        }
        return self._page("decision", "decision.md.j2", data, aids)

    def _recorded(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what this lane's pages say of the decisions that are recorded on it."""
        decisions = self.around.decisions.get(self.lane.id, ())
        return decision_rows.table(decisions, self.titles, "../")

    def _on_which_map(self, packet: DecisionPacket | None) -> dict[str, str]:
        """Say on which blocker map a decision packet was written, and whether it has changed."""
        if packet is None:
            return {"written_on_map": "", "stated_map": "", "map_since": ""}
        sealed = next((one.computed for one in self.lane.files if one.path == BLOCKER_MAP), None)
        stated = {item.id: item for item in reversed(self.facts.blockers)}
        moved = [
            blocker
            for blocker, one in self.around.blockers_now.items()
            if blocker not in stated or stated[blocker].state != one.state
        ]
        named = ", ".join(visible(blocker, 80) for blocker in moved[:_MOST_NAMED])
        more = f" and {len(moved) - _MOST_NAMED} more" if len(moved) > _MOST_NAMED else ""
        return {
            "written_on_map": _written_on_map(packet.blocker_map, sealed),
            "stated_map": packet.blocker_map,
            "map_since": f"Since then {plural(len(moved), 'blocker')} changed: {named}{more}."
            if moved
            else "Every blocker stands as this lane states it."
            if stated
            else "No lane names a blocker.",
        }

    def _precondition(self, one: Standing, stated: Blocker | None) -> dict[str, Any]:
        blocker = one.blocker
        data = {
            "id": blocker.id,
            "now": one.state,
            "note": one.note,
            "stated": stated.stated if stated is not None else "not named here",
            "state": stated.state if stated is not None else "",
            "actor": blocker.actor,
            "next_action": blocker.next_action,
            "where": stated.where if stated is not None else "",
        }
        return {
            "data": data,
            **data,
            "mark": blocker_mark(one),
            "href": self._link(data["where"]) if data["where"] else href(""),
        }

    # Evidence

    def evidence(self) -> Page:
        """Return the files of the packet, and how to check them without lanebook."""
        lane = self.lane
        quoting: dict[str, int] = {}
        for claim in self.lane.document_claims:
            if claim.against:
                quoting[claim.against] = quoting.get(claim.against, 0) + 1
        pages = {file.state.path: file.page for file in self.evidence_files}
        files = []
        for state in lane.files:
            place = f"{lane.evidence}/{visible(state.path)}"
            quotes = quoting.get(place, 0)
            raw = href(self.places.raw(state.computed))
            data = {
                "path": visible(state.path),
                "state": state.state.value,
                "bytes": state.size,
                "sha256": state.computed or "",
                "listed": state.listed or "",
                "quoted_by": plural(quotes, "claim") if quotes else "none",
                "drift": state.drift,
                "held_by": visible(state.holder),
            }
            notes = [text for text in (state.drift, visible(state.holder)) if text]
            files.append(
                {
                    "data": data,
                    **data,
                    "size": state.size,
                    "mark": words.of_state(state.state),
                    "computed": shown(state.computed),
                    "listed": shown(state.listed),
                    "href": href(self.places.viewer(state.computed)),
                    "raw": raw,
                    "raw_word": "download" if raw else "not here",
                    "note": "; " + "; ".join(notes) if notes else "",
                    "read": href(f"{pages[state.path]}.md") if state.path in pages else "",
                }
            )
        on_files = [
            finding
            for finding in lane.findings
            if finding.where.startswith(f"{lane.evidence}/") or finding.where == lane.evidence
        ]
        findings = [
            self._finding(number, item) for number, item in enumerate(on_files[:MOST_FINDINGS], 1)
        ]
        profile = PROFILES.get(lane.profile, DEFAULT)
        shell = [
            line.replace("-c", "--strict -c") if line.startswith("sha256sum -c") else line
            for line in profile.by_hand
        ]
        judged = [evidence_pages.in_list(file) for file in self.evidence_files]
        facts: dict[str, Any] = {
            "files_words": self._files_words() + ".",
            "tree": lane.tree or "",
            "stated_tree": lane.stated_tree or "",
            "profile": lane.profile,
            "cited_words": plural(len(lane.cited_by), "document") if lane.tree else "",
            "cited_by": list(lane.cited_by),
            "judged_caption": f"{plural(len(judged), 'evidence file')} of a known kind"
            if judged
            else "",
            "judged": [item["data"] for item in judged],
            "files_intro": ""
            if files
            else "No evidence packet came with this lane, so there is nothing to look at here.",
            "files_caption": f"{plural(len(files), 'file')}, by path" if files else "",
            "files": [item["data"] for item in files],
            "findings": [item["data"] for item in findings],
        }
        aids = {
            "files": files,
            "judged": judged,
            "findings": findings,
            "cited_by": list(lane.cited_by),
            "stated_tree": shown(lane.stated_tree),
            "shell": [Markup(line) for line in shell],
        }
        return self._page("evidence", "evidence.md.j2", facts, aids)

    def evidence_file(self, file: EvidenceFile) -> Page:
        """Return what one evidence file says, fact by fact."""
        findings = [
            self._finding(number, item)
            for number, item in enumerate(file.findings[:MOST_FINDINGS], 1)
        ]
        data, aids = evidence_pages.told_on_page(
            file, self.lane.evidence, self._link, findings, self.evidence_files
        )
        aids |= {
            "head": f"{self.lane.id}, {file.kind.title.lower()}",
            "raw_href": href(self.places.raw(file.state.computed)),
        }
        return self._page(file.page, "evidence_file.md.j2", data, aids, "evidence")

    # Verification

    def verification(self) -> Page:
        """Return all findings and the whole claim ledger."""
        lane = self.lane
        findings = [
            self._finding(number, item)
            for number, item in enumerate(lane.findings[:MOST_FINDINGS], 1)
        ]
        seen: set[str] = set()
        rows = []
        listed, left_out = _bounded(self.claims)
        for number, claim in enumerate(listed, 1):
            mark = words.of_claim(claim)
            first = "" if mark.word in seen else words.LEVEL_IDS[mark.word]
            seen.add(mark.word)
            row = self._claim_row(claim, claim.id)
            row["data"] = {
                "id": claim.id,
                "stated": claim.stated,
                "recomputed": claim.recomputed or "",
                "agreement": claim.agreement.value,
                "level": mark.word,
                "where": claim.where,
                "against": claim.against,
            }
            rows.append(
                row
                | {
                    "id": claim.id,
                    "anchor": f"claim-{number}",
                    "first": first,
                    "where": claim.where,
                    "against": claim.against,
                    "against_href": self._against(claim.against),
                }
            )
        filters = [{"label": f"all {self.counts.total}", "href": href("#ledger")}]
        for mark, count in (
            (words.REFUTED, self.counts.refuted),
            (words.CLAIMED_ONLY, self.counts.claimed_only),
            (words.CROSS_CHECKED, self.counts.cross_checked),
            (words.RECOMPUTED, self.counts.recomputed),
        ):
            if count:
                filters.append(
                    {
                        "label": f"{mark.sign} {mark.word} {count}",
                        "href": href(f"#{words.LEVEL_IDS[mark.word]}"),
                    }
                )
        data = {
            "outcome": lane.outcome.value,
            "integrity": lane.integrity.value,
            "findings_words": self._findings_words(),
            "findings": [item["data"] for item in findings],
            "errors": list(lane.errors),
            "ledger_words": f"{plural(len(self.claims), 'claim')}.{_left_out_words(left_out)}"
            if rows
            else "This lane states nothing that lanebook can read.",
            "ledger_caption": "The claims: refuted first, then claimed only, cross-checked and"
            " recomputed"
            if rows
            else "",
            "claims": [row["data"] for row in rows],
            "rules_words": self._rules_words(),
            "rules_detail": self._rules_detail(),
            "rule_base": self.around.rule_base,
        }
        aids = {"findings": findings, "errors": list(lane.errors), "rows": rows, "filters": filters}
        return self._page("verification", "verification.md.j2", data, aids)

    def _against(self, against: str) -> Markup:
        own = self._link(against)
        if own:
            return own
        lane_id = against.split("/", 1)[0]
        if lane_id in self.titles and "/" in against:
            return href(f"../{lane_id}/evidence.md")
        return href("")


def blocker_mark(blocker: Blocker | Standing) -> Mark:
    """Return the mark of a blocker: open, open with progress, or closed."""
    if not blocker.open:
        return Mark("◆", blocker.state, "lb-closed")
    sign = "◇" if blocker.state == "open" else "◈"
    return Mark(sign, blocker.state, "lb-open")


def _ordered(claims: Sequence[Claim]) -> list[Claim]:
    """Sort refuted first, then claimed only, cross-checked, recomputed; else as they stand."""
    ranks = {name: rank for rank, name in enumerate(words.LEVEL_IDS)}
    return sorted(claims, key=lambda claim: ranks[words.of_claim(claim).word])


def _bounded(claims: Sequence[Claim]) -> tuple[list[Claim], dict[str, int]]:
    """Return the first claims of each level, and how many of each are left out."""
    listed: list[Claim] = []
    counts: dict[str, int] = {}
    for claim in claims:
        word = words.of_claim(claim).word
        counts[word] = counts.get(word, 0) + 1
        if counts[word] <= MOST_CLAIMS:
            listed.append(claim)
    return listed, {
        word: count - MOST_CLAIMS for word, count in counts.items() if count > MOST_CLAIMS
    }


def _left_out_words(left_out: Mapping[str, int]) -> str:
    if not left_out:
        return ""
    told = ", ".join(f"{count} {word}" for word, count in left_out.items())
    return (
        f" The first {MOST_CLAIMS} of each level are shown. Not shown: {told};"
        " lanebook verify --format json names all."
    )


def _outcome_row(what: str, stated: str, recomputed: str, mark: Mark) -> dict[str, Any]:
    return {
        "data": {
            "what": what,
            "stated": stated,
            "recomputed": recomputed,
            "agreement": mark.word,
        },
        "what": what,
        "stated": shown(stated),
        "recomputed": shown(recomputed),
        "mark": mark,
    }


def _as_stated(count: int, one: str, many: str) -> str:
    if not count:
        return "No document of this lane says so in a form that lanebook reads."
    return f"{plural(count, one, many)}, as stated; the ledger says which of them were checked."


def _key_of(claim: Claim) -> str:
    """Return what is claimed, without the place in which it stands."""
    if "#/" in claim.id:
        return claim.id.split("#/", 1)[1]
    prefix = f"{claim.where} "
    return claim.id[len(prefix) :] if claim.id.startswith(prefix) else claim.id


def _section_of(claim: Claim, document: Document, lines: Sequence[int]) -> str:
    """Return the part of its document in which a claim stands: a top key, or a heading."""
    place = read_place(claim.where)
    if place.pointer:
        head, slash, _ = place.pointer[1:].partition("/")
        return head if slash else "Top of the report"
    if not place.line:
        return document.title
    index = bisect_right(lines, int(place.line))
    title = document.sections[index - 1].title if index else document.title
    return title[:_LONGEST_HEADING]


def _decision_headline(facts: LaneFacts) -> str:
    packet = facts.decision
    if packet is None:
        return "No decision packet: nothing is put to an owner, and nothing changes"
    if packet.selected:
        return f"A decision packet must select nothing; this one states {packet.selected}"
    if packet.holds:
        return "Nothing is selected. If nobody decides, production stays on hold"
    return "Nothing is selected, and the default is not stated as a hold"


def _written_on(stated: str, computed: Digest | None) -> str:
    """Say on which evidence a decision packet was written, as far as it says so."""
    if not stated:
        return "The decision packet does not state on which evidence it was written."
    if computed is None:
        return "The decision packet states this evidence, which is not here:"
    if stated == computed:
        return "Written on the evidence of this lane, as its tree hash, computed again, shows:"
    return "The decision packet states other evidence than this lane has:"


def _written_on_map(stated: str, sealed: Digest | None) -> str:
    """Say on which blocker map a decision packet was written, as far as it says so."""
    if not stated:
        return "The decision packet does not state on which blocker map it was written."
    if sealed is None:
        return "It states this blocker map, which is not here:"
    if stated == sealed:
        return "Written on the blocker map of this evidence, as its bytes, hashed again, show:"
    return "It states another blocker map than this evidence has:"


def _width(table: Table) -> int:
    """Return how many cells the widest row of a table has."""
    return max(len(table.header), *(len(row) for row in table.rows), 1)


def _filled(row: Sequence[str], width: int) -> list[str]:
    """Return a row with a dash for each cell that is empty or absent."""
    return [cell.strip() or "–" for cell in row] + ["–"] * (width - len(row))


def _default_words(facts: LaneFacts) -> str:
    packet = facts.decision
    if packet is None:
        return ""
    if not packet.defaults:
        return "No default is stated."
    if len(packet.defaults) > 1:
        return "More than one default is stated:"
    if packet.default not in packet.options:
        return "The default is none of the options:"
    return "Default:"


def _decision_intro(facts: LaneFacts) -> str:
    packet = facts.decision
    if packet is None:
        return "No document of this lane puts options to an owner."
    if not packet.options:
        return "The decision packet names no options in a form that lanebook reads."
    return f"{plural(len(packet.options), 'option')}, as stated in {packet.where}."


def _readiness(token: str, open_blockers: int) -> str:
    """Say what stands before an option; execution is never ready while a blocker is open."""
    if executes(token):
        if open_blockers:
            return f"Not ready: {plural(open_blockers, 'blocker')} open."
        return "No open blocker is listed; that alone makes nothing ready."
    return "Nothing here says that it is ready."
