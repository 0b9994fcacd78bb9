"""Reading: every file once, nothing followed, nothing waited for, and what lies where is told."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from generator.reading import tree
from tests.folders import (
    FILES,
    MANIFEST,
    TREE,
    Answer,
    as_nobody,
    digest,
    lane,
    listing,
    only,
    packet,
    run,
    tree_of,
    verify,
    within,
    write,
)

DATE = "2026-06-12"


# --- each file once ---

_opened: list[tuple[str, Any]] | None = None


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if (
        event == "open"
        and _opened is not None
        and isinstance(arguments[0], str | bytes | os.PathLike)
    ):
        _opened.append((os.path.basename(os.fsdecode(arguments[0])), arguments[2]))


@pytest.fixture(scope="module", autouse=True)
def _watching() -> None:
    """An audit hook cannot be taken away again; it does nothing unless a test asks."""
    sys.addaudithook(_hook)


@contextlib.contextmanager
def opened(*names: str) -> Iterator[Counter[str]]:
    """Count how often files with these names are opened."""
    global _opened
    counts: Counter[str] = Counter()
    _opened = []
    try:
        yield counts
    finally:
        counts.update(name for name, _ in _opened if name in names)
        _opened = None


def test_every_file_of_a_lane_is_opened_once(tmp_path: Path) -> None:
    files = {**FILES, "large.bin": b"x" * (tree.SMALL + 1), "differs.txt": b"as it is\n"}
    manifest = listing({**files, "differs.txt": b"as it was\n"})
    held = lane(
        tmp_path,
        files=files,
        manifest=manifest,
        documents={"report.json": "{}", "checkpoint.md": "# C\n"},
    )
    names = [path.name for path in held.rglob("*") if path.is_file()]
    with opened(*names) as counts:
        assert verify(tmp_path).code == 1
    # a large file is opened once to learn that it is large, and once to be read
    assert counts == {**dict.fromkeys(names, 1), "large.bin": 2}


class Replacing:
    """Somewhere to publish to, during whose work the files are replaced."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.got: dict[str, bytes] = {}

    def whole(self, hashed: str, data: memoryview) -> None:
        self.got[hashed] = bytes(data)
        for path in self.folder.rglob("*.json"):
            path.write_bytes(b"{broken")

    def stream(self) -> Any:
        raise AssertionError("nothing here is large")


def test_what_is_hashed_is_what_is_parsed_and_published(tmp_path: Path) -> None:
    files = {"one.json": b'{"one": 1}'}
    held = packet(tmp_path / "packet", files)
    sink = Replacing(held)
    # the seal files are taken first, so what is in the packet by now is what has to be told
    (held / MANIFEST).unlink()
    (held / TREE).unlink()
    (entry,) = tree.read_packet(held, sink=sink).entries
    assert (held / "one.json").read_bytes() == b"{broken"
    assert (entry.sha256, entry.content, sink.got) == (
        digest(files["one.json"]),
        files["one.json"],
        {digest(files["one.json"]): files["one.json"]},
    )


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(0, id="empty"),
        *(pytest.param(tree.SMALL + more, id=f"1-MiB{more:+d}") for more in (-1, 0, 1)),
        pytest.param(3 * tree.SMALL + 7, id="3-MiB+7"),
        pytest.param(5 * tree.SMALL, id="above-the-drift-limit"),
    ],
)
def test_a_file_of_any_size_has_the_right_digest(size: int, tmp_path: Path) -> None:
    data = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    held = packet(tmp_path / "packet", {"data.bin": data, "small.txt": b"x"})
    given = verify(held)
    assert (given.code, only(given)["files"]) == (
        0,
        [
            {
                "path": path,
                "state": "match",
                "sha256": digest(content),
                "listed": digest(content),
                "size": len(content),
                "drift": "",
                "held_by": "",
            }
            for path, content in (("data.bin", data), ("small.txt", b"x"))
        ],
    )
    (held / "data.bin").write_bytes(data[:-1] + b"!")
    assert verify(held).codes == ["FILE-DIFFERS"]


