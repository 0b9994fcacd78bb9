"""A branch of a git repository, from which a host serves pages.

Each publication is one commit on top of what the branch was when it was looked at. It is made by
ghp-import, the library that MkDocs uses, in a repository of its own; so no branch, index or work
tree of the user's is touched. The commit knows no clock: its date is that of the newest lane.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import chain
from pathlib import Path
from typing import Self

from generator.errors import InputError
from generator.model.digest import Digest, sha256
from generator.names import visible
from generator.publish import manifest
from generator.publish.codes import AS_IT_WAS, PublishRefused, failed, refused, wrong_target
from generator.publish.folder import changed
from generator.publish.manifest import BESIDE, NAME, Differences, Site
from generator.publish.placed import MOST_RECORD_BYTES, Placed, Published
from generator.publish.target import BranchTarget

SECONDS = 600
"""For one call of git."""

_SHOWN = "refs/lanebook/shown"
_BACK = "refs/lanebook/back"
_CREDENTIALS = re.compile(r"(://)[^/@\s]*@")
_CNAME = re.compile(rb"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
# how git reaches a host: what a checkout in CI has set for itself counts here as well
_REACHING = r"^(http|credential|url|core\.sshcommand|core\.askpass)\b"
_KEY, _VALUE = "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_"
# all by which an environment leads git to a repository: git rev-parse --local-env-vars
_REPOSITORY = (
    *("GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_SHALLOW_FILE"),
    *("GIT_GRAFT_FILE", "GIT_REPLACE_REF_BASE", "GIT_PREFIX"),
)


def without_credentials(text: str) -> str:
    """Return a remote as it may be shown: a URL without its user and password."""
    return _CREDENTIALS.sub(r"\1", text)


class HeldBranch:
    """A branch as it was when it was looked at."""

    def __init__(self, target: BranchTarget, root: Path, epoch: int = 0) -> None:
        """Take the target, the root whose remotes count, and the date of the newest lane."""
        self.target = target
        self.root = root
        self.epoch = epoch
        self.name = visible(without_credentials(f"git:{target.remote}#{target.branch}"), 200)
        self.shown = ""
        self.state = AS_IT_WAS
        self.folder: Path | None = None
        self.tree: dict[str, str] = {}
        self.settings: dict[str, str] = {}

    @property
    def ref(self) -> str:
        """Return the full name of the branch."""
        return f"refs/heads/{self.target.branch}"

    def __enter__(self) -> Self:
        """Fetch the tip of the branch, if it is there.

        Raises:
            PublishRefused: git is missing or fails, or the branch holds what is somebody else's.
        """
        if shutil.which("git") is None:
            raise failed(f"{self.name}: git is not installed", "PUBLISH-REMOTE")
        self.folder = Path(tempfile.mkdtemp(prefix="lanebook-git-"))
        try:
            self._prepare()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        """Remove the repository in between."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None

    def _prepare(self) -> None:
        if self._try("check-ref-format", self.ref).returncode:
            raise wrong_target(f"{self.name}: no name that a branch can have")
        self.url = self._resolved()
        self.settings = self._reaching()
        self._git("init", "--quiet", "--bare", "--template=", ".")
        self.shown = self._tip()
        if self.shown:
            self._git("fetch", "--quiet", "--depth=1", self.url, f"+{self.ref}:{_SHOWN}")
            if self._git("rev-parse", _SHOWN).decode().strip() != self.shown:
                raise self._moved()
            self.tree = self._listed(_SHOWN)
            if NAME not in self.tree:
                raise wrong_target(
                    f"{self.name} holds no {NAME}, so lanebook did not make it; name a new branch",
                    "PUBLISH-FOREIGN",
                )

    def _resolved(self) -> str:
        """Return where a remote is; its name is one that the repository around the root knows."""
        done = self._try("-C", str(self.root), "remote", "get-url", "--push", self.target.remote)
        url = done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else ""
        url = url or self.target.remote
        local = "://" not in url and (url.startswith(("/", ".")) or os.path.isdir(url))
        base = self.root if done.returncode == 0 else Path.cwd()
        return os.path.normpath(base / url) if local else url

    def _reaching(self) -> dict[str, str]:
        """Return variables by which git reaches a host as it would from the root, asking nobody."""
        done = self._try(
            "-C", str(self.root), "config", "--local", "--includes", "-z", "--get-regexp", _REACHING
        )
        pairs = [line.partition("\n")[::2] for line in done.stdout.decode().split("\0") if line]
        # the settings of an environment come last, as they count more than those of a repository
        count = os.environ.get("GIT_CONFIG_COUNT", "")
        pairs += [
            (os.environ.get(f"{_KEY}{number}", ""), os.environ.get(f"{_VALUE}{number}", ""))
            for number in range(int(count) if count.isdecimal() else 0)
        ]
        pairs.append(("core.hooksPath", os.devnull))
        settings = {"GIT_CONFIG_COUNT": str(len(pairs))}
        for number, (key, value) in enumerate(pairs):
            settings |= {f"{_KEY}{number}": key, f"{_VALUE}{number}": value}
        if not (
            {"GIT_SSH", "GIT_SSH_COMMAND"} & os.environ.keys()
            or self._try("-C", str(self.root), "config", "core.sshCommand").stdout
        ):
            settings["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes -o ConnectTimeout=15"
        return settings

    def _tip(self) -> str:
        """Return the commit that the branch is; empty where there is no such branch.

        A remote also gives names that only end in the one that is asked for.
        """
        listed = self._git("ls-remote", "--", self.url, self.ref).decode("utf-8", "replace")
        for line in listed.splitlines():
            commit, _, name = line.partition("\t")
            if name == self.ref:
                return commit
        return ""

    def published(self) -> Published | None:
        """Return what the branch shows now, by its manifest.

        Raises:
            PublishRefused: the manifest has another form.
        """
        if not self.shown:
            return None
        data = self._blob(self.tree[NAME])
        try:
            files = manifest.parse(data)
        except InputError as error:
            raise failed(f"{self.name}: {error}; {AS_IT_WAS}", "PUBLISH-REMOTE") from error
        foreign = sorted(self.tree.keys() - files.keys() - {NAME} - BESIDE)
        if foreign:
            raise wrong_target(
                f"{self.name} holds {visible(foreign[0], 80)}, which lanebook did not put there;"
                f" {AS_IT_WAS}",
                "PUBLISH-FOREIGN",
            )
        return Published(sha256(data), files, self._small)

    def _small(self, path: str) -> bytes | None:
        blob = self.tree.get(path)
        if blob is None or int(self._git("cat-file", "-s", blob)) > MOST_RECORD_BYTES:
            return None
        return self._blob(blob)

    def publish(self, site: Site, keep: int) -> Placed:
        """Put one commit on top of the branch, and read it back from where it was pushed to.

        Raises:
            PublishRefused: the branch moved meanwhile, or git failed.
        """
        if self.shown and not any(self._wrong(site, _SHOWN)):
            return Placed(self.shown, site.digest, False, len(site.files) + 1)
        made = self._commit(site)
        # refused where the branch is not what it was when it was looked at; never forces more, as
        # the commit has that very tip for its parent
        lease = f"--force-with-lease={self.ref}:{self.shown}"
        done = self._try("push", "--quiet", "--porcelain", lease, self.url, f"{made}:{self.ref}")
        if done.returncode:
            told = done.stdout.decode("utf-8", "replace")
            if "[rejected]" in told or "stale info" in told or self._has_moved():
                raise self._moved()
            raise self._failed(done)
        self.state = "it was pushed, and not read back"
        self._read_back(site, made)
        return Placed(made, site.digest, True, len(site.files) + 1)

    def rollback(self) -> Placed:
        """Refuse: git has a way of its own to go back.

        Raises:
            PublishRefused: always.
        """
        raise wrong_target(
            f"{self.name}: --rollback is for folders and hosts; on a branch, 'git revert' its"
            " newest commit"
        )

    def _commit(self, site: Site) -> str:
        """Let ghp-import make the commit; hold its tree against the manifest before it goes."""
        if self.shown:
            # where ghp-import looks for the commit to build upon
            self._git("update-ref", f"refs/remotes/origin/{self.target.branch}", self.shown)
        name = self._cname()
        when = format_datetime(datetime.fromtimestamp(self.epoch, UTC))
        done = self._run(
            *(sys.executable, "-P", "-m", "ghp_import", "--no-jekyll"),
            *("--remote", "origin", "--branch", self.target.branch),
            *("--message", f"Publish site {site.digest}"),
            *(("--cname", name) if name else ()),
            *("--", os.path.abspath(site.html)),
            GIT_COMMITTER_NAME="lanebook",
            GIT_COMMITTER_EMAIL="lanebook@localhost",
            GIT_COMMITTER_DATE=when,
            GIT_AUTHOR_DATE=when,
        )
        made = self._try("rev-parse", "--verify", "--quiet", self.ref).stdout.decode().strip()
        if done.returncode or not made or made == self.shown:
            raise self._failed(done)
        for path in chain(*self._wrong(site, self.ref)):
            raise changed(path)
        return made

    def _cname(self) -> str:
        """Return the name of the site that its host keeps in the branch, so that it stays."""
        data = self._small("CNAME") if self.shown else None
        name = (data or b"").strip()
        return name.decode() if _CNAME.fullmatch(name) else ""

    def _read_back(self, site: Site, made: str) -> None:
        """Fetch the branch into an empty repository, and hold every file against the manifest."""
        with tempfile.TemporaryDirectory(prefix="lanebook-git-") as folder:
            here, self.folder = self.folder, Path(folder)
            try:
                self._git("init", "--quiet", "--bare", "--template=", ".")
                self._git("fetch", "--quiet", "--depth=1", self.url, f"+{self.ref}:{_BACK}")
                tip = self._git("rev-parse", _BACK).decode().strip()
                if tip != made:
                    raise failed(
                        f"{self.name}: published, and moved again since: {tip[:12]}…",
                        "PUBLISH-MOVED",
                    )
                wrong = self._wrong(site, _BACK).lines()
                if wrong:
                    raise refused(
                        f"{self.name}: what was read back is not what was pushed ({wrong[0]})",
                        "PUBLISH-READ-BACK",
                    )
            finally:
                self.folder = here

    def _listed(self, ref: str) -> dict[str, str]:
        """Return path to blob of everything in a commit; a link has none."""
        found: dict[str, str] = {}
        for line in self._git("ls-tree", "-r", "-z", "--full-tree", ref).split(b"\0"):
            if line:
                about, _, path = line.partition(b"\t")
                mode, _, blob = about.decode().split(" ")
                found[os.fsdecode(path)] = blob if mode in ("100644", "100755") else ""
        return found

    def _wrong(self, site: Site, ref: str) -> Differences:
        """Return in what a commit is not this site; what a host of pages wants there is none."""
        return manifest.compare(site.whole, self._found(ref), BESIDE)

    def _found(self, ref: str) -> dict[str, Digest]:
        """Return path to digest of everything in a commit."""
        listed = self._listed(ref)
        digests = self._digests([blob for blob in dict.fromkeys(listed.values()) if blob])
        return {path: digests.get(blob, Digest("")) for path, blob in listed.items()}

    def _digests(self, blobs: Sequence[str]) -> dict[str, Digest]:
        out = self._git("cat-file", "--batch", feed="".join(f"{one}\n" for one in blobs).encode())
        view, at = memoryview(out), 0
        digests: dict[str, Digest] = {}
        for blob in blobs:
            end = out.index(b"\n", at)
            size = int(out[at:end].split(b" ")[2])
            digests[blob] = sha256(bytes(view[end + 1 : end + 1 + size]))
            at = end + 1 + size + 1
        return digests

    def _blob(self, blob: str) -> bytes:
        return self._git("cat-file", "blob", blob) if blob else b""

    def _moved(self) -> Exception:
        return failed(
            f"{self.name} has moved since it was looked at; publish again", "PUBLISH-MOVED"
        )

    def _has_moved(self) -> bool:
        try:
            return self._tip() != self.shown
        except PublishRefused:
            return False  # nobody knows; it is told as what git says of the push

    def _failed(self, done: subprocess.CompletedProcess[bytes]) -> Exception:
        text = done.stderr.decode("utf-8", "replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        said = next((one for one in lines if one.startswith(("fatal:", "error:"))), "")
        told = visible(without_credentials(said or (lines or ["git failed"])[-1]), 200)
        return failed(f"{self.name}: {told}; {self.state}", "PUBLISH-REMOTE")

    def _git(self, *arguments: str, feed: bytes = b"") -> bytes:
        done = self._try(*arguments, feed=feed)
        if done.returncode:
            raise self._failed(done)
        return done.stdout

    def _try(self, *arguments: str, feed: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return self._run("git", *arguments, feed=feed)

    def _run(
        self, *command: str, feed: bytes = b"", **more: str
    ) -> subprocess.CompletedProcess[bytes]:
        """Run git, or what runs it, in the repository in between; ``more`` is its environment."""
        try:
            return subprocess.run(
                command,
                cwd=self.folder,
                env={**self._environment(), **more},
                input=feed,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise failed(
                f"{self.name}: git did not end within {SECONDS} s; {self.state}", "PUBLISH-REMOTE"
            ) from error

    def _environment(self) -> Mapping[str, str]:
        """Return an environment in which git asks nobody, and none of a repository around here."""
        return {
            **{name: value for name, value in os.environ.items() if name not in _REPOSITORY},
            **self.settings,
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
        }
