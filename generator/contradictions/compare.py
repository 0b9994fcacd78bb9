"""Facts against each other: what cannot all be so, with both places (spec 3).

It says "stated m, listed n" and never which of them is right. Facts that are said of other lanes
are held only against what is said of other lanes, except where one lane's end is the next one's
beginning.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from generator.contradictions.clash import Clash, Hashes, near, off_by_one
from generator.contradictions.fact import (
    BLOCKERS,
    CEILING,
    CLOSED,
    FILES,
    FOLDED,
    MIRRORED,
    NEWLY,
    OUTCOME_WORDS,
    UNTOLD,
    Fact,
)
from generator.model.digest import ends, fits
from generator.model.outcome import Outcome, read_outcome

_MOST = 40
"""Contradictions of one kind that are told of a lane; more of them say no more."""


class _Told:
    """The facts of a lane by kind, each kind in the order in which it was told."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self.of: dict[str, list[Fact]] = {}
        for fact in facts:
            self.of.setdefault(fact.kind, []).append(fact)

    def own(self, *kinds: str) -> list[Fact]:
        return [fact for kind in kinds for fact in self.of.get(kind, ()) if not fact.others]

    def others(self, *kinds: str) -> list[Fact]:
        return [fact for kind in kinds for fact in self.of.get(kind, ()) if fact.others]


def clashes(facts: Sequence[Fact], status: str) -> Iterator[Clash]:
    """Yield what contradicts itself among the facts of one lane.

    Args:
        facts: what all documents and the evidence of the lane state.
        status: the final status that the lane states; empty where it states none.
    """
    told = _Told(facts)
    for check in (
        _counts,
        _shares,
        _mirror,
        _sequences,
        _id_ranges,
        _ranges,
        _ceilings,
        _flags,
        _words,
        _blockers,
        _unchanged,
        _rows,
        _revisions,
        _hashes,
        _dates,
        _tokens,
    ):
        yield from _bounded(check(told))
    yield from _bounded(_headline(told, status))


def _bounded(found: Iterator[Clash]) -> Iterator[Clash]:
    for number, clash in enumerate(found):
        if number >= _MOST:
            return
        yield clash


def _differing(facts: Sequence[Fact]) -> Iterator[tuple[Fact, Fact]]:
    """Yield for each subject the first fact with each value, beside the first one of another."""
    first: dict[str, Fact] = {}
    seen: set[tuple[str, str]] = set()
    for fact in facts:
        known = first.setdefault(fact.subject, fact)
        if known.value != fact.value and (fact.subject, fact.value) not in seen:
            seen.add((fact.subject, fact.value))
            yield fact, known


def _is_precondition(fact: Fact) -> bool:
    """Tell whether a list is that of a decision packet, over which a rule of its own looks."""
    return fact.subject in (BLOCKERS, CLOSED) and "decision" in _document(fact)


def _document(fact: Fact) -> str:
    return fact.where.partition(":")[0].partition("#")[0]


