"""What commands take as a path."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click


class _Path(click.Path):
    """A path; an empty text is none, as it is what an unset variable leaves behind."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:  # noqa: ANN401 - as click has it
        """Return the path, which is not empty."""
        if not os.fspath(value):
            self.fail("the path is empty", param, ctx)
        return super().convert(value, param, ctx)


PATH = _Path(path_type=Path)
