"""The tensorflow backend's functions of the image room. See `core.backend.protocol`."""