def test_a_large_file_with_holes_is_read_in_pieces(tmp_path: Path) -> None:
    held = packet(tmp_path / "packet", {"small.txt": b"x"})
    with open(held / "holes.bin", "wb") as out:
        out.truncate(64 * tree.SMALL)
    found = only(verify(held))
    (extra,) = [file for file in found["files"] if file["path"] == "holes.bin"]
    assert (extra["state"], extra["sha256"]) == ("extra", digest(bytes(64 * tree.SMALL)))


def test_many_large_files_keep_their_digests(tmp_path: Path) -> None:
    files = {f"{number}.bin": bytes([number]) * (tree.SMALL + number) for number in range(6)}
    assert verify(packet(tmp_path / "packet", files)).code == 0


# --- nothing is followed ---


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("evidence/inner/deep/link", id="nested"),
        pytest.param("evidence/link", id="top"),
        pytest.param("link.md", id="document"),
        pytest.param("link", id="beside"),
    ],
)
@pytest.mark.parametrize(
    "target",
    [pytest.param("folder", id="to-a-folder"), pytest.param("folder/secret.md", id="to-a-file")],
)
def test_nothing_is_read_through_a_link(path: str, target: str, tmp_path: Path) -> None:
    secret = write(tmp_path / "outside", {"folder/secret.md": b"# secret-of-the-machine\n"})
    held = lane(tmp_path / "root", files={**FILES, "inner/deep/a.txt": b"a"})
    os.symlink(secret / target, held / path)
    with opened("secret.md") as counts:
        given = verify(tmp_path / "root")
    assert (given.code, given.codes, counts) == (1, ["KIND-SYMLINK"], {})
    assert "secret-of-the-machine" not in given.out
    assert [one["where"] for one in only(given)["findings"]] == [path]


@pytest.mark.parametrize("name", ["lanebook.yml", "pins.yml"])
def test_settings_are_not_read_through_a_link(name: str, tmp_path: Path) -> None:
    lane(tmp_path / "root")
    (tmp_path / "settings.yml").write_text("limits: {files: 1}\n", "utf-8")
    os.symlink(tmp_path / "settings.yml", tmp_path / "root" / name)
    assert run("verify", tmp_path / "root") == Answer(
        3, "", f"lanebook: {name}: a symbolic link (KIND-SYMLINK)\n"
    )


@pytest.mark.parametrize(
    "inner",
    [
        pytest.param("", id="root"),
        pytest.param("packets/sample", id="lane"),
        pytest.param("packets/sample/evidence", id="packet"),
    ],
)
def test_a_link_on_the_command_line_is_refused(inner: str, tmp_path: Path) -> None:
    lane(tmp_path / "root")
    link = tmp_path / "link"
    os.symlink(tmp_path / "root" / inner, link)
    given = run("verify", link)
    assert given == Answer(
        3, "", f"lanebook: {link}: a symbolic link; name the folder that it leads to\n"
    )


def test_a_linked_packets_folder_is_not_followed(tmp_path: Path) -> None:
    lane(tmp_path / "elsewhere")
    (tmp_path / "root").mkdir()
    os.symlink(tmp_path / "elsewhere" / "packets", tmp_path / "root" / "packets")
    told = Answer(3, "", "lanebook: packets is a symbolic link; it is not followed\n")
    assert (run("verify", tmp_path / "root"), run("verify", cwd=tmp_path / "root")) == (
        told,
        run("verify", tmp_path / "root"),
    )


def test_a_folder_that_becomes_a_link_while_it_is_read_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = lane(tmp_path / "root")
    outside = write(tmp_path / "outside", {"before.sql": b"-- secret\n"})
    states = held / "evidence" / "states"
    scandir = os.scandir

    def swapping(path: Any) -> Any:
        items = list(scandir(path))
        if any(item.name == "states" for item in items) and states.is_dir():
            (states / "before.sql").unlink()
            states.rmdir()
            os.symlink(outside, states)
        return contextlib.nullcontext(items)

    monkeypatch.setattr(os, "scandir", swapping)
    given = verify(tmp_path / "root")
    assert (given.code, digest(b"-- secret\n") in given.out) == (1, False)


