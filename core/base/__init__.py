"""Row 0: settings, dtypes, trees, shapes, names and errors. Knows NumPy only."""