def _counts(told: _Told) -> Iterator[Clash]:
    totals = [
        fact._replace(kind="count", value=fact.value.partition("/")[2])
        for fact in told.own("share")
    ]
    stated = _in_order([*told.own("count"), *totals])
    stated = _in_order([*stated, *_no_parts(told.own("part"), stated)])
    yield from (
        Clash("CON-COUNT", one, other, "Two statements count the same thing differently.")
        for one, other in _differing(stated)
    )
    by_subject: dict[str, Fact] = {}
    for fact in stated:
        by_subject.setdefault(fact.subject, fact)
    seen: set[tuple[str, str]] = set()
    lists = [fact for fact in told.own("listed") if not _is_precondition(fact)]
    for listed in lists:
        count = by_subject.get(listed.subject)
        if count is None or count.value == listed.value or (listed.subject, listed.value) in seen:
            continue
        seen.add((listed.subject, listed.value))
        name = listed.subject.partition(" at ")[0]
        if name.startswith("steps of "):
            name = "steps"
        yield Clash(
            "CON-LIST",
            count,
            listed,
            f"{name[0].upper()}{name[1:]}: {count.value} stated, {listed.value} listed.",
        )
    unstated = [fact for fact in lists if fact.subject not in by_subject]
    yield from (
        Clash("CON-LIST", one, other, "Two lists of the same thing have different lengths.")
        for one, other in _differing(unstated)
    )
    # of those that are closed in all, some may have been closed by lanes before
    closed = by_subject.get(CLOSED)
    newly = next((fact for fact in lists if fact.subject == NEWLY), by_subject.get(NEWLY))
    listed_closed = {fact.value for fact in lists if fact.subject == CLOSED}
    if (
        closed is not None
        and newly is not None
        and closed.value
        not in {newly.value} | (listed_closed if int(closed.value) > int(newly.value) else set())
    ):
        yield Clash(
            "CON-LIST",
            closed,
            newly,
            f"Closed blockers: {closed.value} stated, {newly.value} closed by this lane.",
        )
    # how many blockers were open when a lane began, and how many are when it ends
    before = [fact for fact in told.others("count") if fact.subject == BLOCKERS]
    now = by_subject.get(BLOCKERS)
    moved = any(fact.value == "closed" for fact in told.own("blocker", "row"))
    if before and now is not None and before[0].value != now.value and not moved:
        yield Clash(
            "CON-COUNT",
            now,
            before[0],
            "The number of open blockers changed, and no document says which one came or went.",
        )


def _no_parts(facts: Sequence[Fact], stated: Sequence[Fact]) -> Iterator[Fact]:
    """Yield the counts of a piece that are no parts: they do not add up to a whole that is told."""
    wholes: dict[str, set[int]] = {}
    for fact in stated:
        wholes.setdefault(fact.subject, set()).add(int(fact.value))
    groups: dict[str, list[Fact]] = {}
    for fact in facts:
        groups.setdefault(fact.subject, []).append(fact)
    for group, told in groups.items():
        subject = group.partition(" in ")[0]
        numbers = [int(fact.value) for fact in told]
        known = wholes.get(subject) or {max(numbers)}
        parts = [one for one in numbers if one not in known]
        if sum(parts) not in known and (sum(numbers) not in known):
            yield from (fact._replace(kind="count", subject=subject) for fact in told)


def _in_order(facts: Sequence[Fact]) -> list[Fact]:
    """Return facts in the order in which a reader meets them: by document, then by line."""

    def place(fact: Fact) -> tuple[str, int]:
        name, _, line = fact.where.rpartition(":")
        return (name, int(line)) if line.isdecimal() else (fact.where.partition("#")[0], 0)

    return sorted(facts, key=place)


def _shares(told: _Told) -> Iterator[Clash]:
    for fact in told.own("share"):
        held, _, total = fact.value.partition("/")
        if int(held) > int(total):
            yield Clash("CON-SHARE", fact, None, "A part is larger than its whole.")
    yield from (
        Clash("CON-SHARE", one, other, "Two statements give different parts of the same whole.")
        for one, other in _differing(told.own("share"))
        if one.value.partition("/")[2] == other.value.partition("/")[2]
    )
    for fact in (*told.of.get("equal", ()), *told.of.get("same", ())):
        if fact.subject != fact.value:
            yield Clash("CON-EQUAL", fact, None, "Two numbers are said to be equal, and are not.")


def _mirror(told: _Told) -> Iterator[Clash]:
    """Hold the files of a packet against those that are mirrored and those held elsewhere."""
    counts = told.own("count")
    here = next((fact for fact in counts if fact.subject == FILES), None)
    there = next((fact for fact in counts if fact.subject == MIRRORED), None)
    if here is None or there is None or here.value == there.value:
        return
    held = max((int(fact.value) for fact in told.own("explained")), default=0)
    missing = int(here.value) - int(there.value)
    if missing != held:
        yield Clash(
            "CON-MIRROR",
            here,
            there,
            f"{missing} of the files are not mirrored; accounted for: {held}.",
        )


