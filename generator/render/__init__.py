"""Values that are already decided, placed on pages; nothing here judges."""
