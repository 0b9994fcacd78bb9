"""The rules: each is proven, none is listed twice, a broken one ends no other."""

from __future__ import annotations

import re
import shutil
import stat
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import generator.rules
from generator import selftest
from generator.model.digest import sha256
from generator.model.finding import Finding
from generator.model.packet import MANIFEST, SEALS, TREE, Entry, Kind, Packet
from generator.rules.base import Rule
from generator.rules.catalogue import ALL, CODES, READING_RULES
from generator.rules.evidence import EVIDENCE_RULES
from generator.rules.over_chain import CHAIN_RULES
from generator.rules.over_decisions import DECISION_RULES
from generator.rules.over_documents import LANE_RULES
from generator.rules.over_packets import PACKET_RULES
from generator.rules.over_roots import ROOT_RULES
from generator.selftest import Over
from generator.states import plainly_sound
from tests.folders import FILES, Answer, content, digest, lane, listing, only, packet, run, verify

BY_NAME = {rule.name: rule for rule in ALL}


# --- what is listed ---


def test_every_rule_of_every_module_is_listed_once() -> None:
    written = [
        value
        for module in iter_modules(generator.rules.__path__, "generator.rules.")
        for value in vars(import_module(module.name)).values()
        if isinstance(value, Rule)
    ]
    written += EVIDENCE_RULES  # made from the kinds of evidence, and not by name
    assert {id(rule) for rule in written} == {id(rule) for rule in ALL}
    assert len({id(rule) for rule in ALL}) == len(ALL) == len(BY_NAME)
    assert sorted(rule.name for rule in ALL) == sorted(
        rule.name
        for group in (
            *(READING_RULES, PACKET_RULES, EVIDENCE_RULES, LANE_RULES, ROOT_RULES),
            *(CHAIN_RULES, DECISION_RULES),
        )
        for rule in group
    )


def test_no_code_is_used_twice_and_each_has_one_form() -> None:
    codes = [code for rule in ALL for code in rule.codes]
    assert sorted(codes) == sorted(CODES)
    # validators of evidence write theirs as the lanes do
    form = re.compile(r"[A-Z]+(?:-[A-Z0-9]+)+|[A-Z]+(?:_[A-Z0-9]+)+")
    assert [code for code in codes if not form.fullmatch(code)] == []


@pytest.mark.parametrize("code", sorted(CODES))
def test_an_explanation_is_whole_sentences(code: str) -> None:
    for text in CODES[code]:
        assert re.fullmatch(r"[A-Za-z].*[^\s.]\.", text), text


def test_each_rule_says_what_it_protects_against_and_has_a_control_for_each_code() -> None:
    assert {
        rule.name: (rule.protects.startswith("against "), sorted(rule.controls)) for rule in ALL
    } == {rule.name: (True, sorted(rule.codes)) for rule in ALL}


# --- the selftest ---


def test_each_control_is_answered_by_exactly_its_own_code() -> None:
    proof = selftest.prove()
    assert [result for result in proof.results if not result.held] == []
    assert sorted(result.code for result in proof.results if result.code) == sorted(CODES)
    assert sorted(result.rule for result in proof.results if not result.code) == sorted(BY_NAME)
    assert (proof.rules, proof.controls) == (len(ALL), len(CODES))


@pytest.mark.parametrize(
    ("groups", "proven"),
    [
        pytest.param({Over.PACKETS}, PACKET_RULES, id="packets"),
        pytest.param({Over.ROOTS}, ROOT_RULES, id="roots"),
        pytest.param({Over.CHAIN}, CHAIN_RULES, id="chain"),
        pytest.param({Over.LANE_FILES}, READING_RULES[:1], id="lane-files"),
        pytest.param({Over.DOCUMENTS}, (*READING_RULES[1:], *LANE_RULES), id="documents"),
        pytest.param({Over.EVIDENCE}, EVIDENCE_RULES, id="evidence"),
        pytest.param({Over.PACKETS, Over.ROOTS}, (*PACKET_RULES, *ROOT_RULES), id="two"),
        pytest.param(set(), (), id="none"),
    ],
)
def test_each_group_is_proven_alone(groups: set[Over], proven: tuple[Rule[Any], ...]) -> None:
    proof = selftest.prove(groups)
    named = [rule.name for rule in proven]
    assert [result.rule for result in proof.results if not result.code] == named
    assert (proof.rules, [result for result in proof.results if not result.held]) == (
        len(named),
        [],
    )


