"""``lanebook rerun``: a packet's own script, run on request only, in a sandbox.

Nothing that verifies or builds imports this package.
"""
