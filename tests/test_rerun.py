"""``lanebook rerun``: pinned scripts, hostile ones too, run in a real sandbox."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import pwd
import re
import secrets
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from generator.cli.app import app
from generator.cli.rerun import rerun as command
from generator.errors import InputError
from generator.model.digest import Digest
from generator.reading.tree import read_packet
from generator.rerun import sandbox, seccomp
from generator.rerun.rerun import Store, choose
from tests.folders import Answer, content, digest, lane, listing, run, tree_of, write

if "rerun" not in app.commands:
    app.add_command(command)

ROOT = Path(__file__).parents[1]
MIB = 1024 * 1024


def _why_not() -> str:
    """Say why no sandbox can be made on this machine, or nothing."""
    try:
        with sandbox.run(["/bin/true"], {"x": b""}, sandbox.Limits(seconds=60)):
            return ""
    except InputError as error:
        return str(error)


WHY_NOT = _why_not()
sandboxed = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "-")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


# --- lanes whose scripts do what a test wants ---

MADE = {"made/squares.txt": b"0\n1\n4\n", "made/word.txt": b"forty\n"}
MAKER = """\
mkdir "$out/made" || exit 2
while read -r n; do echo $((n * n)); done <"$here/numbers.txt" >"$out/made/squares.txt"
echo forty >"$out/made/word.txt"
"""
GOOD = f"""\
#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
out=$LANEBOOK_OUT
cp "$here/RERUN.sh" "$here/inputs.txt" "$here/numbers.txt" "$out/" || exit 2
{MAKER}
echo PACKET_TREE MATCH
"""
INPUTS = b"RERUN.sh\ninputs.txt\nnumbers.txt\n"


def files_of(script: str, **more: bytes) -> dict[str, bytes]:
    """Return the files of a packet that two files were made in from one list of numbers."""
    return {
        "RERUN.sh": script.encode(),
        "inputs.txt": INPUTS,
        "numbers.txt": b"0\n1\n2\n",
        **MADE,
        **more,
    }


def pin(script: str | bytes) -> str:
    data = script.encode() if isinstance(script, str) else script
    return f'pins:\n  RERUN.sh: "{digest(data)}"\n'


def sealed(root: Path, script: str, lane_id: str = "sample") -> Path:
    """Write a lane whose script is pinned."""
    return lane(root, lane_id, files_of(script), yml=pin(script))


def rerun(root: Path, *options: str, lane_id: str = "sample") -> Answer:
    return run("rerun", lane_id, "--root", root, "--time", "60", *options)


def told(root: Path, script: str, *options: str) -> dict[str, Any]:
    """Run a script as a lane's own, and return what lanebook says of it."""
    sealed(root, script)
    answer = rerun(root, "--format", "json", *options)
    found = answer.object
    assert found["exit_code"] == answer.code
    return found


def python(program: str, *, before: str = "", after: str = "") -> str:
    """Return a script that runs a Python program with the system's interpreter."""
    return f"{before}python3 -I -B - <<'END'\n{textwrap.dedent(program)}\nEND\n{after}"


def printed(found: Mapping[str, Any]) -> list[str]:
    lines: list[str] = found["script"]["last_lines"]
    return lines


# --- verdicts ---


@sandboxed
def test_a_packet_that_is_made_again_is_recomputed(tmp_path: Path) -> None:
    files = files_of(GOOD)
    found = told(tmp_path, GOOD)
    tree = digest(listing(files))
    nothing = {"count": 0, "paths": []}
    assert found == {
        "schema": "lanebook/rerun/1",
        "lanebook": found["lanebook"],
        "lane": "sample",
        "outcome": "recomputed",
        "code": "",
        "message": "2 of 5 files were made again to the byte",
        "exit_code": 0,
        "sealed_tree": tree,
        "remade_tree": tree,
        "files": {
            "listed": 5,
            "given": ["RERUN.sh", "inputs.txt", "numbers.txt"],
            "to_make": 2,
        },
        "differences": {
            "differs": nothing,
            "missing": nothing,
            "extra": nothing,
            "refused": nothing,
        },
        "script": {
            "sha256": digest(GOOD.encode()),
            "ended": "exit",
            "exit_code": 0,
            "says": "match",
            "printed": 18,
            "last_lines": ["PACKET_TREE MATCH"],
        },
        "limits": {
            "seconds": 60,
            "memory": 1024 * MIB,
            "disk": 512 * MIB,
            "processes": 64,
        },
    }


@sandboxed
def test_the_text_tells_the_same(tmp_path: Path) -> None:
    sealed(tmp_path, GOOD)
    tree = digest(listing(files_of(GOOD)))
    assert rerun(tmp_path) == Answer(
        0,
        "the script printed 18 bytes; all:\n"
        "  | PACKET_TREE MATCH\n"
        "sample  ● recomputed  2 of 5 files were made again to the byte\n"
        f"  sealed    {tree}\n"
        f"  made      {tree}\n"
        "  given     3 files of 5\n"
        "  script    exit code 0; it says match: claimed only\n",
        f"running RERUN.sh of sample ({digest(GOOD.encode())[:12]}…), for at most 60 s\n",
    )


@sandboxed
@pytest.mark.parametrize(
    "seals",
    [
        pytest.param(True, id="with-the-seals"),
        pytest.param(False, id="without"),
    ],
)
def test_the_seals_may_be_left_too_but_must_be_the_sealed_ones(seals: bool, tmp_path: Path) -> None:
    copy = 'cp "$here/HASH_MANIFEST.txt" "$here/packet_tree.sha256" "$out/"\n'
    wrong = 'echo 0 >"$out/packet_tree.sha256"\n'
    assert told(tmp_path / "a", GOOD + (copy if seals else ""))["exit_code"] == 0
    found = told(tmp_path / "b", GOOD + (copy if seals else "") + wrong)
    assert (found["exit_code"], found["differences"]["differs"]["paths"]) == (
        1,
        ["packet_tree.sha256"],
    )


