"""Paths stay inside the packet, can be read by people, and cannot be taken for each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from generator.model.finding import Finding
from generator.model.packet import Packet
from generator.names import clashes, problems, visible
from generator.profiles import DEFAULT, PROFILES
from generator.rules import samples
from generator.rules.base import Code, Rule

_OUT = "Such a path can point out of the packet, or means different files on different systems."
_UNSEEN = "People approve what they see; this name is not what it looks like."
_RENAME = "Rename the file, and seal the packet again."
CODES = {
    "PATH-ABSOLUTE": Code("A path is absolute.", _OUT, _RENAME),
    "PATH-DOTDOT": Code("A path has a '..' segment.", _OUT, _RENAME),
    "PATH-DOT": Code("A path has a '.' segment.", _OUT, _RENAME),
    "PATH-EMPTY": Code("A path is empty or has an empty segment.", _OUT, _RENAME),
    "PATH-HOME": Code("A path begins with '~'.", _OUT, _RENAME),
    "PATH-BACKSLASH": Code("A path has a backslash.", _OUT, _RENAME),
    "NAME-CONTROL": Code("A name has control characters.", _UNSEEN, _RENAME),
    "NAME-BIDI": Code("A name has characters that change the direction of text.", _UNSEEN, _RENAME),
    "NAME-ZERO-WIDTH": Code("A name has characters without width.", _UNSEEN, _RENAME),
    "NAME-UTF8": Code("A name is not UTF-8.", _UNSEEN, _RENAME),
    "NAME-DASH": Code(
        "A file is named '-'.", "Commands read '-' as standard input, not as a file.", _RENAME
    ),
    "NAME-CASE": Code("Two names differ only by case.", _UNSEEN, _RENAME),
    "NAME-FORM": Code("Two names differ only by their Unicode form.", _UNSEEN, _RENAME),
    "NAME-LOOKALIKE": Code("Two names differ only by look-alike letters.", _UNSEEN, _RENAME),
}


def check(packet: Packet) -> Iterator[Finding]:
    """Judge every path once, whether it stands on disk, in the manifest or in both."""
    wheres = {entry.path: visible(entry.path) for entry in packet.entries}
    if packet.manifest is not None:
        for line in PROFILES.get(packet.profile, DEFAULT).read(packet.manifest).lines:
            wheres[line.path] = f"HASH_MANIFEST.txt:{line.number}"
    good: list[str] = []
    for path, where in wheres.items():
        found = list(problems(path))
        for code, message in found:
            yield Finding(code, where, visible(path), "", message)
        if not found:
            good.append(path)
    for code, path, other, message in clashes(good):
        yield Finding(code, wheres.get(path, path), visible(path), visible(other), message)


def refused(path: str) -> bool:
    """Whether nothing further is said about a path because its form is refused."""
    return next(iter(problems(path)), None) is not None


def _listed(path: str) -> Callable[[], Packet]:
    """Return a control that lists one more line for ``path``, in its place in the order."""

    def control() -> Packet:
        sound = samples.packet()
        lines = (sound.manifest or b"").splitlines(keepends=True)
        lines.append(f"{samples.other_digest()}  {path}\n".encode("utf-8", "surrogateescape"))
        lines.sort(key=lambda line: line[66:-1])
        return samples.sealed(sound.entries, b"".join(lines))

    return control


def _named(path: str) -> Callable[[], Packet]:
    return lambda: samples.renamed(path)


RULE = Rule(
    name="paths",
    protects="against names that leave the packet or deceive the reader",
    codes=CODES,
    check=check,
    sound=samples.packet,
    controls={
        "PATH-ABSOLUTE": _listed("/etc/passwd"),
        "PATH-DOTDOT": _listed("../outside.txt"),
        "PATH-DOT": _listed("./outside.txt"),
        "PATH-EMPTY": _listed("states//before.sql"),
        "PATH-HOME": _named("~root.txt"),
        "PATH-BACKSLASH": _named("states\\before.sql"),
        "NAME-CONTROL": _named("states/before\x1b[2J.sql"),
        "NAME-BIDI": _named("states/before\u202elqs.txt"),
        "NAME-ZERO-WIDTH": _named("states/before\u200b.sql"),
        "NAME-UTF8": _named("states/before\udcff.sql"),
        "NAME-DASH": _named("-"),
        "NAME-CASE": _named("Commands.sh"),
        "NAME-FORM": lambda: samples.sealed(
            [samples.entry("cafe\u0301.txt", b"1"), samples.entry("caf\u00e9.txt", b"2")]
        ),
        "NAME-LOOKALIKE": _named("commands.\u0455h"),
    },
)
