"""``clone-provenance.json``: where the clone came from, and what was not taken for one.

The source is a file of the packet, whose bytes give its digest and are searched for secrets. Where
no candidate was safe, none is selected, and that is the verdict.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from generator.evidence import samples, target_lock
from generator.evidence.base import (
    PLAN,
    Evidence,
    EvidenceKind,
    EvidenceModel,
    Part,
    claimed,
    derived,
    file_rows,
    must_be,
    plan,
    refused,
)
from generator.evidence.tallies import counted, twice
from generator.ledger import Row
from generator.model.digest import is_digest, sha256
from generator.rules.base import Code

FILE = "clone-provenance.json"
ENGINE = "postgresql"
PRECONDITIONS = "rehearsal-preconditions.json"
SELECTED = "SAFE_CLONE_SELECTED"
NONE_SAFE = "NO_SAFE_PRODUCTION_SHAPED_CLONE_AVAILABLE"
_SECRET = re.compile(
    rb"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----"
    rb"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    rb"|\bgh[pousr]_[0-9A-Za-z]{36}"
    rb"|\bxox[abprs]-[0-9A-Za-z-]{10}"
    rb"|\beyJ[\w-]{10,100}\.eyJ[\w-]{10}"
    rb"|\b[a-z][a-z0-9+]{1,20}://[^\s/:@']{1,100}:[^\s/@']{1,100}@"
    rb"|(?i:\b(?:password|passwd|secret|api_?key|access_?token)['\"]?\s{0,5}[=:]\s{0,5}['\"]?[^\s'\",;])"
)
"""Keys, tokens and passwords in the forms in which they are mostly left behind."""


class Source(Part, frozen=True):
    """What the clone was made from."""

    file: str
    sha256: str


class Candidate(Part, frozen=True):
    """Something that could have been the clone."""

    id: str
    selected: bool
    rejected_because: str | None = None


class Stated(Part, frozen=True):
    """What the operator says of the source; nothing here can confirm it."""

    source: str
    stated_by: str
    taken: str | None = None
    cleaned: str | None = None
    method: str | None = None
    sha256: str | None = None
    """The digest that the operator knows the source by."""


class Dump(Part, frozen=True):
    """The dump that the clone was made from, or would have been."""

    sha256: str
    size: int | None = None
    form: str | None = None


class Searched(Part, frozen=True):
    """A file, and the number of secrets that were found in it."""

    file: str
    secrets: int


class CloneProvenance(EvidenceModel, frozen=True):
    """Every candidate, the one that was selected if any, and its source."""

    candidates: list[Candidate]
    selected: str | None
    verdict: str
    source: Source | None = None
    method: str | None = None
    candidate_count: int | None = None
    rejected_count: int | None = None
    searched_for_secrets: tuple[Searched, ...] = ()
    secrets_found: int | None = None
    stated: Stated | None = None
    dump: Dump | None = None


_TODO = "Look for a clone again, and write down every candidate."
CODES = {
    "CLONE_NONE": Code("A clone's provenance has no candidate.", "Nothing was looked at.", _TODO),
    "CLONE_TWICE": Code(
        "A candidate for the clone stands twice.", "One of the two would hide the other.", _TODO
    ),
    "CLONE_COUNT_WRONG": Code(
        "A count of candidates or secrets is not that of the list.",
        "Something came or went after it was counted.",
        "Count again.",
    ),
    "CLONE_SELECTED": Code(
        "More than one candidate is selected, or another one than the file says.",
        "It is open what the rehearsal ran on.",
        _TODO,
    ),
    "CLONE_REASON": Code(
        "A candidate was rejected without a reason, or selected in spite of one.",
        "Nobody can tell whether it should have been the other way round.",
        "Give each rejected candidate its reason, and the selected one none.",
    ),
    "CLONE_SOURCE": Code(
        "A clone has no source, or there is a source and no clone.",
        "Nobody can say where its rows came from.",
        "Name the file and its digest for a selected clone, and for no other.",
    ),
    "CLONE_SOURCE_DIFFERS": Code(
        "The digest of a clone's source is not that of the file.",
        "The clone came from other bytes than these.",
        _TODO,
    ),
    "CLONE_NOT_STATED": Code(
        "Nobody stated where a dump comes from, and a clone was made of it on PostgreSQL.",
        "Rows of which nobody knows the source may be anybody's.",
        "Give a statement of the source with --provenance; 'lanebook rehearse --help' names it.",
    ),
    "CLONE_TARGET_DIFFERS": Code(
        "The clone that was selected is not the target that was locked.",
        "The rehearsal ran on something else.",
        _TODO,
    ),
    "CLONE_SECRET": Code(
        "A file of a clone holds a secret.",
        "A clone is disposable and is published; what it holds is known to everybody.",
        "Stop, throw the clone away, have the secret changed, and tell the owners.",
    ),
    "CLONE_SECRETS_UNKNOWN": Code(
        "Secrets are said to be absent, and the source was not searched.",
        "What nobody looked for was not found.",
        "Search every file that the clone is made from.",
    ),
    "CLONE_VERDICT": Code(
        "The verdict on the clone does not say what the candidates say.",
        "Whoever reads only the verdict decides on something else.",
        _TODO,
    ),
}


def rows(evidence: Evidence) -> Iterator[Row]:
    """Derive the selection, the counts, the digest and the secrets again."""
    found = evidence.model(FILE, CloneProvenance)
    yield from _stated(evidence, found)
    if found is None:
        return
    if not found.candidates:
        yield refused(f"{FILE}#/candidates", "none", "CLONE_NONE", "No candidate.", "a candidate")
        return
    if found.method is not None:
        yield claimed(f"{FILE}#/method", found.method)
    places = [(f"{FILE}#/candidates/{at}", one) for at, one in enumerate(found.candidates)]
    yield from twice(((f"{where}/id", one.id) for where, one in places), "CLONE_TWICE")
    for where, one in places:
        yield from _candidate(found, one, where)
    rejected = sum(not one.selected for one in found.candidates)
    for name, stated, listed in (
        ("candidate_count", found.candidate_count, len(found.candidates)),
        ("rejected_count", found.rejected_count, rejected),
    ):
        yield from counted(
            f"{FILE}#/{name}",
            stated,
            listed,
            against=f"{FILE}#/candidates",
            code="CLONE_COUNT_WRONG",
        )
    yield from _selection(evidence, found)
    yield from _source(evidence, found)
    yield from _secrets(evidence, found)


def _candidate(found: CloneProvenance, one: Candidate, where: str) -> Iterator[Row]:
    yield must_be(
        f"{where}/selected",
        one.selected,
        one.id == found.selected,
        code="CLONE_SELECTED",
        message="The file says something else.",
    )
    if one.selected == bool((one.rejected_because or "").strip()):
        yield refused(
            f"{where}/rejected_because",
            one.rejected_because,
            "CLONE_REASON",
            "It is selected in spite of this." if one.selected else "It is rejected for nothing.",
            "no reason" if one.selected else "a reason",
        )
    elif not one.selected:
        yield claimed(f"{where}/rejected_because", one.rejected_because)


def _selection(evidence: Evidence, found: CloneProvenance) -> Iterator[Row]:
    where, ids = f"{FILE}#/selected", [one.id for one in found.candidates]
    if found.selected is not None and found.selected not in ids:
        yield refused(where, found.selected, "CLONE_SELECTED", "It is no candidate.", "a candidate")
    lock = evidence.model(target_lock.FILE, target_lock.TargetLock)
    if lock is not None:
        yield derived(
            where,
            found.selected or "none",
            lock.target.id,
            against=f"{target_lock.FILE}#/target/id",
            code="CLONE_TARGET_DIFFERS",
            message="Another target was locked.",
        )
    # that it was safe is no more than claimed, whatever was selected
    yield must_be(
        f"{FILE}#/verdict",
        found.verdict,
        NONE_SAFE if found.selected is None else SELECTED,
        code="CLONE_VERDICT",
        message="The selection says something else.",
    )


def _source(evidence: Evidence, found: CloneProvenance) -> Iterator[Row]:
    where, source = f"{FILE}#/source", found.source
    if source is None or found.selected is None:
        if (source is None) != (found.selected is None):
            stated = "absent" if source is None else source.file
            yield refused(where, stated, "CLONE_SOURCE", "A clone has a source, and only a clone.")
        return
    if not is_digest(source.sha256):
        yield refused(
            f"{where}/sha256", source.sha256, "CLONE_SOURCE", "No digest.", "a SHA-256 digest"
        )
        return
    yield file_rows(
        evidence,
        f"{where}/sha256",
        source.file,
        source.sha256,
        code="CLONE_SOURCE_DIFFERS",
        message="The file's bytes give another digest.",
    )


def _stated(evidence: Evidence, found: CloneProvenance | None) -> Iterator[Row]:
    """Look that somebody stated where a dump comes from, and hold the dump against the plan's."""
    lock = evidence.model(target_lock.FILE, target_lock.TargetLock)
    if lock is not None and lock.target.engine == ENGINE and (found is None or not found.stated):
        where = f"{FILE}#/stated" if found is not None else f"{target_lock.FILE}#/target/engine"
        yield refused(where, "absent", "CLONE_NOT_STATED", "Nobody stated it.", "a source")
    if found is None:
        return
    for key in ("source", "stated_by", "taken", "cleaned", "method"):
        text = getattr(found.stated, key, None)
        if text is not None:
            yield claimed(f"{FILE}#/stated/{key}", text)
    if found.dump is None:
        return
    dump = plan(evidence).get("dump")
    planned = dump.get("sha256") if isinstance(dump, dict) else None
    digest = found.dump.sha256
    for where, known, against in (
        (f"{FILE}#/dump/sha256", planned, f"{PLAN}#/dump/sha256"),
        (f"{FILE}#/dump/sha256", found.source and found.source.sha256, f"{FILE}#/source/sha256"),
    ):
        if isinstance(known, str):
            yield derived(
                where,
                digest,
                known,
                against=against,
                code="CLONE_SOURCE_DIFFERS",
                message="It is the digest of another dump.",
            )
    # of a candidate that was rejected for that, it is what the operator is asked about
    if found.stated is not None and found.stated.sha256 is not None and found.selected is not None:
        yield derived(
            f"{FILE}#/stated/sha256",
            found.stated.sha256,
            digest,
            against=f"{FILE}#/dump/sha256",
            code="CLONE_SOURCE_DIFFERS",
            message="The dump has another digest than the operator stated.",
        )


