"""The page of each evidence file says every fact of it, and how each is known."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.errors import BuildError
from generator.evidence import json_schemas, samples
from generator.evidence.base import EvidenceKind, claimed, derived, refused
from generator.evidence.kinds import BY_FILE, KINDS, SAMPLES
from generator.model.digest import Digest, sha256
from generator.model.finding import Claim
from generator.reading.root import open_root
from generator.render import evidence_pages, viewer, words
from generator.render.evidence_facts import (
    MOST_FACTS,
    MOST_ITEMS,
    MOST_OF_SECTION,
    Cell,
    Fact,
    Section,
    told,
)
from generator.render.lane_pages import MOST_CLAIMS
from generator.render.places import Places
from generator.rules.catalogue import ALL, CODES
from generator.verify import verify
from generator.writing.build import _contents
from tests.site_support import (
    INLINE,
    Site,
    absent,
    broken_links,
    lanebook,
    live,
    pages_of,
    read_markdown,
    seal,
    small_root,
)

PROOF = "rollback-recovery-proof.json"
LOG = "rehearsal-log.json"


# --- JSON Schemas ---


def named(kind: EvidenceKind) -> str:
    return kind.file


def fits(schema: Mapping[str, Any], value: object, whole: Mapping[str, Any]) -> bool:
    """Tell whether a value is valid; a keyword that this checker does not know is a mistake."""
    known = {
        *("$schema", "$id", "$defs", "title", "description", "default"),
        *("$ref", "anyOf", "type", "const", "enum"),
        *("properties", "required", "additionalProperties"),
        *("items", "prefixItems", "minItems", "maxItems"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
        *("minLength", "maxLength", "pattern"),
    }
    assert set(schema) <= known, set(schema) - known
    return all(_rule(key, told_by, value, schema, whole) for key, told_by in schema.items())


_TYPES: dict[str, Callable[[object], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}


def _rule(
    key: str, by: Any, value: object, schema: Mapping[str, Any], whole: Mapping[str, Any]
) -> bool:
    if key == "$ref":
        assert by.startswith("#/$defs/")
        return fits(whole["$defs"][by.removeprefix("#/$defs/")], value, whole)
    if key == "anyOf":
        return any(fits(one, value, whole) for one in by)
    if key == "type":
        return any(_TYPES[one](value) for one in ([by] if isinstance(by, str) else by))
    if key == "const":
        return type(by) is type(value) and by == value
    if key == "enum":
        return any(type(one) is type(value) and one == value for one in by)
    if isinstance(value, dict):
        return _object_rule(key, by, value, schema, whole)
    if isinstance(value, list):
        start = len(schema.get("prefixItems", ()))
        of_list: dict[str, Callable[[], bool]] = {
            "items": lambda: all(by is not False and fits(by, one, whole) for one in value[start:]),
            "prefixItems": lambda: all(map(lambda one, at: fits(one, at, whole), by, value)),
            "minItems": lambda: len(value) >= int(by),
            "maxItems": lambda: len(value) <= int(by),
        }
        return key not in of_list or of_list[key]()
    if isinstance(value, str):
        of_text: dict[str, Callable[[], bool]] = {
            "minLength": lambda: len(value) >= int(by),
            "maxLength": lambda: len(value) <= int(by),
            "pattern": lambda: re.search(by, value) is not None,
        }
        return key not in of_text or of_text[key]()
    if isinstance(value, int | float) and not isinstance(value, bool):
        of_number: dict[str, Callable[[], bool]] = {
            "minimum": lambda: value >= float(by),
            "maximum": lambda: value <= float(by),
            "exclusiveMinimum": lambda: value > float(by),
            "exclusiveMaximum": lambda: value < float(by),
        }
        return key not in of_number or of_number[key]()
    return True


def _object_rule(
    key: str,
    by: Any,
    value: dict[str, object],
    schema: Mapping[str, Any],
    whole: Mapping[str, Any],
) -> bool:
    if key == "properties":
        return all(fits(by[name], one, whole) for name, one in value.items() if name in by)
    if key == "required":
        return all(name in value for name in by)
    if key == "additionalProperties":
        rest = [one for name, one in value.items() if name not in schema.get("properties", {})]
        if isinstance(by, bool):
            return by or not rest
        return all(fits(by, one, whole) for one in rest)
    return True


def changes(value: Any) -> Iterator[Any]:
    """Yield the value with one thing in it replaced by each type, taken out or added."""
    if isinstance(value, dict):
        yield {**value, "a key of nobody": 1}
        for key, member in value.items():
            yield {name: one for name, one in value.items() if name != key}
            for changed in changes(member):
                yield {**value, key: changed}
    if isinstance(value, list):
        yield [*value, *value]
        for at, member in enumerate(value[:2]):
            for changed in changes(member):
                yield [*value[:at], changed, *value[at + 1 :]]
    yield from (None, True, 7, -1, "x", [], ["x"], [7], {}, {"x": "y"})


@pytest.mark.parametrize("kind", KINDS, ids=named)
def test_the_sample_of_a_kind_fits_its_schema(kind: EvidenceKind) -> None:
    schema = json_schemas.schema(kind)
    value = json.loads(json.dumps(SAMPLES[kind.file]()))
    assert fits(schema, value, schema)
    assert fits(schema, {**value, "schema": kind.schema}, schema)
    assert not fits(schema, {**value, "schema": "lanebook/other/9"}, schema)
    assert not fits(schema, {**value, "lane": 7}, schema)
    assert not fits(schema, [value], schema)


@pytest.mark.parametrize("kind", KINDS, ids=named)
def test_a_schema_takes_what_the_model_takes_and_nothing_else(kind: EvidenceKind) -> None:
    schema = json_schemas.schema(kind)
    value = json.loads(json.dumps(SAMPLES[kind.file]()))
    answers = {True: 0, False: 0}
    for changed in changes(value):
        try:
            msgspec.json.decode(json.dumps(changed).encode(), type=kind.model)
            taken = changed.get("schema", None) in (None, kind.schema)
        except msgspec.ValidationError:
            taken = False
        assert fits(schema, changed, schema) is taken, changed
        answers[taken] += 1
    assert min(answers.values()) > 0


@pytest.mark.parametrize("kind", KINDS, ids=named)
def test_a_schema_is_whole_in_itself_and_names_no_host(kind: EvidenceKind) -> None:
    schema = json_schemas.schema(kind)
    assert schema == json_schemas.schema(kind)
    assert schema["$id"] == f"urn:lanebook:{kind.file.removesuffix('.json')}:{kind.version}"
    assert schema["title"] == kind.title
    assert schema["description"] == f"Evidence that {kind.about}."
    assert list(schema.get("$defs", {})) == sorted(schema.get("$defs", {}))
    text = json.dumps({key: value for key, value in schema.items() if key != "$schema"})
    assert "//" not in text
    wanted = set(re.findall(r'"#/\$defs/([^"]+)"', text))
    assert wanted == set(schema.get("$defs", {}))


def test_a_model_that_holds_itself_keeps_its_definition() -> None:
    class Node(msgspec.Struct, forbid_unknown_fields=True):
        inner: list[Node] = []

    globals()["Node"] = Node
    try:
        kind = EvidenceKind("node.json", "Node", "it nests", Node, {}, lambda _: (), {})  # type: ignore[arg-type]
        schema = json_schemas.schema(kind)
    finally:
        del globals()["Node"]
    assert fits(schema, {"inner": [{"inner": []}]}, schema)
    assert not fits(schema, {"inner": [{"inner": 1}]}, schema)


# --- facts ---


def claim(pointer: str, stated: object, computed: object = None, against: str = "x.sql") -> Claim:
    """Return a claim as the lane has it; with nothing computed it is claimed only."""
    if computed is None:
        return claimed(f"e.json#{pointer}", stated).claim
    row = derived(f"e.json#{pointer}", stated, computed, against=against, code="X", message="x.")
    return row.claim


def by_pointer(*claims: Claim) -> dict[str, list[Claim]]:
    found: dict[str, list[Claim]] = {}
    for one in claims:
        found.setdefault(one.where.partition("#")[2], []).append(one)
    return found


def listed(sections: list[Section]) -> list[tuple[str, str, str, str, str]]:
    """Return section, fact, pointer, value and level of everything."""
    return [
        (section.title, fact.name, fact.pointer, fact.stated, fact.mark.word)
        for section in sections
        for fact in section.facts
    ]


def test_every_fact_stands_in_the_order_of_the_file_and_unjudged_ones_are_only_claimed() -> None:
    value: Any = {
        "lane": "a",
        "target": {"rows": 3, "is_production": False},
        "names": ["x", "y"],
        "steps": [{"id": "RX-0", "rows": {"before": 3}}, {"id": "RX-1", "rows": {}}],
        "empty": [],
        "nothing": None,
    }
    found = listed(
        told(value, by_pointer(claim("/target/rows", 3, 3), claim("/steps/0/rows/before", 3, 4)))
    )
    top = "Top of the file"
    assert found == [
        (top, "lane", "/lane", "a", "claimed only"),
        (top, "names", "/names", "x, y", "claimed only"),
        (top, "empty", "/empty", "none", "claimed only"),
        (top, "nothing", "/nothing", "null", "claimed only"),
        ("target", "rows", "/target/rows", "3", "recomputed"),
        ("target", "is production", "/target/is_production", "false", "claimed only"),
        ("steps", "RX-0, id", "/steps/0/id", "RX-0", "claimed only"),
        ("steps", "RX-0, rows, before", "/steps/0/rows/before", "3", "refuted"),
        ("steps", "RX-1, id", "/steps/1/id", "RX-1", "claimed only"),
    ]


def test_a_claim_of_a_container_or_of_what_is_absent_is_a_fact_too() -> None:
    sections = told(
        {"entries": [], "names": ["x", "y"], "deep": {"a~b": {"c/d": 1}}},
        by_pointer(
            claim("/entries", "none", "at least one"),
            claim("/names/1", "y", "y"),
            claim("/deep/a~0b", "1", "1"),
            claim("/verdict/word", "absent", "PASS"),
            refused("e.json", "all", "X", "x.").claim,
        ),
    )
    top = "Top of the file"
    assert listed(sections) == [
        (top, "the file as a whole", "", "all", "refuted"),
        (top, "entries", "/entries", "none", "refuted"),
        (top, "verdict, word", "/verdict/word", "absent", "refuted"),
        ("names", "1", "/names/0", "x", "claimed only"),
        ("names", "2", "/names/1", "y", "recomputed"),
        ("deep", "a~b", "/deep/a~0b", "1", "recomputed"),
        ("deep", "a~b, c/d", "/deep/a~0b/c~1d", "1", "claimed only"),
    ]


@pytest.mark.parametrize(
    ("claims", "word", "recomputed", "against"),
    [
        pytest.param([], "claimed only", (), (), id="nothing-looked-at-it"),
        pytest.param([claim("/a", "1")], "claimed only", (), (), id="nothing-confirms-it"),
        pytest.param(
            [claim("/a", "1", "1"), claim("/a", "1", "1", "y.sql")],
            "recomputed",
            ("1",),
            ("x.sql", "y.sql"),
            id="two-agree",
        ),
        pytest.param(
            [claim("/a", "1", "1"), claim("/a", "1", "2", "y.sql")],
            "refuted",
            ("2", "1"),
            ("x.sql", "y.sql"),
            id="one-of-two-differs",
        ),
    ],
)
def test_a_fact_is_known_as_its_worst_refutation_or_its_best_confirmation(
    claims: list[Claim], word: str, recomputed: tuple[str, ...], against: tuple[str, ...]
) -> None:
    fact = Fact("a", "/a", "1", tuple(claims))
    assert (fact.mark.word, fact.recomputed, fact.against) == (word, recomputed, against)


def test_the_items_of_a_list_stand_in_tables_that_are_not_too_wide() -> None:
    steps: Any = [
        {"id": f"RX-{at}", "code": at, "states": {"before": "b", "after": "a"} if at else {}}
        for at in range(4)
    ]
    (section,) = told(
        {"steps": steps}, by_pointer(claim("/steps/1/code", 1, 2), claim("/steps/2/code", 2, 2))
    )
    claimed_only, recomputed = words.CLAIMED_ONLY, words.RECOMPUTED
    first, second = section.tables
    assert (section.items, first.title, first.columns) == (4, "steps: 4 items", ("id", "code"))
    assert first.rows[:3] == (
        (Cell("RX-0", claimed_only), Cell("0", claimed_only)),
        (Cell("RX-1", claimed_only), Cell("1", words.REFUTED, "2")),
        (Cell("RX-2", claimed_only), Cell("2", recomputed)),
    )
    assert (second.title, second.columns) == ("steps: states", ("id", "before", "after"))
    # the first item has no states; the others' names bear their mark in the table before
    assert [row[0] for row in second.rows] == [Cell("RX-1"), Cell("RX-2"), Cell("RX-3")]


def test_a_list_that_a_rule_judged_as_a_whole_is_one_fact_however_long() -> None:
    value: Any = {"judged": list("abcdefghijklmnop"), "not_judged": list("abcdefghijklmnop")}
    top, other = told(value, by_pointer(claim("/judged", list("abcdefghijklmnop"), list("abc"))))
    assert [(fact.pointer, fact.mark.word) for fact in top.facts] == [("/judged", "refuted")]
    assert top.facts[0].stated == "a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p"
    assert top.facts[0].recomputed == ("a, b, c",)
    assert [fact.pointer for fact in other.facts] == [f"/not_judged/{at}" for at in range(16)]


def test_what_an_item_nests_deeply_is_told_fact_by_fact_and_not_in_a_table() -> None:
    items: Any = [{"id": at, "request": {"target": {"id": "x"}, "action": "y"}} for at in "mno"]
    (section,) = told({"items": items}, {})
    assert section.tables == []
    assert [fact.name for fact in section.facts[:3]] == [
        "m, id",
        "m, request, target, id",
        "m, request, action",
    ]


def test_few_items_with_many_members_stand_side_by_side() -> None:
    items: Any = [{f"member_{at}": at for at in range(9)} for _ in range(2)]
    (section,) = told({"items": items}, {})
    (table,) = section.tables
    assert table.title == "items: 2 items side by side"
    assert table.columns == ("member", "nr 1", "nr 2")
    assert len(table.rows) == 9
    assert table.rows[8] == (
        Cell("member 8"),
        Cell("8", words.CLAIMED_ONLY),
        Cell("8", words.CLAIMED_ONLY),
    )


def test_a_cell_of_several_values_is_never_better_known_than_the_least_of_them() -> None:
    items: Any = [{"id": at, "legs": [{"a": 1, "b": "x"}, {"a": 2}]} for at in ("m", "n")]
    claims = by_pointer(*(claim(f"/items/0/legs/{at}/a", at + 1, at + 1) for at in range(2)))
    (section,) = told({"items": items}, claims)
    assert section.tables[0].rows[0][1] == Cell("1, x; 2", words.CLAIMED_ONLY)


def test_two_items_of_one_name_are_told_apart_by_their_number() -> None:
    (section,) = told({"items": [{"id": "x", "a": 1}, {"id": "x", "a": 2}]}, {})
    assert [fact.name for fact in section.facts] == ["1, id", "1, a", "2, id", "2, a"]
    assert [row[0] for row in section.tables[0].rows] == [Cell("1"), Cell("2")]


def test_a_long_list_is_cut_and_what_comes_behind_it_is_not() -> None:
    value: Any = {"long": [{"id": f"n{at}", "b": at} for at in range(9000)], "last": {"x": 1}}
    long, last = told(value, by_pointer(claim("/long/8999/b", 8999, 1)))
    assert (long.count, len(long.facts)) == (18000, MOST_OF_SECTION)
    assert long.counts == {"claimed only": 17999, "refuted": 1}
    assert long.tables[0].title == f"long: the first {MOST_ITEMS} of 9000 items"
    assert len(long.tables[0].rows) == MOST_ITEMS
    assert [fact.pointer for fact in last.facts] == ["/last/x"]
    many = told({f"part {at}": {f"{key}": key for key in range(400)} for at in range(9)}, {})
    assert sum(len(section.facts) for section in many) == MOST_FACTS
    assert sum(section.count for section in many) == 3600


def test_an_item_with_members_without_end_makes_no_table_without_end() -> None:
    items: Any = [{f"key {at}": at for at in range(3000)} for _ in range(4)]
    (section,) = told({"items": items}, {})
    assert sum(len(row) for table in section.tables for row in table.rows) < 400
    assert all(len(table.columns) <= 8 for table in section.tables)


def test_a_long_value_is_cut_and_a_hostile_one_is_made_visible() -> None:
    (section,) = told({"a\x1b_b": "x" * 5000, "c": "\u202etxt"}, {})
    first, second = section.facts
    assert (first.name, first.pointer) == ("a\\x1b b", "/a\\x1b_b")
    assert len(first.stated) <= 1000
    assert first.stated.endswith("…")
    assert second.stated == "\\u202etxt"


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=30,
)


def leaves(value: object, pointer: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from leaves(member, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list) and value:
        for at, member in enumerate(value):
            yield from leaves(member, f"{pointer}/{at}")
    else:
        yield pointer


@settings(max_examples=150, deadline=None)
@given(_VALUES)
def test_every_value_of_any_file_is_told_once_and_every_judged_one_is_marked(value: Any) -> None:
    from generator.names import visible

    places = [visible(pointer) for pointer in leaves(value) if pointer]
    claims = by_pointer(*(claim(place, "s", "s") for place in dict.fromkeys(places)))
    sections = told(value, claims)
    shown = [fact for section in sections for fact in section.facts]
    if places:
        assert sorted(fact.pointer for fact in shown) == sorted(places)
        assert {fact.mark for fact in shown} == {words.RECOMPUTED}
    assert sum(section.count for section in sections) == len(shown)
    plain = told(value, {})
    told_plain = " ".join(fact.stated for section in plain for fact in section.facts)
    assert all(visible(text) in told_plain for text in _texts(value) if len(text) > 0)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for member in value:
            yield from _texts(member)
    elif isinstance(value, str):
        yield value


# --- pages ---


REHEARSAL = ("rehearsal-target-lock.json", LOG, PROOF, "forbidden-surface-proof.json")
"""Kinds that no rehearsal is without; the lanes that are not sound have no others."""


def packet(folder: Path, changed: Mapping[str, bytes] | None = None) -> Path:
    """Write the sound sample as the packet of a lane: all of it, or damaged and with few kinds."""
    files = {path: entry.content or b"" for path, entry in samples.evidence().entries.items()}
    if changed is not None:
        for name in set(SAMPLES) - set(REHEARSAL):
            del files[name]
        files |= changed
    for path, data in files.items():
        target = folder / "evidence" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    (folder / "lane.yml").write_text(f"id: {folder.name}\n", "utf-8")
    seal(folder / "evidence")
    return folder


def with_values(path: str, steps: Mapping[tuple[Any, ...], object]) -> bytes:
    value: Any = copy.deepcopy(SAMPLES[path]())
    for way, new in steps.items():
        holder = value
        for step in way[:-1]:
            holder = holder[step]
        holder[way[-1]] = new
    return samples.encoded(value)


def hostile_values(take: Callable[[], str]) -> bytes:
    """Return a proof in which keys, values and the names of items are texts."""
    entries = [{"id": take(), take(): take(), "states": {take(): take()}} for _ in range(4)]
    top = {take(): take(), "entries": entries, take(): [take() for _ in range(3)]}
    return samples.encoded(top | {take(): {take(): {take(): [take(), {take(): take()}]}}})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site with evidence that is sound, refuted, damaged, hostile and long."""
    root = small_root(tmp_path_factory.mktemp("evidence") / "root")
    packets = root / "packets"
    packet(packets / "sound")
    packet(packets / "rows", {PROOF: with_values(PROOF, {("entries", 0, "rows_before"): 4})})
    packet(packets / "typed", {PROOF: with_values(PROOF, {("entry_count",): "2"})})
    packet(packets / "unread", {PROOF: b'{"entries": [], "entries": []}\n'})
    packet(packets / "binary", {PROOF: b"\xff\xfe\x00"})
    missing = dict(json.loads(samples.encoded(SAMPLES[PROOF]())))
    del missing["entries"]
    packet(packets / "missing", {PROOF: samples.encoded(missing)})
    names = iter(INLINE * 9)
    packet(packets / "hostile", {PROOF: hostile_values(lambda: next(names))})
    quiet = (f"quiet {at}" for at in range(10_000))
    packet(packets / "quiet", {PROOF: hostile_values(lambda: next(quiet))})
    entry = SAMPLES[PROOF]()["entries"][0]  # type: ignore[index]
    long = {"entries": [{**entry, "id": f"RB-{at}"} for at in range(200)]}
    more = {f"extra/{at:04}.txt": b"%d\n" % at for at in range(MOST_CLAIMS + 5)}
    packet(packets / "long", {PROOF: samples.encoded(long), **more})
    done = lanebook("build", "--root", str(root), cwd=root)
    assert "Traceback" not in done.stderr, done.stderr
    assert (root / "site" / "html" / "index.html").is_file(), done.stderr
    return Site(root, done.returncode, ())


