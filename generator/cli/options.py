"""Options that several commands take, each with one form and one help."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from generator.cli.paths import PATH

Decorated = TypeVar("Decorated", bound=Callable[..., object])

ROOT = click.option("--root", "folder", type=PATH, help="The root; default: around here.")
"""What it gives goes to :func:`around`."""
JOBS = click.option(
    "-j", "--jobs", type=click.IntRange(0, 256), default=0, help="Processes; 0: one a core."
)
ENGINE = click.option(
    "--engine", default="mkdocs", help="mkdocs, properdocs or zensical.", show_default=True
)


def formats(*forms: str, told: str = "How to tell it.") -> Callable[[Decorated], Decorated]:
    """Return the option ``--format``, the parameter ``form``: text, or one of ``forms``."""
    return click.option(
        "--format", "form", type=click.Choice(["text", *forms]), default="text", help=told
    )


def around(folder: Path | None) -> Path:
    """Return the folder of the root that is meant: the one that is named, or the one around here.

    Raises:
        NoVerdictError: none is named, and there is none around here.
    """
    from generator.reading.root import find_root

    return folder.resolve() if folder is not None else find_root(Path.cwd())
