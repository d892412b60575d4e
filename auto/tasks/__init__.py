"""The tasks that users call: tables, texts, images; classes or values."""
