"""Gateways: connections to operators, and everything that knows how one talks.

At the top lies what an adapter sees (`base`, `types`, `setting_fields`, `findings`, `backoff`, `hosts`) and what its
callers see (`registry`, `opening`, `access`). Beside the rooms that every app has:

adapters    one folder a provider, SMPP among them; `http` is what those over HTTP share
routing     which connection a message takes; breakers and health
simulator   an operator and ten providers to talk to, on this machine
wording     findings and obstacles in words for people
"""
