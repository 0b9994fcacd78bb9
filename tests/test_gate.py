"""The gate fails closed: each bad request has its code; only a rehearsal on a clone is allowed."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from generator.evidence import bad_input_probes, samples
from generator.evidence.base import Evidence, gather
from generator.gate import GATE, probes
from generator.gate.decide import Answer, decide
from generator.gate.request import Request
from generator.gate.tokens import Leak, forbidden, leaked
from generator.gate.vocabulary import (
    BY_CODE,
    BY_ID,
    CLASSES,
    SEED_NAMES,
    Coverage,
    classes_of,
    coverage,
)
from generator.model.digest import sha256
from generator.model.outcome import Level
from generator.rules.evidence import judge

PACKETS = Path(__file__).resolve().parents[1] / "packets"
HASH = "a" * 64
OTHER = "b" * 64
RANK = {one.code: rank for rank, one in enumerate(CLASSES)}

Steps = tuple[str | int, ...]


def asked(**changes: object) -> dict[str, Any]:
    """Return the good request with values replaced; ``target__id`` is ``id`` of ``target``."""
    request = probes.control()
    for path, value in changes.items():
        *steps, last = path.split("__")
        holder = request
        for step in steps:
            holder = holder[step]
        holder[last] = value
    return request


def codes(answer: Answer) -> list[str]:
    return [reason.split(": ")[0] for reason in answer.reasons]


def leaves(value: object, steps: Steps = ()) -> Iterator[tuple[Steps, object]]:
    """Yield every value inside a value that is no object and no list."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from leaves(member, (*steps, key))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from leaves(member, (*steps, index))
    else:
        yield steps, value


def nodes(value: object, steps: Steps = ()) -> Iterator[tuple[Steps, object]]:
    """Yield a value and every value inside it."""
    yield steps, value
    items: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for step, member in items:
        yield from nodes(member, (*steps, step))


def replaced(value: Any, steps: Steps, new: object) -> Any:
    """Return a copy of a value in which one place holds something else."""
    if not steps:
        return new
    value = copy.deepcopy(value)
    holder = value
    for step in steps[:-1]:
        holder = holder[step]
    holder[steps[-1]] = new
    return value


# --- each class ---


def test_the_good_request_is_allowed_without_a_code_or_a_reason() -> None:
    assert decide(probes.control()) == Answer(True, None, ())


