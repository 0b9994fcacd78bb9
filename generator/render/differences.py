"""What changed, told: as lines for a terminal, as Markdown, and as rows for a page."""

from __future__ import annotations

from collections.abc import Iterator

from generator.comparing.difference import Change, Difference
from generator.comparing.portrait import BETTER, OTHER, WORSE
from generator.comparing.sides import Roots
from generator.names import visible
from generator.render.escape import markdown
from generator.render.words import plural

PARTS = (
    (WORSE, "▲", "What got worse"),
    (BETTER, "●", "What got better"),
    (OTHER, "·", "The rest"),
)
"""Direction, sign and heading, in the order in which a reader wants them."""


def change_words(change: Change) -> str:
    """Return what became of one fact, without its name."""
    if change.before and change.after:
        told = f"{change.before} → {change.after}"
        return told if change.kind == "changed" else f"{change.kind}: {told}"
    if change.after:
        return f"{change.kind}: {change.after}"
    return f"{change.kind}, was: {change.before}"


def lines(found: Difference, headline: str = "") -> Iterator[tuple[str, str]]:
    """Yield the lines for a terminal, each with the sign by which it is coloured."""
    yield "", headline or found.headline
    yield "", found.standing
    for direction, sign, heading in PARTS:
        changes = found.towards(direction)
        if not changes:
            continue
        yield "", ""
        yield sign, f"{heading} ({len(changes)})"
        section = ""
        for change in changes:
            if change.section.title != section:
                section = change.section.title
                yield "", f"  {section}"
            yield "", f"    {sign} {visible(change.label)}"
            yield "", f"        {visible(change_words(change))}"
    yield "", ""
    yield "", f"{plural(found.same, 'fact')} the same"


def root_lines(found: Roots) -> Iterator[tuple[str, str]]:
    """Yield the lines that tell what changed between two roots."""
    yield from lines(found.whole, found.headline)
    yield (
        "",
        f"{plural(len(found.lanes), 'lane')} changed, {plural(found.same, 'lane')} with nothing"
        " changed",
    )
    for lane, each in found.lanes.items():
        yield "", ""
        yield "", f"── {visible(lane)}"
        yield from lines(each)


def document(found: Difference, one: str, other: str, level: int = 1, headline: str = "") -> str:
    """Return a Markdown document in which every text of a packet is escaped."""
    head = "#" * level
    parts = [
        f"{head} {markdown(one)} → {markdown(other)}",
        str(markdown(headline or found.headline)),
        str(markdown(found.standing)),
    ]
    for direction, sign, heading in PARTS:
        changes = found.towards(direction)
        parts.append(f"{head}# {heading} ({len(changes)})")
        if not changes:
            parts.append("Nothing.")
            continue
        rows = ["| what | before | after |", "|---|---|---|"]
        rows += [
            f"| {sign} {markdown(change.section.title)}: {markdown(change.label)}"
            f"{'' if change.kind == 'changed' else f', {markdown(change.kind)}'}"
            f" | {markdown(change.before or '–')} | {markdown(change.after or '–')} |"
            for change in changes
        ]
        parts.append("\n".join(rows))
    parts.append(f"{plural(found.same, 'fact')} the same.")
    return "\n\n".join(parts) + "\n"


def root_document(found: Roots, one: str, other: str) -> str:
    """Return a Markdown document about two roots."""
    parts = [document(found.whole, one, other, headline=found.headline)]
    parts += [document(each, f"{lane}, before", "after", 2) for lane, each in found.lanes.items()]
    parts.append(f"{plural(found.same, 'lane')} with nothing changed.\n")
    return "\n".join(parts)