@pytest.mark.parametrize(
    ("documents", "files", "rules"),
    [
        pytest.param({}, {"a.txt": b"x"}, (*PACKET_RULES, *ROOT_RULES), id="bare"),
        pytest.param(
            {"report.md": "# Report\n\nOf a sample.\n"},
            {"a.txt": b"x"},
            (*READING_RULES[1:], *PACKET_RULES, *LANE_RULES, *ROOT_RULES, *CHAIN_RULES),
            id="documents",
        ),
        pytest.param(
            {"surprise.bin": "is no document"},
            {"a.txt": b"x"},
            (*READING_RULES[1:], *PACKET_RULES, *LANE_RULES, *ROOT_RULES),
            id="refusals",
        ),
        pytest.param(
            {},
            {"scope-lock.json": b"{}"},
            (*PACKET_RULES, *ROOT_RULES, *EVIDENCE_RULES),
            id="evidence",
        ),
    ],
)
def test_a_run_proves_every_rule_that_its_lanes_ask(
    documents: dict[str, str],
    files: dict[str, bytes],
    rules: tuple[Rule[Any], ...],
    tmp_path: Path,
) -> None:
    lane(tmp_path, documents=documents, files=files, yml=None)
    summary = verify(tmp_path).object["summary"]
    expected = [*rules, READING_RULES[0]]  # it stands in the layout of a lane
    assert (summary["rules"], summary["controls"]) == (
        len(expected),
        sum(len(rule.codes) for rule in expected),
    )


@pytest.fixture
def broken(request: pytest.FixtureRequest) -> Iterator[None]:
    """Break one field of one rule for as long as the test runs; rules are frozen."""
    name, field, value = request.param
    rule = BY_NAME[name]
    assert field in {one.name for one in fields(rule)}
    before = getattr(rule, field)
    object.__setattr__(rule, field, value(before))
    yield
    object.__setattr__(rule, field, before)


A_FINDING = Finding("PATH-DOT", "x", "", "", "Found everywhere.")


def _crash(subject: object) -> Iterator[Any]:
    raise RuntimeError("a bug with \x1b[31m in it")


def _half(check: Any) -> Any:
    """Crash after the first finding, or at once where there is none."""

    def crashing(subject: object) -> Iterator[Any]:
        for finding in check(subject):
            yield finding
            break
        raise RuntimeError("a bug")

    return crashing


NEVER = "no verdict of this run can be believed"


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        pytest.param(
            ("listed-files", "check", lambda check: lambda subject: ()),
            f"rule listed-files: expected FILE-DIFFERS, found nothing; {NEVER}",
            id="silent",
        ),
        pytest.param(
            ("paths", "check", lambda check: lambda subject: [*check(subject), A_FINDING]),
            f"rule read-whole: expected nothing, found PATH-DOT; {NEVER}",
            id="never-silent",
        ),
        pytest.param(
            ("tree-hash", "check", lambda check: _crash),
            "rule read-whole: expected nothing, found tree-hash: RuntimeError: a bug with"
            f" \x1b[31m in it; {NEVER}",
            id="crashing",
        ),
        pytest.param(
            ("listed-files", "controls", lambda old: {**old, "FILE-EXTRA": old["FILE-MISSING"]}),
            f"rule listed-files: expected FILE-EXTRA, found FILE-MISSING; {NEVER}",
            id="control-of-another",
        ),
        pytest.param(
            (
                "pins",
                "controls",
                lambda old: {code: old[code] for code in old if code != "PIN-HELD"},
            ),
            f"rule pins: expected PIN-HELD, found no control; {NEVER}",
            id="without-control",
        ),
    ],
    indirect=["broken"],
)
@pytest.mark.usefixtures("broken")
def test_a_broken_rule_ends_the_selftest_and_every_verdict(problem: str, tmp_path: Path) -> None:
    with pytest.raises(selftest.SelftestError) as caught:
        selftest.require()
    assert str(caught.value) == f"selftest: {problem}"
    lane(tmp_path)
    given = run("verify", tmp_path, "-j", "1")
    assert (given.code, given.out) == (3, "")
    assert given.err.startswith("lanebook: selftest: rule ")