def twin(site: Site, lane: str, name: str) -> Any:
    return json.loads((site.docs / "lanes" / lane / f"{name}.json").read_bytes())


def page_name(file: str) -> str:
    return f"evidence-{file.removesuffix('.json')}"


def all_facts(told_of_it: Any) -> list[dict[str, Any]]:
    return [fact for section in told_of_it["sections"] for fact in section["facts"]]


def hrefs(site: Site, page: str) -> set[str]:
    return {
        attributes["href"]
        for tag, attributes in pages_of(site.html)[site.html / page].elements
        if tag == "a" and "href" in attributes
    }


def test_every_evidence_file_of_a_known_kind_has_a_page_that_is_linked_both_ways(
    site: Site,
) -> None:
    assert set(SAMPLES) == set(BY_FILE)
    for lane in ("sound", "rows", "typed", "unread", "binary", "hostile"):
        present = set(SAMPLES) if lane == "sound" else set(REHEARSAL)
        found = {path.stem for path in (site.docs / "lanes" / lane).glob("evidence-*.md")}
        assert found == {page_name(name) for name in present}
        leads = hrefs(site, f"lanes/{lane}/evidence.html")
        for name in present:
            assert f"{page_name(name)}.html" in leads
            assert "evidence.html" in hrefs(site, f"lanes/{lane}/{page_name(name)}.html")
    bar = [
        target for target in hrefs(site, "lanes/sound/index.html") if target.startswith("evidence-")
    ]
    assert bar == []


def test_a_page_says_every_fact_of_its_twin(site: Site) -> None:
    pages = pages_of(site.html)
    missing = []
    count = 0
    for path in sorted(site.docs.glob("lanes/*/evidence*.json")):
        told_of_it = json.loads(path.read_bytes())
        built = site.html / path.relative_to(site.docs).with_suffix(".html")
        plain = read_markdown(path.with_suffix(".md").read_text("utf-8"))
        for page in (pages[built], plain):
            missing += [(path.parent.name, path.name, *what) for what in absent(told_of_it, page)]
        count += 1
    assert missing == []
    assert count > len(KINDS) + 8 * len(REHEARSAL)


def test_every_link_of_a_page_leads_to_a_file_and_a_place_that_exist(site: Site) -> None:
    assert broken_links(site.html, pages_of(site.html))[:10] == []


def test_a_sound_file_is_told_whole_with_what_each_fact_was_held_against(site: Site) -> None:
    told_of_it = twin(site, "sound", page_name(PROOF))
    facts = all_facts(told_of_it)
    assert (told_of_it["file"], told_of_it["kind"]) == (PROOF, BY_FILE[PROOF].title)
    assert (told_of_it["state"], told_of_it["findings"]) == ("match", [])
    assert {
        "fact": "RB-SQL-TXN, before hash",
        "stated": samples.state("states/txn-before.sql"),
        "recomputed": [samples.state("states/txn-before.sql")],
        "against": ["states/txn-before.sql", "states/expected.sql"],
        "level": "recomputed",
        "where": "#/entries/0/before_hash",
    } in facts
    assert {
        "fact": "lane",
        "stated": "sample",
        "recomputed": [],
        "against": [],
        "level": "claimed only",
        "where": "#/lane",
    } in facts
    counts = [f"{len([f for f in facts if f['level'] == w])} {w}" for w in ("recomputed",)]
    assert counts[0] in told_of_it["counts"]
    assert told_of_it["headline"].startswith(f"{counts[0].split()[0]} of {len(facts)} facts")