@pytest.mark.parametrize("of", BY_ID)
def test_the_probe_of_a_class_is_rejected_by_its_code_and_for_nothing_else(of: str) -> None:
    answer = decide(probes.requests()[of])
    assert (answer.allowed, answer.code, codes(answer)) == (
        False,
        BY_ID[of].code,
        [BY_ID[of].code],
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"action": "qt001"}, "APPLY_REQUESTED", id="qt001-is-apply"),
        pytest.param({"action": "Rehearse"}, "ACTION_NOT_KNOWN", id="another-case"),
        pytest.param({"action": ""}, "ACTION_NOT_KNOWN", id="no-action"),
        pytest.param({"surfaces": []}, "SURFACE_NOT_ALLOWED", id="no-surface-named"),
        pytest.param(
            {"surfaces": ["PRODUCTION_CI_DEPLOY"]}, "CI_DEPLOY_REQUESTED", id="ci-surface"
        ),
        pytest.param(
            {"surfaces": ["SECRETS_CREDENTIALS"]}, "SECRETS_CHANGE_REQUESTED", id="secrets-surface"
        ),
        pytest.param({"surfaces": ["temp_clone"]}, "SURFACE_NOT_ALLOWED", id="surface-case"),
        pytest.param({"claims": ["REAL_RUN_PASS"]}, "EXECUTION_TOKEN_CLAIMED", id="real-run-pass"),
        pytest.param({"claims": ["CUTOVER_PASS"]}, "EXECUTION_TOKEN_CLAIMED", id="cutover-pass"),
        pytest.param({"claims": ["QT001_APPLIED"]}, "EXECUTION_TOKEN_CLAIMED", id="qt001-applied"),
        pytest.param({"claims": ["production_pass"]}, "PRODUCTION_CLAIMED", id="lower-case"),
        pytest.param({"claims": ["X_PRODUCTION_PASS_2"]}, "PRODUCTION_CLAIMED", id="inside"),
        pytest.param({"claims": ["KEY_GRANTED"]}, "SEAL_TOKEN_CLAIMED", id="granted"),
        pytest.param({"claims": ["SELFTEST_PASS"]}, "SEAL_TOKEN_CLAIMED", id="any-pass"),
        pytest.param({"claims": ["SELFTEST_P\u0410SS"]}, "SEAL_TOKEN_CLAIMED", id="look-alike"),
        pytest.param({"claims": ["PASSED"]}, "CLAIM_NOT_KNOWN", id="another-word"),
        pytest.param({"claims": ["REHEARSAL_READY\n"]}, "CLAIM_NOT_KNOWN", id="line-end"),
        pytest.param(
            {"target__location": "TEMP/../etc/db"}, "CLONE_POINTS_TO_PRODUCTION", id="dot-dot"
        ),
        pytest.param(
            {"target__location": "127.0.0.1:5432"}, "CLONE_POINTS_TO_PRODUCTION", id="a-port"
        ),
        pytest.param({"target__engine": "oracle"}, "CLONE_NOT_ISOLATED", id="unknown-engine"),
        pytest.param({"target__own_clone": False}, "CLONE_NOT_ISOLATED", id="a-borrowed-clone"),
        pytest.param(
            {"target__isolation__proven": False}, "CLONE_NOT_ISOLATED", id="isolation-not-proven"
        ),
        pytest.param(
            {"target__isolation__checks": {}}, "CLONE_NOT_ISOLATED", id="isolation-not-checked"
        ),
        pytest.param(
            {"delegation__token": "AUTHORIZE_PRODUCTION_EXECUTION"},
            "DELEGATION_MISSING",
            id="delegation-of-something-else",
        ),
        pytest.param(
            {"delegation__token": "AUTHORIZE_CLONE_REHEARSAL_ONLY_AND_CUTOVER"},
            "DELEGATION_MISSING",
            id="delegation-of-more",
        ),
        pytest.param(
            {"delegation__authority": "PRODUCTION"}, "DELEGATION_MISSING", id="too-much-authority"
        ),
        pytest.param(
            {"delegation__target": "another-clone"}, "DELEGATION_MISSING", id="another-target"
        ),
        pytest.param({"target__id": "renamed"}, "DELEGATION_MISSING", id="a-target-renamed"),
        pytest.param({"schema_check": {}}, "SCHEMA_MISMATCH_IGNORED", id="schema-not-checked"),
        pytest.param(
            {"schema_check__birth_registry": "NOT_CHECKABLE"},
            "SCHEMA_MISMATCH_IGNORED",
            id="schema-not-checkable",
        ),
        pytest.param(
            {"rollback__before_hash": "N/A_NO_CLONE"}, "ROLLBACK_NO_MUTATION", id="no-before"
        ),
        pytest.param(
            {"rollback__after_rollback_hash": "N/A_NO_CLONE"},
            "ROLLBACK_DID_NOT_RESTORE",
            id="rollback-not-applicable",
        ),
        pytest.param(
            {"rollback__after_rollback_hash": "ABSENT"},
            "ROLLBACK_DID_NOT_RESTORE",
            id="another-kind-of-hash",
        ),
        pytest.param({"rollback__before_hash": "A" * 64}, "REQUEST_FORM", id="hash-form"),
        pytest.param({"rollback__before_hash": "N/A_"}, "REQUEST_FORM", id="nothing-after-n-a"),
        pytest.param({"seal__listed": "unknown"}, "REQUEST_FORM", id="seal-form"),
        pytest.param({"seal__computed": "ABSENT"}, "SEAL_MISMATCH_PASSES", id="sealed-file-gone"),
        pytest.param(
            {"seal__listed": "ABSENT", "seal__computed": "ABSENT"},
            "SEAL_MISMATCH_PASSES",
            id="a-seal-of-nothing",
        ),
        pytest.param(
            {"seal__listed": "N/A_X", "seal__computed": "N/A_X"},
            "SEAL_MISMATCH_PASSES",
            id="n-a-proves-nothing",
        ),
        pytest.param({"seal__drift": "BOM"}, "BYTE_DRIFT_PASSES", id="drift-of-equal-hashes"),
        pytest.param({"target__id": ""}, "REQUEST_FORM", id="no-id"),
        pytest.param({"target__is_production": 0}, "REQUEST_FORM", id="a-number-for-a-flag"),
        pytest.param({"target__is_production": "false"}, "REQUEST_FORM", id="a-text-for-a-flag"),
        pytest.param({"target__is_production": None}, "REQUEST_FORM", id="null-for-a-flag"),
        pytest.param({"claims": "PASS"}, "REQUEST_FORM", id="a-text-for-a-list"),
        pytest.param({"approved": True}, "REQUEST_FORM", id="a-key-nobody-knows"),
        pytest.param({"target__isolation__by": "me"}, "REQUEST_FORM", id="a-key-further-down"),
        pytest.param({"\ud800": True}, "REQUEST_FORM", id="a-key-that-is-no-text"),
    ],
)
def test_a_request_with_one_thing_wrong_is_rejected_by_exactly_one_code(
    changes: dict[str, object], code: str
) -> None:
    answer = decide(asked(**changes))
    assert (answer.code, set(codes(answer))) == (code, {code})


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"claims": []}, id="nothing-claimed"),
        pytest.param({"claims": ["PASS", "PROVEN_IN_STAGING"]}, id="pass-that-is-borne-out"),
        pytest.param(
            {"claims": ["FIX7_P0_PRODUCTION_SHAPED_CLONE_REHEARSAL_READY_NOT_APPLIED"]}, id="s2"
        ),
        pytest.param({"claims": ["FIX7_P0_PRODUCTION_REHEARSAL_ONLY_ROLLBACK_READY"]}, id="s0"),
        pytest.param({"claims": ["CLONE_REHEARSAL_SQLITE_ROLLBACK_PROVEN_ON_CLONE"]}, id="ours"),
        pytest.param({"delegation__token": "AUTHORIZE_PRODUCTION_REHEARSAL_ONLY"}, id="delegation"),
        pytest.param(
            {"target__engine": "postgresql", "target__location": "TEMP/x.XX/socket"},
            id="engine",
        ),
        pytest.param(
            {"rollback__before_hash": "ABSENT", "rollback__after_rollback_hash": "ABSENT"},
            id="a-document-that-is-created",
        ),
        pytest.param({"surfaces": ["TEMP_CLONE"]}, id="one-surface"),
    ],
)
def test_a_rehearsal_on_a_clone_may_differ_from_the_good_request(
    changes: dict[str, object],
) -> None:
    assert decide(asked(**changes)) == Answer(True, None, ())


