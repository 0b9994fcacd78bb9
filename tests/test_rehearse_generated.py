"""Generated changes over generated schemas: what restores is proven, and what does not is named."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from generator.rehearse.inside.postgres import server as servers
from tests import generated_changes
from tests.folders import verify
from tests.generated_changes import Expected
from tests.rehearse_support import make_place
from tests.test_rehearse_postgres import Place, served

_HOW_MANY = os.environ.get("LANEBOOK_CHANGES", "")
CHOSEN = tuple(range(int(_HOW_MANY))) if _HOW_MANY else (1, 5, 21, 23, 24, 36, 40, 6)
"""One or two of each kind; with ``LANEBOOK_CHANGES=100`` a hundred, which takes some minutes."""
REQUIRED = "entities: [{entity: log, table: app.log}]\n"
TOLD = {
    Expected.RESTORES: (0, r"", "SAMPLE_ROLLBACK_PROVEN_ON_CLONE"),
    Expected.ALONE: (
        0,
        r"lanebook: not run, and neither passed nor failed: RB-SQL-TXN: .+\n",
        "SAMPLE_SNAPSHOT_ROLLBACK_PROVEN_ON_CLONE",
    ),
    Expected.MOVES: (
        1,
        r'(lanebook: after the ROLLBACK it is not as it was: sequence ".+\n)+'
        r"lanebook: the rollback is not proven; the lane is sealed as it is\n",
        "SAMPLE_ROLLBACK_NOT_PROVEN",
    ),
    Expected.SAME: (3, r"lanebook: change\.sql: .+ \(REHEARSE-NO-CHANGE\)\n", ""),
    Expected.UNSTABLE: (3, r"lanebook: change\.sql: .+ \(REHEARSE-UNSTABLE\)\n", ""),
    Expected.FAILS: (3, r"lanebook: change\.sql:\d+: .+ \(REHEARSE-(CHANGE|SYNTAX)\)\n", ""),
}
"""By what has to come of it: exit code, what is said on stderr, and the status of the lane."""


@pytest.fixture
def place(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    yield from make_place(Place, tmp_path_factory, monkeypatch)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    folder: Path = tmp_path_factory.mktemp("server")
    with servers.Server(str(folder), servers.newest()) as started:
        yield started


@served
@pytest.mark.parametrize("number", CHOSEN)
def test_a_generated_change_is_proven_if_it_restores_and_named_if_it_does_not(
    server: servers.Server, place: Place, number: int
) -> None:
    expected = generated_changes.expected(server, number)
    code, said, status = TOLD[expected]
    dump = generated_changes.dump_of(server, number)
    made = generated_changes.make(number)
    answer = place.run(dump, made.script, requirements=REQUIRED)
    assert (answer.code, re.fullmatch(said, answer.err) is not None) == (code, True), (
        expected,
        answer,
    )
    if not status:
        assert answer.out == ""
        place.assert_clean()
        return
    assert answer.out.split("\n")[2] == status
    assert verify(place.root).code == code
    place.assert_clean("sample")


@served
def test_every_kind_of_outcome_is_among_the_chosen_ones(server: servers.Server) -> None:
    assert {generated_changes.expected(server, number) for number in CHOSEN} == set(Expected)