@sandboxed
@pytest.mark.parametrize(
    ("more", "exit_code", "differences"),
    [
        pytest.param(
            'echo 5 >"$out/made/squares.txt"\n', 1, {"differs": ["made/squares.txt"]}, id="differs"
        ),
        pytest.param('rm "$out/made/word.txt"\n', 1, {"missing": ["made/word.txt"]}, id="missing"),
        pytest.param('echo >"$out/made/more"\n', 1, {"extra": ["made/more"]}, id="extra"),
        pytest.param(
            'cd "$out/made"; mv word.txt ../x; ln -s ../x word.txt\n',
            1,
            {"extra": ["x"], "refused": ["made/word.txt: a symbolic link"]},
            id="link-to-the-right-bytes",
        ),
        pytest.param(
            'ln -s /etc/passwd "$out/l"; mkfifo "$out/f"\n',
            1,
            {"refused": ["f: a fifo", "l: a symbolic link"]},
            id="link-out-and-fifo",
        ),
        pytest.param(
            "printf x >\"$out/$(printf 'a\\033[2J\\nb')\"\n",
            1,
            {"extra": [r"a\x1b[2J\x0ab"]},
            id="hostile-name",
        ),
        pytest.param(
            'ln "$out/made/word.txt" /work/again 2>/dev/null; cd "$out" && ln numbers.txt x && '
            "rm numbers.txt && ln x numbers.txt && ln -f made/word.txt x && rm x\n",
            0,
            {},
            id="hard-link-is-a-file",
        ),
    ],
)
def test_what_is_left_is_what_counts(
    more: str, exit_code: int, differences: dict[str, list[str]], tmp_path: Path
) -> None:
    """The script says MATCH in every case."""
    found = told(tmp_path, GOOD + more + "echo PACKET_TREE MATCH\n")
    assert found["exit_code"] == exit_code
    assert found["code"] == ("RERUN-DIFFERS" if exit_code else "")
    assert {k: v["paths"] for k, v in found["differences"].items() if v["count"]} == differences
    assert found["script"]["says"] == "match"


@sandboxed
def test_a_difference_is_named_in_the_text_and_the_trees_differ(tmp_path: Path) -> None:
    sealed(tmp_path, GOOD + 'echo 5 >"$out/made/squares.txt"\n')
    answer = rerun(tmp_path)
    lines = answer.out.splitlines()
    assert answer.code == 1
    assert lines[2:4] == [
        "sample  ▲ differs  what the script made is not what was sealed (RERUN-DIFFERS)",
        "  differs   made/squares.txt",
    ]
    trees = [line.split()[1] for line in lines if line.startswith(("  sealed", "  made"))]
    assert len(set(trees)) == 2
    assert all(re.fullmatch("[0-9a-f]{64}", tree) for tree in trees)


@sandboxed
@pytest.mark.parametrize(
    ("script", "says", "message"),
    [
        pytest.param("echo PACKET_TREE MATCH\n", "match", "MATCH", id="match"),
        pytest.param("echo PACKET_TREE DIFFERS; exit 1\n", "differs", "DIFFERS", id="differs"),
        pytest.param("exit 2\n", "not run", "NOT RUN", id="not-run"),
        pytest.param(
            "echo PACKET_TREE MATCH; exit 1\n", "", "nothing, with exit code 1", id="contradiction"
        ),
        pytest.param("exit 0\n", "", "nothing, with exit code 0", id="silent"),
        pytest.param(
            "echo 'PACKET_TREE MATCH!'\n", "", "nothing, with exit code 0", id="not-that-line"
        ),
        pytest.param("kill -9 $$\n", "", "nothing, with exit code 137", id="killed-itself"),
    ],
)
def test_a_word_without_files_is_claimed_only(
    script: str, says: str, message: str, tmp_path: Path
) -> None:
    found = told(tmp_path, script)
    assert (
        found["exit_code"],
        found["outcome"],
        found["code"],
        found["script"]["says"],
        found["message"],
    ) == (
        3,
        "claimed only",
        "RERUN-CLAIMED",
        says,
        f"the script says {message}; lanebook saw no files: claimed only",
    )


@sandboxed
def test_a_script_that_did_not_finish_refutes_nothing(tmp_path: Path) -> None:
    found = told(tmp_path, 'echo half >"$LANEBOOK_OUT/made"; exit 2\n')
    assert (found["exit_code"], found["outcome"], found["code"]) == (
        3,
        "stopped",
        "RERUN-UNFINISHED",
    )


@sandboxed
def test_the_files_to_be_made_are_not_shown(tmp_path: Path) -> None:
    script = 'cd /packets && find . -type f | sort; cp -r sample/evidence/. "$LANEBOOK_OUT"\n'
    found = told(tmp_path, script)
    assert printed(found) == [
        f"./sample/evidence/{name}"
        for name in (
            "HASH_MANIFEST.txt",
            "RERUN.sh",
            "inputs.txt",
            "numbers.txt",
            "packet_tree.sha256",
        )
    ]
    assert (found["exit_code"], found["differences"]["missing"]["paths"]) == (1, sorted(MADE))


@sandboxed
@pytest.mark.parametrize("inputs", [None, "all"])
def test_a_match_that_could_be_a_copy_is_claimed_only(inputs: str | None, tmp_path: Path) -> None:
    script = 'cp -r "$(dirname "$0")/." "$LANEBOOK_OUT"; echo PACKET_TREE MATCH\n'
    files = files_of(script)
    del files["inputs.txt"]
    if inputs:
        files["inputs.txt"] = b"".join(f"{name}\n".encode() for name in [*files, "inputs.txt"])
    lane(tmp_path, "sample", files, yml=pin(script))
    found = rerun(tmp_path, "--format", "json").object
    assert (found["exit_code"], found["outcome"], found["code"], found["remade_tree"]) == (
        3,
        "claimed only",
        "RERUN-COPIED",
        digest(listing(files)),
    )


@sandboxed
def test_files_that_another_packet_holds_are_given_by_their_digest(tmp_path: Path) -> None:
    files = files_of(GOOD)
    lane(tmp_path, "other", {"kept/n": files["numbers.txt"], "kept/r": files["RERUN.sh"]})
    folder = lane(tmp_path, "sample", files)
    (folder / "evidence" / "numbers.txt").unlink()
    (folder / "evidence" / "RERUN.sh").unlink()
    (folder / "lane.yml").write_text(
        f'id: sample\n{pin(GOOD)}  numbers.txt: "{digest(files["numbers.txt"])}"\n', "utf-8"
    )
    assert run("verify", tmp_path, "-j", "1").code == 0
    found = rerun(tmp_path, "--format", "json").object
    assert (found["exit_code"], found["outcome"]) == (0, "recomputed")


@sandboxed
def test_names_that_are_not_ascii_come_through(tmp_path: Path) -> None:
    script = (
        'cd "$(dirname "$0")"; cp -r RERUN.sh inputs.txt ä "$LANEBOOK_OUT"\n'
        'cat "ä/数 1.txt" "ä/数 1.txt" >"$LANEBOOK_OUT/été"; echo PACKET_TREE MATCH\n'
    )
    files = {
        "RERUN.sh": script.encode(),
        "inputs.txt": "RERUN.sh\ninputs.txt\nä/数 1.txt\n".encode(),
        "ä/数 1.txt": b"1\n",
        "été": b"1\n1\n",
    }
    lane(tmp_path, "sample", files, yml=pin(script))
    found = rerun(tmp_path, "--format", "json").object
    assert (found["outcome"], found["files"]["given"][-1]) == ("recomputed", "ä/数 1.txt")