@pytest.mark.parametrize(
    ("broken", "documents"),
    [
        pytest.param(("tree-hash", "check", _half), {}, id="packet"),
        pytest.param(
            ("citations", "check", _half), {"report.md": "# Report\n\nOf a sample.\n"}, id="lane"
        ),
        pytest.param(("lane-links", "check", _half), {}, id="root"),
    ],
    indirect=["broken"],
)
@pytest.mark.usefixtures("broken")
def test_a_rule_that_crashes_is_its_own_error_and_not_the_end_of_the_others(
    documents: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The selftest would notice; without it, the run itself has to."""
    proof = selftest.NOTHING
    monkeypatch.setattr(selftest, "require", lambda groups, known=None: proof)
    name = next(rule.name for rule in ALL if "crashing" in repr(rule.check))
    # not plainly sound, so that the rules over the packet are asked, and the others find something
    damaged = lane(tmp_path, documents=documents)
    (damaged / "evidence" / "zz.json").write_bytes(b"{}{}")
    found = only(verify(tmp_path))
    assert (found["outcome"], found["errors"]) == ("fail", [f"{name}: RuntimeError: a bug"])
    assert [one["code"] for one in found["findings"]] == ["FILE-EXTRA", "JSON-SECOND"]


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(("strict-json", "check", lambda check: _crash), id="packet"),
        pytest.param(("lane-links", "check", lambda check: _crash), id="root"),
    ],
    indirect=True,
)
@pytest.mark.usefixtures("broken")
def test_a_crash_alone_is_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proof = selftest.NOTHING
    monkeypatch.setattr(selftest, "require", lambda groups, known=None: proof)
    name = next(rule.name for rule in ALL if rule.check is _crash)
    # good, but not beyond doubt at first sight, so that the rule over contents is asked
    lane(tmp_path, files={**FILES, "zeros.json": b'["' + b"0" * 400 + b'"]'})
    given = verify(tmp_path)
    assert (given.code, only(given)["outcome"], only(given)["findings"]) == (3, "unknown", [])
    # the message of what crashed may hold what the packet says
    assert only(given)["errors"] == [f"{name}: RuntimeError: a bug with \\x1b[31m in it"]


# --- laws ---

SEGMENT = st.text("ab.-_A\u0430\u00e9~\\ ", min_size=1, max_size=4)
PATH = st.lists(st.sampled_from(["a", "b", "A", "a.sh"]) | SEGMENT, min_size=1, max_size=3).map(
    "/".join
)
DATA = st.binary(max_size=4)


@st.composite
def packets(draw: st.DrawFn) -> Packet:
    """Packets that are sound, nearly so, or not at all."""
    # reading keeps the seal files out of the entries
    names = (PATH | st.just("-")).filter(lambda path: path not in SEALS)
    found = draw(st.dictionaries(names, DATA, max_size=4))
    kinds = st.sampled_from([Kind.FILE] * 30 + list(Kind))
    paths = sorted(found, key=lambda path: path.encode())
    entries = tuple(
        Entry(path, kind, len(found[path]), sha256(found[path]) if kind is Kind.FILE else None)
        for path in paths
        for kind in (draw(kinds),)
    )
    manifest = draw(
        st.just(listing(found))
        | st.sampled_from([b"", b"\xef\xbb\xbf" + listing(found), listing(found)[:-1]])
        | st.dictionaries(PATH | st.sampled_from(sorted(SEALS)), DATA, max_size=2).map(listing)
    )
    tree = draw(
        st.just(f"{sha256(manifest)}\n".encode())
        | st.sampled_from([f"{sha256(manifest)}".encode(), f"{sha256(b'')}\n".encode(), b""])
    )
    profile = draw(st.sampled_from(["manifest-sha256"] * 5 + ["sha256sum", "other"]))
    return Packet(
        entries,
        draw(st.sampled_from([manifest] * 9 + [None])),
        draw(st.sampled_from([tree] * 9 + [None])),
        profile,
    )


@given(packets())
@settings(max_examples=250, deadline=None)
def test_what_is_plainly_sound_is_silent_in_every_rule(held: Packet) -> None:
    found = [
        finding
        for rule in PACKET_RULES
        if rule.name != "strict-json"
        for finding in rule.check(held)
    ]
    if plainly_sound(held):
        assert found == []


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), DATA, min_size=1))
@settings(max_examples=50, deadline=None)
def test_plain_names_with_their_digests_are_plainly_sound(found: dict[str, bytes]) -> None:
    entries = tuple(
        Entry(path, Kind.FILE, len(found[path]), sha256(found[path])) for path in sorted(found)
    )
    manifest = listing(found)
    assert plainly_sound(Packet(entries, manifest, f"{sha256(manifest)}\n".encode()))


BYTES = sorted(
    (path, at)
    for path, data in {
        **FILES,
        MANIFEST: listing(FILES),
        TREE: f"{digest(listing(FILES))}\n".encode(),
    }.items()
    for at in range(len(data))
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packet(tmp_path_factory.mktemp("sound") / "packet")


def verdict(folder: Path) -> Answer:
    given = verify(folder)
    assert (given.err, given.object["summary"]["lanes"]) == ("", 1)
    return given


@given(place=st.sampled_from(BYTES), mask=st.integers(1, 255))
@settings(max_examples=60, deadline=None)
def test_one_changed_byte_is_another_verdict(
    place: tuple[str, int], mask: int, sound: Path
) -> None:
    path, at = place
    before = (sound / path).read_bytes()
    (sound / path).write_bytes(before[:at] + bytes([before[at] ^ mask]) + before[at + 1 :])
    try:
        assert verdict(sound).code == 1
    finally:
        (sound / path).write_bytes(before)


@given(
    path=st.sampled_from(sorted({path for path, _ in BYTES})),
    cut=st.integers(0, 5),
    more=st.binary(max_size=5),
)
@settings(max_examples=40, deadline=None)
def test_another_end_is_another_verdict(path: str, cut: int, more: bytes, sound: Path) -> None:
    before = (sound / path).read_bytes()
    after = before[: len(before) - cut] + more
    (sound / path).write_bytes(after)
    try:
        assert verdict(sound).code == (0 if after == before else 1)
    finally:
        (sound / path).write_bytes(before)


@given(
    path=st.sampled_from(sorted(FILES)),
    name=st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=8),
)
@settings(max_examples=40, deadline=None)
def test_another_name_is_another_verdict(path: str, name: str, sound: Path) -> None:
    other = (sound / path).parent / name
    if name in (".", "..") or other.exists():
        return
    (sound / path).rename(other)
    try:
        assert verdict(sound).code == 1
    finally:
        other.rename(sound / path)


@pytest.mark.parametrize("path", sorted({path for path, _ in BYTES}))
def test_a_removed_file_is_another_verdict(path: str, tmp_path: Path) -> None:
    held = packet(tmp_path / "packet")
    (held / path).unlink()
    assert verdict(held).code == 1


def test_the_sound_packet_is_sound_after_all_that(sound: Path) -> None:
    assert (verdict(sound).code, sorted(content(sound))) == (0, sorted([*FILES, MANIFEST, TREE]))


def test_modes_and_times_are_no_part_of_the_verdict(tmp_path: Path) -> None:
    held = packet(tmp_path / "packet")
    before = verdict(held)
    copied = shutil.copytree(held, tmp_path / "copy" / "packet", copy_function=shutil.copyfile)
    for path in copied.rglob("*.sh"):
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    assert verdict(copied) == before