def _sequences(told: _Told) -> Iterator[Clash]:
    for fact in told.of.get("sequence", ()):
        numbers = [int(number) for number in fact.value.split(",")]
        if sorted(numbers) != list(range(min(numbers), min(numbers) + len(numbers))):
            rising = sum(b > a for a, b in itertools.pairwise(numbers))
            if rising * 3 >= 2 * (len(numbers) - 1) and max(numbers) <= 2 * len(numbers) + 1:
                listing = ", ".join(map(str, numbers[:30]))
                yield Clash("CON-GAP", fact, None, f"The ids do not follow one another: {listing}.")


def _id_ranges(told: _Told) -> Iterator[Clash]:
    """Hold a range of ids, such as RX-0..RX-6, against the ids that are described."""
    described: dict[str, dict[int, Fact]] = {}
    for fact in told.own("id"):
        described.setdefault(fact.subject, {}).setdefault(int(fact.value), fact)
    for fact in told.own("sequence"):
        for part in fact.value.split(","):
            described.setdefault(fact.subject, {}).setdefault(int(part), fact)
    ranges = told.own("ids")
    yield from (
        Clash("CON-RANGE", one, other, "Two statements give different ranges of the same ids.")
        for one, other in _differing(ranges)
    )
    seen: set[str] = set()
    for fact in ranges:
        known = described.get(fact.subject, {})
        if len(known) < 2 or fact.subject in seen:
            continue
        seen.add(fact.subject)
        first, last = map(int, fact.value.split(".."))
        wanted = last - first + 1
        within = [number for number in known if first <= number <= last]
        if len(within) != wanted or len(within) != len(known):
            lowest = min(known)
            ids = ", ".join(f"{fact.subject}-{one}" for one in sorted(known)[:12])
            yield Clash(
                "CON-RANGE",
                fact,
                known[lowest]._replace(said=f"{len(known)} described: {ids}"),
                f"The range names {wanted} ids, {len(known)} are described.",
            )


def _ranges(told: _Told) -> Iterator[Clash]:
    """Numbered ranges are the same or have nothing in common; they may touch."""
    distinct: dict[tuple[int, int], Fact] = {}
    for fact in told.of.get("range", ()):
        first, last = map(int, fact.value.split(".."))
        if last < first:
            yield Clash("CON-RANGE", fact, None, "The range ends before it begins.")
            continue
        distinct.setdefault((first, last), fact)
    prefixes = list(dict.fromkeys(fact.subject for fact in distinct.values() if fact.subject))
    for prefix in prefixes or [""]:
        # where there is one sort of object, a range without a prefix is of that sort
        of_sort = {
            key: fact
            for key, fact in distinct.items()
            if fact.subject == prefix or (not fact.subject and len(prefixes) < 2)
        }
        placed = sorted(of_sort.items())[:2000]
        parts = _parts([key for key, _ in placed])
        placed = [one for one in placed if one[0] not in parts]
        for (one, fact), (two, other) in itertools.pairwise(placed):
            inside = one[0] < two[0] and two[1] < one[1]
            if two[0] <= one[1] and not inside:
                yield Clash("CON-RANGE", other, fact, "Two ranges overlap, and are not the same.")


