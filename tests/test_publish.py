"""``lanebook publish``, the command: what it refuses, what it says, and what readers are told."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from generator.errors import InputError
from generator.model.digest import Digest, sha256
from generator.publish import allowed, history, manifest, run, target
from generator.publish.allowed import Allowed, AllowedLane
from generator.publish.codes import PublishRefused
from generator.publish.target import BranchTarget, FolderTarget, HostTarget
from tests.publish_support import contents, make_site, whole, write
from tests.site_support import ROOT, Site, lanebook, one_line, read_html, small_root

SEEDS = Path("/work/shared/seeds")
REFUTED = ROOT / "tests" / "packets" / "refuse"


def publish(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return lanebook("publish", *arguments, "--root", str(root), cwd=root.parent)


def published(root: Path, www: Path, *arguments: str) -> str:
    """Publish, and return the digest of the manifest after everything was looked at."""
    done = publish(root, str(www), *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    digest = whole(www / "current")
    files = len(contents(www / "current"))
    version = (www / "current").readlink().name
    assert done.stdout == (
        f"published: {www}\n  version   {version}\n  manifest  {digest}\n"
        f"  {files} files, each read back\n"
    )
    assert contents(www / "current") == contents(root / "site" / "html")
    return digest


def record(root: Path, lane: str) -> str:
    return str(sha256((root / "site" / "html" / "records" / f"{lane}.json").read_bytes()))


def allow(root: Path, text: str) -> None:
    (root / "publish-allow.yml").write_text(text, "utf-8")


# --- the manifest of a site ---


def test_the_manifest_of_a_built_site_is_read_by_sha256sum(own: Site) -> None:
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", manifest.NAME],
        cwd=own.html,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    site = manifest.load(own.html)
    assert set(site.files) == set(contents(own.html)) - {manifest.NAME}
    assert "HASH_MANIFEST.txt" in site.files
    assert manifest.build(own.html) == site.manifest


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "The manifest has no line at all."),
        (b"x\n", "Not a digest, two spaces and a path."),
        (b"a" * 64 + b"  ../x\n", "Segment 1 is '..'."),
        (b"a" * 64 + b"  /etc/passwd\n", "The path is absolute."),
        (b"a" * 64 + b"  a\x1bb\n", "U+001B at character 2."),
        (b"a" * 64 + b"  SITE_MANIFEST.txt\n", "the manifest lists itself"),
        (b"a" * 64 + b"  a\n" + b"a" * 64 + b"  a\n", "Listed twice."),
        (b"a" * 64 + b"  b\n" + b"a" * 64 + b"  a\n", "this one belongs further up."),
        (b"a" * 64 + b"  a\n" + b"a" * 64 + b"  a/b\n", "a is listed as a file and as a folder"),
        (b"a" * 64 + b"  a", "The last line has no line feed."),
        (b"A" * 64 + b"  a\n", "The digest has upper-case digits."),
    ],
)
def test_a_manifest_has_one_form(data: bytes, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        manifest.parse(data)
    assert caught.value.code == "SITE-MANIFEST"
    assert str(caught.value).startswith("SITE_MANIFEST.txt: ")
    assert str(caught.value).endswith(problem)


# --- targets ---


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("/srv/www", FolderTarget(Path("/srv/www"))),
        ("www", FolderTarget(Path("www"))),
        ("./a:b", FolderTarget(Path("a:b"))),
        ("a/b:c", FolderTarget(Path("a/b:c"))),
        ("git:origin#gh-pages", BranchTarget("origin", "gh-pages")),
        ("git:https://h/x#y.git#pages", BranchTarget("https://h/x#y.git", "pages")),
        ("git:git@h:x.git#pages", BranchTarget("git@h:x.git", "pages")),
        ("ssh://h/srv/www", HostTarget("h", 0, "/srv/www")),
        ("ssh://me@h:2222/srv/a%20b/", HostTarget("me@h", 2222, "/srv/a b")),
        ("ssh://h/~/www", HostTarget("h", 0, "www")),
        ("me@h:www", HostTarget("me@h", 0, "www")),
        ("h:/srv/www", HostTarget("h", 0, "/srv/www")),
        ("h:~/www", HostTarget("h", 0, "www")),
        ("[::1]:/srv/www", HostTarget("[::1]", 0, "/srv/www")),
        ("ssh://[::1]:22/srv", HostTarget("[::1]", 22, "/srv")),
    ],
)
def test_what_a_target_means(text: str, wanted: object) -> None:
    assert target.parse(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\nb",
        "ftp://h/x",
        "https://h/x",
        "git:origin",
        "git:#pages",
        "git:origin#",
        "git:--upload-pack=x#pages",
        "git:origin#-f",
        "ssh://h",
        "ssh://h/",
        "ssh:///x",
        "ssh://me:pw@h/x",
        "ssh://h:99999/x",
        "ssh://-oProxyCommand=x/y",
        "-oProxyCommand=x:/y",
        "h:",
        "h:..",
        "h:a/../../b",
        "h:-x",
        "h:~bob/x",
        "h x:/srv",
    ],
)
def test_a_target_that_means_nothing(text: str, tmp_path: Path) -> None:
    with pytest.raises(PublishRefused) as caught:
        target.parse(text)
    assert (caught.value.code, caught.value.exit_code) == ("PUBLISH-TARGET", 2)
    assert "\n" not in str(caught.value)
    assert "pw@" not in str(caught.value)


def test_a_wrong_target_ends_the_command_before_anything_is_built(tmp_path: Path) -> None:
    root = small_root(tmp_path / "root")
    assert one_line(publish(root, "ftp://h/x"), 2) == (
        "lanebook: not published: ftp:// is no target; there are a folder, git:REMOTE#BRANCH,"
        " ssh://HOST/PATH and HOST:PATH (PUBLISH-TARGET)"
    )
    assert not (root / "site").exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("git:origin#pages", "--rollback"),
            "--rollback is for folders and hosts; a branch keeps its commits, and 'git revert' goes"
            " back",
        ),
        (
            ("git:origin#pages", "--keep", "2"),
            "--keep is for folders and hosts; a branch keeps its commits, and 'git revert' goes"
            " back",
        ),
        (("www", "--ssh-config", "x"), "--ssh-config is for hosts; git has core.sshCommand"),
    ],
    ids=["rollback", "keep", "ssh"],
)
def test_options_that_a_target_does_not_have(
    tmp_path: Path, arguments: tuple[str, ...], line: str
) -> None:
    root = small_root(tmp_path / "root")
    assert one_line(publish(root, *arguments), 2) == f"lanebook: {line}"


# --- the command over one root ---


def test_a_root_is_published_again_taken_back_and_not_rewritten(tmp_path: Path) -> None:
    root, www = small_root(tmp_path / "root", "a-lane", "b-lane"), tmp_path / "www"
    (root / "packets/b-lane/lane.yml").write_text("id: b-lane\nprevious: a-lane\n")
    first = published(root, www)
    again = publish(root, str(www))
    assert (again.returncode, again.stdout.splitlines()[0]) == (0, f"published already: {www}")
    checked = lanebook("verify-site", str(www), "--manifest-digest", first, cwd=tmp_path)
    files = len(contents(www / "current")) - 1
    assert (checked.returncode, checked.stderr, checked.stdout) == (
        0,
        "",
        f"manifest  {first}, {files} files\n"
        "consistent: every listed file is as listed; the digest is the one given\n",
    )
    # a new lane is no rewriting
    shutil.copytree(root / "packets/a-lane", root / "packets/c-lane")
    (root / "packets/c-lane/lane.yml").write_text("id: c-lane\nprevious: b-lane\n")
    second = published(root, www)
    assert second != first
    old = {lane: record(root, lane) for lane in ("a-lane", "b-lane", "c-lane")}
    # another title is another record, of this lane and of those behind it
    (root / "packets/a-lane/lane.yml").write_text("id: a-lane\ntitle: another\n")
    refused = publish(root, str(www))
    new = {lane: record(root, lane) for lane in old}
    assert old.keys() == {lane for lane in old if old[lane] != new[lane]}
    assert one_line(refused, 1) == (
        f"lanebook: not published: a-lane is published with record {old['a-lane']}, and now has"
        f" {new['a-lane']}, and 2 more lanes (PUBLISH-HISTORY)"
    )
    assert whole(www / "current") == second
    allow(
        root,
        f"lanes:\n  - lane: a-lane\n    published: '{old['a-lane']}'\n"
        f"    now: '{new['a-lane']}'\n    reason: the title was wrong\n",
    )
    third = published(root, www)
    # a lane that is gone
    shutil.rmtree(root / "packets/c-lane")
    gone = publish(root, str(www))
    assert one_line(gone, 1) == (
        f"lanebook: not published: c-lane is published with record {new['c-lane']}, and is gone"
        " (PUBLISH-HISTORY)"
    )
    assert whole(www / "current") == third
    back = publish(root, str(www), "--rollback")
    assert (back.returncode, back.stdout.splitlines()[0]) == (0, f"rolled back to: {www}")
    assert whole(www / "current") == second


def test_a_pinned_lane_that_was_rewritten_is_never_published(tmp_path: Path) -> None:
    root, www = small_root(tmp_path / "root"), tmp_path / "www"
    assert lanebook("pin", "--root", str(root), cwd=root).returncode == 0
    (root / "packets/first-lane/lane.yml").write_text("id: first-lane\ntitle: another\n")
    for more in ((), ("--allow-findings",)):
        assert one_line(publish(root, str(www), *more), 1) == (
            "lanebook: not published: first-lane: PIN-RECORD: A document, lane.yml, a file of the"
            " packet or the lane's place was changed. (PUBLISH-HISTORY)"
        )
    assert not www.exists()


def test_a_refuted_lane_is_published_only_when_that_is_said(tmp_path: Path) -> None:
    root, www = small_root(tmp_path / "root"), tmp_path / "www"
    script = root / "packets/first-lane/evidence/commands.sh"
    script.write_bytes(script.read_bytes() + b"# altered\n")
    refused = one_line(publish(root, str(www)), 1)
    assert re.fullmatch(
        r"lanebook: not published: [0-9]+ findings? in 1 lane or decision, first first-lane:"
        r" [A-Z-]+; --allow-findings publishes them as what they are \(PUBLISH-REFUTED\)",
        refused,
    ), refused
    assert not www.exists()
    published(root, www, "--allow-findings")
    home = read_html((www / "current/index.html").read_text("utf-8"))
    twin = json.loads((www / "current/index.json").read_text("utf-8"))
    count = refused.split(": ")[2].split(" in ")[0]
    assert twin["refuted_words"] == f"▲ Shown with findings: {count} in 1 lane"
    assert twin["refuted_words"] in home.text
    lane = read_html((www / "current/lanes/first-lane/index.html").read_text("utf-8"))
    assert "refuted" in lane.text


def test_the_home_page_of_a_sound_site_says_nothing_of_findings(own: Site) -> None:
    twin = json.loads((own.docs / "index.json").read_text("utf-8"))
    assert twin["refuted_words"] == ""
    assert "Shown with findings" not in (own.html / "index.html").read_text("utf-8")


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the seeds are not here")
def test_a_root_imported_from_the_seeds_is_refused_for_its_home_path(tmp_path: Path) -> None:
    root, www = tmp_path / "root", tmp_path / "www"
    root.mkdir()
    shutil.copyfile(ROOT / "mkdocs.yml", root / "mkdocs.yml")
    seeds = [str(path) for path in sorted(SEEDS.iterdir()) if path.name.startswith("00")]
    assert lanebook("import", *seeds, cwd=root).returncode == 0
    done = publish(root, str(www), "--allow-findings")
    assert (done.returncode, done.stderr) == (
        1,
        "lanebook: not published: 1 value must not be public; publish-allow.yml lists what was"
        " reviewed and is none (PUBLISH-LEAK)\n",
    )
    first, second, *others = done.stdout.splitlines()
    found = re.fullmatch(
        r"LEAK-HOME  (lanes/[a-z0-9-]+)/files/[0-9a-f]{64}\.txt:2 and ([0-9]+) more files", first
    )
    assert found is not None, first
    seen = re.fullmatch(
        r"    a path of somebody's home folder: /Us… \(14 characters\), sha256 ([0-9a-f]{64})",
        second,
    )
    assert seen is not None, second
    files = [line.removeprefix("    also in ") for line in others]
    assert len(files) == int(found[2]) >= 7  # the pages that show it, and the search
    assert "nmhuyen" not in done.stdout + done.stderr
    assert not www.exists()
    # reviewed: then it is published; bound to the files, the rule and the value
    listed = "".join(f"      - {path}\n" for path in files[:-1])
    text = (
        f"leaks:\n  - rule: LEAK-HOME\n    sha256: '{seen[1]}'\n    files:\n"
        f"      - {found[1]}/files/\n{listed}      - {files[-1]}\n    reason: reviewed\n"
    )
    allow(root, text.replace(f"      - {files[-1]}\n", ""))
    left = publish(root, str(www), "--allow-findings")
    assert left.returncode == 1
    assert left.stdout.splitlines()[0] == f"LEAK-HOME  {files[-1]}:1"
    allow(root, text)
    published(root, www, "--allow-findings")


def test_nothing_to_publish(tmp_path: Path) -> None:
    root = small_root(tmp_path / "root")
    shutil.rmtree(root / "packets/first-lane")
    assert one_line(publish(root, str(tmp_path / "www")), 3) == (
        "lanebook: not published: nothing to publish: packets/ holds no lane (PUBLISH-UNDECIDED)"
    )
    assert not (tmp_path / "www").exists()


def test_an_exception_that_nothing_needs_is_named(tmp_path: Path) -> None:
    root, www = small_root(tmp_path / "root"), tmp_path / "www"
    allow(
        root,
        f"leaks:\n  - {{rule: LEAK-HOME, sha256: '{'a' * 64}', files: [lanes/x/], reason: y}}\n",
    )
    done = publish(root, str(www))
    assert done.returncode == 0
    assert done.stderr == (f"publish-allow.yml: nothing needs LEAK-HOME {'a' * 64} any more\n")


_D = "a" * 64


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", "must be a list of keys"),
        ("leak: []", "leak: no such key"),
        ("leaks: x", "leaks: must be a list"),
        ("leaks: [x]", "leaks[0]: must be a list of keys"),
        ("leaks: [{rule: LEAK-HOME}]", "leaks[0]: sha256: is missing"),
        (
            f"leaks: [{{rule: HOME, sha256: '{_D}', files: [a], reason: b}}]",
            "leaks: rule: must be one of LEAK-KEY, LEAK-TOKEN, LEAK-PASSWORD, LEAK-HOME",
        ),
        (
            f"leaks: [{{rule: LEAK-HOME, sha256: '{_D}', files: [/], reason: b}}]",
            "leaks: files: must name a folder of the site, not all of it",
        ),
        (
            f"leaks: [{{rule: LEAK-HOME, sha256: '{_D}', files: a, reason: b}}]",
            "leaks: files: must be a list of paths",
        ),
        (
            "leaks: [{rule: LEAK-HOME, sha256: abc, files: [a], reason: b}]",
            "leaks: sha256: not a SHA-256 digest: 'abc'",
        ),
        (
            f"leaks: [{{rule: LEAK-HOME, sha256: '{_D}', files: [a], reason: ' '}}]",
            "leaks: reason: must be a text of at most 500 characters",
        ),
        (
            f"lanes: [{{lane: a, published: '{_D}', now: x, reason: b}}]",
            "lanes: now: not a SHA-256 digest: 'x'",
        ),
        (f"lanes: [{{lane: a, published: '{_D}', now: gone}}]", "lanes[0]: reason: is missing"),
    ],
)
def test_exceptions_have_one_form(tmp_path: Path, text: str, problem: str) -> None:
    allow(tmp_path, text)
    with pytest.raises(InputError) as caught:
        allowed.read(tmp_path)
    assert caught.value.code == "PUBLISH-ALLOW"
    assert str(caught.value) == f"publish-allow.yml: {problem}"


def test_exceptions_that_are_a_link_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("leaks: []\n")
    (tmp_path / "publish-allow.yml").symlink_to("other")
    with pytest.raises(InputError) as caught:
        allowed.read(tmp_path)
    assert caught.value.code == "KIND-SYMLINK"


@pytest.mark.parametrize("name", ["CNAME", ".nojekyll", "extra.html", "fifo"])
def test_what_no_manifest_lists_is_not_published_unread(tmp_path: Path, name: str) -> None:
    site = make_site(tmp_path / "html", "word")
    assert run.judge(tmp_path / "html", Allowed()) == run.Judged(site, (), ())
    if name == "fifo":
        os.mkfifo(tmp_path / "html/fifo")
    else:
        write(tmp_path / "html", {name: b"/home/" + b"bob/x"})
    with pytest.raises(PublishRefused) as caught:
        run.judge(tmp_path / "html", Allowed())
    assert (caught.value.code, str(caught.value)) == (
        "PUBLISH-CHANGED",
        f"site/html/{name} is not what its manifest lists; what is published is as it was",
    )


# --- history ---


def chain(**lanes: tuple[str, str]) -> dict[str, bytes]:
    """Return path to record of lanes: name to (what it holds, the lane before)."""
    made: dict[str, bytes] = {}
    for lane, (word, previous) in lanes.items():
        before: Any = None
        if previous:
            before = {"lane": previous, "record": sha256(made[f"records/{previous}.json"])}
        value = {"lane": lane, "word": word, "previous": before}
        made[f"records/{lane}.json"] = json.dumps(value).encode()
    return made


def lost(old: dict[str, bytes], new: dict[str, bytes], *allow: AllowedLane) -> list[str]:
    said = history.rewritten(
        history.lanes({path: sha256(data) for path, data in old.items()}),
        history.lanes({path: sha256(data) for path, data in new.items()}),
        old.get,
        new.get,
        allow,
    )
    return [line.split(" ")[0] + (" gone" if line.endswith("gone") else "") for line in said]


OLD = {"a": ("1", ""), "b": ("2", "a"), "c": ("3", "b"), "d": ("4", "")}


def permit(old: dict[str, bytes], new: dict[str, bytes], lane: str) -> AllowedLane:
    path = f"records/{lane}.json"
    now = str(sha256(new[path])) if path in new else "gone"
    return AllowedLane(lane, sha256(old[path]), now, "why")


def test_a_history_that_only_grows_is_kept() -> None:
    assert lost(chain(**OLD), chain(**OLD, e=("5", "c"))) == []


def test_every_lane_that_is_gone_or_another_is_named() -> None:
    new = chain(a=("changed", ""), b=("2", "a"), d=("4", "a"))
    assert lost(chain(**OLD), new) == ["a", "b", "c gone", "d"]


def test_lanes_that_follow_one_with_a_reason_need_none() -> None:
    old, new = chain(**OLD), chain(**{**OLD, "a": ("changed", "")})
    assert lost(old, new) == ["a", "b", "c"]
    assert lost(old, new, permit(old, new, "a")) == []
    assert lost(old, new, permit(old, new, "b")) == ["a"]  # c follows b, and a has no reason


def test_a_reason_is_bound_to_both_records() -> None:
    old = chain(**OLD)
    one, other = chain(**{**OLD, "d": ("x", "")}), chain(**{**OLD, "d": ("y", "")})
    assert lost(old, one, permit(old, one, "d")) == []
    assert lost(old, other, permit(old, one, "d")) == ["d"]
    assert lost(old, chain(a=("1", ""), b=("2", "a"), c=("3", "b")), permit(old, one, "d")) == [
        "d gone"
    ]


def test_a_lane_that_changed_itself_does_not_follow() -> None:
    old, new = chain(**OLD), chain(**{**OLD, "a": ("x", ""), "b": ("y", "a")})
    assert lost(old, new, permit(old, new, "a")) == ["b", "c"]


def test_a_record_that_is_not_what_its_list_says_proves_nothing() -> None:
    old, new = chain(**OLD), chain(**{**OLD, "a": ("changed", "")})
    said = history.rewritten(
        history.lanes({path: sha256(data) for path, data in old.items()}),
        history.lanes({path: sha256(data) for path, data in new.items()}),
        lambda path: b"{}",
        new.get,
        [permit(old, new, "a")],
    )
    assert [line.split(" ")[0] for line in said] == ["b", "c"]


def test_only_records_are_lanes() -> None:
    files = {"records/a.json": Digest("a" * 64), "records/a.txt": Digest("b" * 64)}
    assert history.lanes({**files, "lanes/b.json": Digest("c" * 64)}) == {"a": "a" * 64}
