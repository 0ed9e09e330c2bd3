"""SMPP 3.4: codec, client session and gateway."""