def _parts(ranges: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return the ranges that lie end to end and together are another one."""
    lasts: dict[int, list[int]] = {}
    for first, last in ranges:
        lasts.setdefault(first, []).append(last)
    found: set[tuple[int, int]] = set()
    for first, last in ranges[:200]:
        pieces: list[tuple[int, int]] = []
        at = first
        while at <= last:
            reach = [end for end in lasts.get(at, ()) if end <= last and (at, end) != (first, last)]
            if not reach:
                break
            pieces.append((at, max(reach)))
            at = max(reach) + 1
        else:
            found.update(pieces)
    return found


def _ceilings(told: _Told) -> Iterator[Clash]:
    numbers = told.own("number")
    reserved = [fact for fact in told.own("range") if fact.subject]
    lasts = {fact.value.partition("..")[2] for fact in reserved}
    # what is reserved raises the ceiling; the new one ends where the range does
    ceilings = [fact for fact in numbers if fact.subject == CEILING]
    below = [fact for fact in ceilings if fact.value not in lasts] or ceilings
    several = len({fact.subject for fact in reserved}) > 1
    if not several:
        yield from (
            Clash(
                "CON-CEILING", one, other, f"Two statements give different numbers: {one.subject}."
            )
            for one, other in _differing(below)
        )
    folds = [fact for fact in told.of.get("number", ()) if fact.subject == FOLDED]
    yield from (
        Clash("CON-CEILING", one, other, f"Two statements give different numbers: {one.subject}.")
        for one, other in _differing([fact._replace(others=False) for fact in folds])
    )


def _flags(told: _Told) -> Iterator[Clash]:
    for facts in (told.own("flag"), told.others("flag")):
        yield from (
            Clash("CON-FLAG", one, other, f"One statement says yes, another no: {one.subject}.")
            for one, other in _differing(facts)
            if not _of_shares(one, other)
        )


def _of_shares(one: Fact, other: Fact) -> bool:
    """Tell whether both are read from shares of one whole: these are compared as shares."""
    wholes = {fact.said.partition(" ")[0].partition("/")[2] for fact in (one, other)}
    return len(wholes) == 1 and next(iter(wholes)).isdecimal()


def _words(told: _Told) -> Iterator[Clash]:
    for kind, code, what in (
        ("delegation", "CON-WORD", "different delegations as consumed"),
        ("actor", "CON-WORD", "different actors for one blocker"),
    ):
        yield from (
            Clash(code, one, other, f"The documents name {what}.")
            for one, other in _differing(told.own(kind))
        )
    # between documents the rule over their statuses looks
    yield from (
        Clash("CON-WORD", one, other, "One document states two final statuses.")
        for one, other in _differing(
            [fact._replace(subject=_document(fact)) for fact in told.own("status")]
        )
    )
    consumed = next(iter(told.own("delegation")), None)
    for fact in told.own("authority"):
        if consumed is not None and not consumed.value.endswith(fact.value):
            yield Clash(
                "CON-WORD", fact, consumed, "The authority is not the one that was delegated."
            )
    yield from _options(told)
    # over decision packets other rules look
    defaults = [
        fact
        for fact in told.own("default")
        # a flag beside an option says that it is the default, and not which one is
        if "decision" not in fact.where and fact.value not in ("true", "false")
    ]
    for fact in defaults[1:]:
        a, b = sorted((defaults[0].value, fact.value), key=len)
        if b != a and not b.startswith(f"{a}_"):
            yield Clash("CON-WORD", fact, defaults[0], "The documents name different defaults.")
            break


def _options(told: _Told) -> Iterator[Clash]:
    """Every document lists the same options, and speaks of none by a number that is not there."""
    by_document: dict[str, dict[str, Fact]] = {}
    for fact in told.own("option"):
        by_document.setdefault(fact.subject, {}).setdefault(fact.value, fact)
    lists = [
        {token: fact for token, fact in listed.items() if token.startswith("AUTHORIZE_")}
        for listed in by_document.values()
    ]
    lists = [listed for listed in lists if len(listed) >= 2]
    for listed in lists[1:]:
        for token, fact in listed.items():
            if token not in lists[0]:
                missing = next((o for t, o in lists[0].items() if t not in listed), None)
                yield Clash("CON-OPTION", fact, missing, "Two documents list different options.")
    most = max(map(len, by_document.values()), default=0)
    for fact in told.own("ordinal"):
        if most and int(fact.value) > most:
            first = next(iter(next(iter(by_document.values())).values()))
            listed_fact = first._replace(said=f"{most} options listed")
            yield Clash("CON-OPTION", fact, listed_fact, "There is no option of this number.")


def _blockers(told: _Told) -> Iterator[Clash]:
    """One blocker has one state, and one leg of it has one, wherever it is told."""
    yield from (
        Clash("CON-STATE", one, other, f"The state of {one.subject} is told in two ways.")
        for kind in ("row", "blocker", "progress")
        for one, other in _differing([fact for fact in told.own(kind) if fact.value != UNTOLD])
        if kind != "row" or not (_says(one, other.value) or _says(other, one.value))
    )
    rows = {fact.subject: fact for fact in told.own("row") if fact.value != UNTOLD}
    # over the list of a machine report and that of a decision packet a rule of its own looks
    beside = {one: fact for one, fact in rows.items() if "decision" not in _document(fact)}
    for fact in told.own("blocker", "progress"):
        row = (beside if "#/" in fact.where else rows).get(fact.subject)
        if row is not None and (
            not _says(row, fact.value)
            if fact.kind == "progress"
            else (row.value == "closed") != (fact.value == "closed")
        ):
            yield Clash("CON-STATE", fact, row, f"The state of {fact.subject} is told in two ways.")
    for fact in told.own("all"):
        row = next(
            (row for row in rows.values() if (row.value == "closed") != (fact.value == "closed")),
            None,
        )
        if row is not None:
            yield Clash(
                "CON-STATE", fact, row, "What is said of all blockers is not so of one of them."
            )
    yield from (
        Clash(
            "CON-STATE",
            one,
            other,
            f"The {one.subject.partition(' of ')[0]} leg is told in two states.",
        )
        for one, other in _differing(_legs(told.own("leg")))
    )


def _legs(facts: Sequence[Fact]) -> list[Fact]:
    """Return legs by name and blocker; one without a blocker is that of the only one there is."""
    owners: dict[str, dict[str, None]] = {}
    for fact in facts:
        name, _, owner = fact.subject.partition(" of ")
        if owner:
            owners.setdefault(name, {})[owner] = None
    found = []
    for fact in facts:
        name, _, owner = fact.subject.partition(" of ")
        if not owner and len(of := owners.get(name, {})) == 1:
            fact = fact._replace(subject=f"{name} of {next(iter(of))}")
        if owner or len(owners.get(name, {})) < 2:
            found.append(fact)
    return found


def _says(row: Fact, state: str) -> bool:
    """Tell whether a row says a state, alone or among others: ``OPEN (narrowed)`` says both."""
    words = row.said.partition(": ")[2].lower()
    return row.value == state or (row.value == "open" and state != "closed" and state in words)


def _unchanged(told: _Told) -> Iterator[Clash]:
    """Hold ``the other five are unchanged`` against the rows that have moved."""
    rows = told.own("row")
    for fact in told.own("rest"):
        count, _, named = fact.value.partition(":")
        others = set(named.split(",")) - {""}
        document = _document(fact)
        rows = sorted(rows, key=lambda row: _document(row) != document)
        ids = list(dict.fromkeys(row.subject for row in rows))
        if not ids:
            continue
        rest = [one for one in ids if one not in others]
        if len(rest) != int(count):
            listed = rows[0]._replace(
                said=f"{len(ids)} rows, of which {len(others & set(ids))} were named before"
            )
            yield Clash(
                "CON-REST",
                fact,
                listed,
                f"{count} others are stated; the table leaves {len(rest)}.",
            )
        moved = [
            row
            for row in rows
            if row.subject in rest
            and row.value not in ("open", UNTOLD)
            and "unchanged" not in row.said.lower()
        ]
        if moved:
            yield Clash(
                "CON-REST",
                fact,
                moved[0],
                "What is stated as unchanged stands in a row as changed.",
            )


def _rows(told: _Told) -> Iterator[Clash]:
    """Rows come back after a rollback; and one change of one state gives one number of rows.

    A step that tells of both ends stands for itself: steps may begin with different numbers of
    rows. Those that tell of one end only are the steps of one change.
    """
    facts = told.own("rows")
    phases: dict[str, set[str]] = {}
    for fact in facts:
        phase, _, step = fact.subject.partition(" ")
        phases.setdefault(step, set()).add(phase)
    first: dict[str, Fact] = {}
    applied: dict[str, Fact] = {}
    equal = {fact.value: fact for fact in reversed(facts) if fact.subject.startswith("equal ")}
    for fact in facts:
        phase, _, step = fact.subject.partition(" ")
        group = step if phases[step] >= {"before", "after"} else ""
        if phase == "applied":
            applied.setdefault(step, fact)
        elif phase != "equal":
            known = first.setdefault(group, fact)
            first.setdefault(step, fact)
            if known.value == fact.value and equal and fact.value not in equal:
                known = next(iter(equal.values()))
            if known.value != fact.value:
                yield Clash(
                    "CON-ROWS",
                    fact,
                    known,
                    "Rows before and after the rollback are not the same number.",
                )
    yield from (
        Clash("CON-ROWS", one, other, "The applied state is told with different numbers of rows.")
        for one, other in _differing(
            [
                fact._replace(subject=first[step].value if step in first else "")
                for step, fact in applied.items()
            ]
        )
    )


def _revisions(told: _Told) -> Iterator[Clash]:
    revisions = told.of.get("revision", [])
    yield from (
        Clash("CON-REVISION", one, other, f"Two revisions of one thing are told: {one.subject}.")
        for one, other in _differing(revisions)
    )
    first = {fact.subject: fact for fact in reversed(revisions)}
    for glued in told.of.get("glued revision", ()):
        plain = first.get(glued.subject)
        if plain is not None and not glued.value.startswith(plain.value):
            yield Clash(
                "CON-REVISION",
                plain,
                glued,
                "No way to part the revision from the hash gives the revision told elsewhere.",
            )


def _hashes(told: _Told) -> Iterator[Clash]:
    """Two hashes that are the same at one end and differ elsewhere were one hash once."""
    seen: set[frozenset[str]] = set()
    known = Hashes()
    looked_at: set[str] = set()
    for fact in told.of.get("hash", ()):
        if fact.value in looked_at:
            continue
        looked_at.add(fact.value)
        other = known.meant(fact.value)
        if other is not None:
            seen.add(frozenset((fact.value, other.value)))
            yield Clash(
                "CON-HASH", fact, other, "Two hashes begin or end alike, and are not the same."
            )
        known.add(fact)
    hashes = [fact for fact in told.of.get("hash", ()) if ends(fact.value)[0]][:500]
    for fact in told.of.get("read hash", ()):
        readings = [one for one in fact.value.split() if ends(one)[0]]
        if not readings or any(fits(one, other.value) for one in readings for other in hashes):
            continue
        meant = next(
            (other for one in readings for other in hashes if near(one, other.value)), None
        )
        if meant is not None:
            yield Clash(
                "CON-HASH",
                fact,
                meant,
                "However it is read, it is not the hash that it begins or ends like.",
            )
    begin = {ends(fact.value)[0][:8]: fact for fact in reversed(hashes)}
    for fact in told.of.get("head", ())[:500]:
        if fact.value in begin:
            continue
        close = next((head for head in begin if off_by_one(head, fact.value)), None)
        if close is not None:
            yield Clash(
                "CON-HASH", fact, begin[close], "It is one digit off the hash told elsewhere."
            )
    by_label: dict[str, Fact] = {}
    for fact in told.of.get("hash", ()):
        label = fact.subject.lower()
        if "." not in label and "packet" not in label:
            continue
        other = by_label.setdefault(label, fact)
        pair = frozenset((fact.value, other.value))
        if other.value != fact.value and not fits(fact.value, other.value) and pair not in seen:
            seen.add(pair)
            yield Clash("CON-HASH", fact, other, "Two hashes are told of one file.")


def _dates(told: _Told) -> Iterator[Clash]:
    own = told.of.get("date", [])
    # between documents the rule over their dates looks
    yield from (
        Clash("CON-DATE", one, other, "One document gives two dates to this lane.")
        for one, other in _differing([fact._replace(subject=_document(fact)) for fact in own])
    )
    if not own:
        return
    for fact in told.own("dated name"):
        if is_own_name(fact.subject, told.of.get("own name", ())) and fact.value != own[0].value:
            yield Clash(
                "CON-DATE", fact, own[0], "A document of this lane is named with another date."
            )


def is_own_name(name: str, own: Iterable[Fact]) -> bool:
    """Tell whether a dated name is that of a document or packet of the lane.

    It is the title of one of its documents, or begins with the words that they all begin with.
    """
    if name.startswith("…-"):
        return True
    for fact in own:
        stem = fact.subject
        if stem.endswith("-"):
            if stem.count("-") >= 4 and name.startswith(stem):
                return True
        elif name == stem or (
            stem.count("-") > 4 and name.rsplit("-", 1)[0] == stem.rsplit("-", 1)[0]
        ):
            return True
    return False


def _tokens(told: _Told) -> Iterator[Clash]:
    """Two tokens that differ by words of outcome only speak of one thing in two ways."""
    by_rest: dict[tuple[str, ...], Fact] = {}
    seen: set[frozenset[str]] = set()
    statuses = {fact.value for fact in told.own("status")}
    for fact in (*told.own("token"), *told.others("token")):
        words = fact.value.split("_")
        rest = tuple(word for word in words if word not in OUTCOME_WORDS)
        if len(rest) < 2 or len(words) < 3:
            continue
        known = by_rest.setdefault(rest, fact)
        pair = frozenset((known.value, fact.value))
        if _listing(known) == _listing(fact) or (
            known.others and fact.others and _document(known) == _document(fact)
        ):
            continue  # whoever writes both beside each other tells them apart
        if {fact.value, known.value} <= statuses:
            continue  # over statuses another rule looks
        # a lane may finish what an earlier one of its name did not
        if fact.others and not known.others and known.value in statuses:
            continue
        if known.value != fact.value and pair not in seen:
            seen.add(pair)
            yield Clash("CON-WORD", fact, known, "One thing is told with two outcomes.")
    wholes = [fact.value for fact in told.of.get("token", ())]
    for cut in told.of.get("cut token", ()):
        among = wholes if cut.others else [fact.value for fact in told.own("token")]
        if among and not any(whole.endswith(cut.value) for whole in among):
            yield Clash(
                "CON-WORD", cut, None, "A status is cut short, and no status here ends like it."
            )


def _listing(fact: Fact) -> str:
    """Return the line, or the list in JSON, in which a fact stands."""
    above, _, last = fact.where.rpartition("/")
    return above if "#" in above and last.isdecimal() else fact.where


def _headline(told: _Told, status: str) -> Iterator[Clash]:
    """Hold the final status against the verdicts and self-checks below it."""
    if (
        not status
        or read_outcome(status) is Outcome.FAIL
        or "FAIL" in status
        or "BLOCKED" in status
    ):
        return
    head = next(iter(told.own("status")), None)
    for fact in told.own("failed"):
        yield Clash(
            "CON-HEADLINE", fact, head, "A part failed, and the final status does not say so."
        )
    for fact in told.own("self-check"):
        if fact.value == "no":
            yield Clash(
                "CON-HEADLINE",
                fact,
                head,
                "A self-check failed, and the final status does not say so.",
            )