def test_every_claim_of_the_evidence_stands_on_the_page_of_its_file(site: Site) -> None:
    claims = twin(site, "sound", "verification")["claims"]
    checked = 0
    for name in SAMPLES:
        told_of_it = twin(site, "sound", page_name(name))
        levels = {fact["where"]: fact["level"] for fact in all_facts(told_of_it)}
        for one in claims:
            file, mark, pointer = one["where"].partition("#")
            if file == f"evidence/{name}":
                place = f"#{pointer}" if mark else name
                assert levels[place] == one["level"], one
                checked += 1
    assert checked > 100


def test_a_refuted_fact_is_the_headline_a_finding_and_a_red_row(site: Site) -> None:
    told_of_it = twin(site, "rows", page_name(PROOF))
    assert told_of_it["headline"] == "1 fact of this file is refuted"
    assert [finding["code"] for finding in told_of_it["findings"]] == ["ROLLBACK_ROWS_DIFFER"]
    (refuted,) = [fact for fact in all_facts(told_of_it) if fact["level"] == "refuted"]
    assert refuted == {
        "fact": "RB-SQL-TXN, rows before",
        "stated": "4",
        "recomputed": ["3"],
        "against": ["states/txn-before.sql"],
        "level": "refuted",
        "where": "#/entries/0/rows_before",
    }
    text = (site.docs / "lanes/rows" / f"{page_name(PROOF)}.md").read_text("utf-8")
    assert '<details class="lb-fold" open markdown="1">' in text
    listed_there = twin(site, "rows", "evidence")["judged"]
    assert [row["known"][0] for row in listed_there if row["file"] == PROOF] == ["1 refuted"]


def test_a_file_of_another_form_is_claims_only_beside_its_finding(site: Site) -> None:
    told_of_it = twin(site, "typed", page_name(PROOF))
    assert [finding["code"] for finding in told_of_it["findings"]] == ["EV-TYPE"]
    levels = {fact["level"] for fact in all_facts(told_of_it)}
    assert levels == {"refuted", "claimed only"}
    assert len(all_facts(told_of_it)) > 20
    told_of_it = twin(site, "missing", page_name(PROOF))
    assert [finding["code"] for finding in told_of_it["findings"]] == ["EV-TYPE"]


@pytest.mark.parametrize("lane", ["unread", "binary"])
def test_a_file_that_is_no_strict_json_has_its_finding_and_no_facts(site: Site, lane: str) -> None:
    told_of_it = twin(site, lane, page_name(PROOF))
    assert told_of_it["sections"] == []
    assert told_of_it["findings"][0]["code"].startswith("JSON-")
    assert told_of_it["headline"] == "This file is refuted by 1 finding"
    assert "no JSON" in told_of_it["facts_words"]


def test_hostile_evidence_makes_no_markup(site: Site) -> None:
    pages = pages_of(site.html)
    of_lane = {
        lane: {path: page for path, page in pages.items() if path.parent.name == lane}
        for lane in ("hostile", "quiet")
    }
    assert len(of_lane["hostile"]) == len(of_lane["quiet"]) > 6
    assert live(of_lane["hostile"], of_lane["quiet"])[:10] == []
    text = pages[site.html / "lanes/hostile" / f"{page_name(PROOF)}.html"].text
    assert "<script>alert(1)</script>" in text


def test_long_evidence_is_cut_says_so_and_leads_to_the_file(site: Site) -> None:
    told_of_it = twin(site, "long", page_name(PROOF))
    facts = all_facts(told_of_it)
    assert len(facts) == MOST_OF_SECTION
    assert re.match(r"[0-9]+ facts of [0-9]+ not shown here; the file", told_of_it["facts_words"])
    assert told_of_it["sections"][-1]["words"].endswith(" not shown here")
    leads = hrefs(site, f"lanes/long/{page_name(PROOF)}.html")
    assert any(re.fullmatch(r"files/[0-9a-f]{64}\.html", target) for target in leads)


def test_a_place_that_cannot_be_led_to_leads_to_the_nearest_one_around_it(site: Site) -> None:
    (lane,) = [one for one in verify(open_root(site.root)).lanes if one.id == "sound"]
    digest = next(state.computed for state in lane.files if state.path == PROOF)
    assert digest is not None
    where = f"evidence/{PROOF}"
    places = Places(lane, {digest: "txt"}, {where: frozenset({"/entries", "/entries/0"})})
    page = f"files/{digest}.html"
    assert {end: places.href(f"{where}{end}") for end in WAYS} == {
        end: f"{page}{to}" for end, to in WAYS.items()
    }
    assert places.href("evidence/gone.json#/a") == places.href("the rule of this kind") == ""


