"""What a provider says, made fit for storage: PostgreSQL takes neither NUL nor half a surrogate pair in a text."""

from __future__ import annotations

from gateways.types import SubmitOutcome

CODE_LIMIT = 40
"""Characters of a provider's code that are kept."""


def clean(text: str) -> str:
    """The text with U+FFFD or ``?`` for what cannot be stored; nearly always the text itself."""
    if text.isprintable():
        return text
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def clean_code(code: str) -> str:
    return clean(code)[:CODE_LIMIT]


def clean_outcome(outcome: SubmitOutcome) -> SubmitOutcome:
    """Its code, ids and job can be stored. Made once a message: what is clean already costs a look."""
    said = f"{outcome.provider_message_id}{outcome.code}{outcome.job}{''.join(outcome.part_ids)}"
    if said.isprintable() and len(outcome.code) <= CODE_LIMIT:
        return outcome
    return outcome._replace(
        provider_message_id=clean(outcome.provider_message_id),
        code=clean_code(outcome.code),
        part_ids=tuple(map(clean, outcome.part_ids)),
        job=clean(outcome.job),
    )
