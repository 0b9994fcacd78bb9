"""The rules over the files of one packet and its seal."""

from __future__ import annotations

from generator.model.packet import Packet
from generator.rules import files, json_form, kinds, manifest_form, paths, reading, tree_hash
from generator.rules.base import Rule

PACKET_RULES: tuple[Rule[Packet], ...] = (
    reading.RULE,
    kinds.RULE,
    paths.RULE,
    manifest_form.RULE,
    tree_hash.RULE,
    files.RULE,
    json_form.RULE,
)