def test_a_pointer_leads_to_the_anchor_that_its_viewer_has(site: Site) -> None:
    """Viewers name anchors in visible letters; a place may hold the letters themselves."""
    (lane,) = [one for one in verify(open_root(site.root)).lanes if one.id == "sound"]
    digest = next(state.computed for state in lane.files if state.path == PROOF)
    assert digest is not None
    places = Places(lane, {digest: "txt"})
    href = places.href(f"evidence/{PROOF}#/red \x1b[31m")
    assert href == f"files/{digest}.html#/red%20%5Cx1b%5B31m"
    data = b'{"red \\u001b[31m": 1}'
    viewed = viewer.Viewed("sound", ["a.json"], digest, len(data), words.RECOMPUTED, "a.txt")
    assert b'<a id="/red \\x1b[31m"></a>' in viewer.pages(viewed, data)[0]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "none"),
        (b"a", "none"),
        (b"a\rb", "none"),
        (b"a\nb\n", "LF"),
        (b"a\nb", "LF, none behind the last line"),
        (b"a\r\nb\r\n", "CR LF"),
        (b"a\r\nb\n", "LF and CR LF"),
        (b"a\r\n" * viewer.MOST_BYTES, "CR LF, as far as it is shown"),
    ],
)
def test_a_viewer_tells_the_line_ends_that_no_line_shows(data: bytes, told: str) -> None:
    assert viewer.line_ends(data) == told


WAYS = {
    "": "",
    "#/entries/0": "#/entries/0",
    "#/entries/0/before_hash": "#/entries/0",
    "#/entries/7/x": "#/entries",
    "#/verdict": "",
    "#expected rows": "",
}


def test_a_long_ledger_shows_the_worst_of_each_level_and_says_what_it_leaves_out(
    site: Site,
) -> None:
    ledger = twin(site, "long", "verification")
    levels = [one["level"] for one in ledger["claims"]]
    ranks = list(words.LEVEL_IDS)
    assert levels == sorted(levels, key=ranks.index)
    assert levels.count("recomputed") == MOST_CLAIMS
    left = re.search(r"Not shown: .*?([0-9]+) recomputed", ledger["ledger_words"])
    assert left is not None
    total = int(ledger["ledger_words"].split()[0])
    out = sum(map(int, re.findall(r"([0-9]+) (?:recomputed|claimed only|refuted)", left[0])))
    assert total == len(levels) + out
    small = twin(site, "sound", "verification")
    assert small["ledger_words"] == f"{len(small['claims'])} claims."


