"""``bad-input-probes.json``: what must be rejected was put to the gate, and was (spec 2.2).

Every recorded request is put to the gate again. Its answers give each flag, code, class and count;
a file without requests, as lanes wrote it before, is claimed only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import msgspec

from generator.evidence import FILES, rehearsal_log, samples
from generator.evidence.base import (
    Evidence,
    EvidenceKind,
    EvidenceModel,
    Part,
    claimed,
    counting,
    derived,
    must_be,
    refused,
)
from generator.gate import GATE, probes
from generator.gate.decide import Answer, decide
from generator.gate.tokens import Leak, forbidden, leaked, leaked_line, may_hold
from generator.gate.vocabulary import BY_CODE, BY_ID
from generator.ledger import Row
from generator.rules.base import Code

FILE = "bad-input-probes.json"
PLAN = "plan.json"
Asked = TypeVar("Asked", str, bytes)


class Probe(Part, frozen=True, rename={"of": "class"}):
    """A bad request, and what the gate answered."""

    id: str
    of: str
    """The class of bad input that it stands for."""
    request: Any
    allowed: bool
    reject_code: str | None


class Control(Part, frozen=True):
    """A good request, and what the gate answered."""

    request: Any
    allowed: bool
    reject_code: str | None


class BadInputProbes(EvidenceModel, frozen=True):
    """Every probe of the gate, and what the answers come to.

    Lanes of old kept only the counts, flags and classes.
    """

    probe_count: int
    fail_closed_count: int
    any_fail_open: bool
    control_allowed: bool
    forbidden_token_leaked: bool
    classes: list[str]
    verdict: str | None = None
    gate: str | None = None
    probes: list[Probe] | None = None
    control: Control | None = None
    emitted: list[str] | None = None


_TODO = "Put the probes to the gate again, and keep what it answers."
CODES = {
    "PROBES_NONE": Code(
        "A file of bad-input probes has none.", "Nothing was tried, and nothing is proven.", _TODO
    ),
    "PROBES_COUNT_WRONG": Code(
        "A count of probes is not that of the list.",
        "A probe came or went after it was counted.",
        _TODO,
    ),
    "PROBES_TWICE": Code(
        "Two probes have one id or one request, or a class is listed twice without them.",
        "The count stands for less than it says.",
        "Probe each case once, and count again.",
    ),
    "PROBES_GATE_OTHER": Code(
        "The probes were answered by a gate that is not known here.",
        "The answers cannot be held against those of this gate.",
        _TODO,
    ),
    "PROBES_ANSWER_DIFFERS": Code(
        "A recorded answer is not the one that the gate gives to the same request.",
        "Somebody wrote it, or the gate was another one.",
        _TODO,
    ),
    "PROBES_FAIL_OPEN": Code(
        "The gate allows a bad request.",
        "What must never run could run.",
        "Close the gate for this request before any rehearsal.",
    ),
    "PROBES_NOT_ALONE": Code(
        "A probe is rejected for more than one reason.",
        "Each reason hides whether the gate would have seen the other.",
        "Damage one thing in the good request and nothing else.",
    ),
    "PROBES_CLASS_WRONG": Code(
        "A probe is not rejected for the class that it names.",
        "The class looks probed, and is not.",
        "Name the class of the code, or put a request of the class.",
    ),
    "PROBES_CLASSES_DIFFER": Code(
        "The classes listed are not those of the probes, in their order, or not all of the gate's"
        " are probed.",
        "A class looks probed that is not, or the other way round.",
        _TODO,
    ),
    "PROBES_NO_CONTROL": Code(
        "No good request was allowed.",
        "A gate that rejects everything proves nothing by rejecting.",
        "Put a well-formed rehearsal-only request to the gate as well.",
    ),
    "PROBES_SUMMARY_WRONG": Code(
        "A flag or the verdict does not say what the answers say.",
        "Whoever reads only the summary decides on something else.",
        _TODO,
    ),
    "PROBES_EMITTED_DIFFERS": Code(
        "The codes listed as emitted are not those that the gate gives.",
        "What the gate said was left out or made up.",
        _TODO,
    ),
    "PROBES_REQUEST_DIFFERS": Code(
        "A request of the gate's own set of probes is not the one that the gate puts.",
        "It was rewritten after the run, though the gate rejects both for the same reason.",
        _TODO,
    ),
    "PROBES_TOKEN_LEAKED": Code(
        "An evidence file, the plan or what a step printed emits a token that no rehearsal may"
        " emit.",
        "Whoever looks for such tokens takes a rehearsal for an approval.",
        "Find what emits it, and probe again.",
    ),
}
_AGAINST = f"the gate {GATE}"
_LONGEST_KEPT = 256 * 1024
"""Bytes of a file whose probes are kept beyond the packet."""


def rows(evidence: Evidence) -> Iterator[Row]:
    """Put every recorded request to the gate again, and derive all that the file says of it."""
    leaks = list(_leaks(evidence))
    for leak in leaks:
        yield refused(
            leak.pointer,
            leak.token,
            "PROBES_TOKEN_LEAKED",
            "No rehearsal may emit this token.",
        )
    file = evidence.model(FILE, BadInputProbes)
    if file is None:
        return
    kept = all(each is None for each in (file.probes, file.control, file.emitted, file.gate))
    made = file.probes or []
    if not (file.classes if kept else made):
        yield refused(
            f"{FILE}#/probes", "none", "PROBES_NONE", "No probe was made.", "at least one probe"
        )
    yield from _kept_counts(file, leaks) if kept else _answers(evidence, file, made, leaks)


def _leaks(evidence: Evidence) -> Iterator[Leak]:
    """Look for forbidden tokens in all that the lane's programs wrote: evidence and outputs."""
    steps = rehearsal_log.steps(evidence).values()
    outputs = {step.output for step in steps if step.output is not None}
    written = {
        path: entry.content
        for path, entry in evidence.entries.items()
        if entry.content is not None and (path in outputs or path in FILES or path == PLAN)
    }
    # outputs are many and short
    printed = may_hold(b"\n".join([written[path] for path in outputs & written.keys()]))
    for path, content in written.items():
        said = path in FILES or path == PLAN
        # the probes are full of such words, as requests
        if path != FILE and not ((said or printed) and may_hold(content)):
            continue
        if not said:
            for number, line in enumerate(evidence.lines(path), 1):
                yield from (Leak(f"{path}:{number}", token) for token in leaked_line(line))
            continue
        with contextlib.suppress(msgspec.DecodeError, RecursionError):  # refused elsewhere
            value = evidence.value(path)
            short = path == FILE and len(content) <= _LONGEST_KEPT
            if short and isinstance(value, dict) and not _emits(_Same(value.get("probes"))):
                value = {**value, "probes": None}
            yield from (Leak(f"{path}#{at}", token) for at, token in leaked(value))


