"""What *detect-secrets* finds by the form that services give their tokens.

Left out are its detectors that go by entropy, which every digest has; by an address, which is no
secret; by a key word, for which lanebook has a narrower rule (:mod:`generator.leaks.own`); and
those for IBM's services, which take every long word behind ``AUTH`` for a key. Nothing is ever
asked of a service: only ``analyze_string`` is called.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from detect_secrets.plugins.base import BasePlugin

_TOKENS = {
    "artifactory": "ArtifactoryDetector",
    "aws": "AWSKeyDetector",
    "azure_storage_key": "AzureStorageKeyDetector",
    "discord": "DiscordBotTokenDetector",
    "github_token": "GitHubTokenDetector",
    "gitlab_token": "GitLabTokenDetector",
    "jwt": "JwtTokenDetector",
    "mailchimp": "MailchimpDetector",
    "npm": "NpmDetector",
    "openai": "OpenAIDetector",
    "pypi_token": "PypiTokenDetector",
    "sendgrid": "SendGridDetector",
    "slack": "SlackDetector",
    "square_oauth": "SquareOAuthDetector",
    "stripe": "StripeDetector",
    "telegram_token": "TelegramBotTokenDetector",
    "twilio": "TwilioKeyDetector",
}
_PASSWORDS = {"basic_auth": "BasicAuthDetector"}


def tokens(text: str) -> Iterator[str]:
    """Yield every token of a known service."""
    yield from _found("tokens", text)


def passwords(text: str) -> Iterator[str]:
    """Yield every password inside an address, as in ``https://user:password@host``."""
    yield from _found("passwords", text)


def _found(which: str, text: str) -> Iterator[str]:
    for detector in _detectors(which):
        for value in detector.analyze_string(text):
            if stripped := value.strip(" \t\r\n\"'=:"):
                yield stripped


@cache
def _detectors(which: str) -> tuple[BasePlugin, ...]:
    # late: it costs 0.1 s, and most commands scan nothing
    names = _TOKENS if which == "tokens" else _PASSWORDS
    return tuple(
        getattr(import_module(f"detect_secrets.plugins.{module}"), name)()
        for module, name in names.items()
    )
