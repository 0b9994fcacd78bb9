"""The canonical state of a PostgreSQL database, as JSON lines.

The same content gives the same bytes, however rows and catalogs lie on disk: objects go by their
names, never by OID, and lines are sorted. A row is one line ``["row", schema, table, key, row]``
whose last two are digests: of the primary key, or else of the whole row, and of the row, as
PostgreSQL sends them in binary; a value of a type that is not its own goes as text. Where the
database has more rows than ``LISTED``, a table is one line ``["rows", schema, table, count,
digest]`` instead: the digest is that of the two digests of each row, 64 bytes, sorted. No value of
a row is in a state; definitions of objects are, with the constants that they hold.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from queue import SimpleQueue
from typing import NamedTuple

_OURS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
_ACL = '(SELECT json_agg(a::text ORDER BY a::text COLLATE "C") FROM unnest({0}.{1}) a)'


def _acl(table: str, column: str) -> str:
    return _ACL.format(table, column)


_OPTIONS = '(SELECT json_agg(o ORDER BY o COLLATE "C") FROM unnest({0}) o)'
_NAME = "n.nspname, c.relname"
_OF_CLASS = f"pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND {_OURS}"

QUERIES: dict[str, str] = {
    "encoding": "SELECT json_build_array('encoding', pg_encoding_to_char(encoding), datcollate,"
    " datctype) FROM pg_database WHERE datname = current_database()",
    "schema": "SELECT json_build_array('schema', n.nspname, pg_get_userbyid(n.nspowner),"
    f" {_acl('n', 'nspacl')}) FROM pg_namespace n WHERE {_OURS}",
    "extension": "SELECT json_build_array('extension', e.extname, e.extversion, n.nspname)"
    " FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace",
    "relation": "SELECT json_build_array('relation', n.nspname, c.relname, c.relkind::text,"
    " pg_get_userbyid(c.relowner), c.relpersistence::text, am.amname,"
    f" {_acl('c', 'relacl')}, {_OPTIONS.format('c.reloptions')}, c.relrowsecurity,"
    " c.relforcerowsecurity, c.relreplident::text, c.relispartition,"
    " pg_get_expr(c.relpartbound, c.oid), pg_get_partkeydef(c.oid),"
    " (SELECT json_agg(i.inhparent::regclass::text ORDER BY i.inhseqno) FROM pg_inherits i"
    " WHERE i.inhrelid = c.oid), CASE WHEN c.reloftype <> 0 THEN c.reloftype::regtype::text END,"
    " (SELECT spcname FROM pg_tablespace s WHERE s.oid = c.reltablespace))"
    f" FROM {_OF_CLASS} LEFT JOIN pg_am am ON am.oid = c.relam"
    " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'c')",
    "column": "SELECT json_build_array('column', n.nspname, c.relname, row_number() OVER"
    " (PARTITION BY c.oid ORDER BY a.attnum), a.attname,"
    " format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),"
    " a.attidentity::text, a.attgenerated::text, CASE WHEN a.attcollation <> 0 THEN"
    " a.attcollation::regcollation::text END, a.attstorage::text, a.attcompression::text,"
    f" a.attstattarget, {_acl('a', 'attacl')}, {_OPTIONS.format('a.attoptions')},"
    " a.attislocal, a.attinhcount)"
    f" FROM {_OF_CLASS} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
    " AND NOT a.attisdropped LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum"
    " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'c')",
    "constraint": "SELECT json_build_array('constraint', n.nspname, CASE WHEN k.conrelid <> 0"
    " THEN k.conrelid::regclass::text ELSE k.contypid::regtype::text END, k.conname,"
    " k.contype::text, pg_get_constraintdef(k.oid), k.convalidated, k.conislocal,"
    " k.coninhcount, k.connoinherit)"
    f" FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace AND {_OURS}",
    "index": "SELECT json_build_array('index', n.nspname, i.indrelid::regclass::text, c.relname,"
    " pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisclustered, i.indisreplident,"
    " (SELECT spcname FROM pg_tablespace s WHERE s.oid = c.reltablespace))"
    f" FROM {_OF_CLASS} JOIN pg_index i ON i.indexrelid = c.oid",
    "view": "SELECT json_build_array('view', n.nspname, c.relname, pg_get_viewdef(c.oid),"
    f" c.relispopulated) FROM {_OF_CLASS} WHERE c.relkind IN ('v', 'm')",
    "rule": f"SELECT json_build_array('rule', {_NAME}, r.rulename, pg_get_ruledef(r.oid),"
    f" r.ev_enabled::text) FROM {_OF_CLASS} JOIN pg_rewrite r ON r.ev_class = c.oid"
    " AND r.rulename <> '_RETURN'",
    "function": "SELECT json_build_array('function', n.nspname, p.proname,"
    " pg_get_function_identity_arguments(p.oid), pg_get_functiondef(p.oid),"
    f" pg_get_userbyid(p.proowner), {_acl('p', 'proacl')})"
    f" FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace AND {_OURS}"
    " WHERE p.prokind <> 'a'",
    "aggregate": "SELECT json_build_array('aggregate', n.nspname, p.proname,"
    " pg_get_function_identity_arguments(p.oid), g.aggkind::text, g.aggtransfn::text,"
    " g.aggfinalfn::text, g.aggcombinefn::text, g.aggserialfn::text, g.aggdeserialfn::text,"
    " g.aggmtransfn::text, g.aggminvtransfn::text, g.aggmfinalfn::text, g.aggfinalextra,"
    " g.aggmfinalextra, g.aggfinalmodify::text, g.aggmfinalmodify::text,"
    " g.aggsortop::regoperator::text, g.aggtranstype::regtype::text,"
    " g.aggmtranstype::regtype::text, g.agginitval, g.aggminitval, p.proparallel::text,"
    f" pg_get_userbyid(p.proowner), {_acl('p', 'proacl')}) FROM pg_aggregate g"
    f" JOIN pg_proc p ON p.oid = g.aggfnoid JOIN pg_namespace n ON n.oid = p.pronamespace"
    f" AND {_OURS}",
    "trigger": f"SELECT json_build_array('trigger', {_NAME}, t.tgname,"
    f" pg_get_triggerdef(t.oid), t.tgenabled::text) FROM {_OF_CLASS}"
    " JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal",
    "event trigger": "SELECT json_build_array('event trigger', e.evtname, e.evtevent,"
    " e.evtfoid::regprocedure::text, e.evtenabled::text, e.evttags,"
    " pg_get_userbyid(e.evtowner)) FROM pg_event_trigger e",
    "policy": f"SELECT json_build_array('policy', {_NAME}, p.polname, p.polcmd::text,"
    ' p.polpermissive, (SELECT json_agg(u ORDER BY u COLLATE "C") FROM (SELECT CASE WHEN r = 0'
    " THEN 'public' ELSE pg_get_userbyid(r)::text END FROM unnest(p.polroles) r) x(u)),"
    " pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))"
    f" FROM {_OF_CLASS} JOIN pg_policy p ON p.polrelid = c.oid",
    "type": "SELECT json_build_array('type', n.nspname, t.typname, t.typtype::text,"
    f" pg_get_userbyid(t.typowner), {_acl('t', 'typacl')}, CASE WHEN t.typbasetype <> 0 THEN"
    " format_type(t.typbasetype, t.typtypmod) END, t.typnotnull, t.typdefault,"
    " CASE WHEN t.typcollation <> 0 THEN t.typcollation::regcollation::text END,"
    " (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e"
    " WHERE e.enumtypid = t.oid), (SELECT json_build_array(r.rngsubtype::regtype::text,"
    " r.rngmultitypid::regtype::text, r.rngcanonical::text, r.rngsubdiff::text)"
    " FROM pg_range r WHERE r.rngtypid = t.oid))"
    f" FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace AND {_OURS}"
    " WHERE t.typtype IN ('e', 'd', 'r', 'm')",
    "sequence": f"SELECT json_build_array('sequence', {_NAME}, s.seqtypid::regtype::text,"
    " s.seqstart, s.seqincrement, s.seqmax, s.seqmin, s.seqcache, s.seqcycle,"
    " (SELECT json_agg(json_build_array(d.refobjid::regclass::text, a.attname, d.deptype::text))"
    " FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid"
    " WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')"
    f" AND d.refclassid = 'pg_class'::regclass)) FROM {_OF_CLASS}"
    " JOIN pg_sequence s ON s.seqrelid = c.oid",
    "large object": "SELECT json_build_array('large object', m.oid::text,"
    f" pg_get_userbyid(m.lomowner), {_acl('m', 'lomacl')},"
    " encode(sha256(lo_get(m.oid)), 'hex')) FROM pg_largeobject_metadata m",
    "comment": "SELECT json_build_array('comment', i.type, i.identity, d.description)"
    " FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) i"
    " WHERE d.objoid >= 16384 OR d.objoid = 'public'::regnamespace",
    "default acl": "SELECT json_build_array('default acl', pg_get_userbyid(d.defaclrole),"
    f" n.nspname, d.defaclobjtype::text, {_acl('d', 'defaclacl')})"
    " FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace",
    "statistics": "SELECT json_build_array('statistics', n.nspname, s.stxname,"
    " pg_get_statisticsobjdef(s.oid), pg_get_userbyid(s.stxowner), s.stxstattarget)"
    f" FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace AND {_OURS}",
}
"""By kind of line, a query that gives one line a row."""

NOT_COVERED = {
    "pg_operator": "an operator",
    "pg_opclass": "an operator class",
    "pg_opfamily": "an operator family",
    "pg_cast": "a cast",
    "pg_conversion": "a conversion",
    "pg_collation": "a collation",
    "pg_am": "an access method",
    "pg_language": "a language",
    "pg_transform": "a transform",
    "pg_ts_config": "a text search configuration",
    "pg_ts_dict": "a text search dictionary",
    "pg_ts_parser": "a text search parser",
    "pg_ts_template": "a text search template",
    "pg_foreign_data_wrapper": "a foreign-data wrapper",
    "pg_foreign_server": "a foreign server",
    "pg_publication": "a publication",
}
"""Catalogs of which no line tells. What they hold of the user's own is refused, not passed over."""

