"""Pictures of a site: what they show, as plain values, and how they become static SVG.

matplotlib draws them, in a program of its own (:mod:`generator.render.drawing`) that knows nothing
of this machine: not the folder that lanebook was started in, not its fonts, settings, locale or
time. So the same values give the same bytes anywhere, and nothing is left behind.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from generator.errors import BuildError
from generator.names import visible

MOST_LANES = 40
"""Lanes in one picture: the newest."""
MOST_LINES = 30
"""Lines, or bars, in one picture; the table beside it has the rest."""
LONGEST_LABEL = 62
"""Characters of a label, so that it fits a picture."""

NOTHING = Markup()
"""What stands where there is nothing to draw."""

_INPUT, _OUTPUT = "pictures.json", "pictures.svg.json"
# what XML cannot hold at all; all else that is hostile is made visible before
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INHERITED = ("HOME", "LD_LIBRARY_PATH", "SYSTEMROOT", "VIRTUAL_ENV", "PYTHONPATH")


class Line(NamedTuple):
    """How one thing stood from lane to lane."""

    label: str
    levels: tuple[int | None, ...]
    """Its level at each lane of the picture; None before any lane names it."""
    stated: tuple[bool, ...]
    """Whether the lane itself says so, or an earlier one."""
    thin: bool = False
    """A part of the line above it."""


class Steps(NamedTuple):
    """One line for each thing, over lanes."""

    title: str
    description: str
    first: int
    """The number of the first lane of the picture."""
    lines: tuple[Line, ...]


class Bar(NamedTuple):
    """A range of whole numbers, both ends in it."""

    label: str
    first: int
    last: int
    kind: str = "range"
    """``range``, ``gap`` or ``overlap``."""


class Ranges(NamedTuple):
    """Ranges drawn to scale, one under the other, and lines through all of them."""

    title: str
    description: str
    bars: tuple[Bar, ...]
    ceilings: tuple[tuple[str, int], ...]
    """(label, number) of lines that lie right above their numbers."""


Picture = Steps | Ranges


def label(text: str, longest: int = LONGEST_LABEL) -> str:
    """Return packet text as one short line that XML can hold."""
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", visible(text, longest))


def to_text(pictures: Mapping[str, Picture]) -> str:
    """Return pictures as text for the program that draws them."""
    return json.dumps(
        {
            name: {"kind": type(picture).__name__, **picture._asdict()}
            for name, picture in pictures.items()
        }
    )


def from_text(text: str) -> dict[str, Picture]:
    """Return the pictures of :func:`to_text`."""
    found: dict[str, Picture] = {}
    for name, told in json.loads(text).items():
        head = told["title"], told["description"]
        if told["kind"] == Steps.__name__:
            lines = (
                Line(text, tuple(levels), tuple(stated), thin)
                for text, levels, stated, thin in told["lines"]
            )
            found[name] = Steps(*head, told["first"], tuple(lines))
        else:
            bars = tuple(Bar(*bar) for bar in told["bars"])
            found[name] = Ranges(*head, bars, tuple(map(tuple, told["ceilings"])))
    return found


class Drawing:
    """Pictures that are being drawn while something else goes on."""

    def __init__(self, pictures: Mapping[str, Picture]) -> None:
        """Start to draw; each picture has a name made by lanebook, which becomes part of ids."""
        self._names = tuple(pictures)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if not pictures:
            return
        self._folder = tempfile.TemporaryDirectory(prefix="lanebook-")
        folder = Path(self._folder.name)
        (folder / _INPUT).write_text(to_text(pictures), "ascii")
        # files, not pipes: workers that are forked meanwhile would hold the ends of a pipe open
        with (folder / "errors").open("wb") as errors:
            self._child = subprocess.Popen(
                # -P: nothing that lies in a folder is imported in the place of a module
                [sys.executable, "-P", "-m", "generator.render.drawing", _INPUT, _OUTPUT],
                cwd=folder,
                env=_environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )

    def finish(self) -> dict[str, Markup]:
        """Wait for the pictures, and return each by its name.

        Raises:
            BuildError: they could not be drawn.
        """
        if self._folder is None:
            return {}
        with self._folder as folder:
            code = self._child.wait()
            if code != 0:
                told = (Path(folder) / "errors").read_text("utf-8", "replace").splitlines()
                why = visible(told[-1], 300) if told else f"exit code {code}"
                raise BuildError(f"the pictures could not be drawn: {why}; the site is as it was")
            drawn = json.loads((Path(folder) / _OUTPUT).read_text("ascii"))
        return {name: Markup(drawn[name]) for name in self._names}


def draw(pictures: Mapping[str, Picture]) -> dict[str, Markup]:
    """Return pictures as inline SVG, drawn at once."""
    return Drawing(pictures).finish()


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment in which no setting of this machine has a say."""
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return kept | {
        "PATH": "",  # matplotlib asks fc-list for the fonts of the machine
        "MPLCONFIGDIR": str(folder),
        "TMPDIR": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }
