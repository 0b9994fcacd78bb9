"""What must not be public is found; what only looks like it is not.

Every secret here was made up, or is the example of a vendor's own documentation. They are put
together from pieces, so that scanners of repositories find none in this file.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.leaks import Leak, scan, scan_bytes
from generator.model.digest import sha256
from tests.site_support import ROOT, TIME_LIMIT, environment

SEEDS = Path("/work/shared/seeds")
BODY = "MIIEpAIBAAKCAQEA7bq0z2" * 8
KEY = f"-----BEGIN RSA {'PRIVATE'} KEY-----\n{BODY}\n-----END RSA {'PRIVATE'} KEY-----"
JWT = ".".join(
    (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
        "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIn0",
        "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
    )
)

LEAKS = {
    "rsa key": ("LEAK-KEY", KEY, f"-----BEGIN RSA {'PRIVATE'} KEY-----\n{BODY}"),
    "key in JSON": (
        "LEAK-KEY",
        f'{{"key": "-----BEGIN {"PRIVATE"} KEY-----\\n{BODY}\\n-----END {"PRIVATE"} KEY-----"}}',
        f"-----BEGIN {'PRIVATE'} KEY-----\\n{BODY}\\n",
    ),
    "age key": ("LEAK-KEY", "AGE-SECRET-" + "KEY-1" + "Q" * 58, "AGE-SECRET-" + "KEY-1" + "Q" * 58),
    "aws": ("LEAK-TOKEN", "id = AKIA" + "IOSFODNN7EXAMPLE", "AKIA" + "IOSFODNN7EXAMPLE"),
    "github": ("LEAK-TOKEN", "x ghp_" + "a1B2" * 9, "ghp_" + "a1B2" * 9),
    "github fine": (
        "LEAK-TOKEN",
        "x github_" + "pat_11ABCDEFG0" + "a1" * 20,
        "github_" + "pat_11ABCDEFG0" + "a1" * 20,
    ),
    "gitlab": ("LEAK-TOKEN", "glpat-" + "a1B2c3D4e5F6g7H8i9J0", "glpat-" + "a1B2c3D4e5F6g7H8i9J0"),
    "slack": (
        "LEAK-TOKEN",
        "xoxb-" + "123456789012-abcdefghijkl",
        "xoxb-" + "123456789012-abcdefghijkl",
    ),
    "stripe": ("LEAK-TOKEN", "sk_live_" + "a1B2" * 6, "sk_live_" + "a1B2" * 6),
    "google": (
        "LEAK-TOKEN",
        "AIza" + "Sy" + "a1B2c" * 6 + "xyz",
        "AIza" + "Sy" + "a1B2c" * 6 + "xyz",
    ),
    "jwt": ("LEAK-TOKEN", f"token {JWT}", JWT),
    "npm": ("LEAK-PASSWORD", "//r.example/:_auth" + "Token=npm_a1B2c3", "npm_a1B2c3"),
    "mailchimp": ("LEAK-TOKEN", "a1b2" * 8 + "-us12", "a1b2" * 8 + "-us12"),
    "artifactory": ("LEAK-TOKEN", "x=AKC" + "a1B2c3D4e5F6", "AKC" + "a1B2c3D4e5F6"),
    "artifactory password": ("LEAK-TOKEN", "x=AP5" + "a1B2c3D4e5F6", "AP5" + "a1B2c3D4e5F6"),
    "bearer": (
        "LEAK-TOKEN",
        "Authorization: " + "Bearer abc123def456",
        "abc123def456",
    ),
    "bearer in JSON": (
        "LEAK-TOKEN",
        '{"authorization": "' + 'Bearer abc123def456"}',
        "abc123def456",
    ),
    "url": ("LEAK-PASSWORD", "postgres://me:" + "s3cret@db.example/x", "s3cret"),
    "json": ("LEAK-PASSWORD", '"db_password": ' + '"hunter2"', "hunter2"),
    "json in a string": ("LEAK-PASSWORD", '{\\"password\\": ' + '\\"hunter2\\"}', "hunter2"),
    "environment": ("LEAK-PASSWORD", "PGPASSWORD_X=1 DB_PASS" + "WORD=hunter2", "hunter2"),
    "assignment": ("LEAK-PASSWORD", "api_key = " + "'q8w7e6r5'", "q8w7e6r5"),
    "name run together": ("LEAK-PASSWORD", "PGPASS" + "WORD=hunter2", "hunter2"),
    "yaml": ("LEAK-PASSWORD", "password: " + "hunter2", "hunter2"),
    "sql": ("LEAK-PASSWORD", "ALTER ROLE x PASSWORD " + "'hunter2';", "hunter2"),
    "identified": ("LEAK-PASSWORD", "CREATE USER x IDENTIFIED BY " + "'tiger1';", "tiger1"),
    "netrc": ("LEAK-PASSWORD", "machine h login me " + "password hunter2", "hunter2"),
    "crypt": (
        "LEAK-PASSWORD",
        "root:$6$" + "saltsalt$" + "aB3." * 21 + ":1",
        "$6$" + "saltsalt$" + "aB3." * 21,
    ),
    "bcrypt": ("LEAK-PASSWORD", "$2b$" + "12$" + "aB3." * 13, "$2b$" + "12$" + "aB3." * 13),
    "home": ("LEAK-HOME", "see /home/" + "bob/x.sh", "/home/" + "bob"),
    "home of a mac": ("LEAK-HOME", "(/Users/" + "nm, /tmp)", "/Users/" + "nm"),
    "home with nothing behind": ("LEAK-HOME", "cwd=/home/" + "bob.", "/home/" + "bob"),
    "home in JSON": ("LEAK-HOME", '"\\/home\\/' + 'bob\\/x"', "\\/home\\/" + "bob"),
    "home in a URL": ("LEAK-HOME", "file:///home/" + "bob/x", "/home/" + "bob"),
    "home, escaped": ("LEAK-HOME", "?path=%2Fhome%2F" + "bob", "%2Fhome%2F" + "bob"),
    "home elsewhere": ("LEAK-HOME", "/var/home/" + "bob/x", "/var/home/" + "bob"),
    "home of WSL": ("LEAK-HOME", "/mnt/c/Users/" + "Bob/x", "/mnt/c/Users/" + "Bob"),
    "home of root": ("LEAK-HOME", "in /root" + "/.ssh/config", "/root" + "/"),
    "home of Windows": ("LEAK-HOME", "C:\\Users\\" + "Bob\\x", "C:\\Users\\" + "Bob"),
    "home of Windows in JSON": ("LEAK-HOME", "C:\\\\Users\\\\" + "Bob", "C:\\\\Users\\\\" + "Bob"),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_is_found_by_one_rule_and_not_shown(name: str) -> None:
    rule, text, value = LEAKS[name]
    found = scan(f"first line\n{text}\nlast line\n")
    assert [(leak.rule, leak.line, leak.digest) for leak in found] == [
        (rule, 2, sha256(value.strip().encode()))
    ]
    shown = found[0].shown.partition("…")[0]
    assert value.startswith(shown)
    assert len(shown) <= min(4, len(value) // 4)


CLEAN = {
    "digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "digest as a secret's": f'"secret": "{"ab" * 32}"',
    "git": "c6f3ac57944a531490cd39902d0f777715fd005e",
    "id": "TKT-OBJ-485..494 RX-12 BLOCKER_PRODUCTION_AUTHORIZATION",
    "option": "AUTHORIZE_SECOND_SQLITE_CLONE_REHEARSAL_ONLY",
    "status": '"secret": "NOT_PRINTED"',
    "prose": "The password: never printed. A secret = none. No token, no private key was read.",
    "scan": '"secret_scan": "clean", "secrets": [], "passwords": 0',
    "placeholders": "password=<password> api_key=${API_KEY} secret: '****' pwd={{ pwd }}",
    "null": "password=null",
    "reference": "password: env:DB_PASSWORD and secret=vault:kv/db",
    "relative": "../home/index.html and packets/root/x and href=home/bob",
    "url": "https://example.org/home/bob and http://x/Users/y",
    "pointer": "index.json#/home/standing",
    "working folder": "PWD=/work/site OLDPWD=/tmp pwd: ./here",
    "placeholder home": "/home/<user>/x and /Users/$USER and $HOME/x and ~/x",
    "root": "/root and / root /x",
    "time": "12:30:45 key: value; a:b@c",
    "certificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "public key": "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
    "mail": "maintainers@users.noreply.example",
    "integrity": "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
}


@pytest.mark.parametrize("name", CLEAN)
def test_what_only_looks_like_a_leak_is_none(name: str) -> None:
    assert scan(CLEAN[name]) == []


_HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
_ID = st.from_regex(r"[A-Z]{2,8}(_[A-Z0-9]{2,12}){1,8}", fullmatch=True)
_LANE = st.from_regex(r"[a-z]{2,9}(-[a-z0-9]{2,9}){1,4}", fullmatch=True)


@given(st.lists(st.one_of(_HEX, _ID, _LANE), max_size=30), st.sampled_from([" ", "\n", '", "']))
def test_digests_and_identifiers_are_never_a_leak(words: list[str], between: str) -> None:
    assert scan(between.join(words)) == []


@given(st.text(), st.text())
def test_a_leak_is_found_in_any_surroundings(before: str, after: str) -> None:
    text = f"{before}\n/home/" + f"bob/x\n{after}"
    digest = sha256(("/home/" + "bob").encode())
    assert digest in {leak.digest for leak in scan(text)}


@given(st.binary(max_size=300))
def test_any_bytes_can_be_looked_at(data: bytes) -> None:
    assert all(isinstance(leak, Leak) for leak in scan_bytes(data))


@pytest.mark.parametrize(
    ("data", "markup"),
    [
        ("x /home/bo" + "b/y", False),
        ("<p>&#47;home&#x2F;bo" + "b/y</p>", True),
    ],
    ids=["text", "entities"],
)
def test_bytes_of_every_kind(data: str, markup: bool) -> None:
    wanted = ["LEAK-HOME"]
    for encoded in (data.encode(), data.encode() + b"\xff\xfe", data.encode("utf-16-le")):
        assert [leak.rule for leak in scan_bytes(encoded, markup=markup)] == wanted


HOSTILE = (
    *("eyJ", ".eyJ", "//", "_authToken=//", "://a", "AKC", " AP5", "AKIA", "xoxb-1-", "-us", "$6$"),
    *("-----BEGIN PRIVATE KEY", "PuTTY-User-Key-File-2: ", "password", "password=", "password: '"),
    *("login a ", "Authorization: ", "/home/", "\\/home", "a", "M" * 24 + ".", " ", "0"),
)


def test_hostile_text_costs_no_more_than_its_length() -> None:
    # what took the square of it would not come to its end within hours
    script = (
        "import sys; from generator.leaks import scan\n"
        "for piece in sys.argv[1:]: scan(piece * (1_000_000 // len(piece)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *HOSTILE],
        env=environment(),
        timeout=TIME_LIMIT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_of_this_project_is_a_false_alarm() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): leaks
        for folder in ("packets", "docs", "templates")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.is_file() and (leaks := scan_bytes(path.read_bytes()))
    }
    assert found == {}


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the seeds are not here")
def test_the_seeds_hold_one_home_path_and_nothing_else() -> None:
    found = [
        (path.name[:3], leak.rule, leak.line)
        for path in sorted(SEEDS.iterdir())
        if path.is_file()
        for leak in scan_bytes(path.read_bytes())
    ]
    assert found == [("002", "LEAK-HOME", 2)]