class _Same:
    """A value as a key that only the very same value equals; it is not changed while it is one."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value


@lru_cache(maxsize=4)  # long members of JSON are read once, and are then one value for many lanes
def _emits(probes: _Same) -> bool:
    return bool(leaked({"probes": probes.value}))


def _answers(
    evidence: Evidence, file: BadInputProbes, made: list[Probe], leaks: list[Leak]
) -> Iterator[Row]:
    """Derive everything from what the gate answers now."""
    yield must_be(
        f"{FILE}#/gate",
        file.gate,
        GATE,
        code="PROBES_GATE_OTHER",
        message="Another gate answered.",
    )
    put, control = _probes_put(evidence, file), msgspec.json.encode(file.control)
    short = len(put) + len(control) <= _LONGEST_KEPT
    put_again = _put_again if short else _put_again.__wrapped__
    held = put_again(put, control, file.gate == GATE, counting())
    yield from held.rows
    yield from _summed_up(file, made, held.summary, leaks)
    yield derived(
        f"{FILE}#/control_allowed",
        file.control_allowed,
        held.control_allowed,
        against=_AGAINST,
        code="PROBES_SUMMARY_WRONG",
        message="The flag does not say what the gate answers to the control.",
    )


class _Held(NamedTuple):
    """Probes and the control, held against what the gate answers to them now."""

    rows: tuple[Row, ...]
    summary: probes.Summary
    control_allowed: bool


def _probes_put(evidence: Evidence, file: BadInputProbes) -> bytes:
    """Return all probes as JSON."""
    value = evidence.values.get(FILE)
    short = len(evidence.content(FILE) or b"") <= _LONGEST_KEPT
    if short and isinstance(value, dict) and not evidence.damaged:
        return _encoded(_Same(value.get("probes")))
    return msgspec.json.encode(file.probes)  # without the keys that no probe has


@lru_cache(maxsize=4)
def _encoded(value: _Same) -> bytes:
    return msgspec.json.encode(value.value)


@lru_cache(maxsize=16)
def _put_again(put: bytes, control_put: bytes, known: bool, _counting: bool) -> _Held:
    """Put probes and the control to the gate again; lanes record the same ones, which it makes.

    Args:
        put: probes as JSON.
        control_put: the control as JSON.
        known: whether it is this gate that answered.
        _counting: whether rows are only counted now, as those that are kept are others then.
    """
    listed = msgspec.json.decode(put, type=list[Probe] | None)
    good = msgspec.json.decode(control_put, type=Control | None)
    made = listed or []
    asks = [msgspec.json.encode(probe.request, order="sorted") for probe in made]
    answers = [_decided(ask) for ask in asks]
    control = decide(good.request) if good is not None else None
    return _Held(
        tuple(_held(made, asks, answers, good, control, known)),
        probes.summary(answers, control),
        control is not None and control.allowed,
    )


def _held(
    made: list[Probe],
    asks: list[bytes],
    answers: list[Answer],
    good: Control | None,
    control: Answer | None,
    known: bool,
) -> Iterator[Row]:
    """Hold what was recorded of each probe and of the control against the gate's answers."""
    ids: dict[str, str] = {}
    asked: dict[bytes, str] = {}
    for index, (probe, ask, answer) in enumerate(zip(made, asks, answers, strict=True)):
        place = f"{FILE}#/probes/{index}"
        yield from _once(ids, probe.id, f"{place}/id", "The id stands twice.")
        yield from _once(asked, ask, f"{place}/request", "The request was put twice.")
        yield from _answer(place, probe, answer)
        yield from _rejected(place, probe, answer)
    if made and known:
        yield from _own_probes(made, asks, answers)
    if good is not None and control is not None:
        ask = msgspec.json.encode(good.request, order="sorted")
        yield from _own_request(f"{FILE}#/control/request", ask, control, _own_control())
        yield from _answer(f"{FILE}#/control", good, control)
    if control is None or not control.allowed:
        yield refused(
            f"{FILE}#/control",
            "absent" if control is None else "rejected",
            "PROBES_NO_CONTROL",
            "No good request is allowed.",
            "allowed",
        )


