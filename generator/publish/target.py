"""What a target says: a folder, a branch for pages, or a host."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from generator.names import visible
from generator.publish.codes import wrong_target

_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253})|\[[0-9A-Fa-f:.]{2,45}\]"
_USER = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}"
_PLACE = re.compile(rf"(?:(?P<user>{_USER})@)?(?P<host>{_HOST})")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HIDDEN = re.compile(r"[\x00-\x1f\x7f]")


class FolderTarget(NamedTuple):
    """A folder on this machine."""

    path: Path


class BranchTarget(NamedTuple):
    """A branch of a git repository."""

    remote: str
    """The name of a remote, a URL or a path."""
    branch: str


class HostTarget(NamedTuple):
    """A folder on a host that is reached by ssh."""

    place: str
    """``host`` or ``user@host``."""
    port: int
    """0: what ssh thinks."""
    path: str
    """Absolute, or as seen from the home folder there."""


Target = FolderTarget | BranchTarget | HostTarget


def parse(text: str) -> Target:
    """Return what a target means.

    Raises:
        PublishRefused: ``PUBLISH-TARGET``: it has none of the forms.
    """
    if not text or _HIDDEN.search(text):
        raise wrong_target("the target is empty or has a control character")
    if text.startswith("git:"):
        return _branch(text)
    scheme = _SCHEME.match(text)
    if scheme:
        if scheme[1].lower() != "ssh":
            raise wrong_target(
                f"{visible(scheme[1], 40)}:// is no target; there are a folder, git:REMOTE#BRANCH,"
                " ssh://HOST/PATH and HOST:PATH"
            )
        return _url(text)
    place, colon, path = _split(text)
    if colon:
        return _host(place, 0, path.removeprefix("~/"), text)
    return FolderTarget(Path(text))


def _split(text: str) -> tuple[str, str, str]:
    """Split as scp does: a colon makes a host, unless a slash stands before it."""
    if text.startswith(("/", ".")):
        return text, "", ""
    end = text.find("]:") + 1 if "[" in text.partition("/")[0] else text.find(":")
    if end <= 0 or "/" in text[:end]:
        return text, "", ""
    return text[:end], ":", text[end + 1 :]


def _branch(text: str) -> BranchTarget:
    remote, hash_sign, branch = text.removeprefix("git:").rpartition("#")
    if not hash_sign or not remote or not branch:
        raise wrong_target(f"{visible(text, 200)}: a branch is written git:REMOTE#BRANCH")
    if remote.startswith("-") or branch.startswith("-"):
        raise wrong_target(f"{visible(text, 200)}: begins with '-', as an option does")
    return BranchTarget(remote, branch)


def _url(text: str) -> HostTarget:
    try:
        parts = urlsplit(text)
        port = parts.port or 0
    except ValueError as error:
        raise wrong_target(f"{visible(text, 200)}: {error}") from error
    if parts.query or parts.fragment or parts.password is not None:
        raise wrong_target("ssh://[USER@]HOST[:PORT]/PATH has no password, '?' or '#'")
    place = parts.netloc.removesuffix(f":{port}") if port else parts.netloc
    path = unquote(parts.path)
    path = path.removeprefix("/~/") if path.startswith("/~/") else path
    return _host(place, port, path, text)


def _host(place: str, port: int, path: str, text: str) -> HostTarget:
    if not _PLACE.fullmatch(place):
        raise wrong_target(f"{visible(text, 200)}: not [USER@]HOST before the path")
    if _HIDDEN.search(path) or path.strip("/") in ("", ".", "~"):
        raise wrong_target(f"{visible(text, 200)}: names no folder on the host")
    if ".." in path.split("/") or path.startswith(("-", "~")):
        raise wrong_target(f"{visible(text, 200)}: the path has '..', or begins with '-' or '~'")
    return HostTarget(place, port, path.rstrip("/"))
