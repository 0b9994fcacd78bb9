"""Publishing: what refuses a site is asked first, then it is brought to its target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from generator.errors import InputError
from generator.leaks import Leak, scan_bytes
from generator.model.digest import Digest
from generator.model.verdict import RootVerdict
from generator.names import visible
from generator.parallel import fork_map
from generator.publish import history, manifest
from generator.publish.allowed import NAME as ALLOW
from generator.publish.allowed import Allowed, AllowedLeak
from generator.publish.branch import HeldBranch
from generator.publish.codes import failed, refused
from generator.publish.folder import HeldFolder, changed
from generator.publish.manifest import Site
from generator.publish.placed import Held, Placed, Published
from generator.publish.remote import HeldHost
from generator.publish.target import BranchTarget, FolderTarget, Target
from generator.reading.tree import read_file
from generator.render.words import plural

KEEP = 5
"""Versions that stay, the one that is shown among them."""

_MARKUP = (".html", ".xml", ".svg", ".md")
_HISTORY = ("PIN-TREE", "PIN-RECORD", "PIN-LANE")
_MOST_FILE = 1024 * 1024 * 1024


class Found(NamedTuple):
    """A leak and the files in which it stands."""

    leak: Leak
    files: tuple[str, ...]
    """The line of the leak is that of the first."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What would be published, and what speaks against it."""

    site: Site
    leaks: tuple[Found, ...]
    unused: tuple[AllowedLeak, ...]
    """Exceptions that nothing needs any more."""


def hold(target: Target, root: Path, *, epoch: int = 0, ssh_config: Path | None = None) -> Held:
    """Return a target that is held as long as it is entered."""
    if isinstance(target, FolderTarget):
        return HeldFolder(target.path)
    if isinstance(target, BranchTarget):
        return HeldBranch(target, root, epoch)
    return HeldHost(target, ssh_config)


def refuse_verdict(verdict: RootVerdict, *, allow_findings: bool) -> None:
    """Refuse what verification found.

    Raises:
        PublishRefused: nothing is there, history was rewritten, a rule failed, or something is
            refuted and nobody said that it may be published so.
    """
    if not verdict.lanes:
        raise failed("nothing to publish: packets/ holds no lane", "PUBLISH-UNDECIDED")
    for lane in verdict.lanes:
        for finding in lane.findings:
            if finding.code in _HISTORY:
                raise refused(
                    f"{visible(lane.id, 100)}: {finding.code}: {finding.message}", "PUBLISH-HISTORY"
                )
    for lane in verdict.lanes:
        if lane.errors:
            raise failed(f"{visible(lane.id, 100)}: a rule failed on it", "PUBLISH-UNDECIDED")
    if allow_findings:
        return
    wrong = [(lane.id, lane.refuting) for lane in verdict.lanes if lane.refuting]
    wrong += [
        (one.file, refuting)
        for one in verdict.decisions
        if (refuting := tuple(finding for finding in one.findings if finding.refutes))
    ]
    if wrong:
        name, findings = wrong[0]
        count = sum(len(each) for _, each in wrong)
        raise refused(
            f"{plural(count, 'finding')} in {plural(len(wrong), 'lane or decision')}, first"
            f" {visible(name, 100)}: {findings[0].code}; --allow-findings publishes them as what"
            " they are",
            "PUBLISH-REFUTED",
        )


def judge(
    html: Path,
    allowed: Allowed,
    *,
    jobs: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Judged:
    """Read the built site, and look into each of its files for what must not be public.

    Raises:
        InputError: ``SITE-MANIFEST``: it has no manifest, as it was built by an older lanebook.
        PublishRefused: ``PUBLISH-CHANGED``: a file is not what the manifest lists.
    """
    site = manifest.load(html)
    for path in chain(*manifest.compare(site.whole, manifest.read_tree(html).found)):
        raise changed(path)
    found: dict[tuple[str, Digest], list[tuple[str, Leak]]] = {}
    used: set[AllowedLeak] = set()
    paths = sorted(site.files)

    def look(path: str) -> list[Leak]:
        data = read_file(html / path, _MOST_FILE, code="PUBLISH-CHANGED")
        return scan_bytes(data, markup=path.endswith(_MARKUP))

    for path, leaks in zip(paths, fork_map(look, paths, jobs=jobs, progress=progress), strict=True):
        for leak in leaks:
            found.setdefault((leak.rule, leak.digest), []).append((path, leak))
    left: list[Found] = []
    for (rule, digest), places in found.items():
        entries = [one for one in allowed.leaks if (one.rule, one.digest) == (rule, digest)]
        used.update(one for one in entries if any(one.covers(path) for path, _ in places))
        bad = [(path, leak) for path, leak in places if not any(e.covers(path) for e in entries)]
        if bad:
            # evidence and documents first: the pages only show what stands there
            bad.sort(key=lambda place: (not _is_source(place[0]), place[0]))
            left.append(Found(bad[0][1], tuple(path for path, _ in bad)))
    left.sort(key=lambda one: (one.leak.rule, one.files[0], one.leak.line, one.leak.digest))
    unused = tuple(one for one in allowed.leaks if one not in used)
    return Judged(site, tuple(left), unused)


def _is_source(path: str) -> bool:
    return "/files/" in path and path.endswith((".txt", ".bin"))


def told(leaks: Sequence[Found]) -> list[str]:
    """Return the lines that tell leaks: rule, file and line, what may be seen, and the digest."""
    lines = []
    for leak, files in leaks:
        more = f" and {plural(len(files) - 1, 'more file')}" if len(files) > 1 else ""
        lines.append(f"{leak.rule}  {visible(files[0], 300)}:{leak.line}{more}")
        lines.append(f"    {leak.what}: {leak.shown}, sha256 {leak.digest}")
        lines.extend(f"    also in {visible(path, 300)}" for path in files[1:])
    return lines


def refuse_leaks(judged: Judged) -> None:
    """Refuse a site in which something leaks.

    Raises:
        PublishRefused: ``PUBLISH-LEAK``.
    """
    if judged.leaks:
        raise refused(
            f"{plural(len(judged.leaks), 'value')} must not be public; {ALLOW} lists what was"
            " reviewed and is none",
            "PUBLISH-LEAK",
        )


def refuse_history(site: Site, published: Published | None, allowed: Allowed) -> None:
    """Refuse a site that has lost or rewritten a lane of the one that the target shows.

    Raises:
        PublishRefused: ``PUBLISH-HISTORY``.
    """
    if published is None:
        return

    def read_new(path: str) -> bytes | None:
        try:
            return read_file(site.html / path, _MOST_FILE, code="PUBLISH-CHANGED")
        except InputError:
            return None

    lost = list(
        history.rewritten(
            history.lanes(published.files),
            history.lanes(site.files),
            published.read,
            read_new,
            allowed.lanes,
        )
    )
    if lost:
        more = f", and {plural(len(lost) - 1, 'more lane')}" if len(lost) > 1 else ""
        raise refused(f"{lost[0]}{more}", "PUBLISH-HISTORY")


def publish(site: Site, held: Held, allowed: Allowed, keep: int = KEEP) -> Placed:
    """Hold the site against what the target shows, bring it there, and switch.

    Raises:
        PublishRefused: it lost or rewrote a lane, or could not be brought there.
    """
    refuse_history(site, held.published(), allowed)
    return held.publish(site, keep)


def built(root: Path) -> Path:
    """Return the folder of the built site."""
    return root / "site" / "html"