@sandboxed
def test_a_lane_can_be_named_by_its_folder(tmp_path: Path) -> None:
    folder = sealed(tmp_path, GOOD)
    for name in (folder, folder / "evidence"):
        assert run("rerun", name, cwd=Path("/")).code == 0
    assert run("rerun", "sample", cwd=folder).code == 0


# --- refusals: nothing runs ---


def other_script(folder: Path) -> None:
    """Another script, sealed anew by whoever changed it."""
    files = content(folder / "evidence")
    files = {name: data for name, data in files.items() if name in files_of(GOOD)}
    files["RERUN.sh"] = b"exit 0\n"
    manifest = listing(files)
    write(
        folder / "evidence",
        {**files, "HASH_MANIFEST.txt": manifest, "packet_tree.sha256": tree_of(manifest)},
    )


def no_script(folder: Path) -> None:
    files = {name: data for name, data in files_of(GOOD).items() if name != "RERUN.sh"}
    (folder / "evidence" / "RERUN.sh").unlink()
    manifest = listing(files)
    write(
        folder / "evidence",
        {"HASH_MANIFEST.txt": manifest, "packet_tree.sha256": tree_of(manifest)},
    )


def without_pin(folder: Path) -> None:
    (folder / "lane.yml").write_text("id: sample\n", "utf-8")


def short_pin(folder: Path) -> None:
    short = digest(GOOD.encode())
    (folder / "lane.yml").write_text(
        f'id: sample\npins:\n  RERUN.sh: "{short[:8]}…{short[-6:]}"\n', "utf-8"
    )


def pin_in_the_packet(folder: Path) -> None:
    without_pin(folder)
    write(folder / "evidence", {"lane.yml": pin(GOOD).encode()})


def linked_pin(folder: Path) -> None:
    (folder / "lane.yml").rename(folder.parent.parent / "lane.yml")
    (folder / "lane.yml").symlink_to("../../lane.yml")


def changed_input(folder: Path) -> None:
    write(folder / "evidence", {"numbers.txt": b"7\n"})


def changed_script(folder: Path) -> None:
    write(folder / "evidence", {"RERUN.sh": GOOD.encode() + b"#\n"})


def no_seal(folder: Path) -> None:
    (folder / "evidence" / "HASH_MANIFEST.txt").unlink()


def other_tree(folder: Path) -> None:
    write(folder / "evidence", {"packet_tree.sha256": b"0" * 64 + b"\n"})


def pinned_tree(folder: Path) -> None:
    (folder.parent.parent / "pins.yml").write_text(f'lanes:\n  sample: "{"0" * 64}"\n', "utf-8")


def link_in_the_packet(folder: Path) -> None:
    (folder / "evidence" / "link").symlink_to("numbers.txt")


def script_is_a_link(folder: Path) -> None:
    (folder / "evidence" / "RERUN.sh").rename(folder.parent.parent / "RERUN.sh")
    (folder / "evidence" / "RERUN.sh").symlink_to("../../../RERUN.sh")


def no_packet(folder: Path) -> None:
    (folder / "evidence").rename(folder.parent.parent / "elsewhere")
    write(folder, {"report.json": b'{"final_status": "READY"}\n'})


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        pytest.param(no_packet, "RERUN-ABSENT", id="no-packet"),
        pytest.param(no_script, "RERUN-ABSENT", id="no-script"),
        pytest.param(without_pin, "RERUN-UNPINNED", id="no-pin"),
        pytest.param(short_pin, "RERUN-UNPINNED", id="short-pin"),
        pytest.param(pin_in_the_packet, "RERUN-UNPINNED", id="pin-inside-the-packet"),
        pytest.param(linked_pin, "RERUN-UNPINNED", id="lane-file-is-a-link"),
        pytest.param(other_script, "RERUN-PIN", id="another-script-sealed-anew"),
        pytest.param(changed_script, "RERUN-PIN", id="script-changed-after-sealing"),
        pytest.param(changed_input, "RERUN-SEAL", id="input-changed-after-sealing"),
        pytest.param(no_seal, "RERUN-SEAL", id="no-manifest"),
        pytest.param(other_tree, "RERUN-SEAL", id="other-tree-hash"),
        pytest.param(pinned_tree, "RERUN-SEAL", id="pinned-to-another-tree"),
        pytest.param(link_in_the_packet, "RERUN-SEAL", id="link-in-the-packet"),
        pytest.param(script_is_a_link, "RERUN-SEAL", id="script-is-a-link"),
    ],
)
def test_it_is_refused(damage: Any, code: str, tmp_path: Path) -> None:
    damage(sealed(tmp_path, GOOD))
    answer = rerun(tmp_path)
    assert (answer.code, answer.out, answer.err.count("\n")) == (3, "", 1)
    assert answer.err.startswith("lanebook: sample: ")
    assert answer.err.endswith(f" ({code})\n")
    machine = rerun(tmp_path, "--format", "json")
    assert (machine.code, machine.object["outcome"], machine.object["code"]) == (3, "refused", code)


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        pytest.param(b"gone.txt\n", "inputs.txt:1: the manifest does not list 'gone.txt'", id="no"),
        pytest.param(
            b"numbers.txt\n../x\n", "inputs.txt:2: the manifest does not list '../x'", id="outside"
        ),
        pytest.param(
            b"numbers.txt\n\n", "inputs.txt:2: the manifest does not list ''", id="blank-line"
        ),
        pytest.param(b"", "inputs.txt:1: the manifest does not list ''", id="empty"),
        pytest.param(
            b"\x1b[2J\xff\n", r"inputs.txt:1: the manifest does not list '\x1b[2J\udcff'", id="odd"
        ),
    ],
)
def test_inputs_must_be_files_of_the_packet(inputs: bytes, problem: str, tmp_path: Path) -> None:
    lane(tmp_path, "sample", {**files_of(GOOD), "inputs.txt": inputs}, yml=pin(GOOD))
    assert rerun(tmp_path) == Answer(3, "", f"lanebook: sample: {problem} (RERUN-INPUTS)\n")


def test_inputs_that_are_larger_than_the_disk_are_refused(tmp_path: Path) -> None:
    files = files_of(GOOD)
    files["numbers.txt"] = b"1\n" * MIB
    lane(tmp_path, "sample", files, yml=pin(GOOD))
    assert rerun(tmp_path, "--disk", "1") == Answer(
        3,
        "",
        "lanebook: sample: numbers.txt: the files for the script are larger than 1 MiB;"
        " --disk allows more (RERUN-LIMIT)\n",
    )


def test_an_input_that_no_packet_holds_is_refused(tmp_path: Path) -> None:
    files = files_of(GOOD)
    folder = lane(tmp_path, "sample", files)
    (folder / "evidence" / "numbers.txt").unlink()
    (folder / "lane.yml").write_text(
        f'id: sample\n{pin(GOOD)}  numbers.txt: "{digest(files["numbers.txt"])}"\n', "utf-8"
    )
    assert rerun(tmp_path) == Answer(
        3,
        "",
        "lanebook: sample: numbers.txt: its bytes are found in no packet, or change while they are"
        " read (RERUN-SEAL)\n",
    )


