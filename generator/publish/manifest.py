"""``SITE_MANIFEST.txt``: the list of everything in a site as it is published.

It has the form of a packet's manifest (spec 2.1) and lists each file but itself, so that
``sha256sum -c SITE_MANIFEST.txt`` checks a copy without lanebook. ``HASH_MANIFEST.txt`` beside it
is of ``site/docs``, which has the Markdown and not the HTML. A manifest shows that a copy is whole;
who made it is shown only by its digest, known from elsewhere.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping, Set
from pathlib import Path
from typing import NamedTuple

from generator.errors import InputError
from generator.model.digest import Digest, sha256
from generator.names import problems, visible
from generator.profiles import manifest_sha256
from generator.reading.tree import kind_of, read_file

NAME = "SITE_MANIFEST.txt"
MOST_BYTES = 256 * 1024 * 1024
"""A longer manifest is not read."""

BESIDE = frozenset((".nojekyll", "CNAME"))
"""What hosts of pages want at the top of a branch; no part of the site, and nothing in it."""

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_CHUNK = 1024 * 1024


class Site(NamedTuple):
    """A site that is to be published, with its list."""

    html: Path
    manifest: bytes
    files: Mapping[str, Digest]
    """Path to digest, as the manifest lists them."""

    @property
    def digest(self) -> Digest:
        """Return the digest that stands for the whole site."""
        return sha256(self.manifest)

    @property
    def whole(self) -> dict[str, Digest]:
        """Return path to digest of every file, the manifest too."""
        return {**self.files, NAME: self.digest}


class Tree(NamedTuple):
    """What lies in a folder."""

    files: dict[str, Digest]
    odd: dict[str, str]
    """Path to what it is, of what is neither file nor folder."""

    @property
    def found(self) -> dict[str, str]:
        """Return path to digest, or to what it is; no manifest lists the latter."""
        return {**self.files, **self.odd}


def build(html: Path) -> bytes:
    """Return the manifest of a built site.

    Raises:
        InputError: a link or something else lies in it that cannot be published, or a name that
            no manifest may list.
        OSError: it cannot be read.
    """
    tree = read_tree(html)
    for path, kind in sorted(tree.odd.items()):
        raise InputError(f"a {kind} cannot be published", code="SITE-NAME", place=(visible(path),))
    files = {path: digest for path, digest in tree.files.items() if path != NAME}
    for path in sorted(files):
        for _, problem in problems(path):
            raise InputError(problem, code="SITE-NAME", place=(visible(path),))
    return _bytes(files)


def _bytes(files: Mapping[str, Digest]) -> bytes:
    return manifest_sha256.build(sorted(files.items(), key=lambda pair: os.fsencode(pair[0])))


def parse(data: bytes) -> dict[str, Digest]:
    """Return path to digest.

    Raises:
        InputError: ``SITE-MANIFEST``: it is not in the one form, or lists what no site may hold.
    """
    listing = manifest_sha256.read(data)
    for problem in listing.problems:
        if problem.code != "MAN-SELF":  # the list of site/docs lies in every site
            raise _bad(f"line {problem.where.rpartition(':')[2]}: {problem.message}")
    for line in listing.lines:
        for _, text in problems(line.path):
            raise _bad(f"line {line.number}: {text}")
        if line.path == NAME:
            raise _bad(f"line {line.number}: the manifest lists itself")
    files = {line.path: line.digest for line in listing.lines}
    for path in files:
        folder = path
        while folder := folder.rpartition("/")[0]:
            if folder in files:
                raise _bad(f"{visible(folder, 200)} is listed as a file and as a folder")
    return files


def _bad(problem: str) -> InputError:
    return InputError(problem, code="SITE-MANIFEST", place=(NAME,))


def load(html: Path) -> Site:
    """Return a built site by its manifest, which is read and not yet held against the files.

    Raises:
        InputError: ``SITE-MANIFEST``: there is none, or it has another form.
    """
    try:
        data = read_file(html / NAME, MOST_BYTES, code="SITE-MANIFEST")
    except InputError as error:
        raise _bad(error.problem) from error
    return Site(html, data, parse(data))


def read_tree(folder: Path) -> Tree:
    """Hash everything below a folder; nothing is followed.

    Raises:
        OSError: something in it cannot be read.
    """
    found = Tree({}, {})
    for base, folders, names, descriptor in os.fwalk(folder, onerror=_raise):
        prefix = os.path.relpath(base, folder)
        prefix = "" if prefix == "." else f"{prefix}/"
        for name in folders:
            mode = os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode
            if not stat.S_ISDIR(mode):
                found.odd[prefix + name] = str(kind_of(mode))
        for name in names:
            mode = os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode
            if stat.S_ISREG(mode):
                found.files[prefix + name] = _hashed(os.open(name, _FILE, dir_fd=descriptor))
            else:
                found.odd[prefix + name] = str(kind_of(mode))
    return found


def _raise(error: OSError) -> None:
    raise error


def _hashed(descriptor: int) -> Digest:
    with os.fdopen(descriptor, "rb") as stream:
        return Digest(hashlib.file_digest(stream, "sha256").hexdigest())


class Differences(NamedTuple):
    """In what a copy is not what its manifest lists; all sorted."""

    missing: tuple[str, ...]
    differing: tuple[str, ...]
    extra: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return one line for each, with its code; safe to print."""
        return [
            f"{code}  {visible(path, 300)}"
            for code, paths in (
                ("SITE-MISSING", self.missing),
                ("SITE-DIFFERS", self.differing),
                ("SITE-EXTRA", self.extra),
            )
            for path in paths
        ]


def compare(
    wanted: Mapping[str, Digest], found: Mapping[str, str], beside: Set[str] = frozenset()
) -> Differences:
    """Hold what was found against what should be there; what may lie beside it is passed by."""
    return Differences(
        tuple(sorted(wanted.keys() - found.keys())),
        tuple(sorted(path for path in wanted.keys() & found.keys() if wanted[path] != found[path])),
        tuple(sorted(found.keys() - wanted.keys() - beside)),
    )
