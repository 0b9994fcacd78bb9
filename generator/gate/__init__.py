"""The fail-closed gate: a rehearsal-only request in, allow or a reject code out (spec 2.2).

It reads no disk and runs nothing. :mod:`~generator.gate.vocabulary` names what it rejects,
:mod:`~generator.gate.decide` decides, :mod:`~generator.gate.probes` puts one bad request of each
class to it, and :mod:`~generator.gate.tokens` looks for what a lane must never emit.
"""

GATE = "lanebook-gate/1"
"""Which gate answered; another number answers some request in another way."""
