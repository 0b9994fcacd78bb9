"""Pictures: the same bytes anywhere, nothing live in them, a text beside them, nothing left."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from generator.blocker_history import FURTHEST, over
from generator.errors import BuildError
from generator.render import pictures
from generator.render.pictures import Bar, Line, Picture, Ranges, Steps, draw, label
from generator.render.svg import plain
from tests.site_support import INLINE, Site, environment, pages_of, read_html

STEPS = Steps(
    "Blockers over lanes",
    "A falls; its leg stays.",
    3,
    (
        Line("A: open, narrowed", (None, 5, 4, 4), (False, True, True, False)),
        Line("leg of A: OPEN", (None, 5, 5, 5), (False, True, False, False), thin=True),
        Line("B: closed", (5, 5, 0, 0), (True, True, True, True)),
    ),
)
RANGES = Ranges(
    "Objects",
    "Two bars and a gap.",
    (
        Bar("one: 10..20", 10, 20),
        Bar("gap: 21..30", 21, 30, "gap"),
        Bar("two: 31..35", 31, 35, "overlap"),
    ),
    (("reserved up to 35", 35), ("folded up to 12", 12)),
)
BOTH: dict[str, Picture] = {"steps": STEPS, "ranges": RANGES}
PROGRAM = """
import sys
from tests.test_pictures import BOTH
from generator.render.pictures import draw
sys.stdout.write("\\n".join(draw(BOTH).values()))
"""
PARTS = {"svg", "title", "desc", "path", "text"}


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    return {name: str(svg) for name, svg in draw(BOTH).items()}


def shapes(svg: str) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter())


def numbers(path: ET.Element) -> list[tuple[float, float]]:
    """Return the points of a path of straight lines."""
    points: list[tuple[float, float]] = []
    for step, told in re.findall(r"([MLHV])([-\d. ]+)", path.get("d", "")):
        found = [float(one) for one in told.split()]
        if step == "H":
            points.append((found[0], points[-1][1]))
        elif step == "V":
            points.append((points[-1][0], found[0]))
        else:
            points.append((found[0], found[1]))
    return points


def of_class(svg: str, name: str) -> list[ET.Element]:
    return [one for one in shapes(svg) if one.get("class") == f"lb-p-{name}"]


def test_the_same_values_give_the_same_bytes_on_any_machine(
    tmp_path: Path, drawn: dict[str, str]
) -> None:
    told = []
    for seed, locale, folder in (("1", "C", "a"), ("77", "tr_TR.UTF-8", "b c")):
        home = tmp_path / folder
        (home / ".config" / "matplotlib").mkdir(parents=True)
        settings = "lines.linewidth: 9\nsvg.fonttype: path\nfont.size: 30\n"
        (home / ".config" / "matplotlib" / "matplotlibrc").write_text(settings, "utf-8")
        (home / "matplotlibrc").write_bytes(b"\xff not UTF-8 \n" if seed == "1" else b"x: y\n")
        (home / "json.py").write_text("raise SystemExit('imported')\n", "utf-8")
        done = subprocess.run(
            [sys.executable, "-P", "-c", PROGRAM],
            cwd=home,
            env=environment(
                HOME=str(home),
                PYTHONHASHSEED=seed,
                LC_ALL=locale,
                LANG=locale,
                TZ="Asia/Tokyo",
                MATPLOTLIBRC=str(home / "matplotlibrc"),
                MPLBACKEND="no such backend",
            ),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        told.append(done.stdout)
        left = sorted(path.name for path in home.rglob("*") if path.is_file())
        assert left == ["json.py", "matplotlibrc", "matplotlibrc"]
    assert told[0] == told[1] == "\n".join(drawn.values()).encode()


def test_drawing_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv("MPLCONFIGDIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(tmp_path)
    assert set(draw(BOTH)) == set(BOTH)
    assert list(tmp_path.iterdir()) == []


def test_no_picture_starts_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    assert draw({}) == {}


def test_what_cannot_be_drawn_ends_the_build(tmp_path: Path) -> None:
    nothing = Steps("t", "d", 1, ())
    with pytest.raises(BuildError) as caught:
        draw({"steps": nothing})
    assert "the pictures could not be drawn: ValueError" in str(caught.value)
    assert str(tmp_path.parent) not in str(caught.value)


def test_a_picture_is_made_of_lines_and_words_only(drawn: dict[str, str]) -> None:
    for name, svg in drawn.items():
        assert {one.tag for one in shapes(svg)} == PARTS
        kept = {attribute for one in shapes(svg) for attribute in one.attrib}
        assert kept <= {
            *("class", "viewBox", "role", "aria-labelledby", "id", "fill", "stroke", "d"),
            *("stroke-width", "stroke-dasharray", "stroke-linejoin", "transform"),
            *("font-size", "text-anchor", "x", "y"),
        }
        ids = [one.get("id") for one in shapes(svg) if one.get("id")]
        assert ids == [f"{name}-title", f"{name}-description"]
        assert not re.search(r"href|<script|style=|url\(|//|<!|<\?|\n\s*\n", svg)


def test_a_picture_has_a_text_alternative(drawn: dict[str, str]) -> None:
    for name, svg in drawn.items():
        root, title, description, *_ = shapes(svg)
        assert root.get("role") == "img"
        assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
        assert (title.tag, description.tag) == ("title", "desc")
        assert (title.text, description.text) == (BOTH[name].title, BOTH[name].description)


def test_colours_come_from_the_page(drawn: dict[str, str]) -> None:
    for svg in drawn.values():
        paints = {one.get(kind) for one in shapes(svg) for kind in ("fill", "stroke")}
        assert paints <= {None, "none", "currentColor"}


def test_a_hostile_label_stays_text() -> None:
    texts = [*INLINE, r"$\frac{1}{2}$", "$x", "a\ud800b", "\ufffe\uffff", "]]>"]
    wanted: dict[str, Picture] = {}
    for number, text in enumerate(texts):
        shown = label(text)
        line = Line(shown, (5,), (True,))
        wanted[f"steps-{number}"] = Steps(shown, shown, 1, (line, line._replace(thin=True)))
        bars = (Bar(shown, 1, 2),)
        wanted[f"ranges-{number}"] = Ranges(shown, shown, bars, ((shown, 2),))
    for name, svg in draw(wanted).items():
        shown = wanted[name].title
        assert {one.tag for one in shapes(svg)} == PARTS
        told = [one.text for one in shapes(svg) if one.tag in ("text", "title", "desc")]
        assert told.count(shown) == 4
        page = read_html(f"<figure>{svg}</figure>")
        assert {tag for tag, _ in page.elements} == PARTS | {"figure"}
        assert not any(kind.startswith("on") for _, found in page.elements for kind in found)


def test_a_label_fits_and_can_be_written_as_xml() -> None:
    assert label("x" * 99) == "x" * 61 + "…"
    shown = label("a\x00\x1b\u202e\ufffe\ud800")
    assert shown == "a\\x00\\x1b\\u202e\N{REPLACEMENT CHARACTER}\\ud800"


def test_what_else_was_drawn_does_not_come_through() -> None:
    source = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1.239 2" onload="x()">'
        "<script>x()</script><style>y</style><image href='z'/><a href='z'><path d='M 0 0'/></a>"
        "<g id='line' onclick='x()'><path d='M 0 1.0001' style='stroke: red; stroke-width: 2;"
        " fill: url(#z)'/></g><foreignObject><p/></foreignObject></svg>"
    )
    assert plain(source, name="n", title="<", description="&").splitlines()[0::3] == [
        '<svg class="lb-drawn" viewBox="0 0 1.24 2" role="img" aria-labelledby="n-title'
        ' n-description" fill="none" stroke-linejoin="round">',
        '<path class="lb-p-line" stroke="currentColor" stroke-width="2" d="M0 1"/>',
    ]
    with pytest.raises(ValueError, match="more than numbers"):
        plain(
            '<svg xmlns="http://www.w3.org/2000/svg"><path d="&quot;/&gt;"/></svg>',
            name="n",
            title="t",
            description="d",
        )


def test_a_line_falls_where_a_blocker_comes_closer_to_closed(drawn: dict[str, str]) -> None:
    first, second = of_class(drawn["steps"], "line")
    heights = [y for _, y in numbers(first)]
    assert heights == sorted(heights)
    assert heights[-1] - heights[0] == 3
    guides = of_class(drawn["steps"], "guide")
    assert numbers(second)[-1][1] == numbers(guides[1])[0][1], "closed is the ground"
    assert len(of_class(drawn["steps"], "leg")) == 1
    width = float(first.get("stroke-width", "1"))
    assert float(of_class(drawn["steps"], "leg")[0].get("stroke-width", "1")) < width
    # what no lane states is dotted, and nothing stands before a lane names it
    carried = of_class(drawn["steps"], "line-carried")[0]
    assert carried.get("stroke-dasharray")
    assert numbers(carried)[-1][0] > numbers(first)[-1][0]
    assert numbers(carried)[0][0] > numbers(second)[0][0]


def test_ranges_are_drawn_to_scale(drawn: dict[str, str]) -> None:
    def ends(name: str) -> tuple[float, float]:
        xs = [x for x, _ in numbers(of_class(drawn["ranges"], name)[0])]
        return min(xs), max(xs)

    one, gap, two = ends("range"), ends("gap"), ends("overlap")
    unit = (one[1] - one[0]) / 11
    assert gap[1] - gap[0] == pytest.approx(10 * unit, abs=0.05)
    assert two[1] - two[0] == pytest.approx(5 * unit, abs=0.05)
    assert (one[1], gap[1]) == (gap[0], two[0])
    assert ends("ceiling-0") == (two[1], two[1])
    assert ends("ceiling-1")[0] == pytest.approx(one[0] + 3 * unit, abs=0.05)


def test_values_survive_the_way_to_the_program() -> None:
    assert pictures.from_text(pictures.to_text(BOTH)) == BOTH


def test_a_picture_stays_small() -> None:
    line = Line("x" * 62, tuple([5, 4] * 20), tuple([True, False] * 20))
    steps = Steps("t", "d", 1, (line,) * pictures.MOST_LINES)
    bars = tuple(Bar("x" * 62, at * 9, at * 9 + 5) for at in range(pictures.MOST_LINES))
    for svg in draw({"steps": steps, "ranges": Ranges("t", "d", bars, (("r", 9),))}).values():
        assert len(svg) < 60 * 1024


def test_levels_are_carried_over_lanes_that_leave_it_out() -> None:
    points = [(2, FURTHEST), (4, 1), (7, 0)]
    assert over(points, 1, 8) == (
        (None, 5, 5, 1, 1, 1, 0, 0),
        (False, True, False, True, False, False, True, False),
    )
    assert over(points, 5, 6) == ((1, 1), (False, False))


@pytest.mark.parametrize("name", ["blockers", "governance", "index"])
def test_the_page_of_a_picture_holds_its_data_as_a_table(own: Site, name: str) -> None:
    page = pages_of(own.html)[own.html / f"{name}.html"]
    pictures_there = [found for tag, found in page.elements if found.get("class") == "lb-drawn"]
    assert len(pictures_there) == 1
    for one in pictures_there[0]["aria-labelledby"].split():
        assert one in page.ids
    twin = json.loads((own.docs / f"{name}.json").read_bytes())
    rows = [text for tag, text in page.containers if tag == "tr"]
    if name == "governance":
        for row in twin["groups"][0]["reservations"]:
            assert any(row["lane"] in text and row["objects"] in text for text in rows)
    else:
        for blocker in twin["blockers"]:
            assert any(blocker["state"] in text for text in rows)


def test_a_built_page_has_the_picture_as_it_was_drawn(own: Site) -> None:
    """No engine changes it: not by smart quotes, paragraphs, or links made of its words."""
    for name in ("blockers", "governance", "index"):
        source = (own.docs / f"{name}.md").read_text("utf-8")
        built = (own.html / f"{name}.html").read_text("utf-8")
        found = re.search(r"<svg class=\"lb-drawn\".*?</svg>", source, re.DOTALL)
        assert found is not None
        assert found[0] in built
