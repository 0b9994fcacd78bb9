"""``verify --summary``: two statements about every packet, PASSED only where all of them hold."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import urlsafe_b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from in_toto_attestation.predicates.vsa.v1 import vsa_pb2
from in_toto_attestation.v1 import statement as in_toto
from in_toto_attestation.v1 import statement_pb2

from generator import __version__
from generator.attesting import BEGINNING, passes
from generator.checks_explained import CHECKS
from generator.errors_explained import ERRORS
from generator.reading.root import open_root
from generator.selftest import rule_base_digest
from generator.verify import verify as judged
from tests.folders import (
    FILES,
    Answer,
    as_nobody,
    content,
    digest,
    lane,
    listing,
    packet,
    run,
    write,
)

REPORT = json.dumps({"final_status": "SAMPLE_RUN_READY", "tests_passed": 12})
TREE = digest(listing(FILES))
OTHER = {**FILES, "more.txt": b"more\n"}
FILE = "out.intoto.jsonl"
HASHES, REFUTED = "LANEBOOK_HASHES_RECOMPUTED", "LANEBOOK_NOTHING_REFUTED"
CLAIMED = "LANEBOOK_NOTHING_CLAIMED_ONLY"


def verify(root: Path, *arguments: str | Path) -> Answer:
    return run("verify", *arguments, "--summary", FILE, "-j", "1", cwd=root)


def statements(root: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the VSA and the SVR, held against the published schema of each that has one."""
    data = (root / FILE).read_bytes()
    assert data.startswith(BEGINNING)
    vsa, svr = (json.loads(line) for line in data.removesuffix(b"\n").split(b"\n"))
    for one in (vsa, svr):
        proto = json_format.ParseDict(one, statement_pb2.Statement())
        in_toto.Statement.copy_from_pb(proto).validate()
        assert {*one} == {"_type", "subject", "predicateType", "predicate"}
    assert vsa["predicateType"] == "https://slsa.dev/verification_summary/v1"
    assert svr["predicateType"] == "https://in-toto.io/attestation/svr/v0.1"
    told = dict(vsa["predicate"])
    # of SLSA 1.1, and younger than the protobuf schema
    assert told["verifier"].pop("version") == {"lanebook": __version__}
    # an array in the text of every version of SLSA; the protobuf schema of 0.9.3 has one string
    levels = told.pop("verifiedLevels")
    assert isinstance(levels, list)
    assert levels
    assert not any(level.startswith("SLSA_") for level in levels)
    json_format.ParseDict(told, vsa_pb2.VerificationSummary())
    assert vsa["subject"] == svr["subject"]
    assert told["policy"] == svr["predicate"]["verifier"]["policy"]
    return json.loads(data.splitlines()[0]), svr


def test_two_statements_whole(tmp_path: Path) -> None:
    lane(tmp_path, "b")
    lane(tmp_path, "a", OTHER, documents={"report.json": REPORT})
    given = verify(tmp_path)
    assert (given.code, given.err) == (0, f"{FILE}: summary written\n")
    subjects = [("a", digest(listing(OTHER))), ("b", TREE)]
    lines = "".join(f"{tree}  {name}\n" for name, tree in subjects)
    name = urlsafe_b64encode(hashlib.sha256(lines.encode()).digest()).decode().rstrip("=")
    verifier = f"pkg:generic/lanebook@{__version__}"
    policy = {"uri": f"{verifier}#verify", "digest": {"sha256": rule_base_digest()}}
    about = [{"name": name, "digest": {"sha256": tree}} for name, tree in subjects]
    assert statements(tmp_path) == (
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": about,
            "predicateType": "https://slsa.dev/verification_summary/v1",
            "predicate": {
                "verifier": {"id": verifier, "version": {"lanebook": __version__}},
                "resourceUri": f"ni:///sha-256;{name}",
                "policy": policy,
                "verificationResult": "PASSED",
                "verifiedLevels": [HASHES, REFUTED],
                "slsaVersion": "1.1",
            },
        },
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": about,
            "predicateType": "https://in-toto.io/attestation/svr/v0.1",
            "predicate": {
                "verifier": {"id": verifier, "policy": policy},
                "properties": [HASHES, REFUTED],
            },
        },
    )


def came_to(root: Path) -> tuple[list[str], str, list[str]]:
    """Return the names of the subjects, the result, and the properties."""
    vsa, svr = statements(root)
    result, levels = vsa["predicate"]["verificationResult"], vsa["predicate"]["verifiedLevels"]
    properties = svr["predicate"]["properties"]
    assert levels == (properties if result == "PASSED" else ["FAILED"])
    return [one["name"] for one in vsa["subject"]], result, properties


def test_the_time_is_the_one_that_is_given(tmp_path: Path) -> None:
    lane(tmp_path)
    assert verify(tmp_path, "--at", "2026-11-25T12:00:00Z").code == 0
    vsa, svr = statements(tmp_path)
    assert vsa["predicate"]["timeVerified"] == "2026-11-25T12:00:00Z"
    assert svr["predicate"]["timeCreated"] == "2026-11-25T12:00:00Z"


