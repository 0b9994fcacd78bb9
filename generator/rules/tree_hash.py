"""The tree file is one digest, and it is the digest of the manifest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from generator.model.finding import Finding
from generator.model.packet import TREE, Packet
from generator.names import visible
from generator.rules import samples
from generator.rules.base import Code, Rule
from generator.states import computed_tree, stated_tree

_SEAL = "Seal the packet again with 'lanebook seal'."
CODES = {
    "TREE-MISSING": Code(
        "The packet has no tree file.",
        "Without packet_tree.sha256 the manifest itself is not sealed.",
        _SEAL,
    ),
    "TREE-FORM": Code(
        "The tree file is not exactly one digest on one line.",
        "More than one digest, or none, leaves it open which tree was approved.",
        _SEAL,
    ),
    "TREE-DIFFERS": Code(
        "The tree hash is not the one that the manifest gives.",
        "The manifest was changed after the packet was sealed, or the tree file was.",
        "Find out which of the two was changed, and by whom, before you seal again.",
    ),
}


def check(packet: Packet) -> Iterator[Finding]:
    """Compare the tree file with the manifest's digest."""
    actual = computed_tree(packet)
    if packet.tree is None:
        if not packet.occupied(TREE):
            yield Finding(
                "TREE-MISSING", TREE, "", str(actual or ""), "There is no packet_tree.sha256."
            )
        return
    claimed = stated_tree(packet)
    if claimed is None:
        text = visible(packet.tree[:200].decode("utf-8", "surrogateescape"), 100)
        yield Finding(
            "TREE-FORM",
            TREE,
            text,
            "64 lower-case hexadecimal digits and a line feed",
            "The tree file is not exactly one digest on one line.",
        )
    elif actual is not None and claimed != actual:
        yield Finding(
            "TREE-DIFFERS", TREE, claimed, actual, "The manifest's bytes give another tree hash."
        )


RULE = Rule(
    name="tree-hash",
    protects="against a manifest that was rewritten together with the files it lists",
    codes=CODES,
    check=check,
    sound=samples.packet,
    controls={
        "TREE-MISSING": lambda: replace(samples.packet(), tree=None),
        "TREE-FORM": lambda: replace(samples.packet(), tree=(samples.packet().tree or b"") * 2),
        "TREE-DIFFERS": lambda: replace(
            samples.packet(), tree=f"{samples.other_digest()}\n".encode()
        ),
    },
)
