"""The rules over the lanes of a root among each other."""

from __future__ import annotations

from generator.rules import lane_links, lanes_agree, pins
from generator.rules.base import Rule
from generator.rules.context import InRoot

ROOT_RULES: tuple[Rule[InRoot], ...] = (
    pins.RULE,
    lane_links.RULE,
    lanes_agree.RULE,
)
