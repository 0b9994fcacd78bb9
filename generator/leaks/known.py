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
# Slow to look for, and fast to rule out: one of these is in all that the patterns fit.
_HINTS = {
    "ArtifactoryDetector": ("AKC", *(f"AP{digit}" for digit in "0123456789ABCDEF")),
    "MailchimpDetector": ("-us",),
}
_PASSWORDS = {"basic_auth": "BasicAuthDetector"}


def tokens(text: str) -> Iterator[str]:
    """Yield every token of a known service."""
    for detector in _detectors("tokens"):
        hints = _HINTS.get(type(detector).__name__)
        if hints is not None and not any(hint in text for hint in hints):
            continue
        for pattern in detector.denylist:
            for match in pattern.finditer(text):
                value = match[0].strip(" \t\r\n\"'=:")
                if value and any(detector.analyze_string(match[0])):
                    yield value


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