def _secrets(evidence: Evidence, found: CloneProvenance) -> Iterator[Row]:
    pointer = f"{FILE}#/searched_for_secrets"
    places = [(f"{pointer}/{at}", one) for at, one in enumerate(found.searched_for_secrets)]
    yield from twice(((f"{where}/file", one.file) for where, one in places), "CLONE_TWICE")
    counts = {path: _count(evidence.content(path)) for path in {one.file for _, one in places}}
    for where, one in places:
        held = counts[one.file]
        if one.secrets or held:
            yield refused(
                f"{where}/secrets",
                one.secrets,
                "CLONE_SECRET",
                "It holds a secret, or is said to.",
                held or 0,
            )
        else:
            yield derived(
                f"{where}/secrets", 0, held, against=one.file, code="CLONE_SECRET", message=""
            )
    if found.secrets_found is None:
        return
    total = sum(one.secrets for _, one in places)
    searched = bool(places) and None not in counts.values()
    yield derived(
        f"{FILE}#/secrets_found",
        found.secrets_found,
        # a sum of what is only claimed is no more than that
        total if searched or total != found.secrets_found else None,
        against=pointer,
        code="CLONE_COUNT_WRONG",
        message="The files add up to another number.",
    )
    if found.source is not None and found.source.file not in counts:
        yield refused(
            f"{FILE}#/secrets_found",
            found.secrets_found,
            "CLONE_SECRETS_UNKNOWN",
            "The source was not searched.",
            found.source.file,
        )


