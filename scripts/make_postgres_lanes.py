"""Makes the two lanes on PostgreSQL again as ``lanebook rehearse`` does, byte for byte.

Their dump is generated here, in the shape that the owners asked for: a registry, when its objects
were born, approvals, issues, fields of Directus, and anchors of snapshots. No row is anybody's. The
first dump has a token planted in a note, so that the first lane is not rehearsed and asks for a
clean one; the second lane is, on the dump that was asked for.

The programs in a packet are inputs of it, and pinned: a lane that is there is made again with its
own. It needs the version of PostgreSQL's server that the packets name, and bubblewrap.

Without an option it writes into packets/; with ``--to ROOT`` into another root that holds the lane
before them; with ``--check`` nowhere, and exits with 1 if packets/ holds something else.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from generator.rehearse.inside.postgres import PROGRAMS
from generator.rehearse.run import Wanted, rehearse

ROOT = Path(__file__).resolve().parents[1]
INPUTS = Path(__file__).resolve().parent / "rehearsals"
BEFORE = "approvals-backfill-rehearsal"
HELD, REHEARSED = "clone-rehearsal-postgres", "clone-rehearsal-postgres-2"
LANES = {
    HELD: (
        "Registry on PostgreSQL, asked for a clean dump",
        "AUTHORIZE_POSTGRESQL_CLONE_REHEARSAL_ONLY",
    ),
    REHEARSED: (
        "Registry on PostgreSQL, rehearsed",
        "AUTHORIZE_SECOND_POSTGRESQL_CLONE_REHEARSAL_ONLY",
    ),
}
"""Lane to title and the decision that it consumes, in order."""
DATE = "2026-11-25"
# put together, so that no scanner of repositories finds a token here; it was made up
PLANTED = "ghp_" + "a1B2" * 9

OBJECTS, APPROVALS, ISSUES, FIELDS, ANCHORS = 48, 24, 18, 30, 3
REGISTRIES = ("birth registry", "approvals registry", "issues registry", "canonical registry")

HEAD = """--
-- PostgreSQL database dump
--

-- Dumped from database version 15.6
-- Dumped by pg_dump version 15.6

SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET row_security = off;

CREATE SCHEMA registry;

CREATE TYPE registry.approval_state AS ENUM (
    'pending',
    'approved',
    'rejected',
    'superseded'
);

CREATE FUNCTION registry.stamp_revision() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  NEW.revision := OLD.revision + 1;
  RETURN NEW;
END
$$;

CREATE TABLE registry.registries (
    id bigint NOT NULL,
    name text NOT NULL,
    revision integer NOT NULL,
    sha256 character(64) NOT NULL,
    updated_at timestamp with time zone NOT NULL
);

CREATE TABLE registry.birth_registry (
    id bigint NOT NULL,
    object_id text NOT NULL,
    registry_id bigint NOT NULL,
    sha256 character(64) NOT NULL,
    note text,
    born_at timestamp with time zone NOT NULL
);

CREATE TABLE registry.snapshot_anchors (
    id bigint NOT NULL,
    tree_sha256 character(64) NOT NULL,
    taken_at timestamp with time zone NOT NULL
);

CREATE TABLE public.os_proposal_approvals (
    id bigint NOT NULL,
    object_id text NOT NULL,
    state registry.approval_state NOT NULL,
    approver text,
    evidence_sha256 character(64),
    decided_at timestamp with time zone
);

CREATE TABLE public.system_issues (
    id bigint NOT NULL,
    object_id text NOT NULL,
    severity smallint NOT NULL,
    title text NOT NULL,
    details jsonb NOT NULL,
    opened_at timestamp with time zone NOT NULL
);

CREATE TABLE public.directus_fields (
    id integer NOT NULL,
    collection character varying(64) NOT NULL,
    field character varying(64) NOT NULL,
    interface character varying(64),
    options json,
    sort integer
);

"""
TAIL = """ALTER TABLE ONLY registry.registries ADD CONSTRAINT registries_pkey PRIMARY KEY (id);
ALTER TABLE ONLY registry.birth_registry ADD CONSTRAINT birth_registry_pkey PRIMARY KEY (id);
ALTER TABLE ONLY registry.birth_registry
    ADD CONSTRAINT birth_registry_object_id_key UNIQUE (object_id);
ALTER TABLE ONLY registry.snapshot_anchors ADD CONSTRAINT snapshot_anchors_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.os_proposal_approvals
    ADD CONSTRAINT os_proposal_approvals_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.system_issues ADD CONSTRAINT system_issues_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.directus_fields ADD CONSTRAINT directus_fields_pkey PRIMARY KEY (id);
CREATE INDEX system_issues_object ON public.system_issues USING btree (object_id);
CREATE TRIGGER registries_revision BEFORE UPDATE ON registry.registries
    FOR EACH ROW EXECUTE FUNCTION registry.stamp_revision();
