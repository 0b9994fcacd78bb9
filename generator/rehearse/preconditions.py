"""What is looked at before a change is rehearsed on PostgreSQL, and what that comes to.

Where it is from, that the server is isolated, that there is no secret, and that the clone has what
the change needs: each becomes an evidence file, whether it holds or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.rehearse import secrets
from generator.rehearse.documents import encoded
from generator.rehearse.inside.postgres import catalog as catalogs
from generator.rehearse.inside.postgres import gates
from generator.rehearse.inside.postgres import server as servers


class Looked:
    """What was seen."""

    def __init__(self, plan: Mapping[str, Any], seen: dict[str, list[str]]) -> None:
        """Begin with what the server saw where it runs, before anything of the dump was in it."""
        self.plan = plan
        self.problems = servers.problems(seen)
        self.isolation = gates.isolation(plan["lane"], seen, self.problems)
        self.scan: dict[str, Any] = {}
        self.compatible: dict[str, Any] = {}
        self.summary: dict[str, Any] = {}
        self.lines: list[catalogs.Line] | None = None
        self.scripts: list[dict[str, Any]] = []
        """What was found in the scripts, before the database is looked through."""

    def look(self, opened: servers.Session | None = None) -> None:
        """Look through the restored database, and say what all comes to.

        Args:
            opened: a session in it; none where nothing was restored.
        """
        if opened is not None:
            session = opened
            self.lines = catalogs.read(lambda sql: session.quiet(sql.encode()).rows)
        found = secrets.scan(self.scripts, opened, self.lines or [])
        told = {"lane": self.plan["lane"], "dump_sha256": self.plan["dump"]["sha256"]}
        self.scan = {**told, **found}
        if any(one["script"] == "catalog" and one["found"] for one in self.scan["scripts"]):
            # a name that is a secret goes nowhere, nor what it stands beside
            self.lines = None
            self.scan["columns"], self.scan["column_count"] = [], 0
            self.scan["secrets_found"] = sum(
                sum(one["found"].values()) for one in self.scan["scripts"]
            )
        self.compatible = gates.schema(self.plan, self.lines)
        self.summary = gates.summary(self.plan, self.problems, self.scan, self.compatible)

    @property
    def codes(self) -> list[str]:
        """Why nothing is rehearsed; none where every precondition holds."""
        return [code for one in self.summary["preconditions"] for code in one["codes"]]

    @property
    def ready(self) -> bool:
        """Whether every precondition holds."""
        return bool(self.summary["verdict"] == gates.READY)

    def evidence(self) -> dict[str, bytes]:
        """Return the evidence of a lane in which nothing was rehearsed, by file."""
        found: dict[str, object] = {
            gates.ISOLATION: self.isolation,
            gates.PROVENANCE: gates.provenance(self.plan, self.codes),
            gates.SCAN: self.scan,
            gates.SUMMARY: self.summary,
        }
        if self.plan["requirements"]:
            found[gates.SCHEMA] = self.compatible
        files = {name: encoded(value) for name, value in found.items()}
        if self.lines is not None:
            files[gates.CATALOG] = catalogs.encoded(self.lines)
        return files
