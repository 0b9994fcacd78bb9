"""Names of files in a packet: which are refused, which clash, and how to print any of them.

Spec 2.1 refuses names by code; the rules that call this module own the findings. A path is text as
`os.fsdecode` gives it on a UTF-8 system: a byte that is not UTF-8 is a surrogate escape.

Look-alikes follow the skeletons of UTS #39, with one exception: two names that differ only in ASCII
letters and digits (`file1` and `filel`, `a0` and `aO`, `rn` and `m`) are no clash, as people do
name files so. Where one of the two is a seal file the exception does not hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Final, Literal, NamedTuple

from generator.model.digest import sha256
from generator.model.packet import SEALS

# --- one path ---

_BIDI: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_CONTROL: Final = "\x00-\x1f\x7f-\x9f\u2028\u2029"
_SURROGATE: Final = "\ud800-\udfff"
# Default_Ignorable_Code_Point of Unicode 16 without the bidi controls, then what is blank or
# takes no place although Unicode does not call it ignorable: Braille blank, annotation marks,
# Egyptian format controls, the Khitan filler.
_INVISIBLE: Final = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
    "\u2800\ufff9-\ufffb\U00013430-\U0001343f\U00016fe4"
)

_PLAIN = re.compile(
    r"(?:(?!\.\.?/)[A-Za-z0-9._-]++/)*+(?!(?:\.\.?|-)\Z)[A-Za-z0-9._-]++\Z", re.ASCII
)
_PLAIN_LINES = re.compile(
    r"(?:(?:(?!\.\.?/)[A-Za-z0-9._-]++/)*+(?!(?:\.\.?|-)\n)[A-Za-z0-9._-]++\n)*+\Z", re.ASCII
)
"""The same for many, each ended by a line feed, which none of them holds."""
_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
_HIDDEN_CODES: Final = (
    ("NAME-CONTROL", _CONTROL),
    ("NAME-BIDI", _BIDI),
    ("NAME-ZERO-WIDTH", _INVISIBLE),
)
_HOSTILE: Final = f"{_CONTROL}{_BIDI}{_INVISIBLE}{_SURROGATE}"
_IGNORABLE: Final = f"{_BIDI}{_INVISIBLE}"

CODES: Final = {
    "PATH-EMPTY": "The path or one of its segments is empty.",
    "PATH-ABSOLUTE": "The path begins at a root, or at a Windows drive such as `C:/`.",
    "PATH-HOME": "The path begins with `~`, which a shell replaces.",
    "PATH-BACKSLASH": "The path has a backslash, which separates folders on Windows.",
    "PATH-DOT": "A segment of the path is `.`.",
    "PATH-DOTDOT": "A segment of the path is `..`.",
    "NAME-CONTROL": "The name has a control character or a line separator.",
    "NAME-BIDI": "The name has a character that turns the direction of writing.",
    "NAME-ZERO-WIDTH": "The name has a character that cannot be seen.",
    "NAME-UTF8": "The name is not UTF-8.",
    "NAME-DASH": "The file is named `-`, which tools take for standard input.",
    "NAME-CASE": "Two names differ only by case.",
    "NAME-FORM": "Two names differ only by Unicode form.",
    "NAME-LOOKALIKE": "Two names differ only by letters that look alike.",
}
"""Every code that :func:`problems` and :func:`clashes` use."""


@cache
def _one_of(characters: str) -> re.Pattern[str]:
    """Return the pattern of a class, compiled only now, as most names are plain ASCII."""
    return re.compile(f"[{characters}]")


def is_plain(path: str) -> bool:
    """Tell, fast, that ``path`` has only ``[A-Za-z0-9._-]`` segments and no problem.

    False says nothing: most names that are not plain are good.
    """
    return _PLAIN.match(path) is not None


def problems(path: str) -> Iterator[tuple[str, str]]:
    """Yield each code of spec 2.1 that refuses ``path``, once, with a message of one safe line."""
    if is_plain(path):
        return
    if not path:
        yield "PATH-EMPTY", "The path is empty."
        return
    if path.startswith("/") or _DRIVE.match(path):
        yield "PATH-ABSOLUTE", "The path is absolute."
    if path.startswith("~"):
        yield "PATH-HOME", "The path begins with '~'."
    if "\\" in path:
        yield "PATH-BACKSLASH", f"A backslash at character {path.index(chr(92)) + 1}."
    # The slash of an absolute path opens no segment, but "//" does.
    segments = path.removeprefix("/").split("/") if path != "/" else []
    for code, segment, what in (
        ("PATH-EMPTY", "", "empty"),
        ("PATH-DOT", ".", "'.'"),
        ("PATH-DOTDOT", "..", "'..'"),
    ):
        if segment in segments:
            yield code, f"Segment {segments.index(segment) + 1} is {what}."
    for code, characters in _HIDDEN_CODES:
        if found := _one_of(characters).search(path):
            yield code, f"{_called(found[0])} at character {found.start() + 1}."
    if found := _one_of(_SURROGATE).search(path):
        point, at = ord(found[0]), found.start() + 1
        if 0xDC80 <= point <= 0xDCFF:
            yield "NAME-UTF8", f"Byte 0x{point - 0xDC00:02X} at character {at} is not UTF-8."
        else:
            yield "NAME-UTF8", f"U+{point:04X} at character {at} cannot be written as UTF-8."
    if segments and segments[-1] == "-":
        yield "NAME-DASH", "The file is named '-'."


def _called(char: str) -> str:
    import unicodedata

    name = unicodedata.name(char, "")
    return f"U+{ord(char):04X}" + (f" {name}" if name else "")


# --- any text on one line ---


def visible(text: str, limit: int | None = None) -> str:
    r"""Return hostile text as one line that is safe on a terminal and can be written as UTF-8.

    Control, bidi and invisible characters, line separators and surrogates become ``\x1b``,
    ``\u202e`` or ``\U000e0001``; everything else stays, backslashes too, so that the answer is
    for reading and not for turning back. It has at most ``limit`` characters; where something was
    left out it ends with ``…``, and no escape is ever cut.
    """
    if (limit is None or len(text) <= limit) and text.isascii() and text.isprintable():
        return text
    if limit is None or (len(text) <= limit and not _one_of(_HOSTILE).search(text)):
        return _one_of(_HOSTILE).sub(_escape, text)
    if limit <= 0:
        return ""
    # Every character gives at least one, so no more of a long text is looked at.
    hostile = _one_of(_HOSTILE)
    parts = [hostile.sub(_escape, char) for char in text[: limit + 1]]
    if sum(map(len, parts)) <= limit:
        return "".join(parts)
    shown = ""
    for part in parts:
        if len(shown) + len(part) >= limit:
            break
        shown += part
    return f"{shown}…"


def short(text: str, limit: int = 240) -> str:
    """Return text of a packet for a reader: on one line, and told apart from its like."""
    shown = visible(text, limit)
    # a text may end in what stands for its rest, so that its end tells nothing
    if shown.endswith("…") and shown != visible(text):
        digest = sha256(text.encode("utf-8", "surrogatepass"))
        return f"{shown} ({len(text)} characters, SHA-256 {digest[:12]}…)"
    return shown


def _escape(match: re.Match[str]) -> str:
    point = ord(match[0])
    if point < 0x100:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


# --- a set of paths ---


class _Sibling(NamedTuple):
    """One name in a folder, and the first of the paths that lead to or through it."""

    name: str
    path: str
    end: int | None = None
    """Where the name ends in ``path`` if more follows; cut out only when it is shown."""

    @property
    def shown(self) -> str:
        # One more than is shown, so that a cut is seen; all of a path of megabytes is not copied.
        return visible(self.path[: min(self.end or len(self.path), 161)], 160)


_Clash = tuple[str, str, str, str]


def clashes(paths: Sequence[str]) -> Iterator[_Clash]:
    """Yield code, path, the other path and a message for names that can be taken for another.

    The seal files always count among the names. Names are compared with those beside them, so
    folders that clash are told once, by the first path in each, and not again for every file in
    them. A name gets one finding, against the first that it clashes with; the seal files come
    first, then the order of bytes, which is the order of the answer too. A path given twice is no
    clash.
    """
    if plainly_distinct(tuple(paths)):
        return
    found: set[_Clash] = set()
    unique = sorted(set(paths), key=path_bytes)
    for at_root, siblings in _folders(unique):
        found.update(_among(siblings, at_root=at_root))
    found.update(_across_folders(unique, {clash[1] for clash in found}))
    yield from sorted(found, key=lambda clash: (path_bytes(clash[1]), clash[0], clash[2:]))


def path_bytes(path: str) -> bytes:
    """Return the bytes by which paths are sorted, for any text at all."""
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that no file system gave
        return path.encode("utf-8", "surrogatepass")


def plainly_distinct(paths: tuple[str, ...]) -> bool:
    """Tell, fast, that all paths are plain and none clashes, their folders and the seals included.

    True means that :func:`problems` and :func:`clashes` are silent; False says nothing.
    """
    few = len(paths) <= _FEW
    return _plainly_distinct(paths) if few else _plainly_distinct.__wrapped__(paths)


_FEW: Final = 64


@lru_cache(maxsize=64)  # what one program wrote has the same names in every lane
def _plainly_distinct(paths: tuple[str, ...]) -> bool:
    # A hostile manifest can name a path of megabytes, all of it slashes.
    if paths and len(max(paths, key=len)) > 4096:
        return False
    lines = "\n".join([*paths, ""])
    if lines.count("\n") != len(paths) or not _PLAIN_LINES.match(lines):
        return False
    nodes = set(paths)
    above = nodes
    while above := {path.rpartition("/")[0] for path in above} - nodes - {""}:
        nodes |= above
    nodes |= SEALS
    # all are ASCII, so that each stays one line
    if len(set("\n".join(nodes).lower().split("\n"))) != len(nodes):
        return False
    starts, keys = _seal_keys()
    return not any(
        node[0] in starts and "/" not in node and _loose(node) in keys for node in nodes - SEALS
    )


def _folders(paths: Iterable[str]) -> Iterator[tuple[bool, list[_Sibling]]]:
    """Yield the names in each folder in the order of their first path; the root comes first.

    Folders have numbers instead of paths, so that the work grows with the text and not its square.
    """
    numbers: dict[tuple[int, str], int] = {}
    members: list[list[_Sibling]] = [[]]
    for path in paths:
        folder, at = 0, 0
        while True:
            end = path.find("/", at)
            name = path[at:] if end < 0 else path[at:end]
            if (folder, name) not in numbers:
                numbers[folder, name] = len(members)
                members[folder].append(_Sibling(name, path, None if end < 0 else end))
                members.append([])
            if end < 0:
                break
            folder, at = numbers[folder, name], end + 1
    for number, siblings in enumerate(members):
        if len(siblings) > 1 or not number:
            yield not number, siblings


def _among(siblings: list[_Sibling], *, at_root: bool) -> Iterator[_Clash]:
    ordered = sorted(siblings, key=lambda sibling: path_bytes(sibling.name))
    if at_root:
        seals = [_Sibling(name, name) for name in sorted(SEALS)]
        ordered = seals + [sibling for sibling in ordered if sibling.name not in SEALS]
    told: set[str] = set()
    first: dict[str, _Sibling] = {}
    for sibling in ordered:
        other = first.setdefault(_folded(sibling.name), sibling)
        if other is not sibling:
            told.add(sibling.name)
            code, how = _case_or_form(sibling.name, other.name)
            yield _clash(code, sibling, other, how)
    if at_root:
        for sibling in ordered[len(SEALS) :]:
            seal = _seal_keys()[1].get(_loose(_skeleton_of(sibling.name)))
            if seal and sibling.name not in told:
                told.add(sibling.name)
                yield _clash("NAME-LOOKALIKE", sibling, _Sibling(seal, seal), _LETTERS)
    if all(sibling.name.isascii() for sibling in ordered):
        return
    for fold in (str, _folded):
        groups = _LookAlikes()
        for sibling in ordered:
            other_or_none = groups.add(sibling, sibling.name, fold)
            if other_or_none and sibling.name not in told:
                told.add(sibling.name)
                yield _clash("NAME-LOOKALIKE", sibling, other_or_none, _LETTERS)


def _across_folders(paths: list[str], told: set[str]) -> Iterator[_Clash]:
    """Compare whole paths where a character looks like the slash, such as U+2215."""
    suspects = {
        char for char in set("".join(paths)) if not char.isascii() and "/" in _skeleton_of(char)
    }
    if not suspects:
        return
    groups = _LookAlikes()
    for path in sorted(paths, key=lambda path: (not suspects.isdisjoint(path), path_bytes(path))):
        sibling = _Sibling(path, path)
        other = groups.add(sibling, path, _folded)
        if other and path not in told and not suspects.isdisjoint(path):
            yield _clash("NAME-LOOKALIKE", sibling, other, _LETTERS)


class _LookAlikes:
    """Finds the first earlier name with the same skeleton that differs not only in ASCII letters.

    Differing only in ASCII letters is an equivalence, so the first name of a skeleton and the
    first that is not equivalent to it are enough to know.
    """

    def __init__(self) -> None:
        self._known: dict[str, list[tuple[str, _Sibling]]] = {}

    def add(self, sibling: _Sibling, name: str, fold: Callable[[str], str]) -> _Sibling | None:
        key = skeleton(fold(name))
        mine = _loose(_nfd(name))
        known = self._known.setdefault(key, [])
        other = next((other for theirs, other in known if theirs != mine), None)
        if not known or (len(known) == 1 and other):
            known.append((mine, sibling))
        return other


_LETTERS = "letters that look alike"


def _case_or_form(name: str, other: str) -> tuple[str, str]:
    if _nfkc(name) == _nfkc(other):
        return "NAME-FORM", "Unicode form"
    if _nfd(_nfd(name).casefold()) == _nfd(_nfd(other).casefold()):
        return "NAME-CASE", "case"
    return "NAME-CASE", "case and Unicode form"


def _clash(code: str, one: _Sibling, other: _Sibling, how: str) -> _Clash:
    seal = "the seal file " if other.path in SEALS and other.end is None else ""
    one_is = "The name" if one.end is None else f"Its folder '{one.shown}'"
    message = f"{one_is} differs from {seal}'{other.shown}' only by {how}."
    return code, one.path, other.path, message


# --- foldings; ASCII, which nearly every name is, never touches Unicode data ---


def _nfd(text: str) -> str:
    return _normal("NFD", text)


def _nfkc(text: str) -> str:
    return _normal("NFKC", text)


def _normal(form: Literal["NFD", "NFKC"], text: str) -> str:
    if text.isascii():
        return text
    import unicodedata

    return unicodedata.normalize(form, text)


def _folded(text: str) -> str:
    """Return the same text for every case and Unicode form, compatible ones included."""
    if text.isascii():
        return text.lower()
    return _nfkc(_nfkc(_nfd(text).casefold()).casefold())


ASCII_SKELETON = str.maketrans(
    {"0": "O", "1": "l", "I": "l", "|": "l", "m": "rn", "`": "'", '"': "''"}
)
"""What UTS #39 takes for the same among ASCII characters; a test holds it against the data."""

