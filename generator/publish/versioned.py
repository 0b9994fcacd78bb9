"""Publishing to a target that keeps versions: the same steps in a folder here and on a host.

The order is what makes a sudden end harmless. A version is whole before the marker lists it, the
marker lists it before anybody is led to it, and only then are older ones removed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial

from generator.publish import versions
from generator.publish.codes import AS_IT_WAS, PublishRefused, failed, reason, refused
from generator.publish.manifest import Site
from generator.publish.placed import Placed, Published


class HeldVersions(ABC):
    """A target with versions that is held; how each step is done is its own matter."""

    def __init__(self, name: str) -> None:
        """Take the name by which messages call the target."""
        self.name = name
        self.versions: list[str] = []
        """As the marker lists them, oldest first."""
        self.current = ""
        """The version that is shown; empty where none is."""

    @abstractmethod
    def _site(self, version: str) -> Site | None:
        """Return a version by the manifest that lies in it; None where that cannot be read."""

    @abstractmethod
    def _small(self, version: str, path: str) -> bytes | None:
        """Return a small file of a version; None where it is not there or not small."""

    @abstractmethod
    def _intact(self, version: str, site: Site) -> bool:
        """Whether a version is there and has every file of this site, and no other."""

    @abstractmethod
    def _bring(self, site: Site) -> str:
        """Put a site beside the versions, read it back, and return the name that it was given."""

    @abstractmethod
    def _mark(self, order: Sequence[str]) -> None:
        """Let the marker list these versions."""

    @abstractmethod
    def _switch(self, version: str) -> None:
        """Lead everybody to a version, in one step."""

    @abstractmethod
    def _remove(self, gone: Sequence[str]) -> None:
        """Remove versions."""

    def published(self) -> Published | None:
        """Return what is shown now, by its manifest.

        Where that was damaged, so that only publishing can mend it, the newest version that has its
        manifest stands for it.

        Raises:
            PublishRefused: no version has its manifest.
        """
        if not self.current:
            return None
        for version in (self.current, *reversed(self.versions)):
            site = self._site(version)
            if site is not None and site.digest == versions.digest_of(version):
                return Published(site.digest, site.files, partial(self._small, version))
        raise failed(f"{self.name}: {versions.UNREADABLE}", "PUBLISH-WRITE")

    def publish(self, site: Site, keep: int) -> Placed:
        """Put the site beside what is shown, read it back, and switch in one step.

        Raises:
            PublishRefused: it could not be brought or is not as it should be; nothing changed.
        """
        files = len(site.files) + 1
        if self.current and self._whole(self.current, site):
            return Placed(self.current, site.digest, False, files)
        kept = (one for one in reversed(self.versions) if one != self.current)
        there = next((one for one in kept if self._whole(one, site)), "") or self._bring(site)
        order = versions.with_new(self.versions, self.current, there)
        self._mark(order)
        self._switch(there)
        self.versions, self.current = order, there
        return Placed(there, site.digest, True, files, self._forget(keep))

    def rollback(self) -> Placed:
        """Switch to the version before the one that is shown, if it is whole.

        Raises:
            PublishRefused: there is none, or it was altered; nothing changed.
        """
        there = versions.before(self.versions, self.current) if self.current else ""
        if not there:
            raise failed(f"{self.name}: there is no version to go back to", "PUBLISH-NONE")
        site = self._site(there)
        if site is None or not self._whole(there, site):
            raise refused(
                f"{self.name}: version {there[:12]}… is not what it was; {AS_IT_WAS}",
                "PUBLISH-DAMAGED",
            )
        self._switch(there)
        self.current = there
        return Placed(there, site.digest, True, len(site.files) + 1)

    def _whole(self, version: str, site: Site) -> bool:
        """Whether a version is this site, and is as it was published."""
        return versions.digest_of(version) == site.digest and self._intact(version, site)

    def _forget(self, keep: int) -> tuple[str, ...]:
        """Remove versions that are too many; the site is published whether or not that works."""
        stay = versions.kept(self.versions, self.current, keep)
        gone = [one for one in self.versions if one not in stay]
        try:
            if gone:
                self._mark(stay)
                self._remove(gone)
        except (OSError, PublishRefused) as error:
            return (f"older versions were not all removed: {reason(error)}",)
        self.versions = stay
        return ()
