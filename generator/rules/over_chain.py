"""The rules over the lanes along their order: each against what was known before it."""

from __future__ import annotations

from generator.chain.subject import InChain
from generator.rules import (
    carried_blockers,
    chain_links,
    delegations,
    pinned_names,
    quoted_lanes,
    reserved_ranges,
)
from generator.rules.base import Rule

CHAIN_RULES: tuple[Rule[InChain], ...] = (
    chain_links.RULE,
    reserved_ranges.RULE,
    carried_blockers.RULE,
    quoted_lanes.RULE,
    delegations.RULE,
    pinned_names.RULE,
)
