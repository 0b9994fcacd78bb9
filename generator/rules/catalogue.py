"""Every rule there is, and every code."""

from __future__ import annotations

from typing import Any

from generator.rules import lane_file
from generator.rules.base import Code, Rule
from generator.rules.evidence import EVIDENCE_RULES
from generator.rules.over_chain import CHAIN_RULES
from generator.rules.over_decisions import DECISION_RULES
from generator.rules.over_documents import DOCUMENT_RULES, LANE_RULES
from generator.rules.over_packets import PACKET_RULES
from generator.rules.over_roots import ROOT_RULES

READING_RULES: tuple[Rule[Any], ...] = (lane_file.RULE, *DOCUMENT_RULES)
"""Applied while a lane is read."""

ALL: tuple[Rule[Any], ...] = (
    *READING_RULES,
    *PACKET_RULES,
    *LANE_RULES,
    *ROOT_RULES,
    *CHAIN_RULES,
    *EVIDENCE_RULES,
    *DECISION_RULES,
)
CODES: dict[str, Code] = {code: text for rule in ALL for code, text in rule.codes.items()}
