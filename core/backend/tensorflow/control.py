"""The tensorflow backend's functions of the control room. See `core.backend.protocol`."""