# --- precedence, reasons ---


def test_of_two_things_that_are_wrong_the_first_of_the_vocabulary_gives_the_code() -> None:
    plain = {of: change for of, change in probes._CHANGES.items() if not of.startswith("pass-")}
    seen = 0
    for first, change in plain.items():
        for second, other in plain.items():
            if {path.split("/")[0] for path in change} & {path.split("/")[0] for path in other}:
                continue  # the two are said at one place
            request = asked(**{path.replace("/", "__"): new for path, new in change.items()})
            for path, new in other.items():
                request = replaced(request, tuple(path.split("/")), new)
            both = [BY_ID[of].code for of in sorted((first, second), key=list(BY_ID).index)]
            answer = decide(request)
            assert (answer.code, codes(answer)) == (both[0], both)
            seen += 1
    assert seen > 500


def test_what_is_claimed_in_spite_of_something_takes_the_place_of_what_it_is_in_spite_of() -> None:
    answer = decide(
        asked(
            claims=["PASS"],
            surfaces=["TEMP_CLONE", "PRODUCTION_DATABASE"],
            target__own_clone=False,
        )
    )
    assert answer == Answer(
        False,
        "PASS_WHILE_FORBIDDEN_SURFACE",
        (
            "PASS_WHILE_FORBIDDEN_SURFACE: /surfaces/1: "
            "It claims PASS and touches a forbidden surface.",
            "PASS_WITHOUT_ISOLATION: /target/own_clone: The clone is not the lane's own.",
        ),
    )


def test_every_single_fact_is_a_reason_of_its_own() -> None:
    answer = decide(
        asked(target__isolation__checks={"a": False, "b/c": False}, target__own_clone=False)
    )
    assert answer.reasons == (
        "CLONE_NOT_ISOLATED: /target/own_clone: The clone is not the lane's own.",
        "CLONE_NOT_ISOLATED: /target/isolation/checks/a: The check did not hold.",
        "CLONE_NOT_ISOLATED: /target/isolation/checks/b~1c: The check did not hold.",
    )


def test_a_hostile_name_gets_into_a_reason_as_one_safe_line() -> None:
    (reason,) = decide(asked(schema_check={"\x1b[2J\u202e\n" + "x" * 999: "ABSENT"})).reasons
    assert reason.isprintable()
    assert len(reason) < 400


