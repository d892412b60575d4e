"""Row 3: variables, the modules that hold them, seeds and dtype policies."""
