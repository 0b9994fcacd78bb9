"""The template environment: every ``{{ … }}`` is escaped, so forgetting to is not possible."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from generator.render import escape


def folder() -> Path:
    """Return the folder of the templates: inside the package in a wheel, else beside it."""
    package = Path(__file__).parent.parent
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


@lru_cache(maxsize=1)
def _pages() -> Environment:
    """Return the environment for Markdown pages."""
    environment = Environment(
        loader=FileSystemLoader(folder() / "pages"),
        autoescape=True,
        finalize=escape.markdown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment


@lru_cache(maxsize=1)
def _html() -> Environment:
    """Return the environment for the viewers of single files, which are HTML already."""
    return Environment(
        loader=FileSystemLoader(folder()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(template: str, **values: object) -> str:
    """Return a Markdown page from one of the templates under ``pages/``."""
    return _pages().get_template(template).render(**values)


def render_html(template: str, **values: object) -> str:
    """Return an HTML page."""
    return _html().get_template(template).render(**values)