def test_an_answer_cannot_be_allowed_and_have_a_code() -> None:
    for allowed, code, reasons in (
        (True, "REQUEST_FORM", ("a",)),
        (True, None, ("a",)),
        (False, None, ()),
        (False, "REQUEST_FORM", ()),
    ):
        with pytest.raises(ValueError, match="allowed or has a code"):
            Answer(allowed, code, reasons)


# --- fail closed, whatever comes ---

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=20)
    | st.sampled_from(["rehearse", "PASS", "TEMP_CLONE", HASH, "ABSENT", "N/A_X", "PRESENT"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["action", "target", "claims", "rollback"])
            | st.text(st.characters(exclude_categories=()), max_size=8),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)
NODES = list(nodes(probes.control()))
FREE = {
    ("target", "engine"),
    ("target", "location"),
    ("target", "isolation", "checks"),
    ("surfaces",),
    ("surfaces", 0),
    ("surfaces", 1),
    ("surfaces", 2),
    ("delegation", "token"),
    ("schema_check",),
    ("rollback", "after_apply_hash"),
    ("claims",),
    ("claims", 0),
}
"""Where another value can be as good."""


@given(JSON)
@example(None)
@example({})
@example([probes.control()])
@example(json.dumps(probes.control()))
@example({"request": probes.control()})
def test_no_other_json_value_is_allowed_and_none_raises(value: object) -> None:
    answer = decide(value)
    assert (answer.allowed, answer.code, codes(answer)) == (
        False,
        "REQUEST_FORM",
        ["REQUEST_FORM"],
    )


@given(st.sampled_from(NODES), JSON)
def test_one_value_replaced_is_rejected_or_of_the_same_type_at_a_place_that_is_free(
    node: tuple[Steps, object], new: object
) -> None:
    steps, old = node
    answer = decide(replaced(probes.control(), steps, new))
    assert answer.code is None or answer.code in BY_CODE
    if answer.allowed:
        assert type(new) is type(old)
        assert steps in FREE or new == old


def test_a_value_of_a_hundred_thousand_levels_is_rejected() -> None:
    deep: object = True
    for _ in range(100_000):
        deep = [deep]
    for value in (deep, asked(claims=deep), asked(target__isolation__checks={"a": deep})):
        assert decide(value).code == "REQUEST_FORM"


@pytest.mark.parametrize("steps", [steps for steps, old in NODES if isinstance(old, bool)])
def test_each_flag_turned_round_is_rejected(steps: Steps) -> None:
    old = dict(leaves(probes.control()))[steps]
    assert not decide(replaced(probes.control(), steps, not old)).allowed


OBJECTS = [
    (steps, value)
    for steps, value in NODES
    if isinstance(value, dict) and steps[-1:] not in (("checks",), ("schema_check",))
]


def test_each_key_left_out_and_each_key_too_many_is_a_matter_of_form() -> None:
    tried = 0
    for steps, value in OBJECTS:
        for changed in (
            {**value, "more": None},
            *({key: value[key] for key in value if key != gone} for gone in value),
        ):
            assert decide(replaced(probes.control(), steps, changed)).code == "REQUEST_FORM"
            tried += 1
    assert tried == len(OBJECTS) + sum(len(value) for _, value in OBJECTS)


def test_every_field_of_a_request_is_what_some_class_is_judged_by() -> None:
    """Each leaf of the form is named by a reason of a rejected request other than REQUEST_FORM."""
    damaged = {
        "action": "apply",
        "target__engine": "x",
        "target__location": "x",
        "target__is_production": True,
        "target__own_clone": False,
        "target__isolation__proven": False,
        "target__isolation__checks": {},
        "target__contains_secrets": True,
        "surfaces": [],
        "delegation__token": "x",
        "delegation__authority": "x",
        "delegation__target": "x",
        "schema_check": {},
        "rollback__before_hash": "N/A_X",
        "rollback__after_apply_hash": "N/A_X",
        "rollback__after_rollback_hash": "N/A_X",
        "seal__listed": OTHER,
        "seal__computed": OTHER,
        "seal__drift": "BOM",
        "claims": ["X_PASS"],
        "target__id": "x",
    }
    fields = {"__".join(steps) for steps in _fields(msgspec.inspect.type_info(Request))}
    assert set(damaged) == fields
    for path, new in damaged.items():
        assert "REQUEST_FORM" not in codes(decide(asked(**{path: new}))) != []


