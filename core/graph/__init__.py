"""Row 4: operations, the graphs of symbolic calls, and the flat plans they compile into."""