def test_a_file_that_changes_after_it_was_hashed_is_refused(tmp_path: Path) -> None:
    folder = sealed(tmp_path, GOOD)
    root, source = choose("sample", tmp_path)
    assert source.evidence is not None
    held = Store(source, root, read_packet(source.evidence), MIB)
    hashed = Digest(digest(GOOD.encode()))
    assert held.get("RERUN.sh", hashed) == GOOD.encode()
    changed_script(folder)
    with pytest.raises(InputError) as caught:
        held.get("RERUN.sh", hashed)
    assert caught.value.code == "RERUN-SEAL"


def test_a_folder_that_becomes_a_link_is_not_followed(tmp_path: Path) -> None:
    folder = sealed(tmp_path, GOOD)
    root, source = choose("sample", tmp_path)
    assert source.evidence is not None
    held = Store(source, root, read_packet(source.evidence), MIB)
    word = MADE["made/word.txt"]
    assert held.get("made/word.txt", Digest(digest(word))) == word
    (folder / "evidence" / "made").rename(tmp_path / "made")
    (folder / "evidence" / "made").symlink_to(tmp_path / "made")
    with pytest.raises(InputError) as caught:
        held.get("made/word.txt", Digest(digest(word)))
    assert caught.value.code == "RERUN-SEAL"


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        pytest.param(["gone"], 3, "lanebook: gone: no such lane in packets/\n", id="no-lane"),
        pytest.param(
            ["\x1b[2J"], 3, "lanebook: \\x1b[2J: no such lane in packets/\n", id="hostile-name"
        ),
        pytest.param(
            ["packets"], 3, "lanebook: packets: not one lane; name its folder or its id\n", id="two"
        ),
        pytest.param(
            ["sample", "--time", "0"],
            2,
            "lanebook: Invalid value for '--time': 0 is not in the range 1<=x<=86400."
            " ('lanebook rerun --help' shows how)\n",
            id="no-time",
        ),
        pytest.param(
            [],
            2,
            "lanebook: Missing argument 'LANE'. ('lanebook rerun --help' shows how)\n",
            id="no-argument",
        ),
    ],
)
def test_wrong_usage_is_told(arguments: list[str], code: int, problem: str, tmp_path: Path) -> None:
    sealed(tmp_path, GOOD)
    sealed(tmp_path, GOOD, "second")
    assert run("rerun", *arguments, cwd=tmp_path) == Answer(code, "", problem)


# --- machines on which no script can be locked in ---