# --- schemas, rules and words on the site ---


def test_schemas_are_published_listed_and_in_the_manifest(site: Site) -> None:
    manifest = (site.docs / "HASH_MANIFEST.txt").read_text("ascii")
    listed_there = {row["file"]: row["json_schema"] for row in validators(site)["kinds"]}
    for kind in KINDS:
        name = json_schemas.name(kind)
        data = (site.docs / "schemas" / name).read_bytes()
        assert json.loads(data) == json_schemas.schema(kind)
        assert (site.html / "schemas" / name).read_bytes() == data
        assert f"{sha256(data)}  schemas/{name}\n" in manifest
        assert listed_there[kind.file] == name
        assert f"schemas/{name}" in hrefs(site, "validators.html")
        page = f"lanes/sound/{page_name(kind.file)}.html"
        assert f"../../schemas/{name}" in hrefs(site, page)


def validators(site: Site) -> Any:
    return json.loads((site.docs / "validators.json").read_bytes())


def test_the_page_of_validators_shows_every_rule_once_in_its_group(site: Site) -> None:
    page = validators(site)
    groups = {group["title"]: [rule["name"] for rule in group["rules"]] for group in page["groups"]}
    over = ["reading", "packets", "evidence", "documents", "lanes", "chain", "decisions"]
    assert list(groups) == over
    shown = [name for names in groups.values() for name in names]
    assert sorted(shown) == sorted(rule.name for rule in ALL)
    assert [row["rule"] for row in page["summary"]] == shown
    assert {row["held"] for row in page["summary"]} == {
        f"{len(rule.codes)} of {len(rule.codes)}" for rule in ALL
    }
    codes = [
        code["code"]
        for group in page["groups"]
        for rule in group["rules"]
        for code in rule["codes"]
    ]
    assert sorted(codes) == sorted(CODES)
    assert (site.html / "validators.html").stat().st_size < 1_000_000


def test_the_page_of_a_code_leads_to_its_twin_whatever_signs_are_in_its_name(site: Site) -> None:
    for code in CODES:
        assert f"{code}.json" in hrefs(site, f"codes/{code}.html")


def test_the_glossary_has_every_kind_of_evidence(site: Site) -> None:
    page = json.loads((site.docs / "glossary.json").read_bytes())
    found = {term["word"]: term["meaning"] for g in page["groups"] for term in g["terms"]}
    assert {kind.title for kind in KINDS} <= set(found)
    assert {"fact", "JSON Schema", "evidence file"} <= set(found)


# --- the bytes ---


def test_bytes_that_are_not_those_that_were_hashed_end_the_build(tmp_path: Path) -> None:
    digest = Digest(sha256(b"{}\n"))
    (tmp_path / f"{digest}.txt").write_bytes(b"{}\n")
    contents = _contents(tmp_path, {digest: "txt"})
    assert contents(digest) == b"{}\n"
    assert contents(sha256(b"other")) is None
    (tmp_path / f"{digest}.txt").write_bytes(b"[]\n")
    with pytest.raises(BuildError) as caught:
        contents(digest)
    assert str(caught.value) == (
        f"{digest}.txt changed while the site was written; the site is as it was"
    )


# --- in a browser ---


@pytest.mark.browser
@pytest.mark.parametrize("width", [1400, 390])
def test_the_facts_can_be_seen_on_any_screen(site: Site, browser: Any, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto((site.html / "lanes/rows" / f"{page_name(PROOF)}.html").as_uri())
    assert page.locator("#part-1-facts tbody tr:visible").count() == 2
    assert page.locator("#part-2-facts tbody tr:has(.lb-refuted)").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.goto((site.html / "lanes/sound" / f"{page_name(PROOF)}.html").as_uri())
    assert not page.locator("#part-2-facts tbody tr").first.is_visible()
    page.locator("details.lb-fold summary").first.click()
    assert page.locator("#part-2-facts tbody tr").first.is_visible()
    page.goto((site.html / "lanes" / "index.html").as_uri())
    assert page.locator("#lanes tbody tr:visible").count() == 10
    context.close()


def test_the_parts_of_a_table_have_names_of_their_own() -> None:
    assert evidence_pages._told_apart(["rows", "types", "types", "keys"]) == [
        *("rows", "types, part 1", "types, part 2"),
        "keys",
    ]