def test_a_fifo_with_a_writer_that_never_writes_holds_nothing_up(tmp_path: Path) -> None:
    held = lane(tmp_path)
    fifo = held / "evidence" / "pipe"
    os.mkfifo(fifo)
    writer = os.open(fifo, os.O_RDWR)
    try:
        with within(20):
            assert verify(tmp_path).codes == ["KIND-FIFO"]
    finally:
        os.close(writer)


@pytest.mark.parametrize("path", ["lanebook.yml", "pins.yml"])
def test_a_fifo_for_settings_holds_nothing_up(path: str, tmp_path: Path) -> None:
    lane(tmp_path)
    os.mkfifo(tmp_path / path)
    with within(20):
        assert run("verify", tmp_path) == Answer(
            3, "", f"lanebook: {path}: a fifo, not a file (KIND-FIFO)\n"
        )


def test_a_fifo_on_the_command_line_holds_nothing_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "report.md")
    with within(20):
        assert verify(tmp_path / "report.md").code == 3


# --- limits ---


def settings(root: Path, **limits: int | str) -> None:
    lines = "".join(f"  {name}: {value}\n" for name, value in limits.items())
    (root / "lanebook.yml").write_text(f"limits:\n{lines}", "utf-8")


SIZE = sum(map(len, FILES.values()))


@pytest.mark.parametrize(
    ("name", "most", "code"),
    [
        pytest.param("files", len(FILES), "LIMIT-FILES", id="files"),
        pytest.param("bytes", SIZE, "LIMIT-BYTES", id="bytes"),
        pytest.param("depth", 2, "LIMIT-DEPTH", id="depth"),
        pytest.param("manifest_bytes", len(listing(FILES)), "LIMIT-SEAL", id="manifest"),
        pytest.param("parsed_bytes", len(FILES["result.json"]), "LIMIT-PARSED", id="parsed"),
        pytest.param("document_bytes", 9, "DOC-SIZE", id="document"),
        pytest.param("json_depth", 1, "JSON-DEPTH", id="json-depth"),
        pytest.param(
            "json_bytes",
            len(FILES["result.json"]),
            "JSON-BYTES",
            id="json-bytes",
        ),
    ],
)
def test_a_limit_lets_through_what_it_says_and_no_more(
    name: str, most: int, code: str, tmp_path: Path
) -> None:
    lane(tmp_path, documents={"report.md": "# Report\n"})
    settings(tmp_path, **{name: most})
    assert verify(tmp_path).code == 0
    if most > 1:
        settings(tmp_path, **{name: most - 1})
    else:
        lane(tmp_path, files={**FILES, "result.json": b'{"rows": []}'})
    given = verify(tmp_path)
    assert (given.code, code in given.codes) == (1, True)


def test_a_large_file_counts_for_the_limit_on_bytes(tmp_path: Path) -> None:
    lane(tmp_path, files={"large.bin": b"x" * (tree.SMALL + 1)})
    settings(tmp_path, bytes=tree.SMALL)
    assert "LIMIT-BYTES" in verify(tmp_path).codes


def test_a_packet_without_end_is_not_read_on(tmp_path: Path) -> None:
    held = lane(tmp_path)
    with open(held / "evidence" / "sparse.bin", "wb") as out:
        out.truncate(1 << 40)
    settings(tmp_path, bytes=8 * tree.SMALL)
    with within(20):
        assert "LIMIT-BYTES" in verify(tmp_path).codes


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("limits: {filez: 1}", "limits: filez: no such limit", id="unknown-limit"),
        pytest.param(
            "limits: {files: 0}", "limits: files: must be a whole number above 0", id="zero"
        ),
        pytest.param(
            "limits: {files: true}", "limits: files: must be a whole number above 0", id="bool"
        ),
        pytest.param(
            "limits: {files: 1.5}", "limits: files: must be a whole number above 0", id="part"
        ),
        pytest.param("limits: [1]", "limits: must be a list of names and numbers", id="list"),
        pytest.param("theme: dark", "theme: no such setting", id="unknown-setting"),
        pytest.param("- x", "must be a list of keys", id="no-mapping"),
        pytest.param(
            "limits: {files: 1, files: 2}", "limits.files: key appears twice", id="repeated"
        ),
    ],
)
def test_wrong_settings_give_no_verdict(text: str, problem: str, tmp_path: Path) -> None:
    lane(tmp_path)
    (tmp_path / "lanebook.yml").write_text(f"{text}\n", "utf-8")
    given = run("verify", tmp_path)
    assert (given.code, given.out) == (3, "")
    assert given.err.startswith(f"lanebook: lanebook.yml: {problem}")


