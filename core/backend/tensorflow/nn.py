"""The tensorflow backend's functions of the nn room. See `core.backend.protocol`."""
