"""What the pages over all lanes share: histories, numbers, pictures, and where places lead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from markupsafe import Markup

from generator.blocker_history import History, histories
from generator.facts import LaneFacts
from generator.model.verdict import LaneVerdict
from generator.render import blocker_page, governance_page
from generator.render.pictures import Drawing, Picture, Steps
from generator.render.places import Places
from generator.reserved import Numbers, numbers
from generator.standing import Blockers


@dataclass
class OverLanes:
    """Worked out once, before lanes are rendered; the pictures are drawn meanwhile."""

    histories: Mapping[str, History]
    numbers: tuple[Numbers, ...]
    steps: Steps | None
    drawing: Drawing
    find: Callable[[LaneVerdict], Places]
    found: dict[str, Places] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        lanes: Sequence[LaneVerdict],
        facts: Mapping[str, LaneFacts],
        blockers: Blockers,
        find: Callable[[LaneVerdict], Places],
    ) -> OverLanes:
        """Work it out, and start to draw.

        Args:
            lanes: oldest first.
            facts: what each of them says.
            blockers: where every blocker stands.
            find: gives the places of a lane, once its files are published.
        """
        known = histories(lanes, facts)
        sorts = numbers(lanes, facts)
        steps = blocker_page.picture(blockers, known, lanes)
        wanted: dict[str, Picture] = {**governance_page.pictures(sorts)}
        if steps is not None:
            wanted[blocker_page.PICTURE] = steps
        return cls(known, sorts, steps, Drawing(wanted), find)

    @cached_property
    def drawn(self) -> dict[str, Markup]:
        """The pictures, by name; waits for those that are not ready."""
        return self.drawing.finish()

    def places(self, lane: LaneVerdict) -> Places:
        """Return where the files of a lane can be looked at."""
        if lane.id not in self.found:
            self.found[lane.id] = self.find(lane)
        return self.found[lane.id]
