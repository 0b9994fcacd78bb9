"""Yes or no: booleans of machine reports, words such as NO, and what prose denies or affirms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from generator.contradictions import counting
from generator.contradictions.fact import DRIFT, FOLDED, PROBES, SURFACES, Fact
from generator.contradictions.spans import Span, speaks_of_others
from generator.contradictions.supposed import told_now
from generator.model.document import Document

_YES = frozenset(("yes", "true", "✓", "✔"))
_NO = frozenset(("no", "none", "false", "✗", "✘", "nothing"))
_WORD = re.compile(r"[a-z0-9]+")
_DENIED = frozenset(("avoided", "no", "not", "never", "without"))
_STEMS = {
    "fails": "fail",
    "failed": "fail",
    "neg": "negative",
    "inputs": "input",
    "triggered": "trigger",
    "secret": "secrets",
    "changes": "change",
    "changed": "change",
    "exposed": "change",
    "exposure": "change",
    "leaked": "leak",
    "tokens": "token",
    "credentials": "credential",
    "selecting": "select",
    "selected": "select",
    "surfaces": "surface",
    "proved": "proven",
    "prod": "production",
}
_FLAGS: tuple[tuple[str, str, bool], ...] = (
    ("production mutation", r"production mutation", True),
    ("REAL_RUN", r"real run", True),
    ("QT001", r"qt001(?: apply)?", True),
    ("cutover", r"cutover|permit activation repoint cutover", True),
    ("CI or deploy trigger", r"(?:production )?ci(?: deploy)?(?: trigger)?|deploy trigger", True),
    ("change of secrets", r"secrets(?: credential)?(?: change)?(?: or used)?", True),
    (
        "production contact",
        r"(?:live )?(?:production )?contact|production db directus live contact",
        True,
    ),
    ("a probe failed open", r"any fail open", True),
    ("a probe failed open", r"(?:bad input|probes) fail closed", False),
    ("a forbidden surface touched", r"any forbidden surface (?:attempted|touched)", True),
    ("a forbidden surface touched", r"forbidden surface untouched", False),
    ("a drift class passed", r"selftest all fail closed", False),
    ("forbidden token leaked", r"(?:forbidden )?token leak", True),
    ("control allowed", r"control allowed", True),
    ("selftest passes", r"(?:validator )?selftest(?: pass(?:es)?)?", True),
    ("negative control fails closed", r"negative control fail closed", True),
    (
        "validator byte-exact",
        r"(?:hardened )?validator (?:is )?(?:canonical )?byte exact(?: to canonical)?",
        True,
    ),
    ("APPLY_NOW", r"apply now", True),
    ("target is production", r"is production", True),
    ("rollback restored the state", r"restored match|rollback restore[sd] expected state", True),
    (
        "a decision selected",
        r"(?:a )?(?:production )?(?:decision|option) select|select (?:a )?production decision",
        True,
    ),
    ("safe clone found", r"safe production shaped clone found|clone present", True),
    ("clone isolated", r"(?:proven )?clone isolation(?: before rehearsal)?(?: proven)?", True),
    ("rehearsal performed", r"rehearsal performed|performed", True),
    ("production holds", r"production hold", True),
    ("CI gate designed", r"ci seal vs bytes(?: fail closed)? gate designed|gate designed", True),
    ("every command passed", r"exit codes all zero", True),
    ("registry untouched", r"canonical registry untouched", True),
    ("fold applied", r"fold through \d{1,9} applied", True),
)
"""Subject, the plain words that name it, and whether they affirm it."""
_MATCHERS = tuple((subject, re.compile(pattern), sense) for subject, pattern, sense in _FLAGS)

_PROSE = (
    ("production mutation", r"production mutation"),
    ("REAL_RUN", r"REAL_RUN"),
    ("QT001", r"QT001"),
    ("CI or deploy trigger", r"CI(?:/deploy)? trigger|CI was triggered"),
    ("change of secrets", r"secrets?(?:/credentials)? changes?"),
    ("production contact", r"(?:live )?(?:production )?contact"),
    ("forbidden token leaked", r"token(?:s)? (?:is |was )?(?:leak(?:ed)?|emitted)|token leak"),
    ("safe clone found", r"safe production-shaped clone exists"),
    ("a decision selected", r"production option selected"),
)
_DENIAL = re.compile(
    r"(?i)\bno (?:[\w/*_|-]+(?: \([^()]{0,80}\))?(?:,? (?:or |and |/ )?| / )){0,18}?"
    + r"(?:"
    + "|".join(f"(?P<d{at}>{pattern})" for at, (_, pattern) in enumerate(_PROSE))
    + r")\b"
)
_DENIES = re.compile(r"(?i)(?<!\w)no ")
_HYPOTHETICAL = re.compile(
    r"(?i)\b(?:is|are|was|were|if|until|unless|before|after|yet|with|for|to|that)\b"
)
_AFFIRMED_BY: tuple[tuple[str, str, str, bool], ...] = (
    (
        "control allowed",
        "allowed refused rejected",
        r"(?i)\bcontrol (?:is )?(?:correctly )?(allowed|refused|rejected)",
        True,
    ),
    (
        "validator byte-exact",
        "byte-exact",
        r"(?i)(?:validator|copy)[^.;·]{0,40}?(\bnot )?byte-exact",
        True,
    ),
    ("selftest passes", "selftest", r"(?i)\bselftest ?(?:→ ?|: ?)?(PASS|FAIL)\b", True),
    ("every command passed", "overall", r"\bcommands\.sh:? (OVERALL (?:PASS|FAIL))", True),
    ("APPLY_NOW", "apply_now", r"\bAPPLY_NOW ?[=:] ?(NO|YES|false|true)\b", True),
    (
        "negative control fails closed",
        "control",
        r"(?i)\bneg(?:ative)?[- ]control[^.;]{0,40}?(fail(?:s|ed)?[- ]closed|passes|passed)",
        True,
    ),
    (
        "registry untouched",
        "touched modified",
        r"(?i)\bregistry\b[^.;]{0,90}?\b(untouched|touched|not modified|modified)\b",
        True,
    ),
    (
        "safe clone found",
        "clone_available",
        r"\b((?:NO_)?SAFE_(?:\w{1,40}_)?CLONE_AVAILABLE)\b",
        True,
    ),
    (
        "rehearsal performed",
        "applied",
        r"(?<![A-Z])REHEARSAL_(?:READY_)?((?:NOT_)?APPLIED)\b",
        True,
    ),
    ("a probe failed open", "all_fail_closed", r"\b((?:NOT_)?ALL_FAIL_CLOSED)\b", False),
    ("target is production", "isolated_", r"\bISOLATED_((?:NOT_)?PRODUCTION)\b", True),
    (
        "rehearsal performed",
        "not_applied not performed",
        r"(?i)\brehearsal (?:->? )?(not_applied|not run|performed)",
        True,
    ),
    ("CI gate designed", "designed", r"(?i)\b(designed) the CI seal-vs-bytes gate", True),
)
"""Subject, the words of which one must be there at all, what affirms it, and whether it does."""
_AFFIRMED = tuple(
    (subject, re.compile(pattern), sense) for subject, _, pattern, sense in _AFFIRMED_BY
)
_AFFIRMING = tuple(
    (word, at) for at, (_, words, _, _) in enumerate(_AFFIRMED_BY) for word in words.split()
)
"""Each word, and the index of what may be affirmed where it is there."""
_REFUSALS = frozenset(
    ("refused", "rejected", "fail", "no", "false", "not_applied", "not run", "not")
)
_FOLD_KEY = re.compile(r"(?:^|/)(?:\w*_)?fold_through_(\d{1,9})_")
_MEMBER = re.compile(r"/\d+(?:/|\Z)")
_TOUCHED = re.compile(r"(?<![\w-])(UN|un|NOT_|not )?(?:TOUCHED|touched)\b")
_SENTENCES = re.compile(r"[.;]\s")
_UNSURE = re.compile(r"(?i)\b(?:no|none|any|never|nothing|can|may|be|whether)\b")
"""What, before *touched*, leaves it denied, asked or only possible."""
_PLANNED = re.compile(r"(?:\A|[/_])(?:plan|planned|next|proposed|future)(?:_\w{1,40})?/")
"""Keys under which it is told what will be."""
_OF_HARM = re.compile(
    r"(?i)\A(?!avoided|no |not |never |without )(?:any(?:thing)?\b|.*\b(?:touched|contacted|leaked"
    r"|attempted|exposed|mutated|triggered|emitted|performed|applied|selected|changed|left open"
    r"|failed open|(?<!fail[ -])closed)\Z)"
)
"""A line of a self-check to which *no* is the good answer."""
_SELF_CHECK = re.compile(r"(?i)self[-_ ]?check")
_CHECKED = re.compile(
    r"([^✓✗✔✘·•;.]{3,120}?)\s?([✓✗✔✘])|((?:[^—.]|\.(?! )){3,120}?)\s?—\s?(YES|NO)\b"
)


def plain(text: str) -> str:
    """Return a text as plain words in one form."""
    return " ".join(_STEMS.get(word, word) for word in _WORD.findall(text.lower()))


def in_statements(document: Document) -> Iterator[Fact]:
    """Yield what keys with a value of yes or no say."""
    for statement in document.statements:
        in_json = statement.type != "text"
        key = statement.key.rsplit("/", 1)[-1] if in_json else statement.key
        if in_json and key == "rehearsal_leg" and "APPLIED" in statement.value:
            done = _spelled(not statement.value.startswith("NOT_"))
            said = f"rehearsal leg: {statement.value[:80]}"
            yield Fact("flag", "rehearsal performed", done, statement.where, said)
        value = _truth(statement.value)
        if value is None:
            continue
        if in_json and (_MEMBER.search(statement.key) or _PLANNED.search(statement.key)):
            continue  # members of a list are different things, and a plan is none yet
        others = speaks_of_others(statement.key) and key != "production_hold"
        parent = statement.key.rsplit("/", 2)[-2] if in_json and "/" in statement.key else ""
        name = key.replace("_", " ") if in_json else key
        said = f"{name}: {statement.value}"
        for subject, truth in _named(key, parent, value):
            yield Fact("flag", subject, _spelled(truth), statement.where, said, others)
        if statement.type == "boolean":
            yield from _self_check(statement.key, value, statement.where, said)
            if (match := _FOLD_KEY.search(statement.key)) is not None:
                yield Fact("number", FOLDED, match[1], statement.where, name, False)
            if key.startswith("resolves_"):
                state = "closed" if value else "open"
                yield Fact("blocker", key[9:], state, statement.where, said)


def _truth(value: str) -> bool | None:
    word = value.strip().strip("`*_.").lower()
    return True if word in _YES else False if word in _NO else None


def _spelled(truth: bool) -> str:
    return "yes" if truth else "no"


def _named(key: str, parent: str, value: bool) -> Iterator[tuple[str, bool]]:
    """Yield each subject that a key names, with what the value makes of it."""
    words = plain(key)
    if words == "performed" and "rehears" not in parent:
        return
    denied = False
    while words.partition(" ")[0] in _DENIED:
        words = words.partition(" ")[2]
        denied = not denied
    truth = value != denied
    whole = _subject(words) or (
        words == "designed" and "gate" in parent and ("CI gate designed", True)
    )
    if whole:
        yield whole[0], truth == whole[1]
        return
    parts = [plain(part) for part in key.split("/")]
    if len(parts) == 1:
        parts = _JOINED.sub("/", words).split("/")
    elif denied:
        parts[0] = parts[0].partition(" ")[2]
    named = [_subject(part.strip()) for part in parts]
    if len(parts) > 1 and all(named):
        for one in named:
            if one:
                yield one[0], truth == one[1]


_JOINED = re.compile(r" (?=qt001|cutover)")


@lru_cache(maxsize=4096)  # the keys of machine reports come again and again
def _subject(words: str) -> tuple[str, bool] | None:
    for subject, pattern, sense in _MATCHERS:
        if pattern.fullmatch(words):
            return subject, sense
    return None


def in_span(span: Span) -> Iterator[Fact]:
    """Yield what prose denies, affirms and ticks off."""
    text = span.text
    lower = text.lower()
    if "no " in lower and _DENIES.search(text):
        for match in _DENIAL.finditer(text):
            at = int((match.lastgroup or "d0")[1:])
            lead = text[match.start() : match.start(f"d{at}")]
            if _HYPOTHETICAL.search(lead):
                continue
            said = text[match.start() : match.end()]
            ticked = re.match(r"[^·•.;]{0,30}?([✓✗✔✘])", text[match.end() : match.end() + 32])
            truth = ticked is not None and ticked[1] in "✗✘"
            yield Fact(
                "flag", _PROSE[at][0], _spelled(truth), span.where(match.start()), said, span.others
            )
            # "no A, B or C" denies each of them
            for index, (subject, pattern) in enumerate(_PROSE):
                if index != at and re.search(rf"(?i)(?<![\w-]){pattern}\b", lead):
                    yield Fact(
                        "flag",
                        subject,
                        _spelled(truth),
                        span.where(match.start()),
                        said,
                        span.others,
                    )
    # a denial looks itself for what is only supposed: "if not, …, still with no contact"
    text = text if span.others else told_now(text)
    lower = text.lower()
    named = {at for word, at in _AFFIRMING if word in lower}
    for subject, affirmed, sense in (_AFFIRMED[at] for at in sorted(named)):
        for match in affirmed.finditer(text):
            word = (match[1] or "").strip().lower()
            refused = word != "not modified" and (
                word in _REFUSALS or word.startswith(("no_", "not_", "not "))
            )
            truth = (not refused and word.rsplit(" ", 1)[-1] not in _REFUSALS) == sense
            where = span.where(match.start())
            yield Fact("flag", subject, _spelled(truth), where, match[0], span.others)
    for match in _TOUCHED.finditer(text) if "touched" in lower else ():
        clause = _SENTENCES.split(text[max(0, match.start() - 60) : match.start()])[-1]
        if not match[1] and _UNSURE.search(clause):
            continue
        near = f"{span.about} {clause}"
        if counting.subject_in(near, last=True) == SURFACES:
            truth = not match[1]
            yield Fact(
                "flag",
                "a forbidden surface touched",
                _spelled(truth),
                span.where(match.start()),
                match[0],
                span.others,
            )
    if _SELF_CHECK.search(span.section) and span.kind != "json":
        for match in _CHECKED.finditer(text):
            done = (match[2] or match[4]) in ("✓", "✔", "YES")
            said = (match[1] or match[3]).strip(" .-0123456789")
            where = span.where(match.start(2) if match[2] else match.start(4))
            if not _OF_HARM.match(said):
                yield Fact(
                    "self-check", said, _spelled(done), where, f"{said}: {match[2] or match[4]}"
                )
            for subject, truth in _named(said, "", done):
                yield Fact(
                    "flag", subject, _spelled(truth), where, f"{said}: {match[2] or match[4]}"
                )


def _self_check(key: str, value: bool, where: str, said: str) -> Iterator[Fact]:
    words = key.rsplit("/", 1)[-1].replace("_", " ")
    parent = key.rsplit("/", 2)[-2] if "/" in key else ""
    if _SELF_CHECK.search(parent) and not _OF_HARM.match(words):
        yield Fact("self-check", words, _spelled(value), where, said)


def of_defaults(facts: Sequence[Fact]) -> Iterator[Fact]:
    """Yield that production holds, where the default that is stated says so."""
    for fact in facts:
        if fact.kind == "default" and not fact.others and fact.value.startswith("HOLD"):
            yield Fact("flag", "production holds", "yes", fact.where, fact.said)


def of_shares(facts: list[Fact]) -> Iterator[Fact]:
    """Yield what shares say as a yes or no: of ``9/10`` that fail closed, one does not."""
    subjects = {
        PROBES: "a probe failed open",
        SURFACES: "a forbidden surface touched",
        DRIFT: "a drift class passed",
    }
    for fact in facts:
        subject = subjects.get(fact.subject)
        if fact.kind == "share" and subject is not None:
            held, total = fact.value.split("/")
            yield Fact("flag", subject, _spelled(held != total), fact.where, fact.said, fact.others)


_STOP = frozenset(("is", "are", "was", "the", "a", "an", "of", "and", "or", "to", "by", "in", "on"))
_OPEN_CLAUSE = frozenset(
    (
        *("if", "before", "until", "after", "would", "should", "needs", "must", "requires"),
        *("when", "unless", "pending", "not", "no", "never", "without", "cannot", "may", "might"),
    )
)
_CLAUSES = re.compile(r"[.;:](?=\s|\Z)|[()|·•]|\s[—–]\s|, ")
_LONGEST_CLAUSE = 14


def affirmed(documents: Sequence[Document], pieces: Sequence[Span]) -> Iterator[Fact]:
    """Yield, for booleans of machine reports, what a clause of a text says in the same words.

    A clause affirms a key where it has all of its words, three at least, is short, and neither
    denies nor supposes anything.
    """
    keys: dict[frozenset[str], tuple[str, str, str]] = {}
    for document in documents:
        for statement in document.statements:
            if statement.type != "boolean":
                continue
            key = statement.key.rsplit("/", 1)[-1]
            words = frozenset(map(_root, plain(key.replace("_", " ")).split())) - _STOP
            if len(words) >= 3 and not words & (_DENIED | _OPEN_CLAUSE):
                keys.setdefault(words, (key.replace("_", " "), statement.value, statement.where))
    if not keys:
        return
    by_word: dict[str, list[frozenset[str]]] = {}
    for words in keys:
        by_word.setdefault(max(words, key=lambda word: (len(word), word)), []).append(words)
    told: set[frozenset[str]] = set()
    for span in pieces:
        # what heads a section or a row only names what is told behind it
        if span.kind in ("json", "title", "heading") or (span.kind == "cell" and not span.label):
            continue
        text = _HEX.sub(" ", span.text)
        if by_word.keys().isdisjoint(map(_root, plain(text).split())):
            continue
        for clause in _clauses(text):
            words_of = [_root(word) for word in plain(clause).split()]
            here = frozenset(words_of)
            if len(words_of) > _LONGEST_CLAUSE or here & _OPEN_CLAUSE:
                continue
            for word in sorted(here):
                for words in by_word.get(word, ()):
                    if words <= here and words not in told:
                        told.add(words)
                        name, value, where = keys[words]
                        said = clause.strip()[:80]
                        yield Fact("flag", name, "yes", span.where(), said)
                        truth = "yes" if value == "true" else "no"
                        yield Fact("flag", name, truth, where, f"{name}: {value}")


def _clauses(text: str) -> Iterator[str]:
    """Yield the clauses of a text that are said, and not only named before a colon or a *no*."""
    start = 0
    for match in _CLAUSES.finditer(text):
        if match[0] != ":" and not _REFUSED.match(text, match.end()):
            yield text[start : match.start()]
        start = match.end()
    yield text[start:]


_REFUSED = re.compile(r"(?i)[\s`*_]{0,4}(?:NO|NONE|false|✗|✘)(?![\w-])")
_HEX = re.compile(r"[0-9a-f]{6,64}(?:(?:…|\.{2,3})[0-9a-f]{0,64})?")


@lru_cache(maxsize=4096)
def _root(word: str) -> str:
    """Return a word without the endings that tell its tense or number."""
    for ending in ("ied", "ed", "es", "s"):
        if len(word) > len(ending) + 3 and word.endswith(ending):
            return word.removesuffix(ending) + ("y" if ending == "ied" else "")
    return word
