"""Evidence files: a typed model, a JSON Schema and a validator for each kind (spec 2.2).

One module a kind. A kind that is not listed in :mod:`generator.evidence.kinds` does not exist; its
module is loaded only for a packet that has one of these files.
"""

FILES = frozenset(
    {
        "bad-input-probes.json",
        "ci-seal-vs-bytes-result.json",
        "clone-provenance.json",
        "delegation-and-authority-lock.json",
        "execution-plan.json",
        "forbidden-surface-proof.json",
        "governance-addendum.json",
        "hardened-validator-result.json",
        "post-execution-review.json",
        "production-readiness-blocker-map.json",
        "rehearsal-log.json",
        "rehearsal-preconditions.json",
        "rehearsal-target-lock.json",
        "rollback-recovery-proof.json",
        "schema-compatibility.json",
        "scope-lock.json",
        "secret-scan.json",
        "server-isolation.json",
        "touched-rows.json",
    }
)
"""The names that evidence files of a known kind have, at the top of a packet."""
