"""Where a rehearsal takes place: shared by the tests of its engines."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from tests.folders import Answer


class Place:
    """A root and a folder for temporary files, both empty."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root = path / "root"
        (self.root / "packets").mkdir(parents=True)
        self.temporary = path / "tmp"
        self.temporary.mkdir()

    def evidence(self, lane: str = "sample") -> Path:
        return self.root / "packets" / lane / "evidence"

    def assert_clean(self, *lanes: str) -> None:
        """Nothing is left but these lanes: no clone, no half lane."""
        assert sorted(path.name for path in (self.root / "packets").iterdir()) == sorted(lanes)
        assert [path.name for path in self.temporary.iterdir()] == []
        state = self.root / ".lanebook"
        assert not state.exists() or [path.name for path in state.iterdir()] == [".gitignore"]


Kind = TypeVar("Kind", bound=Place)


def make_place(
    kind: type[Kind], factory: pytest.TempPathFactory, patch: pytest.MonkeyPatch
) -> Iterator[Kind]:
    """Make a place to which temporary files go, and remove it afterwards."""
    # no folder of tmp_path: a test's name may have a word for production in it
    made = kind(factory.mktemp("rehearse"))
    patch.setattr(tempfile, "tempdir", str(made.temporary))
    yield made
    shutil.rmtree(made.path)


def assert_refused(place: Place, answer: Answer, message: str, *lanes: str) -> None:
    """The command gave this one line, and nothing is left but these lanes."""
    assert answer == Answer(3, "", f"lanebook: {message}\n")
    place.assert_clean(*lanes)
