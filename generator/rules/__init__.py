"""The rules, one module each; one that no group and no catalogue lists does not exist.

Those over evidence files stand in :mod:`generator.rules.evidence`, which takes longer to load and
is only loaded where a packet has such files; :mod:`generator.rules.catalogue` lists them all.
"""

from __future__ import annotations

from typing import Any

from generator.model.finding import RuleError
from generator.model.packet import Packet
from generator.rules import (
    citations,
    decision_packet,
    documents,
    files,
    json_form,
    kinds,
    lane_file,
    lane_links,
    manifest_form,
    paths,
    pins,
    reading,
    statements,
    tree_hash,
)
from generator.rules.base import Code, Rule, run
from generator.rules.context import InLane, InRoot

PACKET_RULES: tuple[Rule[Packet], ...] = (
    reading.RULE,
    kinds.RULE,
    paths.RULE,
    manifest_form.RULE,
    tree_hash.RULE,
    files.RULE,
    json_form.RULE,
)
LANE_RULES: tuple[Rule[InLane], ...] = (
    documents.LANE_RULE,
    citations.RULE,
    statements.RULE,
    decision_packet.RULE,
)
ROOT_RULES: tuple[Rule[InRoot], ...] = (
    pins.RULE,
    lane_links.RULE,
)
READING_RULES: tuple[Rule[Any], ...] = (lane_file.RULE, documents.DOCUMENT_RULE)
"""Applied while a lane is read; the selftest proves that reading answers by these codes."""

__all__ = [
    "LANE_RULES",
    "PACKET_RULES",
    "READING_RULES",
    "ROOT_RULES",
    "Code",
    "InLane",
    "InRoot",
    "Rule",
    "RuleError",
    "run",
]