LISTED = 20_000
"""Rows of a database up to which each has a line; above, each table has one, with a digest."""
MOST_BYTES = 64 * 1024 * 1024
"""Bytes of a state, of which definitions are the most."""
_DIGEST = 32
_RECORD = 2 * _DIGEST
_BLOCK = 1 << 20
_REMEMBERED = 1 << 20
"""Bytes of a table from which it is worth to remember what its rows came to."""

_OWN = (
    "(y.oid < 16384 AND y.typtype = 'b' AND y.typsend <> 0"
    " AND y.typname !~ '^_?reg|aclitem|cstring|gtsvector')"
)
"""Whether a type is PostgreSQL's own, goes over the wire in binary, and depends on no catalog."""
_COLUMN = f"'t.' || quote_ident(a.attname) || CASE WHEN {_OWN} THEN '' ELSE '::text' END"
_TABLES = (
    "SELECT n.nspname, c.relname, quote_ident(n.nspname) || '.' || quote_ident(c.relname),"
    f" (SELECT string_agg({_COLUMN}, ', ' ORDER BY k.at) FROM pg_index i,"
    " unnest(i.indkey::int2[]) WITH ORDINALITY k(number, at)"
    " JOIN pg_attribute a ON a.attnum = k.number JOIN pg_type y ON y.oid = a.atttypid"
    " WHERE i.indrelid = c.oid AND i.indisprimary AND k.at <= i.indnkeyatts"
    " AND a.attrelid = c.oid),"
    f" (SELECT string_agg({_COLUMN}, ', ' ORDER BY a.attnum) FROM pg_attribute a"
    " JOIN pg_type y ON y.oid = a.atttypid"
    " WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),"
    " CASE WHEN c.relpersistence = 'p' AND pg_relation_size(c.oid)"
    f" + CASE WHEN c.reltoastrelid <> 0 THEN pg_relation_size(c.reltoastrelid) ELSE 0 END"
    f" >= {{remembered}} THEN c.oid END"
    f" FROM {_OF_CLASS} WHERE c.relkind = 'r' OR c.relkind = 'm' AND c.relispopulated"
    " ORDER BY pg_relation_size(c.oid) DESC"
)
_FILES = (
    "SELECT pg_relation_filepath(c.oid), pg_relation_size(c.oid), c.reltoastrelid::text,"
    " CASE WHEN c.reltoastrelid <> 0 THEN pg_relation_filepath(c.reltoastrelid) END,"
    " CASE WHEN c.reltoastrelid <> 0 THEN pg_relation_size(c.reltoastrelid) END,"
    " (SELECT json_agg(json_build_array(a.attnum, a.attname, a.atttypid::text, a.atttypmod,"
    " a.attlen, a.attbyval, a.attalign::text, a.attstorage::text, a.attisdropped, a.atthasmissing,"
    " a.attmissingval::text) ORDER BY a.attnum) FROM pg_attribute a"
    " WHERE a.attrelid = c.oid AND a.attnum > 0),"
    f" (SELECT bool_and({_OWN}) FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid"
    " WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)"
    " FROM pg_class c WHERE c.oid = {0}"
)
"""Of a table: where its rows lie, how they lie there, and whether its types are PostgreSQL's own,
whose text depends on nothing that can be defined."""
_PAGE, _MAP_HEADER = 8192, 24
"""Bytes of a page of PostgreSQL, and of the header of one of a visibility map (bufpage.h)."""
_PAGES_OF_A_BYTE = 4
_ALL_VISIBLE = 0b01010101
"""Of the two bits for each page that a byte of a visibility map has, those that say that all on it
is visible to every transaction (visibilitymap.h)."""
_MAP = "SELECT encode(pg_read_binary_file({0}, 0, {1}, true), 'hex')"
_LARGEST_MAP = 1 << 24
_SEQUENCES = (
    "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)"
    f" FROM {_OF_CLASS} WHERE c.relkind = 'S'"
)


