"""The rules over what the documents of one lane say, and over how they are read."""

from __future__ import annotations

from typing import Any

from generator.rules import (
    citations,
    contradictions,
    decision_bound,
    decision_options,
    decision_packet,
    decision_preconditions,
    decision_ready,
    decision_weight,
    documents,
    statements,
)
from generator.rules.base import Rule
from generator.rules.context import InLane

LANE_RULES: tuple[Rule[InLane], ...] = (
    documents.LANE_RULE,
    citations.RULE,
    statements.RULE,
    decision_packet.RULE,
    decision_options.RULE,
    decision_weight.RULE,
    decision_ready.RULE,
    decision_preconditions.RULE,
    decision_bound.RULE,
    contradictions.RULE,
)
DOCUMENT_RULES: tuple[Rule[Any], ...] = (documents.DOCUMENT_RULE,)
"""Applied while a document is read; the selftest proves that reading answers by these codes."""