def _count(content: bytes | None) -> int | None:
    return sum(1 for _ in _SECRET.finditer(content)) if content is not None else None


_LEAK = b"-- password: hunter2\n"


def _source_of(path: str, content: bytes) -> dict[str, str]:
    return {"file": path, "sha256": sha256(content)}


def sample() -> dict[str, object]:
    """Return what the file of the sound sample says."""
    return {
        "lane": "sample",
        "method": "the packet was searched; production was not contacted",
        "candidate_count": 3,
        "rejected_count": 2,
        "candidates": [
            {"id": "temp-sqlite-clone", "selected": True},
            {
                "id": "operator-dump",
                "selected": False,
                "rejected_because": "NOT PROVIDED",
            },
            {
                "id": "production-database",
                "selected": False,
                "rejected_because": "FORBIDDEN: not contacted",
            },
        ],
        "selected": "temp-sqlite-clone",
        "source": _source_of("states/expected.sql", samples.BEFORE),
        "searched_for_secrets": [{"file": "states/expected.sql", "secrets": 0}],
        "secrets_found": 0,
        "stated": {"source": "a copy of the staging registry", "stated_by": "operations"},
        "verdict": SELECTED,
    }


def _damaged(*steps: str | int, to: object) -> Callable[[], Evidence]:
    return lambda: samples.changed(FILE, {steps: to})


KIND = EvidenceKind(
    file=FILE,
    title="Clone provenance",
    about="the clone came from these bytes, and held no secret",
    model=CloneProvenance,
    codes=CODES,
    rows=rows,
    controls={
        "CLONE_NONE": _damaged("candidates", to=[]),
        "CLONE_TWICE": _damaged("candidates", 2, "id", to="operator-dump"),
        "CLONE_COUNT_WRONG": _damaged("candidate_count", to=4),
        "CLONE_SELECTED": lambda: samples.changed(
            FILE, {("candidates", 1): {"id": "dump", "selected": True}, ("rejected_count",): 1}
        ),
        "CLONE_REASON": _damaged("candidates", 1, "rejected_because", to=""),
        "CLONE_SOURCE": _damaged("source", to=None),
        "CLONE_SOURCE_DIFFERS": _damaged("source", "sha256", to=samples.state("change.sql")),
        "CLONE_NOT_STATED": lambda: samples.on_server(
            {
                FILE: {("stated",): samples.DELETED},
                PRECONDITIONS: samples.failing(1, FILE, "CLONE_NOT_STATED"),
            }
        ),
        "CLONE_TARGET_DIFFERS": lambda: samples.changed(
            FILE,
            {
                ("candidates", 0): {"id": "dump", "selected": True},
                ("selected",): "dump",
            },
        ),
        "CLONE_SECRET": lambda: samples.changed_together(
            {
                FILE: {
                    ("searched_for_secrets", 0): {"file": "seed.sql", "secrets": 1},
                    ("source",): _source_of("seed.sql", _LEAK),
                    ("secrets_found",): 1,
                }
            },
            {"seed.sql": _LEAK},
        ),
        "CLONE_SECRETS_UNKNOWN": _damaged("searched_for_secrets", to=[]),
        "CLONE_VERDICT": _damaged("verdict", to=NONE_SAFE),
    },
)