def test_the_limits_for_json_hold_for_machine_reports(tmp_path: Path) -> None:
    lane(tmp_path, documents={"report.json": json.dumps([[[["deep"]]]])})
    settings(tmp_path, json_depth=2)
    assert verify(tmp_path).codes == ["JSON-DEPTH"]


# --- what may not be read ---


@pytest.mark.parametrize(
    ("path", "where"),
    [
        pytest.param("evidence/commands.sh", "evidence/commands.sh", id="file"),
        pytest.param("evidence", "evidence", id="evidence"),
        pytest.param(".", "sample", id="lane"),
        pytest.param("lane.yml", "lane.yml", id="lane-file"),
        pytest.param("report.md", "report.md", id="document"),
    ],
)
def test_what_may_not_be_read_refuses_its_lane_and_no_other(
    path: str, where: str, tmp_path: Path
) -> None:
    lane(tmp_path, "other")
    place = lane(tmp_path, documents={"report.md": "# Report\n"}) / path
    mode = stat.S_IMODE(place.stat().st_mode)
    place.chmod(0)
    try:
        with as_nobody():
            given = verify(tmp_path)
    finally:
        place.chmod(mode)
    lanes = {found["id"]: found for found in given.object["lanes"]}
    assert (given.code, lanes["other"]["outcome"]) == (1, "pass")
    assert (lanes["sample"]["outcome"], lanes["sample"]["integrity"]) == ("fail", "refused")
    assert [(one["code"], one["where"]) for one in lanes["sample"]["findings"]] == [
        ("READ-DENIED", where)
    ]
    assert str(tmp_path) not in given.out


@pytest.mark.parametrize("path", ["packets", "."])
def test_a_root_that_may_not_be_read_gives_no_verdict(path: str, tmp_path: Path) -> None:
    lane(tmp_path / "root")
    place = tmp_path / "root" / path
    place.chmod(0)
    try:
        with as_nobody():
            given = run("verify", tmp_path / "root")
    finally:
        place.chmod(0o755)
    assert (given.code, given.out) == (3, "")
    assert given.err.endswith("Permission denied\n")


# --- lanes among each other ---


def test_a_file_held_elsewhere_is_found_in_the_other_packet(tmp_path: Path) -> None:
    shared = FILES["states/before.sql"]
    pin = f"pins:\n  states/before.sql: {digest(shared)}\n"
    kept = {path: data for path, data in FILES.items() if data != shared}
    lane(tmp_path, "holder", {"kept/here.sql": shared})
    lane(tmp_path, "sample", kept, manifest=listing(FILES), yml=pin)
    given = verify(tmp_path)
    found = next(one for one in given.object["lanes"] if one["id"] == "sample")
    assert (given.code, found["findings"], found["integrity"]) == (0, [], "consistent")
    assert [(file["path"], file["state"], file["held_by"]) for file in found["files"]] == [
        ("commands.sh", "match", ""),
        ("result.json", "match", ""),
        ("states/before.sql", "held elsewhere", "holder/kept/here.sql"),
    ]
    assert [claim["against"] for claim in found["claims"]] == [
        "evidence/commands.sh",
        "evidence/result.json",
        "holder/kept/here.sql",
        f"evidence/{MANIFEST}",
    ]


def test_a_file_that_is_only_missing_is_not_held_elsewhere(tmp_path: Path) -> None:
    """The other packet has the bytes, and no pin says that they count."""
    shared = FILES["states/before.sql"]
    kept = {path: data for path, data in FILES.items() if data != shared}
    lane(tmp_path, "holder", {"kept/here.sql": shared})
    lane(tmp_path, "sample", kept, manifest=listing(FILES))
    assert verify(tmp_path).codes == ["FILE-MISSING"]


