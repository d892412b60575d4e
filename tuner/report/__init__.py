"""What a study tells of itself: a live table, a data frame, plots, an HTML page."""
