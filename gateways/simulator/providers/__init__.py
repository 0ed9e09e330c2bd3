"""Doubles of HTTP providers: one file each, found by its name (``host.py``), faithful to the provider's sheet."""
