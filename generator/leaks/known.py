"""What *detect-secrets* finds by the form that services give their tokens.

Left out are its detectors that go by entropy, which every digest has; by an address, which is no
secret; by a key word, for which lanebook has a narrower rule (:mod:`generator.leaks.own`); and
those for IBM's services, which take every long word behind ``AUTH`` for a key. Those for npm and
for JSON Web Tokens take time that grows with the square of a hostile text; lanebook's own rules
find both. Nothing is ever
asked of a service: only the patterns and ``analyze_string`` are used. What the latter yields is
sometimes a group of the pattern, such as the ``ghp`` that all tokens of GitHub begin with; so the
value is what the whole pattern matched, where ``analyze_string`` agrees that it is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from detect_secrets.plugins.base import RegexBasedDetector

_TOKENS = {
    "artifactory": "ArtifactoryDetector",
    "aws": "AWSKeyDetector",
    "azure_storage_key": "AzureStorageKeyDetector",
    "discord": "DiscordBotTokenDetector",
    "github_token": "GitHubTokenDetector",
    "gitlab_token": "GitLabTokenDetector",
    "mailchimp": "MailchimpDetector",
    "openai": "OpenAIDetector",
    "pypi_token": "PypiTokenDetector",
    "sendgrid": "SendGridDetector",
    "slack": "SlackDetector",
    "square_oauth": "SquareOAuthDetector",
    "stripe": "StripeDetector",
    "telegram_token": "TelegramBotTokenDetector",
    "twilio": "TwilioKeyDetector",
}
# Slow to look for, and fast to rule out: one of these is in all that a detector's patterns fit. A
# pattern that begins with a literal is looked for as fast as the literal, and several take as many
# times as long.
_HINTS = {
    "ArtifactoryDetector": (re.compile("AKC"), re.compile(r"AP[\dA-F]")),
    "DiscordBotTokenDetector": (re.compile(r"\.[\w-]{6}\."),),
    "GitLabTokenDetector": (re.compile("gl[a-z]{2,5}-"), re.compile("GR1348941")),
    "MailchimpDetector": (re.compile("-us[0-9]"),),
    "StripeDetector": (re.compile("k_live_"),),
    "TelegramBotTokenDetector": (re.compile(r":[\w-]{35}"),),
}
_FOLDED_HINTS = {"SlackDetector": ("xox", "hooks.slack.com")}
"""Of detectors whose patterns do not look at the case."""
_AWS = re.compile("A(?:3T|BIA|CCA|KIA|SIA)[0-9A-Z]{16}")
_PASSWORDS = {"basic_auth": "BasicAuthDetector"}


def tokens(text: str) -> Iterator[str]:
    """Yield every token of a known service."""
    folded = fold(text)
    for detector in _detectors("tokens"):
        if not _may_fit(type(detector).__name__, text, folded):
            continue
        for pattern in detector.denylist:
            for match in pattern.finditer(text):
                value = match[0].strip(" \t\r\n\"'=:")
                if value and any(detector.analyze_string(match[0])):
                    yield value


def fold(text: str) -> str:
    """Return a text in the one case in which literals are looked for."""
    if text.isascii():
        return text.lower()
    # to a pattern without case the long s is an s, and each of Turkish's i an i
    return text.casefold().replace("\u0131", "i").replace("\u0307", "")


def _may_fit(name: str, text: str, folded: str) -> bool:
    """Tell whether a detector may find anything."""
    if name == "AWSKeyDetector":
        # its second pattern does not look at the case, its first has to
        return "aws" in folded or _AWS.search(text) is not None
    if name in _FOLDED_HINTS:
        return any(hint in folded for hint in _FOLDED_HINTS[name])
    return name not in _HINTS or any(hint.search(text) for hint in _HINTS[name])


def passwords(text: str) -> Iterator[str]:
    """Yield every password inside an address, as in ``https://user:password@host``."""
    for detector in _detectors("passwords"):
        yield from detector.analyze_string(text)


@cache
def _detectors(which: str) -> tuple[RegexBasedDetector, ...]:
    # late: it costs 0.1 s, and most commands scan nothing
    names = _TOKENS if which == "tokens" else _PASSWORDS
    return tuple(
        getattr(import_module(f"detect_secrets.plugins.{module}"), name)()
        for module, name in names.items()
    )