class NotCanonical(Exception):
    """A database holds something of which no line tells."""


class TooLarge(Exception):
    """The definitions of a database do not fit into a state."""


Query = Callable[[str], "list[tuple[bytes | None, ...]]"]
"""Runs a query and returns its rows."""
Records = Callable[[str], Iterator[bytes]]
"""Runs a ``COPY … TO STDOUT (FORMAT binary)`` of one column; yields its values of 64 bytes, many at
a time, one behind the other."""


class Rows(NamedTuple):
    """The rows of a table."""

    where: str
    """Schema and table, as JSON has them between brackets."""
    number: int
    digest: str
    """SHA-256 of the 64 bytes of every row, sorted."""
    path: str
    """The file of these bytes."""

    def records(self) -> Iterator[bytes]:
        """Yield 64 bytes of each row, sorted: the digest of its key, and that of the row."""
        if self.number:
            with open(self.path, "rb") as file:
                while block := file.read(_RECORD * 1024):
                    for at in range(0, len(block), _RECORD):
                        yield block[at : at + _RECORD]


class State(NamedTuple):
    """What a database holds."""

    data: bytes
    """The canonical state."""
    rows: int
    """How many it has."""
    tables: tuple[Rows, ...]
    """Sorted by name."""


class Notes:
    """A folder for the digests of rows; remembers those of tables of which nothing was changed.

    A table is remembered if its visibility map says of each page that all on it is visible to every
    transaction. With the same map, files, columns and types its rows are the same: no transaction
    decides about them any more, and none has changed one.
    """

    def __init__(self, folder: str) -> None:
        """Take an existing folder, and what was remembered in it."""
        self.folder = folder
        self.known: dict[str, list[object]] = {}
        self._one = threading.Lock()
        self._made = len(os.listdir(folder))
        self._index = os.path.join(folder, "known.json")
        if os.path.exists(self._index):
            with open(self._index, encoding="utf-8") as file:
                self.known = json.load(file)

    def rows(self, key: str | None, where: str, records: Callable[[], Iterator[bytes]]) -> Rows:
        """Return the rows of a table, remembered or else read.

        Args:
            key: tells its content from every other; None where nothing does.
            where: schema and table.
            records: reads them.
        """
        with self._one:
            found = self.known.get(key) if key is not None else None
            self._made += found is None
            name = f"rows.{self._made}"
        if found is not None:
            return Rows(where, int(str(found[0])), str(found[1]), self._path(str(found[2])))
        size, hashed = 0, hashlib.sha256()
        path = self._path(name)
        with open(path, "xb", buffering=0) as file:
            for block in records():
                hashed.update(block)
                size += len(block)
                while block:
                    block = block[file.write(block) :]
        made = Rows(where, size // _RECORD, hashed.hexdigest(), path)
        if key is not None:
            with self._one, open(self._index, "w", encoding="utf-8") as index:
                self.known[key] = [made.number, made.digest, name]
                json.dump(self.known, index)
        return made

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)


