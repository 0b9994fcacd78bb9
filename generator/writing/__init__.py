"""Writing: the only part of lanebook that changes anything on disk."""
