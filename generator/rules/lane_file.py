"""``lane.yml`` says what it says in one way only."""

from __future__ import annotations

from collections.abc import Iterable

from generator.model.finding import Finding
from generator.reading import lanefile
from generator.rules.base import Code, Rule

_ID = "sample"
_SOUND = b"id: sample\ntitle: A sample\ndate: 2026-06-12\nprevious: sample-before\n"
_YAML = "YAML has many ways to say a thing; the rare ones hide what is said."
_TODO = "Correct lane.yml; the README shows all keys."
CODES = {
    "LANE-ID": Code(
        "The id of a lane is missing, unsafe as a file name, or not the name of its folder.",
        "Pages, links and files are named after the id.",
        "Use ASCII letters, digits, '-', '_' and '.', and give the folder the same name.",
    ),
    "LANE-TYPE": Code("A value of lane.yml has a wrong type.", "It cannot be used.", _TODO),
    "LANE-DATE": Code(
        "The date of a lane is not written YYYY-MM-DD.", "Other forms are ambiguous.", _TODO
    ),
    "LANE-PIN-FORM": Code(
        "A pin is not a whole SHA-256 digest.", "An abbreviated hash pins nothing.", _TODO
    ),
    "LANE-KEY": Code("lane.yml has a key that lanebook does not know.", "It has no effect.", _TODO),
    "YAML-REPEATED-KEY": Code("A key stands twice in lane.yml.", _YAML, _TODO),
    "YAML-TAG": Code("lane.yml has a tag.", _YAML, _TODO),
    "YAML-ALIAS": Code("lane.yml has an anchor or an alias.", _YAML, _TODO),
    "YAML-MERGE": Code("lane.yml has a merge key.", _YAML, _TODO),
    "YAML-KEY": Code("A key of lane.yml is no plain text.", _YAML, _TODO),
    "YAML-DIGITS": Code("A number of lane.yml has too many digits.", _YAML, _TODO),
    "YAML-INFINITE": Code(
        "A number of lane.yml is larger than a double can hold.",
        "A short hash such as 12e4567 reads as a number.",
        "Put the value in quotes.",
    ),
    "YAML-SECOND": Code("lane.yml holds more than one document.", _YAML, _TODO),
    "YAML-UTF8": Code("lane.yml is not UTF-8.", _YAML, _TODO),
    "YAML-DEPTH": Code("lane.yml is nested too deeply.", _YAML, _TODO),
    "YAML-BYTES": Code("lane.yml is too large.", _YAML, _TODO),
    "YAML-EMPTY": Code("lane.yml is empty.", "A lane has at least an id.", _TODO),
    "YAML-SYNTAX": Code("lane.yml is not YAML.", "It cannot be read.", _TODO),
}


def check(data: bytes) -> Iterable[Finding]:
    """Return what reading a ``lane.yml`` with these bytes finds."""
    return lanefile.parse(data, _ID)[1]


RULE = Rule(
    name="lane-file",
    protects="against a lane.yml that people and programs read differently",
    codes=CODES,
    check=check,
    sound=lambda: _SOUND,
    controls={
        "LANE-ID": lambda: _SOUND.replace(b"id: sample", b"id: ../sample", 1),
        "LANE-TYPE": lambda: _SOUND.replace(b"A sample", b"[A, sample]"),
        "LANE-DATE": lambda: _SOUND.replace(b"2026-06-12", b"12 June"),
        "LANE-PIN-FORM": lambda: _SOUND + b"pins:\n  a.txt: e6547e69\n",
        "LANE-KEY": lambda: _SOUND + b"verdict: PASS\n",
        "YAML-REPEATED-KEY": lambda: _SOUND + b"title: Another\n",
        "YAML-TAG": lambda: _SOUND + b"who: !!python/name:os.system x\n",
        "YAML-ALIAS": lambda: _SOUND.replace(b"A sample", b"&a A sample") + b"who: *a\n",
        "YAML-MERGE": lambda: _SOUND + b"<<: {who: x}\n",
        "YAML-KEY": lambda: _SOUND + b"[a, b]: x\n",
        "YAML-DIGITS": lambda: _SOUND + b"who: " + b"1" * 2000 + b"\n",
        "YAML-INFINITE": lambda: _SOUND + b"who: 12e4567\n",
        "YAML-SECOND": lambda: _SOUND + b"---\nid: other\n",
        "YAML-UTF8": lambda: _SOUND.replace(b"A sample", b"\xff\xfe"),
        "YAML-DEPTH": lambda: _SOUND + b"who: " + b"[" * 200 + b"]" * 200 + b"\n",
        "YAML-BYTES": lambda: _SOUND + b"#" * (2 * 1024 * 1024) + b"\n",
        "YAML-EMPTY": lambda: b"",
        "YAML-SYNTAX": lambda: _SOUND + b"who: [\n",
    },
)
