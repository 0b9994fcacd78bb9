"""Facts that the documents of a lane state, and where they contradict each other (spec 3)."""