@pytest.mark.parametrize(
    "at", ["now", "2026-11-25", "2026-11-25T12:00:00+01:00", "2026-13-01T00:00:00Z"]
)
def test_no_other_time_is_taken(tmp_path: Path, at: str) -> None:
    lane(tmp_path)
    assert verify(tmp_path, "--at", at) == Answer(
        2, "", f"lanebook: --at: {at}: no time such as 2026-11-25T12:00:00Z\n"
    )
    assert not (tmp_path / FILE).exists()
    assert run("verify", "--at", "2026-11-25T12:00:00Z", cwd=tmp_path).code == 2


def test_claims_only_is_no_subject_and_spoils_nothing(tmp_path: Path) -> None:
    lane(tmp_path, "sealed")
    write(tmp_path / "packets" / "told", {"report.json": REPORT.encode()})
    # nothing is verified of one lane, so the exit code is 3; the packet is verified all the same
    assert verify(tmp_path).code == 3
    assert came_to(tmp_path) == (["sealed"], "PASSED", [HASHES, REFUTED, CLAIMED])


def test_a_rule_that_failed_on_claims_spoils_the_packets_beside_them(tmp_path: Path) -> None:
    lane(tmp_path, "sealed")
    write(tmp_path / "packets" / "told", {"report.json": REPORT.encode()})
    verdict = judged(open_root(tmp_path), jobs=1)
    assert passes(verdict)
    hurt = tuple(
        one._replace(errors=("ledger: ValueError: no",)) if one.id == "told" else one
        for one in verdict.lanes
    )
    assert not passes(replace(verdict, lanes=hurt))
    assert not passes(replace(verdict, lanes=hurt[:0]))


def test_one_refuted_packet_fails_all(tmp_path: Path) -> None:
    lane(tmp_path, "bad")
    lane(tmp_path, "good")
    (tmp_path / "packets/bad/evidence/result.json").write_bytes(b"{}\n")
    assert verify(tmp_path).code == 1
    assert came_to(tmp_path) == (["bad", "good"], "FAILED", [])
    assert verify(tmp_path, "packets/good").code == 0
    assert came_to(tmp_path) == (["good"], "PASSED", [HASHES, REFUTED, CLAIMED])


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(
            lambda root: (root / "packets/two/evidence" / "packet_tree.sha256").unlink(),
            id="unsealed",
        ),
        pytest.param(
            lambda root: (root / "packets/two/evidence" / "link").symlink_to("result.json"),
            id="refused",
        ),
        pytest.param(
            lambda root: write(
                root / "packets/three",
                {"report.json": b'{"final_status": "A_READY", "final_status": "B_READY"}'},
            ),
            id="document-refused",
        ),
        pytest.param(
            lambda root: write(root / "decisions", {"one.1.json": b"{}"}), id="decision-refused"
        ),
    ],
)
def test_whatever_else_is_wrong_fails_all(tmp_path: Path, spoil: Any) -> None:
    lane(tmp_path, "one")
    lane(tmp_path, "two", OTHER)
    spoil(tmp_path)
    assert verify(tmp_path).code in (1, 3)
    assert came_to(tmp_path)[1:] == ("FAILED", [])


def test_a_path_that_cannot_be_opened_fails_all(tmp_path: Path) -> None:
    lane(tmp_path)
    assert verify(tmp_path, "packets/sample", "gone").code == 3
    assert came_to(tmp_path) == (["sample"], "FAILED", [])


def test_strict_is_another_policy(tmp_path: Path) -> None:
    lane(tmp_path, documents={"report.json": REPORT})
    assert verify(tmp_path, "--strict").code == 1
    assert came_to(tmp_path) == (["sample"], "FAILED", [])
    assert statements(tmp_path)[0]["predicate"]["policy"]["uri"].endswith("#verify-strict")


def test_cited_and_pinned_are_told_where_all_are(tmp_path: Path) -> None:
    lane(tmp_path, "one", documents={"report.json": json.dumps({"tree_sha256": TREE})})
    lane(tmp_path, "two", OTHER)
    assert run("pin", cwd=tmp_path).code == 0
    assert verify(tmp_path, "packets/one").code == 0
    assert came_to(tmp_path)[2] == [HASHES, REFUTED, "LANEBOOK_CITED", "LANEBOOK_PINNED", CLAIMED]
    assert verify(tmp_path).code == 0
    assert came_to(tmp_path)[2] == [HASHES, REFUTED, "LANEBOOK_PINNED", CLAIMED]


def test_a_bare_packet_is_a_subject(tmp_path: Path) -> None:
    packet(tmp_path / "download")
    assert verify(tmp_path, "download").code == 0
    assert statements(tmp_path)[0]["subject"] == [{"name": "download", "digest": {"sha256": TREE}}]


