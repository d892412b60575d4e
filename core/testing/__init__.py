"""Conformance suites over the registries, for us and for whoever adds a backend, an op, a layer or an optimizer."""
