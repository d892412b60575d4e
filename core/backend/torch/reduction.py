"""The torch backend's functions of the reduction room. See `core.backend.protocol`."""
