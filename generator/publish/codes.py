"""The codes by which publishing, and verifying a published site, end; none is a rule's finding."""

from __future__ import annotations

import errno
import os

from generator.errors import LanebookError
from generator.exits import Exit
from generator.rules.base import Code

_REMOVE = "Take it out of the documents or the packet, by a new lane or a new seal. What was public"
_ALLOW = " If it is none, list it in publish-allow.yml with a reason, and have that reviewed."

PUBLISH_CODES: dict[str, Code] = {
    "PUBLISH-TARGET": Code(
        "The target is written in no form that lanebook knows.",
        "A site that is put in a wrong place is found by the wrong people.",
        "Write a folder, git:REMOTE#BRANCH, ssh://HOST/PATH or HOST:PATH.",
    ),
    "PUBLISH-FOREIGN": Code(
        "The target holds something that lanebook did not put there.",
        "Publishing into it would hide or remove what is somebody's.",
        "Name an empty target, or one that lanebook published to before.",
    ),
    "PUBLISH-REFUTED": Code(
        "A lane, or a recorded decision, is refuted.",
        "A published site is taken for the truth; here something in it is known to be wrong.",
        "See to what 'lanebook verify' finds, or publish with --allow-findings: the pages say what"
        " is refuted.",
    ),
    "PUBLISH-UNDECIDED": Code(
        "A rule of lanebook failed, so that nobody knows what it would have found.",
        "What was not checked must not be published as if it had been.",
        "Report the rule that 'lanebook verify' names; --allow-findings does not help here.",
    ),
    "PUBLISH-HISTORY": Code(
        "A lane that was pinned or published is gone, or is not what it was.",
        "Readers relied on what was published; a history that is rewritten in silence is none.",
        "Put the lane back. If the change was authorised, list it under lanes: in"
        " publish-allow.yml with a reason, and pin the lane anew.",
    ),
    "PUBLISH-LEAK": Code(
        "Something that must not be public stands in what would be published.",
        "What was public once cannot be taken back.",
        "See to what is named; 'lanebook explain' knows each LEAK code.",
    ),
    "LEAK-KEY": Code(
        "A private key would be published.",
        "Whoever reads it can sign, log in or decrypt as its owner.",
        f"{_REMOVE} even for a moment is replaced by a new key.{_ALLOW}",
    ),
    "LEAK-TOKEN": Code(
        "A token of a service would be published.",
        "Whoever reads it can use the service as its owner; robots search for such tokens.",
        f"{_REMOVE} even for a moment is revoked.{_ALLOW}",
    ),
    "LEAK-PASSWORD": Code(
        "A password, or a hash that passwords can be tried against, would be published.",
        "Whoever reads it can log in; its digest alone lets a weak one be guessed.",
        f"{_REMOVE} even for a moment is changed.{_ALLOW}",
    ),
    "LEAK-HOME": Code(
        "A path of somebody's home folder would be published.",
        "It names a person or an account, and the machine that evidence must not depend on.",
        f"{_REMOVE} stays known.{_ALLOW}",
    ),
    "PUBLISH-ALLOW": Code(
        "publish-allow.yml has another form than it must have.",
        "An exception that is not read as it was meant lets through what nobody reviewed.",
        "Correct the place that is named; docs/publish.md shows the form.",
    ),
    "PUBLISH-LOCKED": Code(
        "Another lanebook is publishing to the same target.",
        "Two at once could switch behind each other's back.",
        "Wait until it has ended, and publish again.",
    ),
    "PUBLISH-WRITE": Code(
        "The target could not be written or read.",
        "Half a site is worse than the old one, so the old one stays.",
        "See to what the message names, space or permission for example, and publish again.",
    ),
    "PUBLISH-REMOTE": Code(
        "git, ssh or rsync failed, or the network was gone.",
        "Only a site that was read back whole is switched to, so the old one stays.",
        "See to what the message names, and publish again; what was left half is swept then.",
    ),
    "PUBLISH-MOVED": Code(
        "The branch has moved since it was looked at.",
        "Somebody else published; their commit would be lost or built upon unseen.",
        "Look at what was published, and publish again. lanebook never forces.",
    ),
    "PUBLISH-CHANGED": Code(
        "The built site is not what its manifest lists, or changed while it was published.",
        "Pages of two builds together say what neither of them says.",
        "Publish again while no other build of this root is under way.",
    ),
    "PUBLISH-READ-BACK": Code(
        "What was read back from the target is not what was sent.",
        "A disk, a filter or another program altered it; readers would get something else.",
        "Find out what alters files there: line endings, a virus scanner, a full disk.",
    ),
    "PUBLISH-NONE": Code(
        "There is no version to go back to.",
        "Only one version is kept, or none was published.",
        "Publish; --keep says how many versions stay.",
    ),
    "PUBLISH-DAMAGED": Code(
        "The version to go back to is not what its manifest lists.",
        "It was altered after it was published; nobody should be led there.",
        "Publish anew from a checkout of that time.",
    ),
    "SITE-MANIFEST": Code(
        "The site has no SITE_MANIFEST.txt, or one that is not in the one form.",
        "Without the list nothing can be said of the copy.",
        "Name the folder or address that holds index.html; sites of older versions have no list.",
    ),
    "SITE-NAME": Code(
        "The built site has a link in it, or a file with a name that no manifest may list.",
        "It would not be the same file on every system, or could not be named safely.",
        "Rename it, or take it out of what mkdocs.yml adds to the site.",
    ),
    "SITE-DIGEST": Code(
        "The manifest of the site has another digest than the one that was given.",
        "The copy may fit its own list and still be another site than the one you mean.",
        "Compare with the digest that 'lanebook publish' printed; find out who changed the site.",
    ),
    "SITE-MISSING": Code(
        "A file that the manifest lists is not there.",
        "A reader meets a missing page, or a page without what it leans on.",
        "Publish again; find out what removed it.",
    ),
    "SITE-DIFFERS": Code(
        "A file has other bytes than the manifest lists.",
        "Readers are shown something that nobody published.",
        "Find out who or what changed it, then publish again.",
    ),
    "SITE-EXTRA": Code(
        "A file that the manifest does not list lies in the site.",
        "It is served as if it had been published.",
        "Find out who put it there, and remove it.",
    ),
    "SITE-UNREAD": Code(
        "The site could not be read whole.",
        "What was not read can be called neither good nor bad.",
        "See to what the message names, and ask again.",
    ),
}


AS_IT_WAS = "what is published is as it was"


class PublishRefused(LanebookError):
    """Nothing was published; what was published before is as it was."""

    def __init__(self, problem: str, code: str, exit_code: Exit) -> None:
        """Keep the problem, its stable code and how the command ends."""
        super().__init__(problem)
        self.code = code
        self.exit_code = exit_code


def wrong_target(problem: str, code: str = "PUBLISH-TARGET") -> PublishRefused:
    """Return the error for a target that cannot be published to at all; exit code 2."""
    return PublishRefused(problem, code, Exit.USAGE)


def refused(problem: str, code: str) -> PublishRefused:
    """Return the error for a site that must not be published; exit code 1."""
    return PublishRefused(problem, code, Exit.REFUTED)


def failed(problem: str, code: str) -> PublishRefused:
    """Return the error for a site that could not be published; exit code 3."""
    return PublishRefused(problem, code, Exit.NO_VERDICT)


def reason(error: Exception) -> str:
    """Say why the system, or lanebook, refused; without the machine's own path to it."""
    if not isinstance(error, OSError) or not error.errno:
        return str(error)
    if error.errno == errno.ENOSPC:
        return "no space left on the disk"
    return os.strerror(error.errno)
