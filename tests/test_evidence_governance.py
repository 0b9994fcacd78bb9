"""Evidence of authority, scope, plan, review, blockers and governance (spec 2.2)."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from generator.evidence import (
    blocker_map,
    ci_seal,
    clone_provenance,
    delegation_lock,
    execution_plan,
    governance_addendum,
    mutations,
    post_review,
    samples,
    schema_compatibility,
    schemas,
    scope_lock,
    tallies,
)
from generator.evidence.base import Evidence, findings, gather
from generator.evidence.kinds import KINDS
from generator.model.digest import sha256
from generator.rules.evidence import judge, told

PACKETS = Path(__file__).resolve().parents[1] / "packets"
MODULES: tuple[ModuleType, ...] = (
    blocker_map,
    delegation_lock,
    scope_lock,
    execution_plan,
    post_review,
    clone_provenance,
    schema_compatibility,
    ci_seal,
    governance_addendum,
)
EACH = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.KIND.file)
ACTIONS = "actions.jsonl"


def found(evidence: Evidence) -> list[tuple[str, str]]:
    """Return code and place of everything that refutes."""
    errors: list[Any] = []
    _, answers = judge(evidence, errors)
    assert errors == []
    return [(finding.code, finding.where) for finding in answers if finding.refutes]


def codes(evidence: Evidence) -> set[str]:
    return {code for code, _ in found(evidence)}


def own_codes(module: ModuleType, evidence: Evidence) -> set[str]:
    """Return what this kind alone has to say."""
    return {finding.code for finding in findings(module.rows(evidence))}


def levels(module: ModuleType, evidence: Evidence) -> dict[str, str]:
    """Return how each fact of a file is known, by its place."""
    file = module.KIND.file
    return {
        row.claim.where.removeprefix(file): str(row.claim.level)
        for row in module.rows(evidence)
        if row.claim.where.startswith(file)
    }


def changed(module: ModuleType, *steps: str | int, to: object) -> Evidence:
    return samples.changed(module.FILE, {steps: to})


def also(line: dict[str, Any]) -> bytes:
    """Return the sample's action log with one more line."""
    return samples.FILES[ACTIONS] + json.dumps(line).encode() + b"\n"


def action(**members: Any) -> dict[str, Any]:
    target = f"{samples.CLONE}/x"
    return {"step": "RX-5", "surface": "TEMP_CLONE", "action": "read", "target": target, **members}


# --- what holds for each kind ---


@EACH
def test_the_sound_sample_gives_no_finding(module: ModuleType) -> None:
    evidence = samples.evidence()
    assert isinstance(evidence.models[module.FILE], module.KIND.model)
    assert found(evidence) == []
    assert levels(module, evidence)