@pytest.mark.parametrize(
    ("pin", "codes"),
    [
        pytest.param(digest(FILES["commands.sh"]), [], id="same"),
        pytest.param(digest(b"other"), ["PIN-DIFFERS"], id="other"),
    ],
)
def test_a_pin_is_held_against_present_bytes(pin: str, codes: list[str], tmp_path: Path) -> None:
    lane(tmp_path, yml=f"pins:\n  commands.sh: {pin}\n")
    assert verify(tmp_path).codes == codes


def test_a_pinned_file_that_was_taken_out_before_sealing_is_told(tmp_path: Path) -> None:
    lane(tmp_path, yml=f"pins:\n  gate.py: {digest(b'the approved gate')}\n")
    assert verify(tmp_path).code == 1


def test_a_pinned_lane_that_was_taken_away_is_told(tmp_path: Path) -> None:
    lane(tmp_path)
    (tmp_path / "pins.yml").write_text(f"lanes:\n  gone: {digest(b'')}\n", "utf-8")
    gone, sample = shapes(verify(tmp_path))
    assert (verify(tmp_path).code, gone[:3], gone[3][0], sample) == (
        1,
        ("gone", "pins.yml", "fail"),
        "PIN-LANE",
        ("sample", "packets/sample", "pass", []),
    )


def test_a_pin_in_another_case_hides_no_lane(tmp_path: Path) -> None:
    lane(tmp_path)
    (tmp_path / "pins.yml").write_text(f"lanes:\n  Sample: {digest(b'')}\n", "utf-8")
    found = [shape[1:] for shape in shapes(verify(tmp_path))]
    assert ("packets/sample", "pass", []) in found


def test_pins_that_differ_only_by_case_stay_apart(tmp_path: Path) -> None:
    lane(tmp_path)
    pins = "".join(f"  {name}: {digest(b'')}\n" for name in ("Sample", "SAMPLE", "sAMPLE"))
    (tmp_path / "pins.yml").write_text(f"lanes:\n{pins}", "utf-8")
    found = shapes(verify(tmp_path))
    assert (len(found), len({shape[0] for shape in found})) == (4, 4)


def integrity(root: Path) -> dict[str, str]:
    return {found["id"]: found["integrity"] for found in verify(root).object["lanes"]}


def test_how_far_a_sound_packet_goes(tmp_path: Path) -> None:
    own, later, pinned, alone = ({**FILES, "which.txt": name} for name in (b"1", b"2", b"3", b"4"))
    trees = [digest(listing(files)) for files in (own, later, pinned, alone)]
    lane(tmp_path, "a-own", own, documents={"report.md": f"# Report\n\nPacket tree: {trees[0]}\n"})
    lane(tmp_path, "b-later", later)
    lane(
        tmp_path,
        "c-pinned",
        pinned,
        yml="previous: b-later\n",
        documents={"report.json": json.dumps({"preflight": {"packet": trees[1]}})},
    )
    lane(
        tmp_path,
        "d-alone",
        alone,
        documents={"report.md": f"# Report\n\nPacket: {trees[3][:10]}\u2026{trees[3][-6:]}\n"},
    )
    (tmp_path / "pins.yml").write_text(f"lanes:\n  c-pinned: {trees[2]}\n", "utf-8")
    assert integrity(tmp_path) == {
        "a-own": "cited",
        "b-later": "cited",
        "c-pinned": "pinned",
        "d-alone": "consistent",
    }


@pytest.mark.parametrize(
    "missing",
    [
        pytest.param([MANIFEST, TREE], id="both"),
        pytest.param([MANIFEST], id="manifest"),
        pytest.param(
            [TREE],
            id="tree",
        ),
    ],
)
def test_a_packet_that_is_not_sealed(missing: list[str], tmp_path: Path) -> None:
    held = lane(tmp_path)
    for name in missing:
        (held / "evidence" / name).unlink()
    given = verify(tmp_path)
    assert (given.code, only(given)["outcome"], only(given)["integrity"]) == (1, "fail", "unsealed")
    assert [one["where"] for one in only(given)["findings"]] == [
        f"evidence/{name}" for name in missing
    ]


# --- drift ---


DIFFERS = "The file's bytes give another digest than the manifest lists."


