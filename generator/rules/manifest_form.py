"""The manifest is written in exactly the form of its declared tree profile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from generator.model.finding import Finding
from generator.model.packet import MANIFEST, Packet
from generator.names import clashes, problems, visible
from generator.profiles import DEFAULT, PROFILES, sha256sum
from generator.rules import samples
from generator.rules.base import Code, Rule

_WHY = "Only one manifest fits a packet, so that a tree hash names one set of bytes and no other."
_SEAL = (
    "Seal the packet again with 'lanebook seal', or declare 'tree_profile: sha256sum' in lane.yml."
)
CODES = {
    "MAN-MISSING": Code(
        "The packet has no manifest.",
        "Without HASH_MANIFEST.txt nothing says which bytes were approved.",
        "Seal the packet with 'lanebook seal'.",
    ),
    "MAN-EMPTY": Code(
        "The manifest has no line at all.", "A seal over nothing proves nothing.", _SEAL
    ),
    "MAN-BOM": Code("The manifest begins with a byte order mark.", _WHY, _SEAL),
    "MAN-CRLF": Code("A line of the manifest ends in CR LF.", _WHY, _SEAL),
    "MAN-NEWLINE": Code("The last line of the manifest has no line feed.", _WHY, _SEAL),
    "MAN-COMMENT": Code("The manifest has a comment.", _WHY, _SEAL),
    "MAN-BLANK": Code("The manifest has a blank line.", _WHY, _SEAL),
    "MAN-UPPER": Code("A digest of the manifest has upper-case digits.", _WHY, _SEAL),
    "MAN-BINARY": Code("A line of the manifest has a binary mark.", _WHY, _SEAL),
    "MAN-LINE": Code("A line of the manifest is no digest with a path.", _WHY, _SEAL),
    "MAN-ORDER": Code("The manifest is not sorted by the bytes of its paths.", _WHY, _SEAL),
    "MAN-REPEAT": Code(
        "The manifest lists one path twice.",
        "With two digests for one path a reader can be shown either.",
        _SEAL,
    ),
    "MAN-SELF": Code(
        "The manifest lists a seal file.", "A seal cannot contain its own hash.", _SEAL
    ),
    "LANE-PROFILE": Code(
        "lane.yml declares a tree profile that lanebook does not know.",
        "How a manifest is read is declared, never guessed.",
        "Use one of: manifest-sha256, sha256sum.",
    ),
}
IN_OTHER_DIALECT = (
    " It would be good in the sha256sum dialect, which lane.yml may declare as tree_profile."
)


def check(packet: Packet) -> Iterator[Finding]:
    """Report every departure from the profile's form."""
    if packet.manifest is None:
        if not packet.occupied(MANIFEST):
            yield Finding("MAN-MISSING", MANIFEST, "", "", "There is no HASH_MANIFEST.txt.")
        return
    profile = PROFILES.get(packet.profile)
    if profile is None:
        yield Finding(
            "LANE-PROFILE",
            "lane.yml",
            visible(packet.profile, 80),
            ", ".join(PROFILES),
            "The declared tree profile is not known.",
        )
        return
    yield from profile.read(packet.manifest).problems


def good_in_other_dialect(packet: Packet) -> bool:
    """Whether an undeclared manifest only has another form than the default (spec 2.1).

    In the ``sha256sum`` dialect it then lists every file under a path that is allowed, with the
    digest that the file gives, and nothing else.
    """
    if packet.profile != DEFAULT.name or packet.manifest is None or packet.refusals:
        return False
    listing = sha256sum.PROFILE.read(packet.manifest)
    if listing.problems or not listing.lines:
        return False
    listed = {line.path: line.digest for line in listing.lines}
    if any(True for path in listed for _ in problems(path)) or any(
        True for _ in clashes(list(listed))
    ):
        return False
    found = {entry.path: entry.sha256 for entry in packet.entries}
    held = {path: digest for path, digest in packet.held_elsewhere.items() if path not in found}
    return listed == found | {path: held[path] for path in held if path in listed}


def _mended(change: Callable[[bytes], bytes]) -> Callable[[], Packet]:
    """Return a control whose manifest text is changed while its tree file is mended to fit."""

    def control() -> Packet:
        sound = samples.packet()
        listing = change(sound.manifest or b"")
        return replace(sound, manifest=listing, tree=samples.tree_file(listing))

    return control


def _lines(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[], Packet]:
    return _mended(lambda text: b"".join(change(text.splitlines(keepends=True))))


def _upper(text: bytes) -> bytes:
    return text[:64].upper() + text[64:]


RULE = Rule(
    name="manifest-form",
    protects="against two manifests that look alike and have different tree hashes",
    codes=CODES,
    check=check,
    sound=samples.packet,
    controls={
        "MAN-MISSING": lambda: replace(samples.packet(), manifest=None),
        "MAN-EMPTY": lambda: replace(samples.sealed([]), entries=()),
        "MAN-BOM": _mended(lambda text: b"\xef\xbb\xbf" + text),
        "MAN-CRLF": _mended(lambda text: text.replace(b"\n", b"\r\n")),
        "MAN-NEWLINE": _mended(lambda text: text[:-1]),
        "MAN-COMMENT": _mended(lambda text: b"# sealed by hand\n" + text),
        "MAN-BLANK": _mended(lambda text: text + b"\n"),
        "MAN-UPPER": _mended(_upper),
        "MAN-BINARY": _mended(lambda text: text.replace(b"  ", b" *", 1)),
        "MAN-LINE": _mended(lambda text: text + b"0123  short.txt\n"),
        "MAN-ORDER": _lines(lambda lines: [lines[1], lines[0], *lines[2:]]),
        "MAN-REPEAT": _lines(lambda lines: [lines[0], *lines]),
        "MAN-SELF": _lines(
            lambda lines: sorted(
                [*lines, lines[0][:66] + MANIFEST.encode() + b"\n"], key=lambda line: line[66:-1]
            )
        ),
        "LANE-PROFILE": lambda: replace(samples.packet(), profile="sha1sum"),
    },
)