_ASCII_LOOSE = ASCII_SKELETON | str.maketrans({"0": "o", "i": "l"})


@lru_cache(maxsize=4096)
def _loose(text: str) -> str:
    """Return the same text for all that differs only by case and ASCII look-alikes."""
    return text.casefold().translate(_ASCII_LOOSE)


@cache
def _seal_keys() -> tuple[frozenset[str], dict[str, str]]:
    """Return the seals by their loose text, and the ASCII characters with which those can begin."""
    keys = {_loose(name): name for name in SEALS}
    firsts = {key[0] for key in keys}
    starts = frozenset(char for char in map(chr, range(128)) if _loose(char)[0] in firsts)
    return starts, keys


def _skeleton_of(name: str) -> str:
    return skeleton(_nfkc(name))


def skeleton(text: str) -> str:
    """Return the skeleton of UTS #39: equal for two texts that look alike.

    Which of the look-alikes stands for all of them is this module's choice; a skeleton is for
    comparing and never for showing.
    """
    if text.isascii():
        return text.translate(ASCII_SKELETON)
    decomposed = _one_of(_IGNORABLE).sub("", _nfd(text))
    return _nfd("".join(map(_prototype, decomposed)))


@lru_cache(maxsize=4096)
def _prototype(char: str) -> str:
    if char.isascii():
        return char.translate(ASCII_SKELETON)
    from generator.lookalikes import PROTOTYPES  # late: most names are ASCII

    return PROTOTYPES.get(char, char)
