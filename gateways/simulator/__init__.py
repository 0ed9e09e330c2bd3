"""The operator simulator: a real SMPP 3.4 message centre that can be told to misbehave."""
