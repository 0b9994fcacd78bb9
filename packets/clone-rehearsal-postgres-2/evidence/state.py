"""The canonical state of a PostgreSQL database, as JSON lines.

The same content gives the same bytes, however rows and catalogs lie on disk: objects go by their
names, never by OID, and lines are sorted. A row is one line ``["row", schema, table, key, row]``
whose last two are digests: of the primary key, or else of the whole row, and of the row. No value
of a row is in it; definitions of objects are, with the constants that they hold.
"""

from __future__ import annotations

import json
from collections.abc import Callable

ROW = b'["row",'
"""Begins each line that holds a row."""

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

_TABLES = (
    "SELECT n.nspname, c.relname, quote_ident(n.nspname) || '.' || quote_ident(c.relname),"
    " (SELECT string_agg('t.' || quote_ident(a.attname), ', ' ORDER BY k.at) FROM pg_index i,"
    " unnest(i.indkey::int2[]) WITH ORDINALITY k(number, at)"
    " JOIN pg_attribute a ON a.attnum = k.number"
    " WHERE i.indrelid = c.oid AND i.indisprimary AND k.at <= i.indnkeyatts"
    " AND a.attrelid = c.oid)"
    f" FROM {_OF_CLASS} WHERE c.relkind = 'r' OR c.relkind = 'm' AND c.relispopulated"
)
_SEQUENCES = (
    "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)"
    f" FROM {_OF_CLASS} WHERE c.relkind = 'S'"
)


class NotCanonical(Exception):
    """A database holds something of which no line tells."""


Query = Callable[[str], "list[tuple[bytes | None, ...]]"]
"""Runs a query and returns its rows."""


def export(query: Query) -> tuple[bytes, int]:
    """Return the canonical state of a database, and how many rows it has.

    Args:
        query: runs a query in the session whose state is wanted.

    Raises:
        NotCanonical: it holds something that the state would not show.
    """
    for catalog, name in _not_covered(query)[:1]:
        raise NotCanonical(f"{NOT_COVERED[catalog]} has no line in a state: {name}")
    lines: list[bytes] = []
    for sql in (*QUERIES.values(), *_sequences(query)):
        lines += [line or b"" for (line,) in query(sql)]
    rows: list[bytes] = []
    for schema, table, path, key in query(_TABLES):
        where = ", ".join(_json(name or b"") for name in (schema, table)).encode()
        keyed = f"ROW({key.decode()})" if key is not None else "ROW(t.*)"
        source = f"ONLY {(path or b'').decode()} AS t"
        found = query(f"SELECT {_digest(keyed)}, {_digest('ROW(t.*)')} FROM {source}")
        rows += [b'["row", %s, "%s", "%s"]' % (where, one, other) for one, other in found]
    lines.sort()
    rows.sort()
    # a line end inside a text is escaped; others are the server's own layout
    return b"".join(line.replace(b"\n", b" ") + b"\n" for line in lines + rows), len(rows)


def _sequences(query: Query) -> list[str]:
    """Return a query for each sequence; where it stands is not in a catalog."""
    return [
        f"SELECT json_build_array('sequence value', {_literal((name or b'').decode())},"
        f" last_value, is_called) FROM {(name or b'').decode()}"
        for (name,) in query(_SEQUENCES)
    ]


def _digest(expression: str) -> str:
    return f"encode(sha256(convert_to(({expression})::text, 'UTF8')), 'hex')"


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
    """Return how many lines but those of sequences' values are in one of two states only."""
    one, two = (
        {line for line in state.splitlines() if not line.startswith(b'["sequence value"')}
        for state in (before, after)
    )
    return len(one ^ two)
