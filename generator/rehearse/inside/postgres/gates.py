"""What has to hold before a change is rehearsed: where the dump is from, and that it may be used.

Each function returns one evidence file. What the operator stated is in the plan, and stays a claim.
The secret scan is made by lanebook before the rehearsal, with a scanner that is not in the packet:
its result is an input, which is carried and held against the dump's digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes as long to load as half a step
    from typing import Any

if __package__:
    from generator.rehearse.inside.postgres import catalog as catalogs
else:
    import catalog as catalogs  # type: ignore[import-not-found, no-redef]

PROVENANCE, SCAN = "clone-provenance.json", "secret-scan.json"
SCHEMA, CATALOG = "schema-compatibility.json", "schema-catalog.jsonl"
ISOLATION, SUMMARY = "server-isolation.json", "rehearsal-preconditions.json"
TARGET, DUMP = "temp-postgresql-clone", "operator-dump"
READY, NOT_APPLIED = "READY", "NOT_APPLIED"
NO_SECRET, SECRETS, NOT_SCANNED = "NO_SECRET_FOUND", "SECRETS_FOUND", "NOT_SCANNED"
COMPATIBLE, INCOMPATIBLE, UNCHECKED = "COMPATIBLE", "INCOMPATIBLE", "CANNOT_BE_CHECKED"
HOLDS, FAILS, NOT_RUN = "HOLDS", "FAILS", "NOT_RUN"
_DUMP = "a dump of one database, by pg_dump: plain, custom, tar or directory, in gzip or zstd"
_STATEMENT = (
    "YAML or JSON for --provenance: source and stated_by; where known taken, cleaned, method,"
    " sha256 of the dump, and candidates, each with id and rejected_because"
)
_REQUIREMENTS = (
    "YAML or JSON for --requirements: entities, each with entity, table as schema.name, columns by"
    " name with their types, and keys"
)
_PRODUCTION = "FORBIDDEN: never contacted"
_SHOWN = 20
"""Names in one sentence."""


def provenance(plan: Mapping[str, Any], codes: Sequence[str]) -> dict[str, Any]:
    """Return where the clone came from.

    Args:
        plan: what the rehearsal was told.
        codes: why there is no clone; none where there is one.
    """
    stated, dump = plan["provenance"], plan["dump"]
    mine: dict[str, Any] = {"id": TARGET, "selected": True}
    if codes:
        mine = {"id": DUMP, "selected": False, "rejected_because": ", ".join(codes)}
    rejected = [
        {"id": one["id"], "selected": False, "rejected_because": one["rejected_because"]}
        for one in (stated or {}).get("candidates", ())
    ]
    rejected += [
        {"id": name, "selected": False, "rejected_because": _PRODUCTION}
        for name in plan["production_targets"]
    ]
    candidates = [mine, *rejected]
    value: dict[str, Any] = {
        "lane": plan["lane"],
        "candidate_count": len(candidates),
        "rejected_count": len(candidates) - (not codes),
        "candidates": candidates,
        "selected": None if codes else TARGET,
        "dump": {key: dump[key] for key in ("sha256", "size", "form")},
    }
    if stated is not None:
        value["stated"] = {key: word for key, word in stated.items() if key != "candidates"}
    if not codes:
        value["source"] = {"file": dump["file"] or DUMP, "sha256": dump["sha256"]}
    none_safe = "NO_SAFE_PRODUCTION_SHAPED_CLONE_AVAILABLE"
    value["verdict"] = none_safe if codes else "SAFE_CLONE_SELECTED"
    return value


def provenance_codes(plan: Mapping[str, Any]) -> list[str]:
    """Return by their codes what is wrong with what the operator stated."""
    stated = plan["provenance"]
    if stated is None:
        return ["CLONE_NOT_STATED"]
    if stated.get("sha256") not in (None, plan["dump"]["sha256"]):
        return ["CLONE_SOURCE_DIFFERS"]
    return []


def isolation(lane: str, seen: dict[str, list[str]], codes: list[str]) -> dict[str, Any]:
    """Return what a server is like from inside, with what that comes to."""
    return {
        "lane": lane,
        "observed": seen,
        "problems": codes,
        "verdict": "NOT_ISOLATED" if codes else "ISOLATED",
    }


def schema(plan: Mapping[str, Any], lines: Iterable[catalogs.Line] | None) -> dict[str, Any]:
    """Return for each entity that the change needs whether the clone has it.

    Args:
        plan: what the rehearsal was told.
        lines: the clone's catalog; none where there is no clone.
    """
    catalog = catalogs.Catalog(lines) if lines is not None else None
    entities = []
    for wanted in plan["requirements"] or ():
        state, reason = catalogs.judged(wanted, catalog)
        entity = {"entity": wanted["entity"], "state": state}
        if wanted.get("table"):
            entity["table"] = wanted["table"]
        if wanted.get("columns"):
            entity["columns"] = list(wanted["columns"])
            entity["types"] = {name: kind for name, kind in wanted["columns"].items() if kind}
        if wanted.get("keys"):
            entity["keys"] = wanted["keys"]
        if reason:
            entity["reason"] = reason
        entities.append(entity)
    counts = {
        word.lower(): sum(one["state"] == word for one in entities)
        for word in ("PRESENT", "ABSENT", "DIFFERENT", "NOT_CHECKABLE")
    }
    if counts["absent"] or counts["different"]:
        verdict = INCOMPATIBLE
    else:
        verdict = UNCHECKED if counts["not_checkable"] or not entities else COMPATIBLE
    value: dict[str, Any] = {"lane": plan["lane"]}
    if catalog is not None:
        value["state_file"] = CATALOG
    return value | {
        "clone_present": catalog is not None,
        "live_schema_read": False,
        "entity_count": len(entities),
        "counts": counts,
        "entities": entities,
        "verdict": verdict,
    }


def scan_state(value: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return the state of a precondition and its codes: that no secret was found."""
    if value["verdict"] == SECRETS:
        return FAILS, ["SECRET_FOUND"]
    return (NOT_RUN if value["verdict"] == NOT_SCANNED else HOLDS), []


