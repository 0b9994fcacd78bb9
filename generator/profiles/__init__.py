"""Tree profiles: how a manifest is written and what the tree hash is of (spec 2.1).

A profile is declared in ``lane.yml`` and never guessed. Adding one is one module with a
:class:`Profile` and one line in ``PROFILES``.
"""

from __future__ import annotations

from generator.profiles import manifest_sha256, sha256sum
from generator.profiles.base import Line, Listing, Profile

PROFILES: dict[str, Profile] = {
    profile.name: profile for profile in (manifest_sha256.PROFILE, sha256sum.PROFILE)
}
DEFAULT = manifest_sha256.PROFILE

__all__ = ["DEFAULT", "PROFILES", "Line", "Listing", "Profile"]