def export(query: Query, readers: Sequence[Records], notes: Notes) -> State:
    """Return the canonical state of a database.

    Args:
        query: runs a query in the session whose state is wanted.
        readers: each runs a ``COPY`` in a session that sees the same; tables are read by as many
            at a time.
        notes: where digests of rows are kept.

    Raises:
        NotCanonical: it holds something that the state would not show.
        TooLarge: its definitions are too large.
        OSError: there is no room for the digests.
    """
    for catalog, name in _not_covered(query)[:1]:
        raise NotCanonical(f"{NOT_COVERED[catalog]} has no line in a state: {name}")
    lines: list[bytes] = []
    for sql in QUERIES.values():
        lines += [line or b"" for (line,) in query(sql)]
    lines.sort()
    defined = hashlib.sha256(b"\n".join(lines)).hexdigest()
    for sql in _sequences(query):
        lines += [line or b"" for (line,) in query(sql)]
    lines.sort()
    found = query(_TABLES.format(remembered=_REMEMBERED))
    if any(number is not None for *_, number in found):
        # what is in the server's memory only would not be in its files
        query("CHECKPOINT")
    wanted: list[tuple[str | None, str, str]] = []
    for schema, table, path, key, every, number in found:
        where = ", ".join(_json(name or b"") for name in (schema, table))
        whole = f"ROW({(every or b'').decode()})"
        keyed = f"ROW({key.decode()})" if key is not None else whole
        at = (
            None
            if number is None
            else _content(query, number.decode(), f"{where} {keyed}", defined)
        )
        sql = (
            f"COPY (SELECT d FROM (SELECT {_digest(keyed)} || {_digest(whole)} AS d"
            f" FROM ONLY {(path or b'').decode()} AS t) x ORDER BY d) TO STDOUT (FORMAT binary)"
        )
        wanted.append((at, where, sql))
    tables = sorted(_read(wanted, readers, notes))
    count = sum(rows.number for rows in tables)
    rows = sorted(_listed(tables) if count <= LISTED else _summed(tables))
    # a line end inside a text is escaped; others are the server's own layout
    data = b"".join(line.replace(b"\n", b" ") + b"\n" for line in lines + rows)
    if len(data) > MOST_BYTES:
        raise TooLarge(f"the state of the clone is larger than {MOST_BYTES} bytes")
    return State(data, count, tuple(tables))