@lru_cache(maxsize=1024)
def _decided(request: bytes) -> Answer:
    """Put a request to the gate; lanes mostly record the same ones."""
    return decide(msgspec.json.decode(request))


@lru_cache(maxsize=1)
def _own() -> dict[str, bytes]:
    """Return the gate's own probes by class."""
    found = probes.requests().items()
    return {name: msgspec.json.encode(request, order="sorted") for name, request in found}


@lru_cache(maxsize=1)
def _own_control() -> bytes:
    return msgspec.json.encode(probes.control(), order="sorted")


def _own_probes(made: list[Probe], asks: list[bytes], answers: list[Answer]) -> Iterator[Row]:
    """Look for each of the gate's own probes; whoever asks more may do so.

    A probe that is rejected for another class than it names stands for both: it has a finding.
    """
    named: dict[str, list[int]] = {}
    for index, probe in enumerate(made):
        named.setdefault(probe.of, []).append(index)
    for name, own in _own().items():
        there = named.get(name) or [
            at for at, answer in enumerate(answers) if answer.code == BY_ID[name].code
        ]
        if not there:
            yield refused(
                f"{FILE}#/probes",
                "absent",
                "PROBES_CLASSES_DIFFER",
                "The gate has one more class, which was not probed.",
                name,
            )
            continue
        index = there[0]
        if len(there) > 1:
            index = next((at for at in there if asks[at] == own), index)
        yield from _own_request(f"{FILE}#/probes/{index}/request", asks[index], answers[index], own)


def _own_request(where: str, ask: bytes, answer: Answer, own: bytes) -> Iterator[Row]:
    """Hold a request that gets the same answer as the gate's own against that one."""
    if answer != _decided(own):
        return  # it has its own finding, or is somebody else's probe
    same = "the gate's own"
    yield derived(
        where,
        same if ask == own else "another request",
        same,
        against=_AGAINST,
        code="PROBES_REQUEST_DIFFERS",
        message="It differs from the gate's own request, and gets the same answer.",
    )


def _once(seen: dict[Asked, str], value: Asked, where: str, message: str) -> Iterator[Row]:
    first = seen.setdefault(value, where)
    if first != where:
        yield refused(where, f"as {first}", "PROBES_TWICE", message, "another one")


