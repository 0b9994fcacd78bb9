"""Recorded decisions as rows: wherever one is shown, its state is shown with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from generator.model.decision import Change, DecisionState, Recorded
from generator.names import visible
from generator.render.links import href
from generator.render.words import CLAIMED_ONLY, RECOMPUTED, REFUTED, Mark, plural, shown

_MARKS = {
    DecisionState.CURRENT: RECOMPUTED._replace(word="current"),
    DecisionState.STALE: Mark("◑", "stale", "lb-stale"),
    DecisionState.SUPERSEDED: CLAIMED_ONLY._replace(word="superseded"),
    DecisionState.REFUSED: REFUTED._replace(word="refused"),
}


def of_decision(state: DecisionState) -> Mark:
    """Return the mark of a recorded decision; only what was found unchanged is green."""
    return _MARKS[state]


def counted(decisions: Sequence[Recorded]) -> str:
    """Return how many decisions are recorded, and how many of them are not current."""
    told = plural(len(decisions), "decision") + " recorded"
    counts = {
        state: sum(one.state is state for one in decisions)
        for state in DecisionState
        if state is not DecisionState.CURRENT
    }
    return ", ".join([told, *(f"{count} {state}" for state, count in counts.items() if count)])


def row(one: Recorded, titles: Mapping[str, str], prefix: str) -> dict[str, Any]:
    """Return a recorded decision as a row; ``prefix`` leads from its page to ``lanes/``."""
    taken = one.decision
    bound = taken.bound if taken is not None else None
    despite = ", ".join(visible(name, 120) for name in taken.despite) if taken is not None else ""
    documents = [
        {"document": visible(document.name), "sha256": document.sha256}
        for document in (bound.documents if bound is not None else ())
    ]
    data: dict[str, Any] = {
        "record": one.file,
        "state": one.state.value,
        "words": one.words,
        "lane": titles.get(one.lane, one.lane),
        "option": taken.option if taken is not None else "",
        "despite_words": f"despite {plural(len(taken.despite), 'open blocker')}"
        if taken is not None and taken.despite
        else "",
        "despite_open_blockers": despite,
        "decided_by": taken.decided_by if taken is not None else "",
        "decided_on": taken.decided_on if taken is not None else "",
        "reason": taken.reason if taken is not None else "",
        "tree": (bound.tree or "no packet") if bound is not None else "",
        "blocker_map": bound.map.digest if bound is not None else "",
        "decision_packet": documents,
    }
    return {
        "data": data,
        **data,
        "mark": of_decision(one.state),
        "tree": shown(data["tree"]),
        "blocker_map": shown(data["blocker_map"]),
        "documents": [
            {"document": document["document"], "sha256": shown(document["sha256"])}
            for document in documents
        ],
        "href": href(f"{prefix}{one.lane}/decision.md") if one.lane in titles else href(""),
        "changes": [_change(one, change) for change in one.changes],
    }


def _change(one: Recorded, change: Change) -> dict[str, Any]:
    data = {
        "record": one.file,
        "what": change.what,
        "was": change.was,
        "now": change.now,
        "how": change.how,
    }
    return {"data": data, **data, "was": shown(change.was), "now": shown(change.now)}


def table(
    decisions: Sequence[Recorded], titles: Mapping[str, str], prefix: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a page and its twin say of recorded decisions: the rows, and what changed."""
    rows = [row(one, titles, prefix) for one in decisions]
    changed = [change for one in rows for change in one["changes"]]
    data = {
        "recorded_caption": f"{counted(decisions)}" if rows else "",
        "recorded": [one["data"] for one in rows],
        "changes_caption": "What changed since a decision was recorded" if changed else "",
        "changes": [change["data"] for change in changed],
    }
    return data, {"recorded": rows, "changes": changed}
