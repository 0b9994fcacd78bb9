r"""lanebook's own rules, for what the library leaves out or finds too much of.

A value is what the allow list is bound to, so it is the secret itself: a key with its body and not
its first line alone, a home path up to the name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.leaks.known import fold

_KEY = re.compile(
    r"-{4,5} ?BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)? ?-{4,5}[^-]{0,20000}"
    r"|PuTTY-User-Key-File-[0-9]: [^\0]{0,2000}"
    r"|AGE-SECRET-KEY-1[0-9A-Z]{50,70}"
)

# Forms that detect-secrets 1.5 does not know.
_TOKEN = re.compile(
    r"\bgithub_pat_[A-Za-z0-9_]{22,}"
    r"|\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"
    r"|\bsk-ant-[A-Za-z0-9_-]{20,}"
    r"|\bhf_[A-Za-z0-9]{30,}"
    r"|\bdop_v1_[0-9a-f]{64}"
    r"|\bxapp-[0-9]-[A-Za-z0-9-]{20,}"
    # a JSON Web Token (RFC 7519): header and payload begin as JSON objects do in base64url
    r"|(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*"
)
_TOKEN_HINTS = ("github_pat_", "AIza", "sk-ant-", "hf_", "dop_v1_", "xapp-", ".eyJ")
_AUTHORIZATION = re.compile(
    r"authorization[\"'\\]{0,3}\s{0,3}[:=]\s{0,3}[\"'\\]{0,3}(?:bearer|basic|token)\s{1,3}"
    r"([A-Za-z0-9._~+/=-]{8,})",
    re.IGNORECASE,
)

# also at the end of a longer name: PGPASSWORD, client_secret, aws_secret_access_key
_KEY_WORD = (
    r"(?:passw(?:ord|d)|passphrase|pwd|secret|(?:secret|api|access|private)[_-]?key"
    r"|(?:access|auth)[_-]?token)"
)
# One of these is in every text that the patterns fit; each begins with a literal, and is ruled out
# about as fast.
_HINTS = tuple(
    re.compile(hint)
    for hint in (
        *("pass(?:w|phrase)", "pwd", "secret", "identified"),
        *("api[_-]?key", "access[_-]?(?:key|token)", "private[_-]?key", "auth[_-]?token"),
    )
)
_QUOTED = re.compile(
    _KEY_WORD + r"\\?[\"']?\s{0,3}(?::|=>?)\s{0,3}\\?([\"'])(?P<value>[^\"'\s\\<>]{4,200})\\?\1",
    re.IGNORECASE,
)
_BARE = re.compile(
    _KEY_WORD + r"(?:=| ?: )(?P<value>[^\"'\s\\<>,;()\[\]{}|`&]{4,200})", re.IGNORECASE
)
_SQL = re.compile(
    r"\b(?:identified\s{1,3}by|password)\s{1,3}'(?P<value>[^'\s]{4,200})'", re.IGNORECASE
)
_NETRC = re.compile(r"\blogin\s{1,9}\S{1,99}\s{1,9}password\s{1,9}(?P<value>\S{4,200})")
# What crypt(3) and its relatives make of a password; whoever has it can try passwords against it.
_CRYPT = re.compile(
    r"\$(?:1|2[abxy]|5|6|7|y|gy|argon2(?:id?|d)|scrypt|pbkdf2[a-z0-9-]*)\$[A-Za-z0-9./$=,+-]{20,}"
)

_NO_SECRET = re.compile(
    r"(?i:x{4,}|\*{4,}|\.{4,}|-{4,}|null|none|true|false|undefined|unset|empty|redacted|removed"
    r"|hidden|masked|absent|example|changeme|(?:env|file|vault|secret|sha256|md5):.*|\$.*|%.*"
    r"|\{\{.*|[0-9a-f]{40}|[0-9a-f]{64}|[0-9]{1,5}|[~.]{0,2}/.*)"  # a path, as PWD= is
    r"|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+"  # a status word, or the name of a variable
)
_SAYS_NOTHING = re.compile(r"[A-Za-z.!?…–-]+")  # a word of prose behind "password: "

_SEPARATOR = r"(?:\\?/|%2[Ff])"
_PERSON = r"(?P<name>[A-Za-z0-9_][\w.@-]{0,63})"
_HOME = re.compile(
    # not in the middle of a path, a URL or a JSON Pointer; but behind file://
    r"(?:(?<![\w.#~/\\)\]}-])|(?<=file://))"
    rf"(?:(?:{_SEPARATOR}(?:var|export|usr|mnt{_SEPARATOR}[a-z]))?{_SEPARATOR}(?:home|Users)"
    rf"{_SEPARATOR}{_PERSON}"
    rf"|{_SEPARATOR}root{_SEPARATOR}(?=[\w.]))"
)
_HOME_HINTS = tuple(
    re.compile(hint)
    for hint in (
        *(rf"{name}(?:\\?/|%2[Ff])" for name in ("home", "root")),
        *("Users", "Documents and Settings"),
    )
)
_WINDOWS_HOME = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]:(?:\\{1,2}|/)(?:Users|Documents and Settings)(?:\\{1,2}|/)" + _PERSON
)


def values(text: str) -> Iterator[tuple[str, str]]:
    """Yield rule and value of everything that these rules find in a text."""
    # literals are looked for first where that rules a pattern out: most text holds none of this
    if "PRIVATE KEY" in text or "PuTTY-User" in text or "AGE-SECRET" in text:
        for match in _KEY.finditer(text):
            yield "LEAK-KEY", match[0].strip()
    if any(hint in text for hint in _TOKEN_HINTS):
        for match in _TOKEN.finditer(text):
            yield "LEAK-TOKEN", match[0]
    if "authorization" in fold(text):
        for match in _AUTHORIZATION.finditer(text):
            yield "LEAK-TOKEN", match[1]
    yield from (("LEAK-PASSWORD", value) for value in _passwords(text))
    for match in _CRYPT.finditer(text):
        yield "LEAK-PASSWORD", match[0]
    if any(hint.search(text) for hint in _HOME_HINTS):
        for pattern in (_HOME, _WINDOWS_HOME):
            for match in pattern.finditer(text):
                yield "LEAK-HOME", match[0].rstrip(".")


def _passwords(text: str) -> Iterator[str]:
    folded = fold(text)
    if not any(hint.search(folded) for hint in _HINTS):
        return
    for pattern in (_QUOTED, _SQL, _NETRC):
        for match in pattern.finditer(text):
            if not _NO_SECRET.fullmatch(match["value"]):
                yield match["value"]
    for match in _BARE.finditer(text):
        value = match["value"].rstrip(".")
        # "password=word" is set; "password: word" may be prose
        prose = ":" in match[0][: match.start("value") - match.start()]
        if _NO_SECRET.fullmatch(value) or (prose and _SAYS_NOTHING.fullmatch(value)):
            continue
        if len(value) >= 4:
            yield value