def drift_of(root: Path, path: str) -> str:
    """Return the drift told of a file of the lane ``sample``, by the file and by its finding."""
    found = next(one for one in verify(root).object["lanes"] if one["id"] == "sample")
    (file,) = [one for one in found["files"] if one["path"] == path]
    drift: str = file["drift"]
    assert file["state"] == "differs"
    assert [(one["code"], one["where"], one["message"]) for one in found["findings"]] == [
        ("FILE-DIFFERS", f"evidence/{path}", f"{DIFFERS} Drift: {drift}." if drift else DIFFERS)
    ]
    return drift


def test_drift_that_a_transformation_shows(tmp_path: Path) -> None:
    held = lane(tmp_path)
    (held / "evidence" / "commands.sh").write_bytes(b"exit 0\r\n")
    assert drift_of(tmp_path, "commands.sh") == (
        "CRLF (a transformation of the present bytes gives the sealed digest)"
    )


@pytest.mark.parametrize("place", ["sample", "other"], ids=["in-the-lane", "in-another-packet"])
@pytest.mark.parametrize("layout", ["sound-holder", "refuted-holder"])
def test_drift_that_the_sealed_bytes_show(place: str, layout: str, tmp_path: Path) -> None:
    """Which dash stood where cannot be worked out; only the sealed bytes show it."""
    sealed, present = "a - b, c \u2014 d\n".encode(), "a \u2014 b, c - d\n".encode()
    files = {**FILES, "note.txt": sealed}
    if place == "sample":
        files["copy.txt"] = sealed
    else:
        lane(tmp_path, "other", {"copy.txt": sealed})
    held = lane(tmp_path, files=files)
    (held / "evidence" / "note.txt").write_bytes(present)
    if layout == "refuted-holder" and place == "other":
        (tmp_path / "packets" / "other" / "evidence" / "extra.txt").write_bytes(b"x")
    assert drift_of(tmp_path, "note.txt") == "look-alike characters (sealed bytes found by digest)"


def test_without_the_sealed_bytes_nothing_is_explained(tmp_path: Path) -> None:
    sealed, present = "a - b, c \u2014 d\n".encode(), "a \u2014 b, c - d\n".encode()
    held = lane(tmp_path, files={**FILES, "note.txt": sealed})
    (held / "evidence" / "note.txt").write_bytes(present)
    assert drift_of(tmp_path, "note.txt") == ""


def test_a_change_of_meaning_is_no_drift(tmp_path: Path) -> None:
    held = lane(tmp_path)
    (held / "evidence" / "commands.sh").write_bytes(b"exit 1\n")
    assert drift_of(tmp_path, "commands.sh") == ""


# --- layouts ---


def shapes(given: Answer) -> list[tuple[str, str, str, list[str]]]:
    return [
        (lane["id"], lane["folder"], lane["outcome"], [one["code"] for one in lane["findings"]])
        for lane in given.object["lanes"]
    ]


def test_the_older_layout(tmp_path: Path) -> None:
    packets = tmp_path / "packets"
    held = packet(packets / f"tank-swap-packet-{DATE}")
    sealed = digest((held / MANIFEST).read_bytes())
    stated = {"final_status": "TANK_SWAP_READY", "evidence_packet": {"packet_tree_sha256": sealed}}
    write(
        packets,
        {
            f"tank-swap-report-{DATE}.md": b"# Tank report\n\nFinal status: TANK_SWAP_READY\n",
            f"tank-swap-report-{DATE}.json": json.dumps(stated).encode(),
            f"tank-swap-checkpoint-{DATE}.md": b"# Checkpoint\n\nFinal status: TANK_SWAP_READY\n",
            "tank-swap-report-2026-06-13.md": b"# Report\n\nFinal status: OTHER_TANK_SWAP_READY\n",
        },
    )
    given = verify(tmp_path)
    assert shapes(given) == [
        ("other-tank-swap", "packets/tank-swap-report-2026-06-13.md", "unknown", []),
        ("tank-swap", f"packets/tank-swap-packet-{DATE}", "pass", []),
    ]
    found = given.object["lanes"][1]
    assert (found["integrity"], found["stated_status"], sorted(found["cited_by"])) == (
        "cited",
        "TANK_SWAP_READY",
        [f"tank-swap/tank-swap-report-{DATE}.json"],
    )
    assert {claim["where"].split("#")[0].split(":")[0] for claim in found["claims"]} == {
        f"packet/{MANIFEST}",
        f"packet/{TREE}",
        f"tank-swap-report-{DATE}.md",
        f"tank-swap-report-{DATE}.json",
        f"tank-swap-checkpoint-{DATE}.md",
    }


