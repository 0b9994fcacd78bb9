"""The rules over the decisions that are recorded beside the lanes."""

from __future__ import annotations

from generator.rules import decided
from generator.rules.base import Rule
from generator.rules.decided import OnRecord

DECISION_RULES: tuple[Rule[OnRecord], ...] = (decided.RULE,)
