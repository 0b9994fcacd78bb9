"""How much lanebook is willing to read before it refuses (spec 2.1)."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from generator.errors import InputError
from generator.names import visible

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Settings; past one of them a packet is refused, never read on."""

    files: int = 100_000
    """Files in one packet."""
    bytes: int = 256 * 1024 * MIB
    """Bytes of all files of one packet together."""
    depth: int = 32
    """Folders below each other."""
    manifest_bytes: int = 64 * MIB
    """Size of either seal file."""
    json_bytes: int = 64 * MIB
    """Size of one JSON file, and of ``lane.yml``."""
    parsed_bytes: int = 256 * MIB
    """All JSON of one packet together."""
    json_depth: int = 64
    """JSON values inside each other."""
    json_digits: int = 1000
    """Digits of one JSON number."""
    document_bytes: int = 16 * MIB
    """Size of one document."""

    def changed(self, settings: dict[str, object]) -> Limits:
        """Return these limits with the named ones replaced.

        Raises:
            InputError: a name that is no limit, or a value that is not a positive whole number.
        """
        known = {field.name for field in fields(self)}
        numbers: dict[str, int] = {}
        for name, value in settings.items():
            shown = visible(str(name), 80)
            if name not in known:
                raise InputError(
                    f"no such limit; there are {', '.join(sorted(known))}",
                    code="SETTING",
                    place=(shown,),
                )
            # bool is an int
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InputError("must be a whole number above 0", code="SETTING", place=(shown,))
            if name == "json_digits" and value > 1_000_000:
                raise InputError("at most 1000000", code="SETTING", place=(shown,))
            numbers[name] = value
        return replace(self, **numbers)


DEFAULT = Limits()