def schema_state(value: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return the state of a precondition and its codes: that the clone has every entity."""
    if value["entities"] and not value["clone_present"]:
        return NOT_RUN, []
    counts = value["counts"]
    codes = ["SCHEMA_INCOMPATIBLE"] if counts["absent"] or counts["different"] else []
    if counts["not_checkable"] or not value["entities"]:
        codes.append("SCHEMA_UNCHECKED")
    return (FAILS if codes else HOLDS), codes


def summary(
    plan: Mapping[str, Any],
    isolation: Sequence[str],
    scan: Mapping[str, Any],
    compatible: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what the preconditions come to, and what the operator has to bring.

    Args:
        plan: what the rehearsal was told.
        isolation: the codes of what is wrong with the server's isolation.
        scan: what ``secret-scan.json`` says.
        compatible: what ``schema-compatibility.json`` says.
    """
    stated = provenance_codes(plan)
    found = (
        (PROVENANCE, FAILS if stated else HOLDS, stated),
        (ISOLATION, FAILS if isolation else HOLDS, list(isolation)),
        (SCAN, *scan_state(scan)),
        (SCHEMA, *schema_state(compatible)),
    )
    codes = [code for _, _, some in found for code in some]
    return {
        "lane": plan["lane"],
        "preconditions": [
            {"evidence": name, "state": state, "codes": some} for name, state, some in found
        ],
        "verdict": NOT_APPLIED if codes else READY,
        "request": [_request(code, plan, scan, compatible) for code in codes],
    }


def _request(
    code: str,
    plan: Mapping[str, Any],
    scan: Mapping[str, Any],
    compatible: Mapping[str, Any],
) -> dict[str, str]:
    """Return what is to be brought for a code, in which form, and the check it has to pass."""
    told = {
        "CLONE_NOT_STATED": (
            "a statement of where the dump comes from",
            _STATEMENT,
            f"{PROVENANCE}: source and stated_by are stated",
        ),
        "CLONE_SOURCE_DIFFERS": (
            f"the dump that the statement is of, with the digest {_stated_digest(plan)}",
            _DUMP,
            f"{PROVENANCE}: the stated sha256 is the dump's, now {plan['dump']['sha256']}",
        ),
        "SECRET_FOUND": (
            f"a dump, and a change, without the secrets in {_where(scan)}",
            f"{_DUMP}; rows cleaned before it is made, the schema left as it is",
            f"{SCAN}: verdict {NO_SECRET}, over the scripts and every column that can hold text",
        ),
        "SCHEMA_INCOMPATIBLE": (
            f"a dump that has {_lacking(compatible, 'ABSENT', 'DIFFERENT')}",
            f"{_DUMP}; no table left out",
            f"{SCHEMA}: every entity PRESENT, verdict {COMPATIBLE}",
        ),
        "SCHEMA_UNCHECKED": (
            f"a requirement that can be looked up, for {_lacking(compatible, 'NOT_CHECKABLE')}",
            _REQUIREMENTS,
            f"{SCHEMA}: every entity PRESENT, verdict {COMPATIBLE}",
        ),
    }
    isolation = (
        "a machine on which nothing reaches into the sandbox of the throwaway server",
        "Linux with bubblewrap",
        f"{ISOLATION}: no {code}, verdict ISOLATED",
    )
    bring, form, check = told.get(code, isolation)
    return {"code": code, "bring": bring, "form": form, "check": check}


def _stated_digest(plan: Mapping[str, Any]) -> str:
    return str((plan["provenance"] or {}).get("sha256", ""))


def _where(scan: Mapping[str, Any]) -> str:
    """Return the places in which secrets were found."""
    names = [f"the {one['script']}" for one in scan["scripts"] if one["found"]]
    names += [
        f"{one['schema']}.{one['table']}.{one['column']}" for one in scan["columns"] if one["found"]
    ]
    return _few(names)


def _lacking(compatible: Mapping[str, Any], *states: str) -> str:
    """Return the entities in some states, with the reasons."""
    lacking = [
        f"{one['entity']} ({one['reason']})"
        for one in compatible["entities"]
        if one["state"] in states
    ]
    return _few(lacking) if lacking else "every entity that the change needs"


def _few(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