ALTER TABLE ONLY registry.birth_registry ADD CONSTRAINT birth_registry_registry_id_fkey
    FOREIGN KEY (registry_id) REFERENCES registry.registries(id);
ALTER TABLE ONLY public.os_proposal_approvals ADD CONSTRAINT os_proposal_approvals_object_id_fkey
    FOREIGN KEY (object_id) REFERENCES registry.birth_registry(object_id);
ALTER TABLE ONLY public.system_issues ADD CONSTRAINT system_issues_object_id_fkey
    FOREIGN KEY (object_id) REFERENCES registry.birth_registry(object_id);

--
-- PostgreSQL database dump complete
--

"""


def dump(*, planted: bool) -> bytes:
    """Return the dump, with or without the planted token."""
    note = f"made by hand; {PLANTED}" if planted else "made by hand"
    tables = {
        "registry.registries": (
            (at, name, 20 + at, _digest(name), _time(at)) for at, name in enumerate(REGISTRIES, 1)
        ),
        "registry.birth_registry": (
            (
                at,
                _object(at),
                at % 4 + 1,
                _digest(_object(at)),
                note if at == 7 else None,
                _time(at),
            )
            for at in range(1, OBJECTS + 1)
        ),
        "registry.snapshot_anchors": (
            (at, _digest(f"anchor {at}"), _time(at)) for at in range(1, ANCHORS + 1)
        ),
        "public.os_proposal_approvals": (map(_approval, range(1, APPROVALS + 1))),
        "public.system_issues": (
            (
                *(at, _object(at * 2), at % 3 + 1, f"issue {at} of {_object(at * 2)}"),
                *(f'{{"seen": {at}, "state": "open"}}', _time(at)),
            )
            for at in range(1, ISSUES + 1)
        ),
        "public.directus_fields": (
            (
                *(at, ("birth_registry", "system_issues")[at % 2], f"field_{at}", "input"),
                *('{"trim": true}', at),
            )
            for at in range(1, FIELDS + 1)
        ),
    }
    return (HEAD + "".join(_copied(name, rows) for name, rows in tables.items()) + TAIL).encode()


def _approval(at: int) -> tuple[object, ...]:
    state = ("pending", "approved", "approved", "rejected")[at % 4]
    decided = state != "pending"
    return (
        *(at, _object(at), state, f"reviewer {at % 3}" if decided else None),
        *(_digest(f"evidence {at}") if decided else None, _time(at) if decided else None),
    )


def _object(at: int) -> str:
    return f"TKT-OBJ-{400 + at}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _time(at: int) -> str:
    return f"2026-06-{at % 28 + 1:02} {at % 24:02}:00:00+00"


def _copied(table: str, rows: Iterable[tuple[object, ...]]) -> str:
    """Return rows as pg_dump writes them; none of these values has a character to escape."""
    lines = ["\t".join("\\N" if one is None else str(one) for one in row) for row in rows]
    return f"COPY {table} FROM stdin;\n" + "\n".join(lines) + "\n\\.\n\n"


def pinned(lane: str) -> dict[str, bytes]:
    """Return the programs of a lane that is there."""
    folder = ROOT / "packets" / lane / "evidence"
    return {name: (folder / name).read_bytes() for name in PROGRAMS if (folder / name).is_file()}


def make(root: Path) -> None:
    """Make both lanes in a root that holds the lane before them."""
    previous = BEFORE
    programs = {lane: pinned(lane) for lane in LANES}
    with tempfile.TemporaryDirectory() as folder:
        for lane, (title, delegation) in LANES.items():
            shutil.rmtree(root / "packets" / lane, ignore_errors=True)
            source = Path(folder) / "registry.sql"
            source.write_bytes(dump(planted=lane == HELD))
            rehearse(
                Wanted(
                    lane=lane,
                    root=root,
                    title=title,
                    date=DATE,
                    previous=previous,
                    delegation=delegation,
                    engine="postgres",
                    dump=source,
                    keep_dump=True,
                    change=INPUTS / HELD / "change.sql",
                    provenance=INPUTS / lane / "provenance.yml",
                    requirements=INPUTS / HELD / "requirements.yml",
                    blockers=INPUTS / lane / "blockers.json",
                    addendum=INPUTS / lane / "addendum.json",
                    programs=programs[lane],
                )
            )
            previous = lane


def content(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder by its relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def main() -> int:
    """Run one of the three ways."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--to", type=Path, help="a root with packets/ in it")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    arguments = parser.parse_args()
    if not arguments.check:
        make((arguments.to or ROOT).resolve())
        return 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(ROOT / "packets" / BEFORE, root / "packets" / BEFORE)
        make(root)
        differ = [
            lane
            for lane in LANES
            if content(ROOT / "packets" / lane) != content(root / "packets" / lane)
        ]
    for lane in differ:
        print(f"{lane}: packets/ holds something else", file=sys.stderr)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