def test_the_longest_name_of_an_older_packet_takes_a_document(tmp_path: Path) -> None:
    packet(tmp_path / f"tank-packet-{DATE}")
    packet(tmp_path / f"tank-swap-packet-{DATE}")
    write(tmp_path, {f"tank-swap-report-{DATE}.md": b"# R\n\nFinal status: TANK_SWAP_NOW_READY\n"})
    lanes = {found["id"]: found["stated_status"] for found in verify(tmp_path).object["lanes"]}
    assert lanes == {"tank": "", "tank-swap": "TANK_SWAP_NOW_READY"}


LOOSE = {
    "a.md": b"# Tank report\n\nFinal status: NORTH_TANK_SWAP_READY\n",
    "b.json": b'{"final_status": "NORTH_TANK_SWAP_READY"}',
    "c.md": b"# Checkpoint\n\nFinal status: SOUTH_TANK_SWAP_READY\n",
    "README.md": b"# not a lane\n",
    "notes.log": b"not a document\n",
}
GROUPED: dict[str, tuple[str, list[str]]] = {
    "north-tank-swap": ("unknown", []),
    "south-tank-swap": ("unknown", []),
}


def test_loose_documents_are_grouped_by_what_they_state(tmp_path: Path) -> None:
    write(tmp_path / "packets", LOOSE)
    given = verify(tmp_path)
    assert (given.code, {shape[0]: shape[2:] for shape in shapes(given)}) == (3, GROUPED)


def test_a_loose_document_that_cannot_be_read_stands_alone(tmp_path: Path) -> None:
    write(tmp_path / "packets", {**LOOSE, "bad.md": b"\xff"})
    given = verify(tmp_path)
    assert {shape[0]: shape[2:] for shape in shapes(given)} == {
        **GROUPED,
        "bad": ("fail", ["DOC-UTF8"]),
    }
    assert given.code == 1


@pytest.mark.parametrize(
    ("name", "lane_id"),
    [
        pytest.param("two words", None, id="space"),
        pytest.param("a\x1b[2Jb", None, id="escape"),
        pytest.param("\u202egnp.exe", None, id="bidi"),
        pytest.param("con", None, id="reserved"),
        pytest.param("x" * 101, None, id="long"),
        pytest.param("a..b", None, id="two-dots"),
        pytest.param("-rf", None, id="option"),
        pytest.param("<script>", None, id="markup"),
        pytest.param("caf\u00e9", None, id="accent"),
        pytest.param("a\udcff", None, id="not-utf-8"),
    ],
)
def test_a_lane_folder_with_a_hostile_name_gets_a_safe_id(
    name: str, lane_id: str | None, tmp_path: Path
) -> None:
    lane(tmp_path, name, yml=None)
    given = verify(tmp_path)
    found = only(given)
    expected = lane_id or f"unnamed-{digest(os.fsencode(name))[:16]}"
    assert (given.code, found["id"], [one["code"] for one in found["findings"]]) == (
        1,
        expected,
        ["LANE-ID"],
    )
    assert found["folder"].isprintable()


def test_two_lanes_with_one_id_are_both_shown(tmp_path: Path) -> None:
    for date in ("2026-06-12", "2026-06-13"):
        packet(tmp_path / "packets" / f"tank-packet-{date}", {"date.txt": date.encode()})
    given = verify(tmp_path)
    assert given.code == 1
    assert [(shape[1], shape[3]) for shape in shapes(given)] == [
        ("packets/tank-packet-2026-06-12", []),
        ("packets/tank-packet-2026-06-13", ["LANE-TWICE"]),
    ]
    assert len({shape[0] for shape in shapes(given)}) == 2


