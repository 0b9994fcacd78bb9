"""``server-isolation.json``: the throwaway server could be reached by nobody, and reached nobody.

What it holds was read inside the sandbox: by the server itself, before anything of the dump was in
it, and by the shell that started it. What that comes to is derived from it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from generator.evidence import rehearsal_log, samples
from generator.evidence.base import (
    Evidence,
    EvidenceKind,
    EvidenceModel,
    claimed,
    derived,
    must_be,
    refused,
)
from generator.evidence.target_lock import FILE as LOCK
from generator.evidence.target_lock import TargetLock
from generator.ledger import Row
from generator.rules.base import Code

FILE = "server-isolation.json"
ISOLATED, NOT_ISOLATED = "ISOLATED", "NOT_ISOLATED"
ENGINE = "postgresql"
PRECONDITIONS = "rehearsal-preconditions.json"

_TCP, _ROUTE, _SOCKET = "SERVER_LISTENS_TCP", "SERVER_ROUTE", "SERVER_SOCKET"
_HBA, _ENVIRONMENT, _NONE = "SERVER_HBA", "SERVER_ENVIRONMENT", "SERVER_NOT_OBSERVED"
_OWN_ENVIRONMENT = frozenset({"HOME", "LC_ALL", "PATH"})
_WANTED: dict[str, tuple[str, list[str]]] = {
    "tcp": (_TCP, []),
    "tcp6": (_TCP, []),
    "udp": (_TCP, []),
    "udp6": (_TCP, []),
    "listen_addresses": (_TCP, [""]),
    "unix": (_SOCKET, ["/server/.s.PGSQL.5432"]),
    "unix_socket_directories": (_SOCKET, ["/server"]),
    "unix_socket_permissions": (_SOCKET, ["0700"]),
    "route": (_ROUTE, []),
    "ipv6_route": (_ROUTE, []),
    "interfaces": (_ROUTE, ["lo"]),
    "hba": (_HBA, ["local all postgres trust"]),
}
"""By what was looked at, the code of anything else than the one thing that may be seen there."""


class ServerIsolation(EvidenceModel, frozen=True):
    """What was seen where the server ran, and what that comes to."""

    observed: dict[str, list[str]]
    problems: list[str]
    verdict: str
    observed_at_step: str | None = None


_TODO = "Rehearse again, in a sandbox without network and with nothing inherited."
CODES = {
    _TCP: Code(
        "The throwaway server has a TCP or UDP socket.",
        "Somebody else could have written to it while it was rehearsed on.",
        _TODO,
    ),
    _ROUTE: Code(
        "Where the throwaway server ran there is a route, or a network interface but the loopback.",
        "What was restored there could have reached production.",
        _TODO,
    ),
    _SOCKET: Code(
        "Where the throwaway server ran there is another Unix socket than its own.",
        "It could have reached another server on the same machine, or be reached from elsewhere.",
        _TODO,
    ),
    _HBA: Code(
        "The throwaway server lets others than its own user log in, or in another way.",
        "It is open who worked on it.",
        _TODO,
    ),
    _ENVIRONMENT: Code(
        "The throwaway server inherited settings, PGHOST for example.",
        "Such a setting can lead a program of PostgreSQL to another server.",
        _TODO,
    ),
    _NONE: Code(
        "The target is a PostgreSQL server, and how it was isolated was not looked at, or not all"
        " of it.",
        "What was not looked at may have been open.",
        _TODO,
    ),
    "SERVER_PROBLEMS_DIFFER": Code(
        "The problems that are listed are not those that the observations show.",
        "Whoever reads only the list decides on something else.",
        _TODO,
    ),
    "SERVER_VERDICT_WRONG": Code(
        "The verdict on a server's isolation does not say what the observations say.",
        "Whoever reads only the verdict decides on something else.",
        _TODO,
    ),
    "SERVER_LATE": Code(
        "The server was not looked at in the step that locked the target.",
        "What ran before was not on a server that was seen to be isolated.",
        _TODO,
    ),
}


def rows(evidence: Evidence) -> Iterator[Row]:
    """Derive from what was seen what is wrong with it."""
    found = evidence.model(FILE, ServerIsolation)
    lock = evidence.model(LOCK, TargetLock)
    if found is None:
        if lock is not None and lock.target.engine == ENGINE and not evidence.has(FILE):
            message = f"There is no {FILE}."
            yield refused(f"{LOCK}#/target/engine", ENGINE, _NONE, message, FILE)
        return
    seen = found.observed
    # where nothing was rehearsed, that it was not isolated is why; what asks for another machine
    # is held against it
    held = lock is None and evidence.has(PRECONDITIONS)
    for name, (code, wanted) in _WANTED.items():
        where = f"{FILE}#/observed/{name}"
        if name not in seen:
            yield refused(where, "absent", _NONE, "It was not looked at.", "a list")
        else:
            message = "Something else than the server's own was seen."
            yield (
                claimed(where, seen[name])
                if held
                else must_be(where, seen[name], wanted, code=code, message=message)
            )
    names = seen.get("environment")
    where = f"{FILE}#/observed/environment"
    if names is None:
        yield refused(where, "absent", _NONE, "It was not looked at.", "a list")
    else:
        own = [name for name in names if name in _OWN_ENVIRONMENT]
        message = "It has more in its environment than it was given."
        yield (
            claimed(where, names)
            if held
            else must_be(where, names, own, code=_ENVIRONMENT, message=message)
        )
    problems = _problems(seen)
    yield derived(
        f"{FILE}#/problems",
        found.problems,
        problems,
        against=f"{FILE}#/observed",
        code="SERVER_PROBLEMS_DIFFER",
        message="The observations show others.",
    )
    yield derived(
        f"{FILE}#/verdict",
        found.verdict,
        NOT_ISOLATED if problems else ISOLATED,
        against=f"{FILE}#/observed",
        code="SERVER_VERDICT_WRONG",
        message="The observations say something else.",
    )
    if found.observed_at_step is not None:
        log = evidence.model(rehearsal_log.FILE, rehearsal_log.RehearsalLog)
        yield derived(
            f"{FILE}#/observed_at_step",
            found.observed_at_step,
            log.steps[0].id if log is not None and log.steps else None,
            against=f"{rehearsal_log.FILE}#/steps/0/id",
            code="SERVER_LATE",
            message="The target was locked in another step.",
        )


def _problems(seen: dict[str, list[str]]) -> list[str]:
    """Return the codes of what is wrong with what was seen, sorted."""
    codes = {code for name, (code, wanted) in _WANTED.items() if seen.get(name, wanted) != wanted}
    if set(seen.get("environment", ())) - _OWN_ENVIRONMENT:
        codes.add(_ENVIRONMENT)
    return sorted(codes)


def sample() -> dict[str, object]:
    """Return what the file of the sound sample says."""
    return {
        "lane": "sample",
        "observed_at_step": "RX-0",
        "observed": {
            **{name: list(wanted) for name, (_, wanted) in _WANTED.items()},
            "environment": sorted(_OWN_ENVIRONMENT),
        },
        "problems": [],
        "verdict": ISOLATED,
    }


def _seen(code: str, name: str, *lines: str) -> Callable[[], Evidence]:
    """Return a control: something else was seen, and the rest of the file tells of it."""
    return lambda: samples.changed(
        FILE,
        {
            ("observed", name): list(lines),
            ("problems",): [code],
            ("verdict",): NOT_ISOLATED,
        },
    )


_LISTENS: Sequence[str] = ("0: 0100007F:1538 00000000:0000 0A",)
_DEFAULT: Sequence[str] = ("eth0 00000000 010011AC 0003 0 0 0 00000000 0 0 0",)

KIND = EvidenceKind(
    file=FILE,
    title="Isolation of the server",
    about="the throwaway server could be reached by nobody, and could reach nobody",
    model=ServerIsolation,
    codes=CODES,
    rows=rows,
    controls={
        _TCP: _seen(_TCP, "tcp", *_LISTENS),
        _ROUTE: _seen(_ROUTE, "route", *_DEFAULT),
        _SOCKET: _seen(_SOCKET, "unix", "/run/postgresql/.s.PGSQL.5432", "/server/.s.PGSQL.5432"),
        _HBA: _seen(_HBA, "hba", "host all all 0.0.0.0/0 trust"),
        _ENVIRONMENT: _seen(_ENVIRONMENT, "environment", "HOME", "LC_ALL", "PATH", "PGHOST"),
        _NONE: lambda: samples.changed(FILE, {("observed", "route"): samples.DELETED}),
        "SERVER_PROBLEMS_DIFFER": lambda: samples.changed(FILE, {("problems",): [_ROUTE]}),
        "SERVER_VERDICT_WRONG": lambda: samples.changed(FILE, {("verdict",): NOT_ISOLATED}),
        "SERVER_LATE": lambda: samples.changed(FILE, {("observed_at_step",): "RX-3"}),
    },
)