def _fields(info: msgspec.inspect.Type, steps: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(info, msgspec.inspect.UnionType):
        structs = [part for part in info.types if isinstance(part, msgspec.inspect.StructType)]
        info = structs[0] if structs else info
    if isinstance(info, msgspec.inspect.StructType):
        for field in info.fields:
            yield from _fields(field.type, (*steps, field.name))
    else:
        yield steps


# --- the vocabulary ---


def test_ids_and_codes_are_each_used_once_and_no_code_is_a_forbidden_token() -> None:
    assert len(BY_ID) == len(BY_CODE) == len(CLASSES) == 33
    assert [one for one in CLASSES if forbidden(one.code) or forbidden(one.id)] == []
    assert [one for one in CLASSES if not one.meaning.endswith(".")] == []


def test_all_classes_of_s0_s2_and_s3_are_mapped() -> None:
    counts = {seed: len(names.covered) for seed, names in coverage(BY_ID).items()}
    assert counts == {"S0": 10, "S2": 10, "S3": 15}
    assert [name for name in SEED_NAMES if not set(name.classes) <= set(BY_ID)] == []
    assert {name: classes_of(name) for seed in SEED_NAMES for name in seed.names} == {
        name: seed.classes for seed in SEED_NAMES for name in seed.names
    }


def test_two_names_of_one_seed_never_stand_for_the_same_class() -> None:
    for seed in ("S0", "S2", "S3"):
        ids = [one for name in SEED_NAMES if name.seed == seed for one in name.classes]
        assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize(
    ("packet", "count"),
    [
        pytest.param("production-rehearsal-only-rollback", 10, id="S0"),
        pytest.param("production-shaped-clone", 10, id="S2"),
        pytest.param("no-production-execution", 15, id="S3"),
    ],
)
def test_every_name_in_the_reports_told_from_the_seeds_is_known(packet: str, count: int) -> None:
    report = json.loads((PACKETS / packet / "report.json").read_text("utf-8"))
    said = report["workstream_E_bad_input_probes"]
    names = said.get("classes") or [probe["request"] for probe in said["probes"]]
    assert [name for name in names if not classes_of(name)] == []
    assert len(names) == len({classes_of(name) for name in names}) == count


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        pytest.param("prod ci/deploy", ("ci-deploy",), id="case"),
        pytest.param("CUTOVER_REQUESTED", ("cutover",), id="reject-code"),
        pytest.param("clone-not-isolated", ("clone-not-isolated",), id="class-id"),
        pytest.param(
            "permit/activation/repoint/cutover",
            ("permit", "activation", "repoint", "cutover"),
            id="several",
        ),
        pytest.param("something else", (), id="unknown"),
        pytest.param("", (), id="empty"),
    ],
)
def test_a_name_stands_for_the_classes_that_it_covers(name: str, ids: tuple[str, ...]) -> None:
    assert classes_of(name) == ids


def test_lanes_can_be_compared_and_several_classes_count_only_together() -> None:
    s0 = {one for name in SEED_NAMES if name.seed == "S0" for one in name.classes}
    assert coverage(s0)["S2"].covered == ("apply_did_not_mutate", "production_pass_from_clone")
    assert coverage(s0)["S3"] == Coverage(
        covered=(
            "production target",
            "REAL_RUN",
            "QT001/apply",
            "prod CI/deploy",
            "secrets",
            "apply==before",
            "missing rollback proof",
        ),
        missing=(
            "permit/activation/repoint/cutover",
            "prod PG",
            "prod Directus",
            "prod system_issues",
            "evidence deletion",
            "missing delegation",
            "rollback-no-mutation",
            "PASS-while-forbidden-surface",
        ),
    )


# --- tokens ---


@pytest.mark.parametrize(
    ("token", "bad"),
    [
        ("PRODUCTION_PASS", True),
        ("REAL_RUN_PASS", True),
        ("CUTOVER_PASS", True),
        ("FIX7_PRODUCTION_PASS_FINAL", True),
        ("QT001", True),
        ("QT001_APPLIED", True),
        ("FIX7_QT001", True),
        ("T2_REVIEW_PASS", True),
        ("NEXT_LANE_AUTHORIZED", True),
        ("NEXT_LANE_AUTHORISED", True),
        ("PERMIT_GRANTED", True),
        ("production_pass", True),
        ("PRODUCTION_P\u0410SS", True),  # Cyrillic A
        ("PRODUCTION_\u200bPASS", True),
        ("\uff30RODUCTION_PASS", True),  # a wide P
        ("PRODUCTION_\u24c5ASS", True),  # a P in a circle
        ("PASS", False),
        ("PASS_VALIDATOR_READY_REHEARSAL_NOT_APPLIED", False),
        ("AUTHORIZE_PRODUCTION_EXECUTION", False),
        ("AUTHORIZE_PRODUCTION_REHEARSAL_ONLY", False),
        ("REHEARSAL_READY_NOT_APPLIED", False),
        ("HOLD_PRODUCTION", False),
        ("COMPASS", False),
        ("", False),
    ],
)
def test_a_forbidden_token_is_known_in_any_writing(token: str, bad: bool) -> None:
    assert forbidden(token) is bad