def in_namespace(prepare: str, root: Path) -> tuple[int, str, str]:
    """Run the command as root of a user namespace of its own, after some shell lines."""
    program = (
        "import sys; import tests.test_rerun; from generator.cli.app import call;"
        "sys.exit(call(sys.argv[1:]))"
    )
    words = [sys.executable, "-c", program, "rerun", "sample", "--root", str(root)]
    # the first shell loses its rights, as its user is not mapped yet; the second has them
    shells = ["sh", "-c", 'read -r go; exec sh -ec "$0" "$@"', f'{prepare}\nexec "$@"', "sh"]
    with subprocess.Popen(
        ["unshare", "--user", "--mount", *shells, *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        end = time.monotonic() + 20
        space = f"/proc/{process.pid}/ns/user"
        while os.readlink(space) == os.readlink("/proc/self/ns/user"):
            assert time.monotonic() < end
            time.sleep(0.01)
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{process.pid}/{name}").write_text("0 0 65536", "ascii")
        out, err = process.communicate("go\n", timeout=60)
    return process.returncode, out, err


@as_root
@sandboxed
@pytest.mark.parametrize(
    ("prepare", "code", "problem"),
    [
        pytest.param(":", 0, "", id="allowed"),
        pytest.param(
            "echo 0 >/proc/sys/user/max_user_namespaces",
            3,
            "lanebook: no sandbox: unshare: No space left on device (RERUN-NO-SANDBOX)\n",
            id="user-namespaces-are-forbidden",
        ),
        pytest.param(
            "echo 0 >/proc/sys/user/max_net_namespaces",
            3,
            "lanebook: no sandbox: bwrap: Creating new namespace failed: nesting depth or"
            " /proc/sys/user/max_*_namespaces exceeded (ENOSPC) (RERUN-NO-SANDBOX)\n",
            id="network-namespaces-are-forbidden",
        ),
        pytest.param(
            f"mount --bind /dev/null {sandbox.BWRAP[0]}",
            3,
            "lanebook: no sandbox: bwrap is not installed; on Debian: apt-get install bubblewrap"
            " (RERUN-NO-SANDBOX)\n",
            id="no-bwrap",
        ),
    ],
)
def test_without_a_sandbox_nothing_runs(
    prepare: str, code: int, problem: str, tmp_path: Path
) -> None:
    sealed(tmp_path, GOOD)
    ended, out, err = in_namespace(prepare, tmp_path)
    assert (ended, err.splitlines()[1:]) == (code, problem.splitlines()), err
    assert bool(out) is not bool(problem)


def test_only_programs_of_the_system_are_inside() -> None:
    assert (sandbox.has("sh"), sandbox.has("no-such-program")) == (True, False)


def test_an_unknown_processor_has_no_filter_and_so_no_sandbox() -> None:
    with pytest.raises(InputError) as caught:
        seccomp.program("m68k")
    assert (str(caught.value), caught.value.code) == (
        "no filter of system calls is known for m68k; there is one for x86_64 and aarch64",
        "RERUN-NO-SANDBOX",
    )


@pytest.mark.parametrize(
    ("header", "column"),
    [("x86_64-linux-gnu/asm/unistd_64.h", 0), ("asm-generic/unistd.h", 1)],
)
def test_the_numbers_of_system_calls_are_those_of_the_kernel(header: str, column: int) -> None:
    path = Path("/usr/include") / header
    if not path.exists():
        pytest.skip(f"{path} is not installed (linux-libc-dev)")
    defined = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", path.read_text("utf-8")))
    ours = {name: str(both[column]) for name, both in (seccomp.REFUSED | seccomp.SPECIAL).items()}
    assert ours == {name: defined.get(name) for name in ours}


# --- hostile scripts: files ---


@sandboxed
def test_it_can_write_nowhere_but_in_its_own_folders(tmp_path: Path) -> None:
    name = f"lanebook-test-{os.getpid()}-{tmp_path.name}"
    folders = (
        "/ /bin /dev /dev/shm /etc /home /lib /mnt /opt /out /packets /packets/sample/evidence"
        " /proc /proc/sys /proc/sys/kernel /root /run /sbin /srv /sys /tmp /usr /usr/bin /usr/local"
        f" /usr/local/bin /usr/share /var /var/tmp /work {tmp_path}"
    )
    found = told(
        tmp_path,
        f"for folder in {folders}; do (echo >$folder/{name}) 2>/dev/null && echo $folder; done\n"
        "rm -rf /packets /out/* 2>/dev/null; mount -o remount,rw / 2>/dev/null && echo mount\n"
        "ls -A / | tr '\\n' ' '\n",
    )
    *writable, top = printed(found)
    assert writable == ["/dev/shm", "/out", "/tmp", "/work"]
    assert set(top.split()) <= {
        *("bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "out", "packets", "proc"),
        *("sbin", "tmp", "usr", "work"),
    }
    for folder in folders.split():
        assert not os.path.lexists(f"{folder}/{name}")


@sandboxed
@pytest.mark.parametrize("folder", ["/work", "/out", "/tmp", "/dev/shm"])
def test_it_cannot_fill_the_disk(folder: str, tmp_path: Path) -> None:
    found = told(
        tmp_path,
        f"cd {folder}; for i in 1 2 3 4; do head -c 10000000 /dev/urandom >$i; done; sleep 15\n",
        "--disk",
        "16",
    )
    assert (found["exit_code"], found["code"], found["message"]) == (
        3,
        "RERUN-LIMIT",
        "it was ended: its folders are full",
    )


@sandboxed
def test_its_folders_share_one_limit(tmp_path: Path) -> None:
    script = (
        "head -c 9000000 /dev/urandom >/out/a; head -c 9000000 /dev/urandom >/tmp/b; sleep 15\n"
    )
    found = told(tmp_path, script, "--disk", "16")
    assert found["message"] == "it was ended: its folders are full"


@sandboxed
def test_it_cannot_make_files_without_end(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        python(
            """
            import os
            for number in range(1_000_000):
                os.close(os.open(f"/work/{number}", os.O_CREAT | os.O_WRONLY))
            """,
            after="sleep 15\n",
        ),
    )
    assert (found["code"], found["message"]) == (
        "RERUN-LIMIT",
        "it was ended: its folders hold too many files",
    )


@sandboxed
def test_a_sparse_file_is_not_read_for_ever(tmp_path: Path) -> None:
    script = 'for i in 1 2 3 4 5 6; do truncate -s 16M "$LANEBOOK_OUT/$i"; done\n'
    started = time.monotonic()
    found = told(tmp_path, script, "--disk", "16")
    assert (
        found["code"],
        [line.split(":")[0] for line in found["differences"]["refused"]["paths"]],
    ) == (
        "RERUN-DIFFERS",
        ["2"],
    )
    assert time.monotonic() - started < 40


@sandboxed
def test_folders_that_forbid_reading_are_told_or_read(tmp_path: Path) -> None:
    found = told(tmp_path, f'{GOOD}chmod 000 "$out/made/word.txt" "$out/made" "$out"\n')
    if os.geteuid() == 0:
        assert found["outcome"] == "recomputed"
    else:
        assert found["code"] == "RERUN-DIFFERS"


@sandboxed
def test_the_packet_on_disk_stays_as_it_is(tmp_path: Path) -> None:
    folder = sealed(
        tmp_path,
        "cd /packets/sample/evidence; echo x >>numbers.txt; rm -f RERUN.sh; chmod 777 . RERUN.sh\n"
        "touch inputs.txt; mv numbers.txt /work/; ln -f inputs.txt /work/x; echo done\n",
    )
    before = {path: path.stat() for path in sorted(folder.rglob("*"))}
    bytes_before = content(folder)
    found = rerun(tmp_path, "--format", "json").object
    assert printed(found)[-1] == "done"
    assert content(folder) == bytes_before
    after = {path: path.stat() for path in sorted(folder.rglob("*"))}
    assert {path: (s.st_mtime_ns, s.st_ctime_ns, s.st_mode) for path, s in after.items()} == {
        path: (s.st_mtime_ns, s.st_ctime_ns, s.st_mode) for path, s in before.items()
    }


@sandboxed
def test_nothing_is_left_on_this_machine(tmp_path: Path) -> None:
    before = set(os.listdir("/tmp")) | set(os.listdir("/dev/shm")) | set(os.listdir("/var/tmp"))
    mounts = Path("/proc/mounts").read_text("utf-8")
    assert told(tmp_path, f"{GOOD}echo $$ >/tmp/x; echo >/dev/shm/y\n")["outcome"] == "recomputed"
    after = set(os.listdir("/tmp")) | set(os.listdir("/dev/shm")) | set(os.listdir("/var/tmp"))
    assert not {name for name in after - before if "rerun" in name or name in ("x", "y", "box")}
    assert Path("/proc/mounts").read_text("utf-8") == mounts


@sandboxed
def test_it_cannot_read_what_it_was_not_given(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret of the house", "utf-8")
    homes = sorted({str(Path.home()), "/root", "/home", str(tmp_path), str(ROOT), "/etc/passwd"})
    found = told(
        tmp_path,
        f"for path in {' '.join(homes)} /run /var /etc/shadow /boot /sys /dev/sda /dev/vda /dev/mem"
        " /dev/kmsg /dev/tty /proc/1/root/etc/passwd; do [ -e $path ] && echo $path; done\n"
        f"cat {secret} /proc/*/root{secret} 2>/dev/null\n"
        "ls /etc | tr '\\n' ' '; echo; ls /dev | tr '\\n' ' '\n",
    )
    *seen, etc, dev = printed(found)
    assert seen == []
    assert set(etc.split()) <= {"alternatives", "ld.so.cache"}
    assert dev.split() == ["fd", "null", "random", "shm", "stderr", "stdin", "stdout", "urandom"]


@sandboxed
def test_a_root_among_the_systems_folders_is_covered() -> None:
    """Else a lane below /usr would show the script its own packet, sealed files and all."""
    files = {
        "look.sh": b"ls -A /usr/share/doc | wc -l; echo >/usr/share/doc/x; ls -A /usr | wc -l\n"
    }
    words = ["/bin/sh", "/packets/look.sh"]
    limits = sandbox.Limits(seconds=60)
    with sandbox.run(words, files, limits, covered=(Path("/usr/share/doc"),)) as (ended, _):
        first, refusal, last = ended.tail.decode().splitlines()
    assert (first, "Read-only file system" in refusal, int(last) > 3) == ("0", True, True)
    with sandbox.run(words, files, limits) as (ended, _):
        assert int(ended.tail.decode().splitlines()[0]) > 3


@as_root
@sandboxed
def test_a_packet_below_usr_is_not_found_there_either(tmp_path: Path) -> None:
    script = (
        'cd "$(dirname "$0")"; cp RERUN.sh inputs.txt numbers.txt "$LANEBOOK_OUT"\n'
        'cp -r /usr/games/packets/sample/evidence/made "$LANEBOOK_OUT"; exit 0\n'
    )
    sealed(tmp_path, script)
    # a file system of this test's own, in a namespace of its own, on a folder that Debian has
    prepare = f"mount -t tmpfs none /usr/games; cp -r {tmp_path}/packets /usr/games/"
    code, out, _ = in_namespace(prepare, Path("/usr/games"))
    assert (code, [line for line in out.splitlines() if line.startswith("  missing")]) == (
        1,
        [f"  missing   {path}" for path in sorted(MADE)],
    )


# --- hostile scripts: who it is, and what it is told ---


@sandboxed
def test_it_has_no_environment_of_ours(tmp_path: Path) -> None:
    os.environ["LANEBOOK_TEST_SECRET"] = "the secret of the house"
    try:
        found = told(
            tmp_path,
            "cat /proc/self/environ | tr '\\0' '\\n' | sort\n"
            "cat /proc/*/environ | grep -a -c secret; hostname; pwd; id -u; id -g; id -G\n"
            "cat <&0 | wc -c; tty\n",
        )
    finally:
        del os.environ["LANEBOOK_TEST_SECRET"]
    assert printed(found) == [
        "HOME=/work",
        "LANEBOOK_OUT=/out",
        "LC_ALL=C",
        "PATH=/usr/local/bin:/usr/bin:/bin",
        "PWD=/work",
        "TMPDIR=/work/tmp",
        "0",
        "lanebook",
        "/work",
        *("65534", "65534", "65534"),
        "0",
        "not a tty",
    ]


@sandboxed
def test_it_has_no_rights_at_all(tmp_path: Path) -> None:
    script = "grep -E '^(Cap|NoNewPrivs|Seccomp:|Groups)' /proc/self/status | tr '\\t' ' '\n"
    assert printed(told(tmp_path, script)) == [
        "Groups:  ",
        *(f"Cap{kind}: {0:016x}" for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")),
        "NoNewPrivs: 1",
        "Seccomp: 2",
    ]


@contextlib.contextmanager
def running(root: Path, script: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the command in a process of its own; whoever reads its output sees the script begin."""
    sealed(root, script)
    program = (
        "import sys; import tests.test_rerun; from generator.cli.app import call;"
        "sys.exit(call(sys.argv[1:]))"
    )
    words = [sys.executable, "-c", program, "rerun", "sample", "--root", str(root), *options]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def with_argument(mark: str) -> dict[int, int]:
    """Return the processes of this machine with a word among their arguments, and their users."""
    found = {}
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdigit() and mark.encode() in Path(f"/proc/{name}/cmdline").read_bytes().split(
                b"\0"
            ):
                found[int(name)] = os.stat(f"/proc/{name}").st_uid
    return found


@pytest.fixture
def mark() -> str:
    """A number of seconds to sleep that nobody else on this machine has chosen."""
    return str(10**9 + secrets.randbelow(10**9))


def awaited(mark: str, *, there: bool) -> dict[int, int]:
    """Wait until such processes are there, or gone."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        found = with_argument(mark)
        if bool(found) is there:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{mark}: {'none came' if there else found}")


@as_root
@sandboxed
def test_started_by_root_it_runs_as_a_user_that_nobody_is(mark: str, tmp_path: Path) -> None:
    with running(tmp_path, f"sleep {mark}\n") as process:
        (user,) = set(awaited(mark, there=True).values())
        process.kill()
    assert user > 60000
    assert user not in (65534, 65535)
    with pytest.raises(KeyError):
        pwd.getpwuid(user)
    awaited(mark, there=False)


@as_root
@sandboxed
def test_an_ordinary_user_can_run_it_too(tmp_path: Path) -> None:
    if not sandbox.has("python3"):
        pytest.skip("no python3 of the system's own")
    program = (
        "from generator.rerun import sandbox\n"
        "words = ['/bin/sh', '/packets/a.sh']\n"
        "files = {'a.sh': b'id -u; echo x >/out/y; cat /proc/self/uid_map; ls /root /home'}\n"
        "with sandbox.run(words, files, sandbox.Limits(seconds=60)) as (ended, out):\n"
        "    print(ended.exit_code, ended.tail.decode().split()[:2], (out / 'y').read_text())\n"
    )
    done = subprocess.run(
        ["/usr/bin/python3", "-B", "-c", program],
        env={"PYTHONPATH": str(ROOT)},
        cwd="/",
        user=54321,
        group=54321,
        extra_groups=[],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    if "No module named 'generator'" in done.stderr or "Permission denied" in done.stderr:
        pytest.skip("another user cannot read this checkout")
    assert (done.stdout, done.stderr) == ("2 ['65534', '65534'] x\n\n", "")


# --- hostile scripts: processes, memory, time ---


@sandboxed
def test_it_cannot_run_for_ever(tmp_path: Path) -> None:
    started = time.monotonic()
    found = told(tmp_path, "trap '' TERM INT HUP; while :; do sleep 1; done\n", "--time", "1")
    assert (found["exit_code"], found["outcome"], found["code"], found["message"]) == (
        3,
        "stopped",
        "RERUN-TIMEOUT",
        "it was ended after 1 s",
    )
    assert 1 <= time.monotonic() - started < 40


@sandboxed
def test_forks_are_bounded(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        python(
            """
            import os, time
            count = 0
            while True:
                try:
                    if os.fork() == 0:
                        time.sleep(60)
                    count += 1
                except OSError as error:
                    print(error.strerror, count)
                    break
            """
        ),
        "--processes",
        "20",
    )
    word, count = printed(found)[-1].rsplit(" ", 1)
    assert word == "Resource temporarily unavailable"
    # the first process inside, the shell and Python itself count
    assert 10 <= int(count) <= 17


@sandboxed
def test_a_fork_bomb_ends_with_its_time_and_leaves_nothing(mark: str, tmp_path: Path) -> None:
    bomb = """
        import os
        while True:
            try:
                os.fork()
            except OSError:
                pass
        """
    script = f"exec python3 -I -c '{textwrap.dedent(bomb)}' {mark}\n"
    found = told(tmp_path, script, "--time", "2", "--processes", "30")
    assert (found["code"], with_argument(mark)) == ("RERUN-TIMEOUT", {})


@sandboxed
def test_threads_count_as_processes(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        python(
            """
            import threading, time
            try:
                for count in range(1000):
                    threading.Thread(target=time.sleep, args=(9,), daemon=True).start()
            except RuntimeError as error:
                print(count < 20, error, flush=True)
            import os
            os._exit(0)
            """
        ),
        "--processes",
        "20",
    )
    assert printed(found) == ["True can't start new thread"]


@sandboxed
def test_what_it_leaves_running_is_ended(mark: str, tmp_path: Path) -> None:
    found = told(
        tmp_path,
        f"setsid sh -c 'sleep {mark} & sleep {mark}' </dev/null >/dev/null 2>&1 &\n"
        f"nohup sleep {mark} >/dev/null 2>&1 &\n(sleep {mark} &)\n"
        "sleep 0.2; echo PACKET_TREE MATCH\n",
    )
    assert found["script"]["says"] == "match"
    # not awaited: they are gone when the answer is there
    assert with_argument(mark) == {}


@sandboxed
def test_what_it_leaves_running_cannot_change_what_is_compared(tmp_path: Path) -> None:
    more = '(while :; do echo $$ >"$out/made/word.txt"; echo forty >"$out/made/word.txt"; done) &\n'
    sealed(tmp_path, GOOD + more + "sleep 0.1\n")
    for _ in range(5):
        found = rerun(tmp_path, "--format", "json").object
        # whichever of the two was there at the end, the names and the verdict agree
        changed = found["differences"]["differs"]["paths"]
        assert (found["exit_code"], changed) in ((0, []), (1, ["made/word.txt"]))
        assert (found["sealed_tree"] == found["remade_tree"]) is not bool(changed)


@sandboxed
def test_it_cannot_end_processes_outside(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "100"]) as victim:
        script = f"kill -9 {victim.pid} {os.getpid()}; kill -9 -1; echo not reached\n"
        found = told(tmp_path, script)
        assert victim.poll() is None
        victim.kill()
    assert found["exit_code"] == 3


@sandboxed
def test_it_sees_no_process_but_its_own(tmp_path: Path) -> None:
    found = told(tmp_path, "cat /proc/[0-9]*/comm\n")
    assert sorted(printed(found)) == ["bwrap", "sh"]


@sandboxed
def test_when_lanebook_is_killed_the_script_is_ended(mark: str, tmp_path: Path) -> None:
    with running(tmp_path, f"sleep {mark} & sleep {mark}\n") as process:
        awaited(mark, there=True)
        os.kill(process.pid, signal.SIGKILL)
        awaited(mark, there=False)


@sandboxed
def test_an_interrupt_ends_the_script(mark: str, tmp_path: Path) -> None:
    with running(tmp_path, f"trap '' INT; sleep {mark} & sleep {mark}\n") as process:
        awaited(mark, there=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        awaited(mark, there=False)


@sandboxed
def test_one_process_cannot_take_all_memory(tmp_path: Path) -> None:
    program = """
        try:
            held = bytearray(300 << 20)
        except MemoryError:
            print("refused")
        """
    assert printed(told(tmp_path, python(program), "--memory", "256")) == ["refused"]


@sandboxed
def test_many_processes_together_cannot_either(tmp_path: Path) -> None:
    script = """\
for i in 1 2 3 4 5 6 7 8; do
    python3 -I -c 'import time; held = bytearray(b"x" * (60 << 20)); time.sleep(30)' &
done
wait
"""
    found = told(tmp_path, script, "--memory", "256")
    assert (found["exit_code"], found["code"], found["message"]) == (
        3,
        "RERUN-LIMIT",
        "it was ended: its processes take too much memory",
    )


@sandboxed
def test_memory_that_forked_processes_share_counts_once(tmp_path: Path) -> None:
    program = """
        import os, time
        held = bytearray(b"x" * (60 << 20))
        for _ in range(7):
            if os.fork() == 0:
                time.sleep(1)
                os._exit(0)
        time.sleep(1)
        print("fine")
        """
    assert printed(told(tmp_path, python(program), "--memory", "256")) == ["fine"]


@sandboxed
def test_memory_that_no_limit_counts_is_refused(tmp_path: Path) -> None:
    program = """
        import ctypes, mmap, os
        libc = ctypes.CDLL(None, use_errno=True)
        def tried(name, result):
            print(name, result, ctypes.get_errno() if result == -1 else "")
        tried("shmget", libc.shmget(0, 1 << 20, 0o1600))
        tried("msgget", libc.msgget(0, 0o1600))
        tried("semget", libc.semget(0, 1000, 0o1600))
        tried("unshare", libc.unshare(0x10000000))
        tried("setns", libc.setns(0, 0))
        tried("clone", libc.syscall(56 if os.uname().machine == "x86_64" else 220,
                                    0x10000000 | 17, 0, 0, 0, 0))
        tried("clone3", libc.syscall(435, 0, 0))
        for name, call in (
            ("memfd", lambda: os.memfd_create("x")),
            ("shared", lambda: mmap.mmap(-1, 1 << 20)),
            ("huge", lambda: mmap.mmap(-1, 1 << 21, flags=mmap.MAP_PRIVATE | 0x20 | 0x40000)),
        ):
            try:
                call()
            except OSError as error:
                print(name, error.errno)
        print(len(mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)))
        """
    assert printed(told(tmp_path, python(program))) == [
        *(f"{name} -1 1" for name in ("shmget", "msgget", "semget", "unshare", "setns", "clone")),
        "clone3 -1 38",
        *("memfd 1", "shared 1", "huge 1"),
        str(1 << 20),
    ]


@sandboxed
@pytest.mark.skipif(platform.machine() != "x86_64", reason="only x86_64 has other ABIs")
def test_system_calls_of_another_abi_are_refused(tmp_path: Path) -> None:
    """The x32 numbers would pass by a filter that knows only the others."""
    program = """
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        print(libc.syscall(0x40000000 + 41, 1, 1, 0), ctypes.get_errno())
        print(libc.syscall(0x40000000 + 39), ctypes.get_errno())
        """
    assert printed(told(tmp_path, python(program))) == ["-1 1", "-1 1"]


@sandboxed
def test_a_new_user_namespace_gives_no_other_file_systems(tmp_path: Path) -> None:
    script = "unshare -Urm sh -c 'mount -t tmpfs none /work && echo mounted'; echo done\n"
    assert printed(told(tmp_path, script))[-2:] == [
        "unshare: unshare failed: Operation not permitted",
        "done",
    ]


# --- hostile scripts: the network ---

REACH = """
    import socket, sys
    def attempt(name, family, address):
        try:
            with socket.socket(family) as one:
                one.settimeout(3)
                one.connect(address)
            print(name, "REACHED")
        except OSError as error:
            print(name, error.errno)
    attempt("loopback", socket.AF_INET, ("127.0.0.1", {port}))
    attempt("loopback6", socket.AF_INET6, ("::1", {port}))
    attempt("outside", socket.AF_INET, ("192.0.2.1", 80))
    attempt("abstract", socket.AF_UNIX, "\\0{name}")
    attempt("path", socket.AF_UNIX, "{path}")
    try:
        print("pair", len(socket.socketpair()))
    except OSError as error:
        print("pair", error.errno)
    """


@contextlib.contextmanager
def listening() -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Listen on loopback and on both kinds of Unix sockets; say who came."""
    # a name that was just given up may be taken for a moment yet
    name = f"lanebook-test-{secrets.token_hex(8)}"
    path = f"/tmp/{name}.socket"
    came: list[str] = []
    with contextlib.ExitStack() as stack:
        inet = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind(f"\0{name}")
        held = stack.enter_context(socket.socket(socket.AF_UNIX))
        held.bind(path)
        stack.callback(os.unlink, path)
        os.chmod(path, 0o777)

        def wait(one: socket.socket, word: str) -> None:
            with contextlib.suppress(OSError):
                while True:
                    one.accept()[0].close()
                    came.append(word)

        for one, word in ((inet, "loopback"), (abstract, "abstract"), (held, "path")):
            one.listen()
            threading.Thread(target=wait, args=(one, word), daemon=True).start()
            stack.callback(one.shutdown, socket.SHUT_RDWR)
        for family, address in (
            (socket.AF_INET, inet.getsockname()),
            (socket.AF_UNIX, f"\0{name}"),
            (socket.AF_UNIX, path),
        ):
            with socket.socket(family) as check:
                check.connect(address)
        end = time.monotonic() + 10
        while len(came) < 3 and time.monotonic() < end:
            time.sleep(0.01)
        assert sorted(came) == ["abstract", "loopback", "path"]
        came.clear()
        yield {"port": inet.getsockname()[1], "name": name, "path": path}, came


@sandboxed
def test_it_reaches_no_network_and_no_socket(tmp_path: Path) -> None:
    with listening() as (places, came):
        found = told(tmp_path, python(REACH.format(**places)))
    names = ("loopback", "loopback6", "outside", "abstract", "path", "pair")
    assert printed(found) == [f"{name} 1" for name in names]
    assert came == []


@sandboxed
def test_without_the_filter_the_namespaces_alone_keep_it_in() -> None:
    with listening() as (places, came):
        files = {"a.sh": python(REACH.format(**places)).encode()}
        words = ["/bin/sh", "/packets/a.sh"]
        limits = sandbox.Limits(seconds=60)
        with sandbox.run(words, files, limits, filtered=False) as (ended, _):
            lines = ended.tail.decode().splitlines()
    # connection refused; network is unreachable; no such file
    assert lines == [
        "loopback 111",
        "loopback6 111",
        "outside 101",
        "abstract 111",
        "path 2",
        "pair 2",
    ]
    assert came == []


@sandboxed
def test_keys_of_the_caller_are_out_of_reach(tmp_path: Path) -> None:
    numbers = seccomp.REFUSED
    column = 0 if platform.machine() == "x86_64" else 1
    calls = [numbers[name][column] for name in ("add_key", "request_key", "keyctl", "bpf")]
    program = f"""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        print([(libc.syscall(number, 0, 0, 0, 0, 0), ctypes.get_errno()) for number in {calls}])
        """
    assert printed(told(tmp_path, python(program))) == [str([(-1, 1)] * 4)]


# --- hostile scripts: what they print ---


@sandboxed
def test_what_it_prints_cannot_speak_to_the_terminal_or_for_lanebook(tmp_path: Path) -> None:
    script = (
        "printf '\\033[2J\\033]0;owned\\007\\r\\nsample  ● recomputed  all is well\\n'\n"
        "printf '\\302\\233\\342\\200\\256\\377\\n'; exit 2\n"
    )
    sealed(tmp_path, script)
    answer = run("--color", "always", "rerun", "sample", "--root", tmp_path)
    assert answer.code == 3
    shown = answer.out.splitlines()
    assert shown[1:4] == [
        "  | \\x1b[2J\\x1b]0;owned\\x07",
        "  | sample  ● recomputed  all is well",
        "  | \\x9b\\u202e\ufffd",
    ]
    assert [line for line in shown if line.startswith("sample")] == [
        "sample  \x1b[90m○ claimed only\x1b[0m  the script says NOT RUN; lanebook saw no files:"
        " claimed only (RERUN-CLAIMED)"
    ]


@sandboxed
def test_gigabytes_of_output_end_it(tmp_path: Path) -> None:
    found = told(tmp_path, "yes 'y y y y y y y y y y y y y y y y y y y y y y y y y y y y y y y'\n")
    assert (found["code"], found["message"]) == ("RERUN-LIMIT", "it was ended: it prints too much")
    assert len(printed(found)) == 20
    assert sandbox.PRINTED < found["script"]["printed"] < sandbox.PRINTED + 2 * MIB


@sandboxed
def test_only_the_last_lines_are_shown_and_long_ones_are_cut(tmp_path: Path) -> None:
    script = f"seq 1 50000; head -c 5000 /dev/zero 2>/dev/null; printf '%05000d\\n' 7\n{GOOD}"
    found = told(tmp_path, script)
    lines = printed(found)
    assert (found["outcome"], len(lines), lines[-1], lines[-3]) == (
        "recomputed",
        20,
        "PACKET_TREE MATCH",
        "50000",
    )
    assert lines[-2] == "0" * 299 + "…"


@sandboxed
def test_output_that_is_closed_early_holds_nothing_up(tmp_path: Path) -> None:
    found = told(tmp_path, f"{GOOD}exec >&- 2>&-; sleep 0.3; exit 0\n")
    assert (found["outcome"], found["script"]["exit_code"]) == ("recomputed", 0)


# --- never by a build ---


@sandboxed
def test_nothing_that_verifies_or_builds_knows_how_to_run_a_script(tmp_path: Path) -> None:
    folder = sealed(tmp_path, 'touch "$LANEBOOK_OUT/ran"; kill $PPID\n')
    program = (
        "import json, sys; from generator.cli.app import call\n"
        "codes = [call(a) for a in (['verify', sys.argv[1]], ['build', '--root', sys.argv[1]],"
        " ['seal', sys.argv[1] + '/packets/sample'], ['explain', 'RERUN-PIN'])]\n"
        "import pkgutil\nfrom generator import reading, render, rules, writing\n"
        "for package in (reading, render, rules, writing):\n"
        "    for found in pkgutil.iter_modules(package.__path__, package.__name__ + '.'):\n"
        "        __import__(found.name)\n"
        "names = [n for n in sys.modules if n.startswith('generator.rerun')]\n"
        "print(json.dumps([codes, names]), file=sys.stderr)\n"
    )
    write(tmp_path, {"mkdocs.yml": (ROOT / "mkdocs.yml").read_bytes()})
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert json.loads(done.stderr.splitlines()[-1]) == [[0, 0, 0, 0], []], done.stderr
    assert sorted(os.listdir(folder)) == ["evidence", "lane.yml"]


@sandboxed
def test_the_shipped_lane_runs_in_the_sandbox() -> None:
    """Its packet may change; whatever it is, the pinned script finds what it needs inside."""
    answer = run("rerun", "clone-rehearsal-sqlite", "--root", ROOT, "--format", "json")
    found = answer.object
    assert (found["script"]["says"], found["outcome"]) in (
        ("match", "recomputed"),
        ("match", "claimed only"),
    ), answer
