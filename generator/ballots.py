"""Every decision packet of a lane, as its document states it, each option with its place.

A lane may put one decision to an owner in several documents: in its machine report and in texts.
Each is read alone, so that rules can hold each against what a decision packet must be, and all
against each other. Nothing here makes a statement true, and where a word could be read as better
or worse, the worse reading is taken: what is not plainly nothing is a selection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from generator.model.digest import Digest, is_digest
from generator.model.document import OPTION_MEANING, Document, DocumentKind, Table, read_place
from generator.reading.ballot import is_default
from generator.reading.ballot import sentences as sentences_of
from generator.spelled import spelled, step, text

_LONGEST = 4000
"""Characters of a stated value in which anything is looked for."""

_TOKEN = re.compile(r"(?<![A-Z0-9_])[A-Z][A-Z0-9]{0,60}(?:_[A-Z0-9]{1,60}){1,30}(?![A-Z0-9_])")
_HOLD = re.compile(r"(?:[A-Z0-9]+_)?HOLD(?:_[A-Z0-9]+)*\Z")
_NO_HOLD = re.compile(
    r"(?:^|_)(?:NO|NOT|NEVER|LIFT|RELEASE|END|UN|EXECUTE|EXECUTION|AUTHORIZE)(?:_|$)"
)
_BARE_HOLD = re.compile(r"(?i)\W{0,4}(?:on )?hold\b")
_LIMITED = re.compile(
    r"(?:^|_)(?:NO_PRODUCTION|NON_PRODUCTION|DRY_?RUN|PRE_?CHECKS?|REHEARSAL|REHEARSE|READ_?ONLY"
    r"|DESIGN|SCOPING|SCOPE|REVIEW|PLAN|PLANNING|NEXT_LANE|NOTHING)(?:_|$)"
)
"""Words of an option that stops short of production."""
_ACTING = re.compile(
    r"(?:^|_)(?:EXECUTE|EXECUTION|APPLY|CUT_?OVER|DEPLOY|MIGRATE|ACTIVATE|ACTIVATION|REPOINT"
    r"|GO_LIVE|LIFT|RELEASE|THEN|AND)(?:_|$)"
)
_NO_PRODUCTION = re.compile(r"(?:^|_)(?:NO|NON|WITHOUT)_PRODUCTION(?:_|$)")
_NOTHING = re.compile(
    r"(?i)[\s`*_\"'(]*(?:|null|none(?: yet| so far)?|nothing(?: is| was)?(?: selected)?|no|[-–—]"
    r"|n/?a"
    r"|no (?:production )?(?:option|selection|decision)(?: (?:is |was )?(?:selected|made|taken))?"
    r"|not (?:yet )?(?:selected|chosen|decided)|unselected|undecided|pending|open)"
    r"[\s`*_\"').]*\Z"
)
_YES = re.compile(r"(?i)[\s`*_]*(?:yes|true|x|✓|✔|☑|☒|\[x\]|\(x\)|●|•|selected|chosen)[\s`*_.]*\Z")
_TREE = re.compile(r"(?:^|[^a-z])tree(?:[^a-z]|$)", re.IGNORECASE)
_MAP = re.compile(r"(?i)blocker[ _-]?map")
_SELECTING = ("selected", "selection", "preselected", "pre-selected")
_CHOOSING = ("chosen", "choice", "decision", "decided", "checked", *_SELECTING)
_RECOMMENDING = ("recommended", "recommendation", "preferred", "preference", "advised", "suggested")
_STATUS = ("status", "state", "readiness", "ready", "available", "availability", "unlocked")
_SELECTING_WORDS = frozenset(
    ("selected", "selection", "preselected", "preselect", "chosen", "choice", "checked", "picked")
)
_RECOMMENDING_WORDS = frozenset((*_RECOMMENDING, "highlight", "highlighted", "featured", "best"))
_MARKING_WORDS = frozenset(
    (
        *("emphasis", "emphasised", "emphasized", "highlight", "highlighted", "bold", "weight"),
        *("primary", "featured", "starred", "badge"),
    )
)
_STATUS_WORDS = frozenset((*_STATUS, "cleared", "approved", "authorized", "authorised", "enabled"))
_CONDITION_WORDS = frozenset(("requires", "required", "needs", "when", "if", "until", "after"))
_ACT_WORDS = frozenset(("production", "execution", "execute", "apply", "cutover", "deploy"))
_KEY_WORD = re.compile(r"[A-Z]?[a-z]{1,40}|[A-Z]{1,40}(?![a-z])|[0-9]{1,20}")
_MOST_SENTENCES = 1000
_OPTION_COLUMNS = ("option", "options", "choice", "decision option")
_NEGATED = re.compile(
    r"(?i)\b(?:not|never|no|nothing|nobody|none|neither|nor|un\w+|against)\b|n't\b"
)


class Said(NamedTuple):
    """Something that a decision packet says, and where."""

    text: str
    where: str


class Choice(NamedTuple):
    """One option as it is offered."""

    token: str
    where: str
    means: str = ""
    remark: str = ""
    status: str = ""
    """What it says of the option's state, such as ``locked``."""
    emphasised: bool = False