@pytest.mark.parametrize(
    ("value", "leaks"),
    [
        pytest.param(
            {"final_status": "PRODUCTION_PASS"},
            [Leak("/final_status", "PRODUCTION_PASS")],
            id="status",
        ),
        pytest.param(
            {"a/b": [{"headline": "X_GRANTED"}]},
            [Leak("/a~1b/0/headline", "X_GRANTED")],
            id="any-key",
        ),
        pytest.param("CUTOVER_PASS", [Leak("", "CUTOVER_PASS")], id="the-whole-output"),
        pytest.param(
            {"verdict": "all good: REAL_RUN_PASS (QT001)"},
            [Leak("/verdict", "REAL_RUN_PASS"), Leak("/verdict", "QT001")],
            id="prose-of-a-verdict",
        ),
        pytest.param(
            {"status_name": "QT001_APPLY", "surface_status": "X_PASS"},
            [Leak("/status_name", "QT001_APPLY"), Leak("/surface_status", "X_PASS")],
            id="a-result-is-not-only-named",
        ),
        pytest.param(
            {"emitted": ["REQUEST_FORM", "PRODUCTION_\u200bPASS", "QT001"]},
            [Leak("/emitted/1", "PRODUCTION_PASS"), Leak("/emitted/2", "QT001")],
            id="a-list-of-tokens",
        ),
        pytest.param({"preflight": {"t2": "T2_REVIEW_PASS"}}, [], id="preflight"),
        pytest.param({"previous_status": "X_PASS"}, [], id="previous"),
        pytest.param({"quoted": {"status": ["X_PASS"]}}, [], id="quoted"),
        pytest.param({"t2_independent_review": "X_REVIEW_PASS"}, [], id="review"),
        pytest.param({"request": {"claims": ["PRODUCTION_PASS"]}}, [], id="request"),
        pytest.param(
            {"surfaces": [{"id": "QT001_APPLY", "state": "UNTOUCHED"}]}, [], id="a-surface"
        ),
        pytest.param({"forbidden_surfaces": ["QT001/apply"]}, [], id="names-of-surfaces"),
        pytest.param({"options": ["AUTHORIZE_PRODUCTION_EXECUTION"]}, [], id="options"),
        pytest.param({"selftest_pass": True, "qt001": False}, [], id="keys"),
        pytest.param({"commands_sh": "OVERALL PASS", "outcome": "PASS"}, [], id="plain-pass"),
        pytest.param({"next": "no PRODUCTION_PASS before QT001"}, [], id="spoken-of-in-prose"),
    ],
)
def test_a_leak_is_a_token_that_the_lane_itself_emits(value: object, leaks: list[Leak]) -> None:
    assert leaked(value) == leaks


def test_what_is_emitted_can_be_said_by_pointers() -> None:
    value = {"a": "X_PASS", "preflight": ["Y_PASS"]}
    assert leaked(value, emitted=lambda pointer: pointer.startswith("/preflight/")) == [
        Leak("/preflight/0", "Y_PASS")
    ]


def test_no_machine_output_of_our_own_packets_leaks() -> None:
    paths = sorted(PACKETS.rglob("*.json"))
    assert len(paths) > 10
    assert {
        path.name: leaks for path in paths if (leaks := leaked(json.loads(path.read_text("utf-8"))))
    } == {}


# --- the probes ---


def test_a_run_gives_the_whole_content_of_the_file() -> None:
    run = probes.run_probes("a-lane")
    ids = [one.id for one in CLASSES]
    asked_for = probes.requests()
    assert run == {
        "schema": "lanebook/bad-input-probes/1",
        "lane": "a-lane",
        "gate": "lanebook-gate/1",
        "probe_count": 33,
        "fail_closed_count": 33,
        "any_fail_open": False,
        "control_allowed": True,
        "forbidden_token_leaked": False,
        "verdict": "ALL_FAIL_CLOSED",
        "classes": ids,
        "probes": [
            {
                "id": f"B{number}",
                "class": of,
                "request": asked_for[of],
                "allowed": False,
                "reject_code": BY_ID[of].code,
            }
            for number, of in enumerate(ids, 1)
        ],
        "control": {"request": probes.control(), "allowed": True, "reject_code": None},
        "emitted": [one.code for one in CLASSES],
    }
    assert json.loads(json.dumps(run)) == run