def _read(
    wanted: Iterable[tuple[str | None, str, str]], readers: Sequence[Records], notes: Notes
) -> list[Rows]:
    """Return the rows of tables, given what tells the content of each, its name and a query."""
    if len(readers) == 1:
        return [notes.rows(key, where, partial(readers[0], sql)) for key, where, sql in wanted]
    from concurrent.futures import ThreadPoolExecutor

    free: SimpleQueue[Records] = SimpleQueue()
    for reader in readers:
        free.put(reader)

    def read(one: tuple[str | None, str, str]) -> Rows:
        key, where, sql = one
        reader = free.get()
        try:
            return notes.rows(key, where, partial(reader, sql))
        finally:
            free.put(reader)

    with ThreadPoolExecutor(len(readers)) as pool:
        return list(pool.map(read, wanted))


def _listed(tables: Iterable[Rows]) -> Iterator[bytes]:
    for rows in tables:
        for one in rows.records():
            yield _line("row", rows.where, one)


def _line(kind: str, where: str, record: bytes) -> bytes:
    text = record.hex()
    return f'["{kind}", {where}, "{text[:_RECORD]}", "{text[_RECORD:]}"]'.encode()


def _summed(tables: Iterable[Rows]) -> Iterator[bytes]:
    for rows in tables:
        yield f'["rows", {rows.where}, {rows.number}, "{rows.digest}"]'.encode()


