"""Frozen values. Nothing here reads a disk, decides a verdict or places a word on a page."""