def test_each_run_is_new() -> None:
    probes.run_probes("a")["probes"][1]["request"]["surfaces"].append("NETWORK")
    probes.run_probes("a")["control"]["request"]["surfaces"].append("NETWORK")
    assert probes.run_probes("a")["any_fail_open"] is False
    assert decide(probes.control()).allowed


def test_nothing_probed_is_not_fail_closed() -> None:
    allowed, rejected = decide(probes.control()), decide(None)
    assert [
        probes.summary(answers, allowed).verdict
        for answers in ([], [rejected], [rejected, allowed])
    ] == ["NOTHING_PROBED", "ALL_FAIL_CLOSED", "FAIL_OPEN"]


# --- the evidence file ---

FILE = bad_input_probes.FILE
KIND = bad_input_probes.KIND
OLD: dict[str, Any] = {
    "probe_count": 10,
    "fail_closed_count": 10,
    "any_fail_open": False,
    "control_allowed": True,
    "forbidden_token_leaked": False,
    "verdict": "ALL_FAIL_CLOSED",
    "classes": [name.names[0] for name in SEED_NAMES if name.seed == "S2"],
}
"""What S2 states of its probes."""


def evidence(content: object) -> Evidence:
    """Return a packet that holds this one file."""
    data = samples.encoded(content)
    return gather(samples.packet_of({FILE: data}), [KIND], {FILE: sha256(data)})


def found(content: object) -> list[str]:
    """Return the codes of all findings, those of the form included."""
    judged = evidence(content)
    return [row.code for row in (*judged.damaged, *KIND.rows(judged)) if row.code]


def answered(control: Callable[[], Evidence]) -> set[str]:
    """Return the codes that answer a control, whether or not the kind is listed yet."""
    entry = control().entries[FILE]
    return set(found(json.loads(entry.content or b"")))


def test_the_sound_sample_has_no_finding_and_only_its_gate_is_claimed() -> None:
    judged = evidence(bad_input_probes.sample())
    claims = [row.claim for row in KIND.rows(judged)]
    assert (found(bad_input_probes.sample()), judged.damaged) == ([], ())
    assert [claim.where for claim in claims if claim.level is not Level.RECOMPUTED] == [
        f"{FILE}#/gate"
    ]
    # 33 probes of four facts, three of the control, nine of the whole
    assert len(claims) == 33 * 4 + 3 + 9


@pytest.mark.parametrize("code", KIND.codes)
def test_each_control_is_answered_by_exactly_its_own_code(code: str) -> None:
    assert answered(KIND.controls[code]) == {code}


def test_every_code_has_a_control_and_an_explanation_of_whole_sentences() -> None:
    assert list(KIND.controls) == list(KIND.codes)
    assert [text for code in KIND.codes.values() for text in code if not text.endswith(".")] == []


TURNED = [
    (steps, value)
    for steps, value in leaves(bad_input_probes.sample())
    if isinstance(value, (bool, int))
]
SAID = [
    (steps, value)
    for steps, value in leaves(bad_input_probes.sample())
    if "request" not in steps and (isinstance(value, str) or value is None) and steps != ("lane",)
]


def test_the_sample_has_flags_and_numbers_everywhere() -> None:
    places = [steps[-2:] for steps, _ in TURNED]
    assert len(places) > 150
    assert places.count(("target", "contains_secrets")) == 33
    assert ("probe_count",) in places


@pytest.mark.parametrize(
    ("steps", "value"),
    TURNED,
    ids=lambda at: "/".join(map(str, at)) if isinstance(at, tuple) else "",
)
def test_any_one_flag_or_number_that_is_another_gives_a_finding(
    steps: Steps, value: bool | int
) -> None:
    other = not value if isinstance(value, bool) else value + 1
    assert found(replaced(bad_input_probes.sample(), steps, other)) != []


