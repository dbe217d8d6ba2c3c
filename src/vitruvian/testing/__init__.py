"""Fakes and conformance kits, shipped for tests. Nothing but tests imports this."""