class Ballot(NamedTuple):
    """One decision packet, as one document states it."""

    document: str
    where: str
    listings: tuple[tuple[Choice, ...], ...]
    """Each list or table of options; the first offers them, what follows explains."""
    defaults: tuple[Said, ...]
    selected: tuple[Said, ...]
    recommended: tuple[Said, ...]
    """Options, or what else, that it recommends."""
    explained: tuple[Said, ...]
    """Options under which an explanation is kept, beside the list of options."""
    sentences: tuple[Said, ...]
    """What it says in whole sentences that could steer."""
    trees: tuple[Said, ...]
    """What it states as the tree hash of the evidence on which it was written."""
    maps: tuple[Said, ...]
    """What it states as the digest of the blocker map on which it was written."""
    preconditions: object = None
    """The list of blockers in a machine report's packet; of texts, see their tables."""

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The options that it offers."""
        return self.listings[0] if self.listings else ()

    @property
    def options(self) -> tuple[str, ...]:
        """Their tokens, in the order in which they stand."""
        return tuple(choice.token for choice in self.choices)

    def default_tokens(self) -> tuple[str, ...]:
        """Return the defaults, each once; a bare hold stands for the only option that holds."""
        holds = [token for token in dict.fromkeys(self.options) if is_hold(token)]
        found: dict[str, None] = {}
        for said in self.defaults:
            bare = said.text not in self.options and _BARE_HOLD.match(said.text)
            found[holds[0] if bare and len(holds) == 1 else said.text] = None
        return tuple(found)


def is_hold(token: str) -> bool:
    """Whether a token can only mean to hold; a word that also lifts or executes does not."""
    token = token[:_LONGEST]
    return _HOLD.match(token) is not None and _NO_HOLD.search(token) is None


def executes(token: str) -> bool:
    """Whether an option touches production, as far as its name shows; in doubt it does."""
    token = token[:_LONGEST].upper()
    if is_hold(token) or _NO_PRODUCTION.search(token):
        return False
    return _ACTING.search(token) is not None or _LIMITED.search(token) is None


_last: tuple[Sequence[Document], tuple[Ballot, ...]] = ((), ())
"""What was read last: half a dozen rules ask for the same lane, one after the other."""


def ballots(documents: Sequence[Document]) -> tuple[Ballot, ...]:
    """Return every decision packet of a lane, those of machine reports first."""
    global _last
    if _last[0] is not documents:
        _last = documents, tuple(_read(documents))
    return _last[1]


def _read(documents: Sequence[Document]) -> list[Ballot]:
    found: list[Ballot] = []
    for document in documents:
        if document.kind is DocumentKind.MACHINE_REPORT and isinstance(document.data, dict):
            found.extend(_in_report(document, document.data))
    found.extend(
        _in_text(document)
        for document in documents
        if document.kind is DocumentKind.DECISION_PACKET
    )
    return found


# --- machine reports ---


def _in_report(document: Document, data: Mapping[str, Any]) -> Iterator[Ballot]:
    for key, value in data.items():
        pointer = f"{document.name}#/{step(key)}"
        if key.endswith("decision_packet") and isinstance(value, dict):
            yield _from_object(document, value, pointer)
        elif key.endswith("decision_packets") and isinstance(value, list):
            for number, item in enumerate(value):
                if isinstance(item, dict):
                    yield _from_object(document, item, f"{pointer}/{number}")
    if "options" in data and "default" in data and isinstance(data["options"], list):
        yield _from_object(document, data, f"{document.name}#")


def _from_object(document: Document, value: Mapping[str, Any], pointer: str) -> Ballot:
    choices: list[Choice] = []
    defaults: list[Said] = []
    selected: list[Said] = []
    recommended: list[Said] = []
    explained: list[Said] = []
    meanings: list[Choice] = []
    sentences: list[Said] = []
    offered = value.get("options")
    for number, option in enumerate(offered if isinstance(offered, list) else ()):
        where = f"{pointer}/options/{number}"
        if not isinstance(option, dict):
            choices.append(Choice(spelled(option), where))
            continue
        token = text(option, "id", "option", "token", "name")
        choices.append(_choice(token, where, option))
        for name, member in option.items():
            place = f"{where}/{step(name)}"
            words = _key_words(name)
            if "default" in words:
                if member is True or _YES.match(spelled(member)[:_LONGEST]):
                    defaults.append(Said(token, where))
            elif name in _CHOOSING or _SELECTING_WORDS.intersection(words):
                if not _is_nothing(member):
                    selected.append(Said(token, place))
            elif name in _RECOMMENDING and not _is_nothing(member):
                recommended.append(Said(token, place))
    tokens = frozenset(choice.token for choice in choices)
    for name, member in value.items():
        place = f"{pointer}/{step(name)}"
        low = name.lower()
        words = _key_words(name)
        names_one = isinstance(member, str) and _plain(member[:_LONGEST]) in tokens
        if low in ("default", "defaults"):
            stated = member if isinstance(member, list) else [member]
            defaults.extend(Said(_token(spelled(one)), place) for one in stated if spelled(one))
        elif low in _SELECTING:
            # a packet's selection is null; what else says nothing says it in words
            if member is not None and not _NOTHING.match(spelled(member) or "{}"):
                selected.append(Said(_plain(spelled(member)), place))
        elif low in _CHOOSING:
            # other words may stand here; an option may not
            if _TOKEN.search(spelled(member)[:_LONGEST]):
                selected.append(Said(_token(spelled(member)), place))
        elif low in _RECOMMENDING:
            if not _is_nothing(member):
                recommended.append(Said(spelled(member), place))
        elif isinstance(member, dict) and low.endswith(("meanings", "explanations", "meaning")):
            explained.extend(Said(one, f"{place}/{step(one)}") for one in member)
            meanings.extend(
                Choice(one, f"{place}/{step(one)}", means=means)
                for one, means in member.items()
                if isinstance(means, str)
            )
        elif names_one and "default" in words:
            defaults.append(Said(_plain(spelled(member)), place))
        elif (names_one or ("index" in words and not _is_nothing(member))) and (
            _SELECTING_WORDS.intersection(words)
        ):
            selected.append(Said(_plain(spelled(member)), place))
        elif names_one and _RECOMMENDING_WORDS.intersection(words):
            recommended.append(Said(spelled(member), place))
        elif low not in ("options", "preconditions"):
            sentences.extend(_by_its_key(words, member, place))
            sentences.extend(_sentences(member, place))
    lists = [_weighed(choices, offered)] if isinstance(offered, list) else []
    if choices and meanings:
        lists.append(tuple(meanings))
    return Ballot(
        document=document.name,
        where=pointer,
        listings=tuple(lists),
        defaults=tuple(defaults),
        selected=tuple(selected),
        recommended=tuple(recommended),
        explained=tuple(explained),
        sentences=tuple(sentences[:_MOST_SENTENCES]),
        trees=tuple(_members(value, pointer, _TREE)),
        maps=tuple(_members(value, pointer, _MAP)),
        preconditions=value.get("preconditions"),
    )


def _choice(token: str, where: str, option: Mapping[str, Any]) -> Choice:
    return Choice(
        token,
        where,
        means=text(option, "meaning", "means", "description", "about"),
        remark=text(option, "remark", "note"),
        status="; ".join(
            " ".join(words) if member is True else spelled(member)
            for name, member in option.items()
            if _STATUS_WORDS.intersection(words := _key_words(name))
            and not _CONDITION_WORDS.intersection(words)
            and not _is_nothing(member)
        ),
    )


def _key_words(name: str) -> tuple[str, ...]:
    """Return the words of a key: of ``selected_option`` and of ``selectedOption`` the same."""
    return tuple(word.lower() for word in _KEY_WORD.findall(name[:200]))


def _weighed(choices: Sequence[Choice], offered: Sequence[object]) -> tuple[Choice, ...]:
    """Return the options, emphasised where a member marks them otherwise than the hold."""
    marks = [
        tuple(
            (name, spelled(member))
            for name, member in (option.items() if isinstance(option, dict) else ())
            if _MARKING_WORDS.intersection(_key_words(name)) and not _is_nothing(member)
        )
        for option in offered
    ]
    held = next((at for at, choice in enumerate(choices) if is_hold(choice.token)), 0)
    return tuple(
        choice._replace(emphasised=bool(mark) and mark != marks[held])
        for choice, mark in zip(choices, marks, strict=True)
    )


def _by_its_key(words: Sequence[str], member: object, place: str) -> Iterator[Said]:
    """Yield what a member such as ``execution_ready`` says, as a sentence."""
    if not _ACT_WORDS.intersection(words):
        return
    if member is True or (isinstance(member, str) and _YES.match(member[:_LONGEST])):
        yield Said(f"{' '.join(words[:-1])} is {words[-1]}", place)
    elif isinstance(member, str) and len(member) <= _SHORT:
        yield Said(f"{' '.join(words)} is {member}", place)


_SHORT = 80


def _sentences(value: object, pointer: str) -> Iterator[Said]:
    """Yield every sentence in a value, however deep it stands; reading has bounded the depth."""
    if isinstance(value, str):
        yield from (Said(one, pointer) for one in sentences_of(value) if one)
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _sentences(member, f"{pointer}/{step(name)}")
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from _sentences(member, f"{pointer}/{number}")


def _members(value: Mapping[str, Any], pointer: str, pattern: re.Pattern[str]) -> Iterator[Said]:
    for name, member in value.items():
        if isinstance(member, str) and member and pattern.search(name):
            yield Said(member, f"{pointer}/{step(name)}")


def _is_nothing(value: object) -> bool:
    if value in ([], {}, None, False):
        return True
    return _NOTHING.match(spelled(value)[:_LONGEST]) is not None


def _says_nothing(value: str) -> bool:
    """Whether a stated selection is none, also where another sentence follows on its line."""
    first, _, rest = value.partition(". ")
    return _NOTHING.match(value) is not None or (
        _NOTHING.match(first) is not None and all(map(is_hold, _TOKEN.findall(rest)))
    )


def _plain(value: str) -> str:
    return value.strip().strip("`*_\"'").rstrip(".")


def _token(value: str) -> str:
    """Return the token of a stated value; where it has none, the value in plain words."""
    match = _TOKEN.search(value[:_LONGEST])
    return match[0] if match is not None else _plain(value[:_LONGEST])


# --- texts ---


def _in_text(document: Document) -> Ballot:
    defaults: list[Said] = []
    selected: list[Said] = []
    recommended: list[Said] = []
    read = {line.where for line in document.ballot if line.token}
    for statement in document.statements:
        key = statement.key.strip().strip("`*_").lower()
        if key in ("option", "default", OPTION_MEANING) and statement.where in read:
            continue  # read with its line
        if key.startswith("default"):
            defaults.append(Said(_token(statement.value), statement.where))
        elif key.startswith(("selected", "selection", "preselected", "pre-selected")):
            if not _says_nothing(statement.value[:_LONGEST]):
                selected.append(Said(_token(statement.value), statement.where))
        elif key in ("chosen", "choice", "chosen option", "decision", "decided"):
            # other words may stand here; an option may not
            match = _TOKEN.search(statement.value[:_LONGEST])
            if match is not None and not _NEGATED.search(statement.value[:_LONGEST]):
                selected.append(Said(match[0], statement.where))
        elif key.startswith(("recommended", "recommendation", "preferred")):
            recommended.append(Said(statement.value[:_LONGEST], statement.where))
    lists: dict[int, list[Choice]] = {}
    called: set[int] = set()
    for line in document.ballot:
        if not line.token:
            continue
        if line.among_options:
            called.add(line.listing)
        lists.setdefault(line.listing, []).append(
            Choice(line.token, line.where, line.text, line.remark, line.remark, line.emphasised)
        )
        if is_default(line.remark):
            defaults.append(Said(line.token, line.where))
        if line.checked:
            selected.append(Said(line.token, line.where))
    found = [_Listing(tuple(chosen), number in called) for number, chosen in lists.items()]
    for table in document.tables:
        rows = tuple(_rows(table, document.name, defaults, selected, recommended))
        if rows:
            found.append(_Listing(rows, True))
    return Ballot(
        document=document.name,
        where=document.name,
        listings=tuple(_of_options(found)),
        defaults=tuple(defaults),
        selected=tuple(selected),
        recommended=tuple(recommended),
        explained=(),
        sentences=tuple(Said(line.text, line.where) for line in document.ballot if not line.token),
        trees=tuple(_trees(document)),
        maps=tuple(
            Said(statement.value, statement.where)
            for statement in document.statements
            if _MAP.search(statement.key) and is_digest(statement.value)
        ),
    )


class _Listing(NamedTuple):
    choices: tuple[Choice, ...]
    called: bool
    """Whether it says of itself that it lists options."""

    @property
    def line(self) -> int:
        return int(read_place(self.choices[0].where).line or 0)


def _of_options(found: Sequence[_Listing]) -> Iterator[tuple[Choice, ...]]:
    """Yield the listings that are of options, the offering one first.

    A list whose items merely begin with a token, such as ``REAL_RUN: NO``, is of options where
    nothing else is, or where one of its tokens is offered.
    """
    if not found:
        return
    offering = min(found, key=lambda one: (not one.called, not _holds(one.choices), one.line))
    yield offering.choices
    tokens = {choice.token for choice in offering.choices}
    for other in sorted(found, key=lambda one: one.line):
        named = other.called or any(choice.token in tokens for choice in other.choices)
        if other is not offering and named:
            yield other.choices


def _holds(choices: Sequence[Choice]) -> bool:
    return any(is_hold(choice.token) for choice in choices)


def _rows(
    table: Table,
    name: str,
    defaults: list[Said],
    selected: list[Said],
    recommended: list[Said],
) -> Iterator[Choice]:
    """Yield the options of a table with a column of them; keep what its other columns say."""
    header = [cell.strip().strip("`*_").lower() for cell in table.header]
    column = next((title for title in header if title in _OPTION_COLUMNS), "")
    if not column:
        return
    for row, line in zip(table.rows, table.row_lines, strict=True):
        cells = dict(zip(header, row, strict=False))
        stated = cells.get(column, "")[:_LONGEST]
        match = _TOKEN.search(stated)
        token = match[0] if match is not None else _plain(stated)
        where = f"{name}:{line}"
        if not token:
            continue
        if (
            _YES.match(cells.get("default", ""))
            or is_default(cells.get("default", ""))
            or (match is not None and is_default(stated[match.end() :]))
        ):
            defaults.append(Said(token, where))
        for title, cell in cells.items():
            if title in _CHOOSING and _YES.match(cell):
                selected.append(Said(token, where))
            elif title in _RECOMMENDING and cell.strip() and not _NOTHING.match(cell[:_LONGEST]):
                recommended.append(Said(token, where))
        if re.match(r"\s{0,3}(?:\[[xX✓]\]|☑|☒|✓|✔|\([xX]\))", stated):
            selected.append(Said(token, where))
        yield Choice(
            token,
            where,
            means=cells.get("meaning", "").strip(),
            remark=stated[match.end() :].strip(" `*()[]") if match is not None else "",
            status="; ".join(cells[title] for title in _STATUS if cells.get(title, "").strip()),
            emphasised=stated.lstrip(" `").startswith(("**", "__")),
        )


def _trees(document: Document) -> Iterator[Said]:
    """Yield what a decision packet in text states as the tree hash of its evidence."""
    for mention in document.hashes:
        if mention.form != "ambiguous" and _TREE.search(mention.label):
            yield Said(mention.text, mention.where)
    for statement in document.statements:
        if _TREE.search(statement.key) and is_digest(statement.value):
            yield Said(statement.value, statement.where)


def cites(document: Document, tree: Digest) -> bool:
    """Whether a document quotes a tree hash whole, anywhere."""
    return any(mention.text == tree for mention in document.hashes)