def _answer(place: str, recorded: Probe | Control, answer: Answer) -> Iterator[Row]:
    """Hold a recorded answer against the one that the gate gives."""
    message = "The gate answers otherwise to this request."
    code = "PROBES_ANSWER_DIFFERS"
    yield derived(
        f"{place}/allowed",
        recorded.allowed,
        answer.allowed,
        against=_AGAINST,
        code=code,
        message=message,
    )
    where = f"{place}/reject_code"
    if answer.code is not None:
        yield derived(
            where, recorded.reject_code, answer.code, against=_AGAINST, code=code, message=message
        )
    elif recorded.reject_code is not None:
        yield refused(where, recorded.reject_code, code, message, "null")
    else:
        yield derived(where, "null", "null", against=_AGAINST, code=code, message=message)


def _rejected(place: str, probe: Probe, answer: Answer) -> Iterator[Row]:
    """Judge whether a probe was rejected, for its own reason alone."""
    if answer.code is None:
        yield claimed(f"{place}/class", probe.of)
        yield refused(
            f"{place}/request",
            "allowed",
            "PROBES_FAIL_OPEN",
            "The gate allows this request.",
            "rejected",
        )
        return
    yield derived(
        f"{place}/class",
        probe.of,
        BY_CODE[answer.code].id,
        against=_AGAINST,
        code="PROBES_CLASS_WRONG",
        message="The gate rejects this request for another class.",
    )
    if len(answer.reasons) > 1:
        yield refused(
            f"{place}/request",
            f"{len(answer.reasons)} reasons",
            "PROBES_NOT_ALONE",
            "The gate has more than one reason to reject this request.",
            "one reason",
        )


def _summed_up(
    file: BadInputProbes, made: list[Probe], summed: probes.Summary, leaks: list[Leak]
) -> Iterator[Row]:
    yield _count(file, "probe_count", summed.probe_count, f"{FILE}#/probes")
    yield _count(file, "fail_closed_count", summed.fail_closed_count, _AGAINST)
    for name, computed, against in (
        ("any_fail_open", summed.any_fail_open, _AGAINST),
        ("forbidden_token_leaked", bool(leaks), "the evidence and the outputs"),
        ("verdict", summed.verdict, _AGAINST),
    ):
        yield derived(
            f"{FILE}#/{name}",
            getattr(file, name),
            computed,
            against=against,
            code="PROBES_SUMMARY_WRONG",
            message="The answers say otherwise.",
        )
    yield derived(
        f"{FILE}#/classes",
        file.classes,
        [probe.of for probe in made],
        against=f"{FILE}#/probes",
        code="PROBES_CLASSES_DIFFER",
        message="The probes have other classes, or another order.",
    )
    yield derived(
        f"{FILE}#/emitted",
        # what must not be emitted has its own finding
        [code for code in file.emitted or () if not forbidden(code)],
        summed.emitted,
        against=_AGAINST,
        code="PROBES_EMITTED_DIFFERS",
        message="The gate gives other codes.",
    )


def _count(file: BadInputProbes, name: str, computed: int, against: str) -> Row:
    return derived(
        f"{FILE}#/{name}",
        getattr(file, name),
        computed,
        against=against,
        code="PROBES_COUNT_WRONG",
        message="There is another number of them.",
    )


def _kept_counts(file: BadInputProbes, leaks: list[Leak]) -> Iterator[Row]:
    """Judge a file that kept no request: its count is that of its classes, the rest is claimed.

    What it says against itself, or against the gate, is wrong all the same.
    """
    yield _count(file, "probe_count", len(file.classes), f"{FILE}#/classes")
    seen: dict[str, str] = {}
    for index, name in enumerate(file.classes):
        yield claimed(f"{FILE}#/classes/{index}", name)
        yield from _once(seen, name, f"{FILE}#/classes/{index}", "The class is listed twice.")
    opened = file.fail_closed_count != len(file.classes)
    wrong = {
        "fail_closed_count": opened and not file.any_fail_open,
        "any_fail_open": file.any_fail_open and not opened,
        "verdict": file.verdict == probes.ALL_FAIL_CLOSED and (opened or file.any_fail_open),
        "forbidden_token_leaked": bool(leaks) and not file.forbidden_token_leaked,
    }
    for name, contradicted in wrong.items():
        where, stated = f"{FILE}#/{name}", getattr(file, name)
        if contradicted:
            message = "The file contradicts itself here."
            yield refused(where, stated, "PROBES_SUMMARY_WRONG", message)
        elif stated is not None:
            yield claimed(where, stated)
    if file.any_fail_open:
        yield refused(
            f"{FILE}#/any_fail_open", "true", "PROBES_FAIL_OPEN", "A probe was allowed.", "false"
        )
    if file.forbidden_token_leaked and not leaks:
        yield refused(
            f"{FILE}#/forbidden_token_leaked",
            "true",
            "PROBES_TOKEN_LEAKED",
            "A forbidden token was emitted.",
            "false",
        )
    if file.control_allowed:
        yield claimed(f"{FILE}#/control_allowed", file.control_allowed)
    else:
        yield refused(
            f"{FILE}#/control_allowed",
            "false",
            "PROBES_NO_CONTROL",
            "No good request was allowed.",
            "true",
        )


