"""The program that draws pictures: JSON values in, inline SVG out. Started by ``pictures``.

Everything is drawn in one ink; what differs is told by thickness, dashes and words. Colours come
from the page's style, by classes, so that a picture follows light, dark and paper.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from generator.render.pictures import Ranges, Steps, from_text
from generator.render.svg import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH = 440
"""Of every picture, in units that are pixels at its natural size: near the width of a phone."""
_SIDE = 8
_AXIS = 34
"""Height below the rows for ticks and what they count."""
_ROW, _THIN_ROW = 36, 24
_INDENT = 12
"""By which the label of a part stands behind that of its whole."""
_STEP = 3
"""Height of one level."""
_DPI = 72
_SALT = "lanebook"


def main(arguments: Sequence[str]) -> None:
    """Draw what the first file asks for, and write the pictures to the second."""
    source, target = map(Path, arguments)
    drawn = {}
    with _settings():
        for name, picture in from_text(source.read_text("ascii")).items():
            figure = _steps(picture) if isinstance(picture, Steps) else _ranges(picture)
            told = io.StringIO()
            figure.savefig(told, format="svg", metadata={"Date": None, "Creator": None})
            drawn[name] = plain(
                told.getvalue(), name=name, title=picture.title, description=picture.description
            )
    target.write_text(json.dumps(drawn), "ascii")


def _settings() -> AbstractContextManager[object]:
    """Load matplotlib with its own font and its own defaults, and nothing of this machine."""
    # it would read every font below the system's folders, and remember what it found
    walk, os.walk = os.walk, _no_folders  # type: ignore[assignment]
    try:
        import matplotlib
        from matplotlib import font_manager
    finally:
        os.walk = walk
    font = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    font_manager.fontManager.addfont(font)
    return matplotlib.rc_context(
        {
            "font.family": ["DejaVu Sans"],
            "svg.fonttype": "none",
            "svg.hashsalt": _SALT,
            "text.parse_math": False,
        }
    )


def _no_folders(*_: object, **__: object) -> Iterator[tuple[str, list[str], list[str]]]:
    return iter(())


def _axes(height: float, first: float, last: float, counted: str) -> tuple[Figure, Axes]:
    """Return an empty picture whose vertical unit is a pixel, counted from the top."""
    from matplotlib.figure import Figure

    whole = height + _AXIS
    figure = Figure(figsize=(_WIDTH / _DPI, whole / _DPI), dpi=_DPI)
    figure.patch.set_visible(False)
    side = _SIDE / _WIDTH
    axes = figure.add_axes((side, _AXIS / whole, 1 - 2 * side, height / whole))
    axes.patch.set_visible(False)
    axes.set_xlim(first, last)
    axes.set_ylim(height, 0)
    axes.yaxis.set_visible(False)
    for name in ("left", "right", "top"):
        axes.spines[name].set_visible(False)
    axes.spines["bottom"].set_gid("axis")
    axes.tick_params(axis="x", length=3, labelsize=10, pad=2)
    axes.set_xlabel(counted, fontsize=10, labelpad=2)
    return figure, axes


def _ticks(axes: Axes) -> None:
    """Put few whole numbers below a picture."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True, min_n_ticks=1))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))


def _text(axes: Axes, y: float, text: str, size: float, indent: float = 0) -> None:
    """Write a label at the left edge; its y is that of the line it stands on."""
    from matplotlib.transforms import blended_transform_factory

    across = blended_transform_factory(axes.transAxes, axes.transData)
    x = indent / (_WIDTH - 2 * _SIDE)
    axes.text(x, y, text, fontsize=size, transform=across, gid="label", parse_math=False)


def _steps(picture: Steps) -> Figure:
    """Draw one line for each thing, over lanes: it falls as it comes closer to closed."""
    first = picture.first
    count = max(len(line.levels) for line in picture.lines)
    height = sum(_THIN_ROW if line.thin else _ROW for line in picture.lines)
    figure, axes = _axes(
        height, first - 0.5, first + count - 0.5, "lanes by number, the oldest first"
    )
    _ticks(axes)
    top = 0.0
    for text, levels, stated, thin in picture.lines:
        unit = _STEP * (0.4 if thin else 1)
        closed = top + (_THIN_ROW - 3 if thin else _ROW - 5)
        if thin:
            _text(axes, top + 10, text, 9.5, _INDENT)
        else:
            _text(axes, top + 12, text, 11)
            ends = [first - 0.5, first + count - 0.5]
            axes.plot(ends, [closed, closed], gid="guide", linewidth=0.8)
        width = 1.1 if thin else 2.2
        name = "leg" if thin else "line"
        heights = [None if level is None else closed - level * unit for level in levels]
        _stairs(axes, first, heights, f"{name}-carried", width * 0.7, dotted=True)
        known = [one if said else None for one, said in zip(heights, stated, strict=True)]
        _stairs(axes, first, known, name, width)
        top += _THIN_ROW if thin else _ROW
    return figure


def _stairs(
    axes: Axes,
    first: int,
    heights: Sequence[float | None],
    name: str,
    width: float,
    *,
    dotted: bool = False,
) -> None:
    """Draw heights over lanes, each for the width of a lane; where there is none, nothing."""
    values: list[float] = []
    edges = [first - 0.5]
    for index, height in enumerate(heights):
        value = float("nan") if height is None else height
        if values and (value == values[-1] or (value != value and values[-1] != values[-1])):
            edges[-1] = first + index + 0.5
        else:
            values.append(value)
            edges.append(first + index + 0.5)
    if any(value == value for value in values):
        axes.stairs(
            values,
            edges,
            baseline=None,
            fill=False,
            gid=name,
            linewidth=width,
            linestyle=(0, (1, 2)) if dotted else "solid",
        )


def _ranges(picture: Ranges) -> Figure:
    """Draw ranges to scale, one under the other, and a line above each ceiling."""
    bars, ceilings = picture.bars, picture.ceilings
    numbers = [*(n for _, one, other, _ in bars for n in (one, other)), *(n for _, n in ceilings)]
    low, high = min(numbers), max(numbers)
    space = max((high - low) * 0.02, 0.5)
    head = 16 * len(ceilings)
    height = head + 30 * len(bars) + 2
    figure, axes = _axes(height, low - 0.5 - space, high + 0.5 + space, "numbers of objects")
    _ticks(axes)
    for index, (text, number) in enumerate(ceilings):
        at = number + 0.5
        axes.plot([at, at], [16 * index + 4, height], gid=f"ceiling-{index}", linewidth=1.2)
        right = at - low > (high - low) / 2
        axes.annotate(
            text,
            (at, 16 * index + 11),
            xytext=(-4 if right else 4, 0),
            textcoords="offset points",
            ha="right" if right else "left",
            fontsize=10,
            gid="label",
            parse_math=False,
        )
    top = head
    for text, start, end, kind in bars:
        _text(axes, top + 11, text, 10)
        axes.barh(
            top + 20,
            end - start + 1,
            left=start - 0.5,
            height=9,
            gid=kind,
            edgecolor="black",
            linewidth=1,
            linestyle=(0, (2, 2)) if kind == "gap" else "solid",
        )
        top += 30
    return figure


if __name__ == "__main__":
    main(sys.argv[1:])
