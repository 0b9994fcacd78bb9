"""Every kind of evidence, and the rules that prove each."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from generator.evidence import (
    bad_input_probes,
    blocker_map,
    ci_seal,
    clone_provenance,
    delegation_lock,
    execution_plan,
    forbidden_surface,
    governance_addendum,
    post_review,
    preconditions,
    rehearsal_log,
    rollback_proof,
    schema_compatibility,
    scope_lock,
    secret_scan,
    server_isolation,
    target_lock,
    touched_rows,
    validator_result,
)
from generator.evidence.base import EvidenceKind

_MODULES: tuple[ModuleType, ...] = (
    target_lock,
    server_isolation,
    rehearsal_log,
    rollback_proof,
    touched_rows,
    validator_result,
    bad_input_probes,
    forbidden_surface,
    blocker_map,
    delegation_lock,
    scope_lock,
    execution_plan,
    post_review,
    clone_provenance,
    secret_scan,
    schema_compatibility,
    preconditions,
    ci_seal,
    governance_addendum,
)
KINDS: tuple[EvidenceKind, ...] = tuple(module.KIND for module in _MODULES)
BY_FILE: dict[str, EvidenceKind] = {kind.file: kind for kind in KINDS}
SAMPLES: dict[str, Callable[[], object]] = {module.KIND.file: module.sample for module in _MODULES}