def _content(query: Query, number: str, named: str, defined: str) -> str | None:
    """Return what tells the content of a table from every other; None if nothing does.

    That is its visibility map: whatever changes a row takes back the bit of its page, and only
    VACUUM sets it again, whereby the page of the map gets another place in the log of the server.
    """
    ((path, size, _, toast_path, toast_size, columns, own),) = query(_FILES.format(number))
    name, pages = (path or b"").decode(), -(-int(size or b"0") // _PAGE)
    ((found,),) = query(_MAP.format(_literal(f"{name}_vm"), _LARGEST_MAP))
    visible = bytes.fromhex((found or b"").decode())
    if not _all_visible(visible, pages):
        return None
    told = [
        named,
        (columns or b"").decode(),
        "" if own == b"t" else defined,
        # a copy of the database has the same files below another folder
        *[
            (part or b"").decode().rpartition("/")[2]
            for part in (path, size, toast_path, toast_size)
        ],
        hashlib.sha256(visible).hexdigest(),
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _all_visible(visible: bytes, pages: int) -> bool:
    """Whether a visibility map has the bit of each of so many pages."""
    bits = b"".join(visible[at + _MAP_HEADER : at + _PAGE] for at in range(0, len(visible), _PAGE))
    whole, rest = divmod(pages, _PAGES_OF_A_BYTE)
    last = _ALL_VISIBLE & ((1 << 2 * rest) - 1)
    if len(bits) < whole + bool(rest) or (rest and bits[whole] & last != last):
        return False
    return all(one & _ALL_VISIBLE == _ALL_VISIBLE for one in set(bits[:whole]))


def _sequences(query: Query) -> list[str]:
    """Return a query for each sequence; where it stands is not in a catalog."""
    return [
        f"SELECT json_build_array('sequence value', {_literal((name or b'').decode())},"
        f" last_value, is_called) FROM {(name or b'').decode()}"
        for (name,) in query(_SEQUENCES)
    ]


def _digest(expression: str) -> str:
    return f"sha256(record_send({expression}))"


def _not_covered(query: Query) -> list[tuple[str, str]]:
    """Return catalog and name of the user's own objects of which no line tells."""
    parts = [
        f"SELECT o.oid::text, '{catalog}' FROM {catalog} o WHERE o.oid >= 16384"
        " AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = o.oid"
        f" AND d.deptype IN ('e', 'i') AND d.classid = '{catalog}'::regclass)"
        for catalog in NOT_COVERED
    ]
    named = (
        "SELECT (pg_identify_object(f.catalog::regclass, f.object::oid, 0)).identity, f.catalog"
        f" FROM ({' UNION ALL '.join(parts)}) f(object, catalog)"
    )
    found = query(named)
    return sorted(
        ((catalog or b"").decode(), (name or b"").decode("utf-8", "replace"))
        for name, catalog in found
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _json(text: bytes) -> str:
    return json.dumps(text.decode("utf-8", "surrogateescape"), ensure_ascii=False)


def moved_sequences(before: bytes, after: bytes) -> list[str]:
    """Return a line for each sequence that has another value in the second state."""

    def values(state: bytes) -> dict[str, list[object]]:
        return {
            (told := json.loads(line))[1]: told[2:]
            for line in state.splitlines()
            if line.startswith(b'["sequence value"')
        }

    was, now = values(before), values(after)
    return [
        f"{json.dumps(name)} {json.dumps(was[name])} {json.dumps(now[name])}"
        for name in sorted(was.keys() & now.keys())
        if was[name] != now[name]
    ]


def other_lines(before: bytes, after: bytes) -> int:
    """Return how many lines but those of sequences' values and rows are in one of two states."""
    told = (b'["sequence value"', b'["row"', b'["rows"')
    one, two = (
        {line for line in state.splitlines() if not line.startswith(told)}
        for state in (before, after)
    )
    return len(one ^ two)


GONE, CAME = "gone", "came"


def touched(before: State, after: State) -> Iterator[tuple[str, str, str, str]]:
    """Yield each row that only one of two states has, table by table.

    Returns:
        ``gone`` or ``came``; schema and table as in :class:`Rows`; the digests of key and row.
    """
    was, now = ({rows.where: rows for rows in state.tables} for state in (before, after))
    for where in sorted(was.keys() | now.keys()):
        one, two = was.get(where), now.get(where)
        if one is not None and two is not None and one.digest == two.digest:
            continue
        for old, new in zip(_by_first(one), _by_first(two), strict=True):
            told = [(record, GONE) for record in (old - new).elements()]
            told += [(record, CAME) for record in (new - old).elements()]
            for record, word in sorted(told):
                text = record.hex()
                yield word, where, text[:_RECORD], text[_RECORD:]


def _by_first(rows: Rows | None) -> Iterator[Counter[bytes]]:
    """Yield 256 times the rows whose digest begins with one byte, as few as that are in memory."""
    at = 0
    for first, found in groupby(rows.records() if rows is not None else (), itemgetter(0)):
        for _ in range(first - at):
            yield Counter()
        at = first + 1
        yield Counter(found)
    for _ in range(256 - at):
        yield Counter()