def test_any_one_text_outside_the_requests_that_is_another_gives_a_finding() -> None:
    ids = {("probes", at, "id") for at in range(33)}
    silent = [
        steps
        for steps, _ in SAID
        if steps not in ids and not found(replaced(bad_input_probes.sample(), steps, "OTHER"))
    ]
    assert silent == []
    assert len(SAID) > 100


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, [], id="sound"),
        pytest.param({"probe_count": 11}, ["PROBES_COUNT_WRONG"], id="count"),
        pytest.param({"fail_closed_count": 9}, ["PROBES_SUMMARY_WRONG"] * 2, id="one-open"),
        pytest.param(
            {"any_fail_open": True},
            ["PROBES_SUMMARY_WRONG", "PROBES_SUMMARY_WRONG", "PROBES_FAIL_OPEN"],
            id="open-though-all-closed",
        ),
        pytest.param(
            {"any_fail_open": True, "fail_closed_count": 9, "verdict": "FAIL_OPEN"},
            ["PROBES_FAIL_OPEN"],
            id="open-and-said-so",
        ),
        pytest.param({"control_allowed": False}, ["PROBES_NO_CONTROL"], id="control"),
        pytest.param({"forbidden_token_leaked": True}, ["PROBES_TOKEN_LEAKED"], id="leak"),
        pytest.param(
            {"verdict": "PRODUCTION_PASS"},
            ["PROBES_TOKEN_LEAKED", "PROBES_SUMMARY_WRONG"],
            id="a-leak-that-is-denied",
        ),
        pytest.param(
            {"classes": [*OLD["classes"][:9], OLD["classes"][0]]}, ["PROBES_TWICE"], id="padded"
        ),
        pytest.param(
            {"classes": [], "probe_count": 0, "fail_closed_count": 0}, ["PROBES_NONE"], id="none"
        ),
    ],
)
def test_a_file_without_requests_is_held_against_itself(
    changes: dict[str, object], expected: list[str]
) -> None:
    assert found(OLD | changes) == expected


def test_a_file_without_requests_is_claimed_only_but_for_its_count() -> None:
    rows = list(KIND.rows(evidence(OLD)))
    assert [row.claim.where for row in rows if row.claim.level is Level.RECOMPUTED] == [
        f"{FILE}#/probe_count"
    ]
    assert len(rows) == 1 + 10 + 5


@pytest.mark.parametrize(
    ("gone", "expected"),
    [
        pytest.param("probes", "PROBES_NONE", id="probes"),
        pytest.param("control", "PROBES_NO_CONTROL", id="control"),
        pytest.param("emitted", "PROBES_EMITTED_DIFFERS", id="emitted"),
        pytest.param("gate", "PROBES_GATE_OTHER", id="gate"),
        pytest.param("verdict", "PROBES_SUMMARY_WRONG", id="verdict"),
        pytest.param("classes", "EV-TYPE", id="classes"),
    ],
)
def test_a_part_taken_out_is_missed(gone: str, expected: str) -> None:
    content = bad_input_probes.sample()
    del content[gone]
    assert expected in found(content)


def test_a_request_put_twice_under_two_ids_is_seen_in_any_key_order() -> None:
    content = bad_input_probes.sample()
    again = copy.deepcopy(content["probes"][1])
    again["id"] = "B34"
    again["request"] = dict(reversed(again["request"].items()))
    content["probes"].append(again)
    content["classes"].append(again["class"])
    content.update(probe_count=34, fail_closed_count=34)
    assert found(content) == ["PROBES_TWICE"]


@given(JSON)
def test_any_request_at_all_is_judged_without_a_crash(value: object) -> None:
    content = bad_input_probes.sample()
    content["probes"][1]["request"] = content["control"]["request"] = value
    try:
        data = samples.encoded(content)
        msgspec.json.decode(data)
    except (UnicodeEncodeError, msgspec.DecodeError):
        return  # refused before, as no strict JSON
    assert {"PROBES_ANSWER_DIFFERS", "PROBES_NO_CONTROL"} <= set(found(content))


def test_the_findings_are_one_safe_line_each() -> None:
    content = replaced(bad_input_probes.sample(), ("probes", 1, "class"), "\x1b[2J\u202e")
    _, found = judge(evidence(content), [])
    told = [part for finding in found for part in finding]
    assert told != []
    assert [part for part in told if not part.isprintable()] == []


def test_the_form_has_a_json_schema() -> None:
    schema = msgspec.json.schema(KIND.model)
    assert schema["$defs"]["Probe"]["required"] == [
        "id",
        "class",
        "request",
        "allowed",
        "reject_code",
    ]
    assert (KIND.schema, GATE) == (probes.SCHEMA, "lanebook-gate/1")