def sample() -> dict[str, Any]:
    """Return what the file of the sound sample says."""
    return probes.run_probes("sample")


def _other_digest(content: dict[str, Any], _: dict[str, Any]) -> None:
    content["control"]["request"]["rollback"]["after_apply_hash"] = samples.state("change.sql")


def _damaged(change: Callable[[dict[str, Any], dict[str, Any]], object]) -> Callable[[], Evidence]:
    """Return a control: the sample with a change to the file, or to its second probe."""

    def control() -> Evidence:
        content = sample()
        change(content, content["probes"][1])
        return samples.evidence_of(FILE, content)

    return control


def _list_none(content: dict[str, Any], _: dict[str, Any]) -> None:
    content.update(probe_count=0, fail_closed_count=0, classes=[], probes=[], emitted=[])
    content.update(verdict=probes.NOTHING_PROBED)


def _allow(content: dict[str, Any], probe: dict[str, Any]) -> None:
    """Put a request that the gate allows, and record all of it as it is."""
    content["emitted"].remove(probe["reject_code"])
    content["fail_closed_count"] -= 1
    content.update(any_fail_open=True, verdict=probes.FAIL_OPEN)
    probe.update(request=probes.control(), allowed=True, reject_code=None)


def _misname(content: dict[str, Any], probe: dict[str, Any]) -> None:
    content["classes"][1] = probe["class"] = "apply"


def _reject_control(content: dict[str, Any], probe: dict[str, Any]) -> None:
    """Put a bad request as the good one, and record all of it as it is."""
    content["control"].update({key: probe[key] for key in content["control"]})
    content.update(control_allowed=False)


def _leak(content: dict[str, Any], _: dict[str, Any]) -> None:
    content["emitted"].append("PRODUCTION_PASS")
    content.update(forbidden_token_leaked=True)


KIND = EvidenceKind(
    file=FILE,
    title="Bad-input probes",
    about="the gate rejects each bad request, for its own reason, and allows a good one",
    model=BadInputProbes,
    codes=CODES,
    rows=rows,
    controls={
        "PROBES_NONE": _damaged(_list_none),
        "PROBES_COUNT_WRONG": _damaged(lambda content, _: content.update(probe_count=10)),
        "PROBES_TWICE": _damaged(lambda _, probe: probe.update(id="B1")),
        "PROBES_GATE_OTHER": _damaged(lambda content, _: content.update(gate="another-gate/1")),
        "PROBES_ANSWER_DIFFERS": _damaged(
            lambda _, probe: probe.update(reject_code="REQUEST_FORM")
        ),
        "PROBES_FAIL_OPEN": _damaged(_allow),
        "PROBES_NOT_ALONE": _damaged(
            lambda _, probe: probe["request"]["target"].update(contains_secrets=True)
        ),
        "PROBES_CLASS_WRONG": _damaged(_misname),
        "PROBES_CLASSES_DIFFER": _damaged(lambda content, _: content["classes"].reverse()),
        "PROBES_NO_CONTROL": _damaged(_reject_control),
        "PROBES_SUMMARY_WRONG": _damaged(
            lambda content, _: content.update(verdict=probes.FAIL_OPEN)
        ),
        "PROBES_EMITTED_DIFFERS": _damaged(lambda content, _: content["emitted"].reverse()),
        "PROBES_REQUEST_DIFFERS": _damaged(_other_digest),
        "PROBES_TOKEN_LEAKED": _damaged(_leak),
    },
)
