"""What documents leave open or tell in the wrong form: worth a note, and no contradiction."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from generator.contradictions.clash import Clash
from generator.contradictions.fact import BLOCKERS, FILES, MIRRORED, UNTOLD, Fact
from generator.model.digest import ends, fits
from generator.model.document import Document, DocumentKind
from generator.spelled import step

_PREDICATE = re.compile(
    r"(?:^|_)(?:\w{2,}ed|is|has|was|proven|differs|restores|matches|found|holds|passes)(?:_|\Z)"
)
_TOKEN = re.compile(r"(?:N/A|[A-Z][A-Z0-9]*_)[A-Z0-9_/]*\Z")
_METHOD = re.compile(
    r"(?i)\b(?:sha-?256|digest|hash)(?:sum)?\b[^.;]{0,60}\b(?:manifest|HASH_MANIFEST)|"
    r"tree[_ ](?:hash )?method|h1:|Merkle"
)
_SURFACES = re.compile(r"(?i)forbidden[-_ ]surface")
_TREE = re.compile(r"(?i)(?:\A|[^a-z])tree(?:[^a-z]|\Z)")
_NODES = 20_000
_MOST = 40


def of_documents(
    documents: Sequence[Document], facts: Sequence[Fact], *, has_packet: bool
) -> Iterator[Clash]:
    """Yield a note for each thing that a reader should know of how these documents tell.

    Args:
        documents: those of one lane.
        facts: what they state.
        has_packet: whether the evidence lies beside them.
    """
    for document in documents:
        yield from _types(document)
    yield from _open_words(facts)
    yield from _explained(facts)
    yield from _only_short(documents)
    if not has_packet:
        yield from _no_surfaces(documents)
        yield from _no_method(documents)


def _types(document: Document) -> Iterator[Clash]:
    """Find words where a yes or no belongs: among booleans, or as ``N/A`` under a predicate."""
    waiting: list[tuple[str, object]] = [("", document.data)]
    seen = told = 0
    while waiting and seen < _NODES and told < _MOST:
        seen += 1
        pointer, value = waiting.pop()
        if isinstance(value, list):
            waiting.extend((f"{pointer}/{at}", one) for at, one in enumerate(value))
        if not isinstance(value, dict):
            continue
        booleans = sum(isinstance(member, bool) for member in value.values())
        among = booleans >= 3 and booleans * 2 > len(value)
        for key, member in value.items():
            here = f"{pointer}/{step(key)}"
            if isinstance(member, dict | list):
                waiting.append((here, member))
            elif (
                isinstance(member, str)
                and _TOKEN.match(member[:200])
                and (among or member.startswith("N/A"))
                and _PREDICATE.search(key)
            ):
                told += 1
                fact = Fact("type", key, member, f"{document.name}#{here}", f'"{member[:80]}"')
                yield Clash(
                    "CON-TYPE", fact, None, f"A word stands where a yes or no belongs: {key[:80]}."
                )


def _open_words(facts: Sequence[Fact]) -> Iterator[Clash]:
    """Hold ``7 OPEN`` against rows whose words say something else than OPEN."""
    rows: dict[str, Fact] = {}
    for fact in facts:
        if fact.kind == "row" and not fact.others:
            rows.setdefault(fact.subject, fact)
    stated = next(
        (
            fact
            for fact in facts
            if fact.kind == "count" and fact.subject == BLOCKERS and not fact.others
        ),
        None,
    )
    if any(
        fact.kind == "listed" and fact.subject == BLOCKERS and "#/" in fact.where for fact in facts
    ):
        return  # a machine report lists them with both axes
    moved = [row for row in rows.values() if row.value not in ("open", "closed", UNTOLD)]
    if stated is None or not moved or int(stated.value) != len(rows):
        return
    words = ", ".join(dict.fromkeys(row.value for row in moved))
    first = moved[0]._replace(
        said=f"{len(rows) - len(moved)} rows say OPEN, {len(moved)} say otherwise: {words}"
    )
    yield Clash(
        "CON-OPEN",
        stated,
        first,
        "As many are counted as open as there are rows; not every row says that it is open.",
    )


def _explained(facts: Sequence[Fact]) -> Iterator[Clash]:
    """Tell how fewer files are mirrored than there are, where the documents say why."""
    counts = [fact for fact in facts if fact.kind == "count" and not fact.others]
    here = next((fact for fact in counts if fact.subject == FILES), None)
    there = next((fact for fact in counts if fact.subject == MIRRORED), None)
    why = max(
        (fact for fact in facts if fact.kind == "explained" and not fact.others),
        key=lambda fact: int(fact.value),
        default=None,
    )
    if here and there and why and int(here.value) == int(there.value) + int(why.value):
        fewer = (
            "One file fewer is mirrored; it is"
            if why.value == "1"
            else (f"{why.value} files fewer are mirrored; they are")
        )
        yield Clash("CON-EXPLAINED", here, there, f"{fewer} held elsewhere ({why.where}).")


def _only_short(documents: Sequence[Document]) -> Iterator[Clash]:
    """Name the hashes that no document of the lane gives whole."""
    whole: dict[str, list[str]] = {}
    for document in documents:
        for mention in document.hashes:
            if mention.form == "full":
                whole.setdefault(mention.text[:4], []).append(mention.text)
    for document in documents:
        short: dict[str, str] = {}
        for mention in document.hashes:
            if mention.form != "weak" or mention.text in short:
                continue
            known = whole.get(ends(mention.text)[0][:4], ())
            if not any(fits(mention.text, one) for one in known):
                short[mention.text] = mention.where
        if short:
            shown = ", ".join(list(short)[:12]) + (", …" if len(short) > 12 else "")
            fact = Fact("short", "", "", next(iter(short.values())), shown)
            count = len(short)
            what = "One hash is" if count == 1 else f"{count} hashes are"
            yield Clash("CON-SHORT", fact, None, f"{what} abbreviated, and stated whole nowhere.")


def _no_surfaces(documents: Sequence[Document]) -> Iterator[Clash]:
    """Name the report of a lane of several parts of which none tells of forbidden surfaces."""
    report = next((document for document in documents if _parts(document) >= 5), None)
    if report is None:
        return
    for document in documents:
        if any(_SURFACES.search(section.title) for section in document.sections):
            return
        if any(_SURFACES.search(passage.text) for passage in document.passages):
            return
        if any(
            _SURFACES.search(statement.key) or _SURFACES.search(statement.value)
            for statement in document.statements
        ):
            return
    fact = Fact("missing", "", "", report.name, f"{_parts(report)} parts")
    yield Clash("CON-SURFACES", fact, None, "No document of this lane tells of forbidden surfaces.")


def _parts(document: Document) -> int:
    if document.kind is DocumentKind.MACHINE_REPORT and isinstance(document.data, dict):
        return sum(key.startswith("workstream") for key in document.data)
    if document.kind is DocumentKind.REPORT:
        return sum(section.level == 2 for section in document.sections)
    return 0


def _no_method(documents: Sequence[Document]) -> Iterator[Clash]:
    """Name the first tree hash where no document says how one is made."""
    cited = next(
        (
            mention
            for document in documents
            for mention in document.hashes
            if mention.form == "full" and _TREE.search(mention.label)
        ),
        None,
    )
    if cited is None:
        return
    for document in documents:
        if any(_METHOD.search(passage.text) for passage in document.passages):
            return
        if document.data is not None and any(
            _METHOD.search(statement.value) or _METHOD.search(statement.key.rsplit("/", 1)[-1])
            for statement in document.statements
        ):
            return
    fact = Fact("missing", "", "", cited.where, cited.text)
    yield Clash(
        "CON-METHOD", fact, None, "A tree hash is cited, and no document says what it is a hash of."
    )
