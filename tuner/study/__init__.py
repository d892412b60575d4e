"""The study: its objective, its store, its sessions, its loops. Public as `tuner.Study`."""