@pytest.mark.parametrize(
    "name", ["note.log", ".hidden", "evidence.zip"], ids=["log", "hidden", "archive"]
)
def test_a_lane_without_evidence_is_never_verified(name: str, tmp_path: Path) -> None:
    write(tmp_path / "packets" / "sample", {name: b"x", "lane.yml": b"id: sample\n"})
    given = verify(tmp_path)
    assert (given.code, only(given)["outcome"], only(given)["integrity"]) == (
        3,
        "unknown",
        "claims only",
    )


def test_a_file_named_evidence_is_no_evidence(tmp_path: Path) -> None:
    write(tmp_path / "packets" / "sample", {"evidence": b"x", "lane.yml": b"id: sample\n"})
    given = verify(tmp_path)
    assert (given.code, given.codes) == (3, ["LANE-UNREAD"])


def test_an_empty_evidence_folder_is_not_sealed(tmp_path: Path) -> None:
    (tmp_path / "packets" / "sample" / "evidence").mkdir(parents=True)
    given = verify(tmp_path)
    assert (given.code, given.codes) == (1, ["MAN-MISSING", "TREE-MISSING"])


def test_hidden_files_count_in_the_packet_and_not_beside_it(tmp_path: Path) -> None:
    held = lane(tmp_path)
    (held / ".DS_Store").write_bytes(b"x")
    assert verify(tmp_path).code == 0
    (held / "evidence" / ".DS_Store").write_bytes(b"x")
    assert verify(tmp_path).codes == ["FILE-EXTRA"]


def test_what_lies_beside_the_lanes_and_is_not_read_is_named(tmp_path: Path) -> None:
    lane(tmp_path)
    packets = tmp_path / "packets"
    write(packets, {"old.tar.gz": b"x", ".gitignore": b"x", "README.md": b"# Lanes\n"})
    write(packets / ".hid\x1bden", {"lane.yml": b"id: hidden\n"})
    given = run("verify", tmp_path)
    assert (given.code, given.err) == (
        0,
        "not read: packets/.hid\\x1bden, packets/old.tar.gz\n",
    )
    told = json.loads(run("verify", "--format", "json", tmp_path).out)
    assert told["unread"] == ["packets/.hid\\x1bden", "packets/old.tar.gz"]


def test_seal_names_further_down_are_files_like_others(tmp_path: Path) -> None:
    files = {**FILES, f"inner/{MANIFEST}": b"x", f"inner/{TREE}": b"y"}
    assert verify(packet(tmp_path / "packet", files)).code == 0
    (tmp_path / "packet" / "inner" / MANIFEST).write_bytes(b"z")
    assert verify(tmp_path / "packet").codes == ["FILE-DIFFERS"]


def test_the_evidence_folder_of_a_lane_stands_for_the_lane(tmp_path: Path) -> None:
    held = lane(tmp_path, manifest=b"# c\n" + listing(FILES), yml="tree_profile: sha256sum\n")
    assert (verify(held).code, verify(held / "evidence").code) == (0, 0)


def test_one_lane_of_a_root_is_judged_with_the_others_around_it(tmp_path: Path) -> None:
    first = lane(tmp_path, "first")
    second = lane(tmp_path, "second", {"x": b"x"}, yml="previous: first\n")
    (first / "evidence" / "commands.sh").write_bytes(b"exit 1\n")
    assert [found["id"] for found in verify(second).object["lanes"]] == ["second"]
    assert (verify(second).code, verify(first).code, verify(tmp_path).code) == (0, 1, 1)


def test_reading_leaves_no_thread_and_no_descriptor(tmp_path: Path) -> None:
    lane(tmp_path, files={**FILES, "large.bin": b"x" * (2 * tree.SMALL), "a/b/c.txt": b"c"})
    verify(tmp_path)
    before = (threading.active_count(), len(os.listdir("/proc/self/fd")))
    verify(tmp_path)
    run("verify", tmp_path / "nowhere")
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == before


def test_a_broken_seal_over_good_files_is_told_as_what_it_is(tmp_path: Path) -> None:
    held = packet(tmp_path / "packet")
    other = listing({**FILES, "commands.sh": b"exit 1\n"})
    (held / MANIFEST).write_bytes(other)
    assert verify(held).codes == ["FILE-DIFFERS", "TREE-DIFFERS"]
    (held / TREE).write_bytes(tree_of(other))
    assert verify(held).codes == ["FILE-DIFFERS"]
