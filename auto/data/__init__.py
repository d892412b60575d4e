"""From what users hold (frames, files, lists, arrays) to float32 matrices, and back for targets."""
