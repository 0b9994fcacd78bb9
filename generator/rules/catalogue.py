"""Every rule there is, and every code."""

from __future__ import annotations

from typing import Any

from generator.rules import LANE_RULES, PACKET_RULES, READING_RULES, ROOT_RULES
from generator.rules.base import Code, Rule
from generator.rules.evidence import EVIDENCE_RULES

ALL: tuple[Rule[Any], ...] = (
    *READING_RULES,
    *PACKET_RULES,
    *LANE_RULES,
    *ROOT_RULES,
    *EVIDENCE_RULES,
)
CODES: dict[str, Code] = {code: text for rule in ALL for code, text in rule.codes.items()}
