"""The results as Markdown for people and as JSON for programs."""

from __future__ import annotations

import dataclasses
import json
import statistics
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Row, Table, spread

RESULTS = Path(__file__).resolve().parent / "results"


def markdown(facts: dict[str, str], tables: Sequence[Table], *, quick: bool) -> str:
    parts = ["# Benchmarks", ""]
    if quick:
        parts += ["A smoke run with small sizes: its figures say nothing.", ""]
    parts += [
        "| machine | |",
        "|---|---|",
        *(f"| {name} | {text} |" for name, text in facts.items()),
    ]
    for table in tables:
        parts += ["", f"## {table.name}: {table.title}", ""]
        if table.rows:
            parts += _rows(table.rows)
        if table.figures:
            parts += ["", "| figure | median (min to max) |", "|---|---|"]
            parts += [f"| {name} | {text} |" for name, text in table.figures.items()]
        for note in table.notes:
            parts += ["", note]
    parts += [
        "",
        "Times are of whole commands, in seconds. A ratio is the median (min to max) of ratios"
        " between runs right after each other.",
    ]
    return "\n".join(parts) + "\n"


def _rows(rows: Sequence[Row]) -> list[str]:
    first = rows[0].label
    compared = any(row.ratios for row in rows)
    heads = ["command", "runs", "min", "median", "max", "CPU, median"]
    heads += [f"{first} ÷ this"] if compared else []
    lines = [f"| {' | '.join(heads)} |", f"|---|{'--:|' * (len(heads) - 1)}"]
    for row in rows:
        low, middle, high = min(row.seconds), statistics.median(row.seconds), max(row.seconds)
        cells = [row.label, str(len(row.seconds)), f"{low:.3f}", f"{middle:.3f}", f"{high:.3f}"]
        cells.append(f"{statistics.median(row.cpu):.3f}")
        if compared:
            cells.append(spread(row.ratios) if row.ratios else "")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def write(facts: dict[str, str], tables: Sequence[Table], *, quick: bool) -> str:
    """Return the Markdown; also write it to ``results/``, with JSON, where it is no smoke run."""
    text = markdown(facts, tables, quick=quick)
    if quick:
        return text
    value = {
        "schema": "lanebook/benchmarks/1",
        "machine": facts,
        "benchmarks": [dataclasses.asdict(table) for table in tables],
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "latest.md").write_text(text, encoding="utf-8")
    (RESULTS / "latest.json").write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    return text