def test_without_a_packet_there_is_none_and_an_earlier_one_goes(tmp_path: Path) -> None:
    lane(tmp_path, "sealed")
    write(tmp_path / "packets" / "told", {"report.json": REPORT.encode()})
    assert verify(tmp_path, "packets/sealed").code == 0
    given = verify(tmp_path, "packets/told")
    assert (given.code, given.err) == (
        3,
        f"lanebook: {FILE}: no summary: no packet with a tree hash (SUMMARY-NONE)\n",
    )
    assert not (tmp_path / FILE).exists()


def test_same_packets_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        lane(tmp_path / name, documents={"report.json": REPORT})
        for form in ("text", "json", "sarif"):
            assert verify(tmp_path / name, "--format", form).code == 0
    assert (tmp_path / "one" / FILE).read_bytes() == (tmp_path / "two" / FILE).read_bytes()
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == [FILE, "packets"]


PLACES: list[Any] = [
    pytest.param("packets/x.jsonl", "among the packets, which are only read", id="packets"),
    pytest.param("packets/sample/x.jsonl", "among the packets, which are only read", id="lane"),
    pytest.param(
        "into/x.jsonl",
        "its folder is a symbolic link; name the folder that it leads to",
        id="folder-link",
    ),
    pytest.param("decisions/x.jsonl", "among the packets, which are only read", id="decisions"),
    pytest.param("link.jsonl", "a symbolic link; it is not followed", id="link"),
    pytest.param("dangling.jsonl", "a symbolic link; it is not followed", id="dangling"),
    pytest.param("folder", "no regular file", id="folder"),
    pytest.param("pipe", "no regular file", id="fifo"),
    pytest.param("gone/x.jsonl", "no such folder", id="no-folder"),
    pytest.param(
        "notes.txt", "holds something else than a summary, and is not written over", id="other"
    ),
]


@pytest.mark.parametrize(("place", "why"), PLACES)
def test_where_none_may_be_written(tmp_path: Path, place: str, why: str) -> None:
    lane(tmp_path)
    (tmp_path / "decisions").mkdir()
    (tmp_path / "folder").mkdir()
    (tmp_path / "into").symlink_to("packets/sample/evidence")
    (tmp_path / "notes.txt").write_text("mine\n")
    (tmp_path / "link.jsonl").symlink_to("notes.txt")
    (tmp_path / "dangling.jsonl").symlink_to("packets/new.jsonl")
    os.mkfifo(tmp_path / "pipe")
    before = content(tmp_path)
    given = run("verify", "--summary", place, "-j", "1", cwd=tmp_path)
    assert given == Answer(2, "", f"lanebook: --summary: {place}: {why} (SUMMARY-PLACE)\n")
    assert content(tmp_path) == before
    assert not (tmp_path / "packets" / "new.jsonl").exists()


@pytest.mark.parametrize("place", ["x.json", "one/x.json", "../download/x.json"])
def test_no_summary_is_put_where_it_would_be_read_as_evidence(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "download"
    packet(folder / "one" / "evidence")
    given = run("verify", ".", "--summary", place, "-j", "1", cwd=folder)
    assert (given.code, given.err.endswith("only read (SUMMARY-PLACE)\n")) == (2, True)


@pytest.mark.parametrize("asked", ["gone", "mine"])
def test_evidence_that_looks_like_a_summary_stays(tmp_path: Path, asked: str) -> None:
    lane(tmp_path / "mine")
    kept = {**FILES, "built.intoto.jsonl": BEGINNING + b"}}\n"}
    lane(tmp_path / "other", files=kept)
    before = content(tmp_path)
    place = "other/packets/sample/evidence/built.intoto.jsonl"
    given = run("verify", asked, "--summary", place, "-j", "1", cwd=tmp_path)
    assert (given.code, given.err.endswith("only read (SUMMARY-PLACE)\n")) == (2, True)
    assert content(tmp_path) == before


def test_a_disk_that_refuses_leaves_the_earlier_one(tmp_path: Path) -> None:
    lane(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    assert run("verify", "--summary", "out/s", "-j", "1", cwd=tmp_path).code == 0
    before = (out / "s").read_bytes()
    out.chmod(0o555)
    with as_nobody():
        given = run("-q", "verify", "--summary", "out/s", "-j", "1", "--strict", cwd=tmp_path)
    out.chmod(0o755)
    assert (given.code, given.err) == (
        3,
        "lanebook: out/s: not written, it is as it was: Permission denied (SUMMARY-WRITE)\n",
    )
    assert given.out.startswith("sample  ● consistent")
    assert content(out) == {"s": before}


def test_the_codes_are_explained() -> None:
    codes = {"SUMMARY-PLACE", "SUMMARY-WRITE", "SUMMARY-NONE"}
    assert codes <= set(ERRORS)
    assert not codes & set(CHECKS)