@pytest.mark.parametrize(
    ("module", "code"),
    [(module, code) for module in MODULES for code in module.CODES],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_control_is_answered_by_exactly_its_code(module: ModuleType, code: str) -> None:
    assert set(module.KIND.controls) == set(module.CODES)
    assert codes(module.KIND.controls[code]()) == {code}


def facts(value: Any, steps: tuple[str | int, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the steps to each boolean, integer and digest, with another value of its kind."""
    if isinstance(value, (dict, list, tuple)):
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for key, member in members:
            yield from facts(member, (*steps, key))
    elif isinstance(value, bool):
        yield steps, not value
    elif isinstance(value, int):
        yield from ((steps, other) for other in (value + 1, value - 1, 10**30))
    elif isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value):
        yield steps, str(sha256(value.encode()))


@EACH
def test_every_boolean_number_and_digest_is_derived_from_something_else(
    module: ModuleType,
) -> None:
    altered = list(facts(module.sample()))
    assert altered
    missed = [steps for steps, other in altered if not found(changed(module, *steps, to=other))]
    assert missed == []


@EACH
def test_no_fact_of_a_sample_can_be_taken_out_for_another_type(module: ModuleType) -> None:
    """A file of a wrong type is named with its place, and not judged."""
    for steps, _ in facts(module.sample()):
        evidence = changed(module, *steps, to={"not": "this"})
        pointer = "/".join(map(str, steps))
        assert ("EV-TYPE", f"{module.FILE}#/{pointer}") in found(evidence)
        assert own_codes(module, evidence) == set()


@EACH
@pytest.mark.parametrize("content", [b"[]", b"{}", b"null", b'"x"', b"{"])
def test_what_is_no_file_of_its_kind_is_not_judged(module: ModuleType, content: bytes) -> None:
    evidence = samples.evidence({module.FILE: content})
    assert module.FILE not in evidence.models
    assert ("EV-TYPE", module.FILE) in found(evidence)
    assert list(module.rows(evidence)) == []


LEANS_ON = {
    (blocker_map.FILE, delegation_lock.FILE): "BLOCKER_MAP_EVIDENCE_MISSING",
    (post_review.FILE, scope_lock.FILE): "REVIEW_EVIDENCE_MISSING",
    (post_review.FILE, "forbidden-surface-proof.json"): "REVIEW_EVIDENCE_MISSING",
    (post_review.FILE, "rollback-recovery-proof.json"): "REVIEW_EVIDENCE_MISSING",
}
"""What names another evidence file says so when that is gone."""


@EACH
def test_without_a_file_of_another_kind_there_is_nothing_to_find(module: ModuleType) -> None:
    for other in (*(kind.file for kind in KINDS), ACTIONS):
        if other == module.FILE:
            continue
        wanted = LEANS_ON.get((module.FILE, other))
        gone = own_codes(module, samples.evidence({other: None}))
        assert (other, gone) == (other, {wanted} if wanted else set())
        damaged = own_codes(module, samples.evidence({other: b'{"lane": 1}'}))
        assert (other, damaged) == (other, set())


@EACH
def test_an_unknown_key_is_a_note_and_refutes_nothing(module: ModuleType) -> None:
    evidence = changed(module, "approved_by_everyone", to=True)
    assert found(evidence) == []
    _, answers = judge(evidence, [])
    assert [finding.code for finding in answers] == ["EV-KEY-UNKNOWN"]


@EACH
def test_optional_parts_may_be_absent(module: ModuleType) -> None:
    info = msgspec.inspect.type_info(module.KIND.model)
    assert isinstance(info, msgspec.inspect.StructType)
    required = {field.encode_name for field in info.fields if field.required}
    least = {key: member for key, member in module.sample().items() if key in required}
    if module is clone_provenance:
        # a selected clone has a source; without one there is none
        least |= {"source": module.sample()["source"]}
    if module is schema_compatibility:
        least |= {"state_file": "states/expected.sql"}
    assert set(least) < set(module.sample())
    assert own_codes(module, samples.evidence_of(module.FILE, least)) == set()


@pytest.mark.parametrize("lane", ["clone-rehearsal-sqlite", "clone-rehearsal-sqlite-2"])
def test_the_sealed_lanes_of_this_project_are_read_and_give_no_finding(lane: str) -> None:
    folder = PACKETS / lane / "evidence"
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    evidence = gather(samples.packet_of(files), KINDS, {})
    assert evidence.damaged == ()
    for module in (blocker_map, governance_addendum):
        assert isinstance(evidence.models[module.FILE], module.KIND.model)
        assert own_codes(module, evidence) == set()
        assert levels(module, evidence)


@EACH
def test_hostile_text_is_one_safe_line(module: ModuleType) -> None:
    hostile = "\x1b[2J\u202e\n"

    def poisoned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: poisoned(member) for key, member in value.items()}
        if isinstance(value, (list, tuple)):
            return [poisoned(member) for member in value]
        return hostile if isinstance(value, str) else value

    claims, answers = judge(samples.evidence_of(module.FILE, poisoned(module.sample())), [])
    assert answers
    for one in (*told(claims), *answers):
        for text in one:
            assert not {"\x1b", "\n", "\u202e"} & set(str(text))


# --- names ---


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("REAL_RUN", "real-run", True),
        ("not checkable", "NOT_CHECKABLE", True),
        ("Straße", "STRASSE", True),
        ("障害一", "障害二", False),
        ("***", "---", False),
        ("S1", "S11", False),
    ],
)
def test_names_are_compared_by_their_words(first: str, second: str, same: bool) -> None:
    assert (tallies.word(first) == tallies.word(second)) is same


# --- the blocker map ---


def test_a_closed_blocker_is_not_shown_by_its_own_map() -> None:
    evidence = changed(blocker_map, "blockers", 2, "evidence", to=[blocker_map.FILE])
    assert codes(evidence) == {"BLOCKER_MAP_CLOSED_BARE"}


def test_a_blocker_that_is_closed_by_its_map_alone_is_found_out() -> None:
    """Everything that counts says so, and nothing shows it."""
    evidence = samples.changed(
        blocker_map.FILE,
        {
            ("blockers", 1, "state"): "CLOSED",
            ("open_count",): 1,
            ("closed_count",): 2,
            ("newly_closed",): ["FIX7-P0-PROD-CI-SCOPE-1", "FIX7-P0-PLAN-EXEC-AUTH-1"],
        },
    )
    assert codes(evidence) == {"BLOCKER_MAP_CLOSED_BARE"}


@pytest.mark.parametrize("state", ["", "resolved?", "closed, mostly", "done"])
def test_a_state_that_is_not_known_leaves_the_blocker_open(state: str) -> None:
    evidence = changed(blocker_map, "blockers", 1, "state", to=state)
    assert codes(evidence) == {"BLOCKER_MAP_STATE"}
    assert blocker_map.states(evidence)["FIX7-P0-PROD-CI-SCOPE-1"]


@pytest.mark.parametrize(
    ("first", "second", "answer"),
    [
        pytest.param("proven", "OPEN", set(), id="as-it-is"),
        pytest.param("open", "open", {"BLOCKER_MAP_LEG"}, id="partially-without-a-done-leg"),
        pytest.param("proven", "closed", {"BLOCKER_MAP_LEG"}, id="open-without-an-open-leg"),
        pytest.param("proven", "soon", {"BLOCKER_MAP_STATE"}, id="unknown-word-is-open"),
    ],
)
def test_a_blocker_is_as_open_as_its_legs(first: str, second: str, answer: set[str]) -> None:
    evidence = samples.changed(
        blocker_map.FILE,
        {
            ("blockers", 0, "legs", 0, "status"): first,
            ("blockers", 0, "legs", 1, "status"): second,
        },
    )
    assert codes(evidence) == answer


def test_a_closed_blocker_with_an_open_leg_is_found_out() -> None:
    evidence = changed(
        blocker_map, "blockers", 2, "legs", to=[{"id": "production leg", "status": "OPEN"}]
    )
    assert codes(evidence) == {"BLOCKER_MAP_LEG"}


@pytest.mark.parametrize("progress", blocker_map.PROGRESS)
def test_each_word_of_progress_is_known_and_only_claimed(progress: str) -> None:
    evidence = changed(blocker_map, "blockers", 1, "progress", to=progress)
    assert found(evidence) == []
    assert levels(blocker_map, evidence)["#/blockers/1/progress"] == "claimed only"


def test_an_open_blocker_says_how_far_it_is() -> None:
    evidence = changed(blocker_map, "blockers", 1, "progress", to=None)
    assert codes(evidence) == {"BLOCKER_MAP_STATE"}


# --- delegation ---


@pytest.mark.parametrize(
    ("token", "authority", "within"),
    [
        # S0, S3
        ("AUTHORIZE_PRODUCTION_REHEARSAL_ONLY", "REHEARSAL-ONLY", True),
        (
            "AUTHORIZE_IMPLEMENTATION_EXECUTION_NO_PRODUCTION",
            "IMPLEMENTATION_EXECUTION_NO_PRODUCTION",
            True,
        ),
        ("AUTHORIZE_IMPLEMENTATION_EXECUTION_NO_PRODUCTION", "IMPLEMENTATION_EXECUTION", False),
        ("AUTHORIZE_IMPLEMENTATION_EXECUTION_NO_PRODUCTION", "PRODUCTION", False),
        ("AUTHORIZE_PRODUCTION_REHEARSAL_ONLY", "PRODUCTION", False),
        ("AUTHORIZE_PRODUCTION_REHEARSAL_ONLY", "ONLYX", False),
        ("AUTHORIZE_PRODUCTION_REHEARSAL_ONLY", "", False),
    ],
)
def test_an_authority_keeps_the_limits_of_its_delegation(
    token: str, authority: str, within: bool
) -> None:
    evidence = samples.changed(
        delegation_lock.FILE, {("delegation_consumed",): token, ("authority",): authority}
    )
    assert codes(evidence) == (set() if within else {"DELEGATION_AUTHORITY"})


@pytest.mark.parametrize("token", ["", "  ", "HOLD_PRODUCTION", "none", "N/A"])
def test_a_lane_without_a_decision_is_found_out(token: str) -> None:
    evidence = samples.changed(
        delegation_lock.FILE, {("delegation_consumed",): token, ("authority",): None}
    )
    assert codes(evidence) == {"DELEGATION_NONE"}


def test_a_blocker_that_is_not_in_the_map_is_not_carried() -> None:
    evidence = changed(delegation_lock, "carried_blockers", to=["FIX7-P0-UNHEARD-OF-1"])
    assert found(evidence) == [
        ("DELEGATION_CARRIED", f"{delegation_lock.FILE}#/carried_blockers/0")
    ]


def test_what_the_owner_said_is_only_claimed() -> None:
    known = levels(delegation_lock, samples.evidence())
    assert known["#/delegation_consumed"] == "claimed only"
    assert known["#/authorizes/0"] == "claimed only"
    assert known["#/carried_blockers/0"] == "recomputed"


# --- scope ---


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        ' select * FROM main."birth;registry";\n',
        "SELECT 'DELETE FROM t; INTO'",
        "PRAGMA database_list",
        "PRAGMA main.table_xinfo('t');",
        "PRAGMA user_version",
        "BEGIN IMMEDIATE",
        "COMMIT",
        "ROLLBACK TO before",
    ],
)
def test_a_statement_that_surely_reads_changes_nothing(sql: str) -> None:
    assert mutations.reads_only(sql)
    line = action(action="sql", sql=sql)
    assert found(samples.evidence({ACTIONS: also(line)})) == []


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (1)",
        "SELECT id INTO u FROM t",
        "SELECT 1; DELETE FROM t",
        "SELECT 1 /* ' */; DELETE FROM t --'",
        'SELECT "\'"; DELETE FROM "\'"',
        "SELECT [']; DELETE FROM t WHERE x = [']",
        "PRAGMA journal_mode = WAL",
        "PRAGMA user_version(5)",
        "PRAGMA optimize",
        "WITH x AS (SELECT 1) DELETE FROM t",
        "SELECT a, b…",
        ".read seed.sql",
        "",
        None,
        7,
    ],
)
def test_a_statement_that_may_write_is_a_change(sql: object) -> None:
    if isinstance(sql, str):
        assert not mutations.reads_only(sql)
    line = action(action="sql", sql=sql)
    assert codes(samples.evidence({ACTIONS: also(line)})) == {"SCOPE_EXCEEDED"}


@pytest.mark.parametrize(
    ("members", "writes"),
    [
        ({"action": "read"}, False),
        ({"action": "run", "target": "rehearse.py lock"}, False),
        ({"action": "run", "target": "rehearse.py lock", "output": "outputs/RX-1.txt"}, True),
        ({"action": "connect", "target": ":memory:"}, False),
        ({"action": "connect"}, True),
        ({"action": "write"}, True),
        ({"action": "make-folder"}, True),
        ({"action": "remove-folder"}, True),
        ({"action": "os.rename"}, True),
        ({"action": "upload_document"}, True),
    ],
)
def test_what_is_not_known_to_read_is_a_change(members: dict[str, str], writes: bool) -> None:
    evidence = samples.evidence({ACTIONS: also(action(**members))})
    assert own_codes(scope_lock, evidence) == ({"SCOPE_EXCEEDED"} if writes else set())


def test_what_the_lock_allows_is_recomputed_from_the_log_and_claimed_without_one() -> None:
    place = "#/allowed_mutations/0"
    assert levels(scope_lock, samples.evidence())[place] == "recomputed"
    assert levels(scope_lock, samples.evidence({ACTIONS: None}))[place] == "claimed only"


def test_a_line_that_cannot_be_read_leaves_open_what_was_changed() -> None:
    """It may hide the change that the lock allows, or one on an excluded surface."""
    lines = samples.FILES[ACTIONS].splitlines(keepends=True)
    log = b"".join((b"something was done\n", *lines[1:]))
    evidence = samples.evidence({ACTIONS: log})
    assert own_codes(scope_lock, evidence) == set()
    known = levels(scope_lock, evidence)
    assert known["#/allowed_mutations/0"] == "claimed only"
    assert known["#/allowed_mutations/1"] == "recomputed"
    assert known["#/any_excluded_surface_mutated"] == "claimed only"
    wrote = json.dumps(action(action="write")).encode()
    assert own_codes(scope_lock, samples.evidence({ACTIONS: log + wrote})) == {"SCOPE_EXCEEDED"}


def test_a_change_on_an_excluded_surface_is_found_out_though_the_lock_allows_it() -> None:
    line = action(surface="NETWORK", action="send", target="somewhere")
    lock = copy.deepcopy(scope_lock.sample())
    allowed: Any = lock["allowed_mutations"]
    allowed.append({"surface": "NETWORK", "target": "somewhere"})
    lock["mutation_count"] = len(allowed)
    evidence = samples.evidence({ACTIONS: also(line), scope_lock.FILE: samples.encoded(lock)})
    assert own_codes(scope_lock, evidence) == {"SCOPE_FORBIDDEN", "SCOPE_FLAG_WRONG"}


# --- the plan ---


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"surface": "NETWORK"}, id="surface"),
        pytest.param({"action": "cutover"}, id="action"),
        pytest.param({"action": "run", "target": "sh cutover.sh"}, id="script"),
        pytest.param({"action": "run", "target": "rehearse.py --real-run"}, id="option"),
    ],
)
def test_an_action_that_attempts_the_forbidden_row_is_found_out(members: dict[str, str]) -> None:
    evidence = samples.evidence({ACTIONS: also(action(**members))})
    assert own_codes(execution_plan, evidence) == {
        "PLAN_FORBIDDEN_ATTEMPTED",
        "PLAN_FLAG_WRONG",
    }


def test_a_command_that_attempts_the_forbidden_row_is_found_out() -> None:
    evidence = samples.changed(
        "rehearsal-log.json", {("steps", 5, "command"): "python3 rehearse.py REAL_RUN"}
    )
    assert own_codes(execution_plan, evidence) == {
        "PLAN_FORBIDDEN_ATTEMPTED",
        "PLAN_FLAG_WRONG",
    }


@pytest.mark.parametrize("command", ["rehearse.py lock-cutover", "x ROLLBACK_CUTOVER_DID_NOT"])
def test_a_longer_word_is_another_word(command: str) -> None:
    evidence = samples.evidence({ACTIONS: also(action(action="run", target=command))})
    assert own_codes(execution_plan, evidence) == set()


def test_the_forbidden_row_is_only_claimed_where_no_log_can_be_read() -> None:
    place = "#/forbidden/attempted"
    assert levels(execution_plan, samples.evidence())[place] == "recomputed"
    for log in (None, samples.FILES[ACTIONS] + b"something was done\n"):
        evidence = samples.evidence({ACTIONS: log})
        assert levels(execution_plan, evidence)[place] == "claimed only"
    said = changed(execution_plan, "forbidden", "attempted", to=True)
    assert codes(said) == {"PLAN_FLAG_WRONG"}


@pytest.mark.parametrize(
    "ran",
    [
        pytest.param(["RX-2", "RX-1", "RX-0"], id="order"),
        pytest.param(["RX-1"], id="left-out"),
        pytest.param(["RX-0", "RX-1", "RX-10"], id="made-up"),
    ],
)
def test_the_rehearsal_ran_as_it_was_planned(ran: list[str]) -> None:
    assert codes(changed(execution_plan, "steps", 0, "rehearsal_steps", to=ran)) == {"PLAN_ORDER"}


# --- reviews ---


@pytest.mark.parametrize("verdict", ["PASS_WITH_REMARKS", "pass", "", "UNKNOWN"])
def test_only_a_plain_pass_is_one(verdict: str) -> None:
    evidence = changed(post_review, "reviews", 1, "verdict", to=verdict)
    assert codes(evidence) == {"REVIEW_VERDICT", "REVIEW_OVERALL", "REVIEW_COUNT_WRONG"}


def test_no_review_is_no_pass() -> None:
    evidence = samples.evidence_of(
        post_review.FILE, {"reviews": [], "all_pass": True, "overall": "PASS"}
    )
    assert codes(evidence) == {"REVIEW_NONE", "REVIEW_OVERALL"}


def test_a_review_that_looked_at_itself_looked_at_nothing() -> None:
    evidence = changed(post_review, "reviews", 0, "evidence", to=[post_review.FILE])
    assert codes(evidence) == {"REVIEW_UNFILLED"}


def test_the_tenth_review_comes_after_the_ninth() -> None:
    """S3: PER-1..PER-10."""
    reviews: list[dict[str, Any]] = [
        {"id": f"PER-{at}", "check": "x", "evidence": ["change.sql"], "verdict": "PASS"}
        for at in range(1, 11)
    ]
    file = {"reviews": reviews, "review_count": 10, "overall": "PASS"}
    assert found(samples.evidence_of(post_review.FILE, file)) == []
    reviews[1:] = [reviews[9], *reviews[1:9]]
    assert codes(samples.evidence_of(post_review.FILE, file)) == {"REVIEW_GAP"}


def test_a_verdict_is_the_reviewers_word() -> None:
    assert levels(post_review, samples.evidence())["#/reviews/0/verdict"] == "claimed only"


# --- the clone ---


def no_clone() -> dict[str, Any]:
    """S2: what was looked at, and why nothing was taken."""
    return {
        "method": "local disk and governed KB searched; production not contacted",
        "candidates": [
            {"id": "operator dump", "selected": False, "rejected_because": "NOT PROVIDED"},
            {"id": "live production", "selected": False, "rejected_because": "FORBIDDEN"},
        ],
        "candidate_count": 2,
        "rejected_count": 2,
        "selected": None,
        "secrets_found": 0,
        "verdict": "NO_SAFE_PRODUCTION_SHAPED_CLONE_AVAILABLE",
    }


def test_a_lane_that_found_no_clone_says_so() -> None:
    evidence = samples.evidence_of(clone_provenance.FILE, no_clone())
    # the sample has a target all the same
    assert codes(evidence) == {"CLONE_TARGET_DIFFERS"}
    alone = gather(
        samples.packet_of({clone_provenance.FILE: samples.encoded(no_clone())}), KINDS, {}
    )
    assert found(alone) == []
    # where nothing was searched, nothing was found
    assert levels(clone_provenance, alone)["#/secrets_found"] == "claimed only"


def test_a_source_without_a_clone_is_found_out() -> None:
    file = no_clone() | {"source": clone_provenance.sample()["source"], "secrets_found": None}
    alone = {clone_provenance.FILE: samples.encoded(file)}
    assert codes(gather(samples.packet_of(alone), KINDS, {})) == {"CLONE_SOURCE"}


def test_a_source_that_is_not_in_the_packet_is_claimed_only() -> None:
    evidence = samples.changed(
        clone_provenance.FILE,
        {
            ("source", "file"): "dump.sql",
            ("searched_for_secrets", 0, "file"): "dump.sql",
        },
    )
    assert found(evidence) == []
    known = levels(clone_provenance, evidence)
    assert known["#/source/sha256"] == "claimed only"
    assert known["#/searched_for_secrets/0/secrets"] == "claimed only"
    assert known["#/secrets_found"] == "claimed only"


@pytest.mark.parametrize(
    "line",
    [
        b"-----BEGIN " + b"RSA PRIVATE KEY-----",
        b"AKIA" + b"ABCDEFGHIJKLMNOP",
        b"ghp_" + b"0123456789abcdefghijABCDEFGHIJ012345",
        b"postgres://app:hunter2@db/prod",
        b"INSERT INTO t VALUES ('password=hunter2');",
        b'{"api_key": "k1"}',
        b"\"Access_Token\" : 'x'",
    ],
)
def test_a_secret_in_the_source_is_found_though_the_file_says_none(line: bytes) -> None:
    evidence = samples.changed_together(
        {
            clone_provenance.FILE: {
                ("source",): {"file": "seed.sql", "sha256": str(sha256(line))},
                ("searched_for_secrets", 0, "file"): "seed.sql",
            }
        },
        {"seed.sql": line},
    )
    assert found(evidence) == [
        ("CLONE_SECRET", f"{clone_provenance.FILE}#/searched_for_secrets/0/secrets")
    ]


@pytest.mark.parametrize(
    "line", [b"password TEXT NOT NULL,", b"secret_count INTEGER", b"see https://example.org/a:b"]
)
def test_a_column_is_no_secret(line: bytes) -> None:
    evidence = samples.changed_together(
        {
            clone_provenance.FILE: {
                ("source",): {"file": "seed.sql", "sha256": str(sha256(line))},
                ("searched_for_secrets", 0, "file"): "seed.sql",
            }
        },
        {"seed.sql": line},
    )
    assert found(evidence) == []


# --- the schema ---


def test_without_a_clone_nothing_is_checkable() -> None:
    """S2: seven entities, and no clone to look them up in."""
    names = ("birth_registry", "registry row", "Directus fields")
    file: dict[str, Any] = {
        "entities": [{"entity": name, "state": "not checkable"} for name in names],
        "counts": {"present": 0, "absent": 0, "different": 0, "not_checkable": 3},
        "clone_present": False,
        "live_schema_read": False,
        "verdict": "CANNOT_BE_CHECKED_NO_CLONE_SPEC_PROVIDED_AS_REQUIREMENT",
    }
    assert found(samples.evidence_of(schema_compatibility.FILE, file)) == []
    file["entities"][0] |= {"state": "PRESENT", "table": "birth_registry"}
    file["counts"] |= {"present": 1, "not_checkable": 2}
    assert found(samples.evidence_of(schema_compatibility.FILE, file)) == [
        ("SCHEMA_ENTITY_DIFFERS", f"{schema_compatibility.FILE}#/entities/0/state")
    ]


def test_only_entities_that_are_all_present_are_compatible() -> None:
    entities: list[dict[str, Any]] = [{"entity": "t", "table": "T", "state": "PRESENT"}]
    file: dict[str, Any] = {
        "state_file": "states/expected.sql",
        "entities": entities,
        "counts": {"present": 1, "absent": 0, "different": 0, "not_checkable": 0},
        "clone_present": True,
        "live_schema_read": False,
        "verdict": "COMPATIBLE",
    }
    assert found(samples.evidence_of(schema_compatibility.FILE, file)) == []
    entities.append({"entity": "u", "state": "NOT_CHECKABLE"})
    file["counts"]["not_checkable"] = 1
    assert codes(samples.evidence_of(schema_compatibility.FILE, file)) == {"SCHEMA_VERDICT"}


def test_a_state_of_another_form_is_not_looked_into() -> None:
    evidence = samples.changed_together(
        {schema_compatibility.FILE: {("state_file",): "states/expected.jsonl"}},
        {"states/expected.jsonl": b'["row", 1]\n'},
    )
    assert found(evidence) == []
    known = levels(schema_compatibility, evidence)
    assert known["#/entities/0/state"] == "claimed only"


@pytest.mark.parametrize(
    ("content", "tables"),
    [
        pytest.param(b"CREATE TABLE t (id INTEGER);", {"t": {"id"}}, id="plain"),
        pytest.param(
            b'-- schema "CREATE TABLE \\"Birth Registry\\" (\\n a INT, b TEXT)"\n',
            {"birth registry": {"a", "b"}},
            id="canonical",
        ),
        pytest.param(
            b'-- schema "CREATE TABLE t (a)"\nCREATE TABLE u (b);\n', {"t": {"a"}}, id="one-form"
        ),
        pytest.param(
            b"create table if not exists public.t (\n  a numeric(10, 2) DEFAULT 1,\n"
            b"  b text CHECK (b IN ('x', 'y,z')),\n  PRIMARY KEY (a, b)\n);",
            {"t": {"a", "b"}},
            id="brackets",
        ),
        pytest.param(
            b"INSERT INTO t VALUES ('CREATE TABLE x (y)');\n-- CREATE TABLE z (y)\n",
            {},
            id="in-a-value",
        ),
        pytest.param(b"CREATE TABLE t AS SELECT 1;", {"t": None}, id="no-columns"),
        pytest.param(b"CREATE TABLE t (a, b", {"t": {"a", "b"}}, id="cut-off"),
        pytest.param(b"CREATE VIEW t (a) AS SELECT 1;", {}, id="view"),
        pytest.param(b"\xff\xfeCREATE TABLE t (a)", {"t": {"a"}}, id="no-utf-8"),
        pytest.param(b"-- schema 7\n", {}, id="no-text"),
    ],
)
def test_tables_are_read_from_a_state(content: bytes, tables: dict[str, Any]) -> None:
    assert schemas.tables(content) == tables


@pytest.mark.parametrize(
    "hostile", [b"CREATE TABLE [", b"CREATE TABLE a (", b"'\n", b"/* ", b"CREATE  "]
)
def test_a_hostile_state_is_read_in_one_pass(hostile: bytes) -> None:
    assert len(schemas.tables(hostile * 20_000)) <= 1


# --- the gate ---


def test_seven_are_counted_and_six_are_listed() -> None:
    """S2 lists six classes of drift, S4 counts seven."""
    names = (
        "edited_content",
        "emdash_unicode_drift",
        "json_ensure_ascii_drift",
        "bom_prefix",
        "crlf_drift",
        "missing_file",
    )
    changes: dict[Any, object] = {
        ("cases",): [
            {
                "drift_class": name,
                "observed_sha256": str(sha256(name.encode())),
                "answer": "FAIL",
                "fails_closed": True,
            }
            for name in names
        ],
        ("class_count",): 7,
        ("fail_closed_count",): 6,
    }
    evidence = samples.changed(ci_seal.FILE, changes)
    assert found(evidence) == [("CI_SEAL_COUNT_WRONG", f"{ci_seal.FILE}#/class_count")]
    assert found(samples.changed(ci_seal.FILE, changes | {("class_count",): 6})) == []


@pytest.mark.parametrize("answer", ["PASS", "ERROR", "", "fail"])
def test_whatever_is_no_fail_fails_open(answer: str) -> None:
    assert "CI_SEAL_FAILS_OPEN" in codes(changed(ci_seal, "cases", 1, "answer", to=answer))


def test_a_control_of_other_bytes_is_none() -> None:
    evidence = samples.changed(
        ci_seal.FILE,
        {
            ("control", "observed"): "states/other.sql",
            ("control", "observed_sha256"): samples.state("states/other.sql"),
        },
    )
    assert codes(evidence) == {"CI_SEAL_CONTROL", "CI_SEAL_FLAG_WRONG"}


@pytest.mark.parametrize("value", ["N/A_NO_FILE", "e6547e69…956c47", ""])
def test_bytes_without_a_whole_digest_were_not_tried(value: str) -> None:
    evidence = changed(ci_seal, "cases", 1, "observed_sha256", to=value)
    assert codes(evidence) == {"CI_SEAL_BYTES_DIFFER"}


# --- governance ---


@pytest.mark.parametrize(
    "reserved",
    [
        "",
        "508..509",
        "TKT-OBJ-508",
        "TKT-OBJ-508..TKT-OBJ-509",
        "TKT-OBJ-0508..0509",
        "TKT-OBJ-508..509 ",
        "TKT-OBJ-٥٠٨..509",
        "TKT-OBJ-1..9999999999999999999",
    ],
)
def test_a_range_is_written_in_one_way(reserved: str) -> None:
    evidence = changed(governance_addendum, "objects_reserved", to=reserved)
    assert codes(evidence) == {"GOVERNANCE_RANGE_FORM"}


def test_a_range_of_any_length_is_held_against_the_list() -> None:
    evidence = changed(
        governance_addendum, "objects_reserved", to="TKT-OBJ-508..999999999999999999"
    )
    assert found(evidence) == [("GOVERNANCE_OBJECTS", f"{governance_addendum.FILE}#/objects")]


@pytest.mark.parametrize(
    ("reserved", "ceiling", "answer"),
    [
        pytest.param("TKT-OBJ-508..509", 507, set(), id="right-above"),
        pytest.param("TKT-OBJ-508..509", 508, {"GOVERNANCE_CEILING"}, id="overlap"),
        pytest.param("TKT-OBJ-508..509", 506, {"GOVERNANCE_CEILING"}, id="gap"),
        pytest.param("TKT-OBJ-509..510", 508, {"GOVERNANCE_OBJECTS"}, id="moved"),
        pytest.param("TKT-OBJ-508..510", 507, {"GOVERNANCE_OBJECTS"}, id="one-more"),
        pytest.param("TKT-OBJ-508..508", 507, {"GOVERNANCE_OBJECTS"}, id="one-less"),
        pytest.param("TKT-DOC-508..509", 507, {"GOVERNANCE_OBJECTS"}, id="other-objects"),
    ],
)
def test_a_range_starts_right_above_its_ceiling_and_is_its_objects(
    reserved: str, ceiling: int, answer: set[str]
) -> None:
    evidence = samples.changed(
        governance_addendum.FILE, {("objects_reserved",): reserved, ("above_ceiling",): ceiling}
    )
    assert codes(evidence) == answer
