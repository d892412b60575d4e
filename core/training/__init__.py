"""Row 7: compiling, the steps, the loop, and the sources of data."""
