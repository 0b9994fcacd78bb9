"""What every sort of target gives: what is published there now, and what became of publishing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

from generator.model.digest import Digest
from generator.publish.manifest import Site


@dataclass(frozen=True, slots=True)
class Published:
    """The site that a target shows now."""

    digest: Digest
    """Of its manifest."""
    files: Mapping[str, Digest]
    read: Callable[[str], bytes | None]
    """Returns a small file of it by its path; None where it is not there or not small."""


class Placed(NamedTuple):
    """What was done."""

    version: str
    """Where it lies in the target: a version or a commit."""
    digest: Digest
    changed: bool
    """False where it was published already, and is whole."""
    files: int
    notes: tuple[str, ...] = ()
    """What somebody should know beside that."""


class Held(Protocol):
    """A target that is held for one publisher, as long as the context lasts."""

    def __enter__(self) -> Self:
        """Hold it."""

    def __exit__(self, *error: object) -> None:
        """Let go."""

    def published(self) -> Published | None:
        """Return what it shows now."""

    def publish(self, site: Site, keep: int) -> Placed:
        """Put the site beside what is shown, read it back, and switch."""

    def rollback(self) -> Placed:
        """Switch to the version before."""


MOST_RECORD_BYTES = 4 * 1024 * 1024
"""A larger record of a published lane is not read."""
