"""What a lane asks the gate for: a rehearsal on a clone, with everything that shows it to be one.

There are no defaults: whoever leaves something out has not shown it. Each field is what at least
one class of :mod:`generator.gate.vocabulary` is judged by.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

REHEARSE = "rehearse"
"""The only action that is ever allowed."""
REHEARSAL_ONLY = "REHEARSAL_ONLY"
"""The only authority that is ever enough; more is too much."""
PRESENT = "PRESENT"
"""The state of an entity that the clone's schema has."""
ENGINES = frozenset({"postgresql", "sqlite"})
"""Engines of which it is known what their location opens."""
CLONE_SURFACES = frozenset({"MEMORY", "PACKET_FOLDER", "TEMP_CLONE"})
"""What a rehearsal may touch."""
TEMP = "TEMP/"
"""How a location begins that lies in the lane's own temporary folder."""

_Name = Annotated[str, msgspec.Meta(pattern=r"\A[^\s](?:.*[^\s])?\Z", max_length=200)]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Exactly the keys that it names."""


class Isolation(_Strict, frozen=True):
    """What shows that the clone reaches nothing else."""

    proven: bool
    checks: dict[str, bool]
    """Each check by name, and whether it held; without one nothing was checked."""


class Target(_Strict, frozen=True):
    """What the rehearsal would run on."""

    id: _Name
    engine: str
    location: str
    """What the engine opens, such as ``TEMP/lanebook-rehearsal.XXXXXX/clone.sqlite``."""
    is_production: bool
    own_clone: bool
    """Whether the lane made it, for itself alone."""
    isolation: Isolation
    contains_secrets: bool


class Delegation(_Strict, frozen=True):
    """The decision that the lane consumes."""

    token: str
    """Such as ``AUTHORIZE_PRODUCTION_REHEARSAL_ONLY``."""
    authority: str
    """What the lane takes it for."""
    target: str
    """The id of the target that it was given for."""


class Rollback(_Strict, frozen=True):
    """The three states of a rollback proof: each a digest, ``ABSENT`` or ``N/A_…``."""

    before_hash: str
    after_apply_hash: str
    after_rollback_hash: str


class Seal(_Strict, frozen=True):
    """What the seal of the lane's inputs lists, and what their bytes give."""

    listed: str
    computed: str
    drift: str | None
    """The known way in which the bytes differ though a reader sees the same text."""


class Request(_Strict, frozen=True):
    """A request for one rehearsal."""

    action: str
    target: Target
    surfaces: list[str]
    """Every surface that would be touched."""
    delegation: Delegation | None
    schema_check: dict[str, str]
    """Each entity that the change needs, and whether the clone has it."""
    rollback: Rollback | None
    seal: Seal
    claims: list[str]
    """Every status, verdict and token that the lane would state of itself."""
