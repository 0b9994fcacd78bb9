"""Decision packets that steer are refused, each way of steering by its code; sound ones pass."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from generator.reading.documents import read_document
from generator.rules import ballot_samples, samples
from generator.rules.ballot_samples import EXECUTE, HOLD, REHEARSE
from generator.rules.context import InLane
from generator.rules.over_documents import LANE_RULES
from generator.states import computed_tree

DOES_NOTHING = f"{HOLD} (default) — do nothing further."
REHEARSES = f"{REHEARSE} — one more rehearsal, no production."
EXECUTES = f"{EXECUTE} — actual apply (requires every blocker closed)."
ALL = (DOES_NOTHING, REHEARSES, EXECUTES)
PACKET: dict[str, Any] = {
    "default": HOLD,
    "selected": None,
    "options": [HOLD, REHEARSE, EXECUTE],
}
LATIN_A, CYRILLIC_A, ZERO_WIDTH = "A", "\u0410", "\u200b"


def codes(*, report: dict[str, Any] | None = None, text: str = "") -> list[str]:
    """Return what the rules over decision packets refuse, in a lane with one open blocker."""
    held = samples.packet()
    tree = str(computed_tree(held))
    data: dict[str, Any] = {
        "production_blocker_map": {"blockers": [{"id": "SAMPLE-1", "status": "OPEN"}]},
        "tree": tree,
    }
    if report is not None:
        data["decision_packet"] = report
    documents = [read_document("report.json", json.dumps(data).encode())]
    if text:
        bound = f"{text}\nTree: `{tree}`\n"
        documents.append(read_document("decision-packet.md", bound.encode()))
    subject = InLane.of(samples.lane(documents, held))
    rules = [rule for rule in LANE_RULES if rule.name.startswith("decision-")]
    return sorted({finding.code for rule in rules for finding in rule.check(subject)})


def page(options: Sequence[str] = ALL, *, after: str = "", before: str = "") -> str:
    """Return a decision packet in text."""
    listed = "".join(f"- {option}\n" for option in options)
    return (
        f"# Decision packet\n\n{before or f'Selects nothing. Default = {HOLD}.'}\n\n"
        f"## Options (choose exactly one)\n\n{listed}\n{after}\n\n"
        "## Preconditions\n\n| blocker | status |\n|---|---|\n| SAMPLE-1 | OPEN |\n"
    )


def options(**marks: object) -> dict[str, Any]:
    """Return a machine report's packet with members of the option that executes."""
    return {**PACKET, "options": [{"id": HOLD}, {"id": REHEARSE}, {"id": EXECUTE, **marks}]}


@pytest.mark.parametrize(
    ("listed", "code"),
    [
        ([DOES_NOTHING, REHEARSES, f"→ {EXECUTES}"], "DECISION-WEIGHT"),
        ([DOES_NOTHING, REHEARSES, f"{EXECUTE} ★ — apply."], "DECISION-WEIGHT"),
        ([DOES_NOTHING, REHEARSES, f"✅ {EXECUTES}"], "DECISION-SELECTED"),
        ([DOES_NOTHING, REHEARSES, f"<input checked> {EXECUTES}"], "DECISION-SELECTED"),
        ([f"{HOLD} (default, not advised) — costs.", REHEARSES, EXECUTES], "DECISION-WEIGHT"),
        ([*ALL, f"{REHEARSE.replace(LATIN_A, CYRILLIC_A, 1)} — go."], "DECISION-OPTION-TWICE"),
        ([*ALL, f"{REHEARSE.replace('_', ZERO_WIDTH + '_', 1)} — go."], "DECISION-OPTION-TWICE"),
        (["<!--", DOES_NOTHING, "-->", REHEARSES, EXECUTES], "DECISION-HOLD"),
        ([f"{HOLD} (default) — apply to production at once.", REHEARSES], "DECISION-READY"),
        ([DOES_NOTHING, f"{REHEARSE} — commits the change to production."], "DECISION-READY"),
        ([DOES_NOTHING, f"{EXECUTE} — nothing stands in its way any more."], "DECISION-READY"),
    ],
)
def test_a_list_of_options_that_steers_is_refused(listed: list[str], code: str) -> None:
    assert code in codes(text=page(listed))


@pytest.mark.parametrize(
    ("sentence", "code"),
    [
        (f"In our view the right call is {EXECUTE}.", "DECISION-WEIGHT"),
        ("We recommend the third option.", "DECISION-WEIGHT"),
        ("We recommend the last option.", "DECISION-WEIGHT"),
        ("We recommend executing in production now.", "DECISION-WEIGHT"),
        (f"There is no reason not to recommend {EXECUTE}.", "DECISION-WEIGHT"),
        (f"We advise against {HOLD}.", "DECISION-WEIGHT"),
        (f"We do not recommend {HOLD}.", "DECISION-WEIGHT"),
        (f"If nobody answers, {EXECUTE} is taken.", "DECISION-DEFAULT"),
        (f"Unless the owner objects by Friday, {EXECUTE} proceeds.", "DECISION-DEFAULT"),
        (f"{EXECUTE} was approved by the owner yesterday.", "DECISION-SELECTED"),
        (f"We agreed on {EXECUTE}.", "DECISION-SELECTED"),
        ("All blockers are closed now.", "DECISION-READY"),
        (
            f"| option |\n|---|\n| {EXECUTE} |\n| {REHEARSE} |\n| {HOLD} |",
            "DECISION-OPTIONS-DIFFER",
        ),
    ],
)
def test_a_sentence_that_steers_is_refused(sentence: str, code: str) -> None:
    assert code in codes(text=page(after=sentence))


@pytest.mark.parametrize(
    ("packet", "code"),
    [
        ({**PACKET, "selected_index": 2}, "DECISION-SELECTED"),
        ({**PACKET, "selectedOption": EXECUTE}, "DECISION-SELECTED"),
        ({**PACKET, "preselect": EXECUTE}, "DECISION-SELECTED"),
        ({**PACKET, "owner_choice": EXECUTE}, "DECISION-SELECTED"),
        ({**PACKET, "recommended_option": EXECUTE}, "DECISION-WEIGHT"),
        ({**PACKET, "highlight": EXECUTE}, "DECISION-WEIGHT"),
        ({**PACKET, "notes": [f"Fine. We recommend {EXECUTE}."]}, "DECISION-WEIGHT"),
        ({**PACKET, "guide": {"text": f"We recommend {EXECUTE}."}}, "DECISION-WEIGHT"),
        ({**PACKET, "option_meanings": {EXECUTE: "recommended: apply"}}, "DECISION-WEIGHT"),
        ({**PACKET, "option_meanings": {EXECUTE: "production is ready"}}, "DECISION-READY"),
        ({**PACKET, "execution_ready": True}, "DECISION-READY"),
        ({**PACKET, "production_execution": "READY"}, "DECISION-READY"),
        ({**PACKET, "default_option": EXECUTE}, "DECISION-DEFAULT"),
        ({**PACKET, "default_if_no_answer": EXECUTE}, "DECISION-DEFAULT"),
        ({**PACKET, "preconditions": []}, "DECISION-PRECONDITIONS"),
        ({**PACKET, "options": [HOLD, HOLD.lower(), EXECUTE]}, "DECISION-OPTION-TWICE"),
        (options(weight=10), "DECISION-WEIGHT"),
        (options(emphasis="bold"), "DECISION-WEIGHT"),
        (options(execution_ready=True), "DECISION-READY"),
        (options(default="yes"), "DECISION-DEFAULT"),
        (options(is_default=True), "DECISION-DEFAULT"),
    ],
)
def test_a_machine_report_that_steers_is_refused(packet: dict[str, Any], code: str) -> None:
    assert code in codes(report=packet)


@pytest.mark.parametrize(
    "text",
    [
        page(),
        page(before=f"Selected: none. Default = {HOLD}."),
        page([f"**{HOLD}** (default) — a", f"**{REHEARSE}** — b", f"**{EXECUTE}** — c"]),
        page([f"→ {HOLD} (default) — a", f"→ {REHEARSE} — b", f"→ {EXECUTE} — c"]),
        page([f"[ ] {HOLD} (default) — a", f"[ ] {REHEARSE} — b", f"[ ] {EXECUTE} — c"]),
        page([DOES_NOTHING, f"{REHEARSE} (ready) — rehearse", f"{EXECUTE} (blocked) — apply"]),
        *(
            page(after=sentence)
            for sentence in (
                f"We do not recommend {EXECUTE} before every blocker is closed.",
                f"The previous packet offered {REHEARSE}, which the owner selected.",
                f"If {EXECUTE} is chosen, every blocker must be closed first.",
                f"The owner writes down the chosen option; one such as {REHEARSE} may be chosen.",
                "The clone rehearsal is ready to run again. We recommend applying it to a clone.",
                f"We recommend nothing but {HOLD}. We recommend {HOLD}.",
                f"Unless the owner decides otherwise, {HOLD} stays in force.",
                f"If nobody answers, {HOLD} holds. {EXECUTE} is never taken without a grant.",
                f"{EXECUTE} must be approved by the owner in writing.",
                "Execution waits until all blockers are closed.",
                f"## The options in words\n\n- {REHEARSE} — one more.\n- {HOLD} — nothing further.",
            )
        ),
    ],
)
def test_a_sound_text_is_not_refused(text: str) -> None:
    assert codes(text=text) == []


@pytest.mark.parametrize(
    "packet",
    [
        PACKET,
        {**PACKET, "selection_note": "this packet selects nothing", "options_selected": 0},
        {**PACKET, "choice_rule": f"choose exactly one; default {HOLD}"},
        {**PACKET, "execution_ready": False, "recommended": HOLD, "minimal_next": "a clone"},
        {**PACKET, "option_meanings": {HOLD: "nothing", EXECUTE: "apply, when all is closed"}},
        {**PACKET, "preconditions": [{"id": "SAMPLE-1", "status": "OPEN"}]},
        options(ready=False, requires_status="every blocker closed"),
        {
            **PACKET,
            "options": [
                {"id": HOLD, "default": True, "status": "available", "weight": 1},
                {"id": REHEARSE, "default": False, "ready": True, "weight": 1},
                {"id": EXECUTE, "default": False, "status": "locked", "weight": 1},
            ],
        },
    ],
)
def test_a_sound_machine_report_is_not_refused(packet: dict[str, Any]) -> None:
    assert codes(report=packet) == []


def test_the_samples_are_the_words_that_are_used_here() -> None:
    assert ballot_samples.OPTIONS == (HOLD, REHEARSE, EXECUTE)
