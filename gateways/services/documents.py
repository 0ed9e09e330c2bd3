"""Papers for a sender ID: kept in the private storage, told apart by content, read by platform staff only."""

import contextlib
from collections.abc import Iterable
from functools import partial
from pathlib import PurePath
from typing import Protocol

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from accounts.models import User
from accounts.services import record_audit
from common.ids import uuid7

from ..models import SenderDocument, SenderId

LARGEST = 5 * 1024 * 1024
MOST_DOCUMENTS = 10
ACCEPTED = ".pdf,.jpg,.jpeg,.png"
CONTENT_TYPES = {"pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png"}
_BEGINNINGS = ((b"%PDF-", "pdf"), (b"\xff\xd8\xff", "jpg"), (b"\x89PNG\r\n\x1a\n", "png"))


class Upload(Protocol):
    """What Django's UploadedFile has."""

    @property
    def name(self) -> str | None: ...

    @property
    def size(self) -> int | None: ...

    def chunks(self) -> Iterable[bytes]: ...


class DocumentRefused(Exception):
    """`code`: too_large, empty, kind, too_many."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def detect_kind(head: bytes) -> str | None:
    """ "pdf", "jpg" or "png" by the first octets; a name proves nothing."""
    return next((kind for beginning, kind in _BEGINNINGS if head.startswith(beginning)), None)


def read_upload(file: Upload) -> tuple[bytes, str]:
    """The content and its kind. Raises DocumentRefused."""
    if (file.size or 0) > LARGEST:
        raise DocumentRefused("too_large")
    content = b"".join(file.chunks())
    if not content:
        raise DocumentRefused("empty")
    if len(content) > LARGEST:
        raise DocumentRefused("too_large")
    kind = detect_kind(content[:16])
    if kind is None:
        raise DocumentRefused("kind")
    return content, kind


def add_document(*, sender: SenderId, file: Upload, actor: User) -> SenderDocument:
    """Raises DocumentRefused; nothing is kept then."""
    content, kind = read_upload(file)
    with transaction.atomic():
        SenderId.objects.select_for_update().get(pk=sender.pk)
        if SenderDocument.objects.filter(sender=sender).count() >= MOST_DOCUMENTS:
            raise DocumentRefused("too_many")
        stored = default_storage.save(f"tenants/{sender.tenant_id}/senders/{uuid7()}.{kind}", ContentFile(content))
        try:
            document = SenderDocument(
                tenant=sender.tenant,
                sender=sender,
                file_name=clean_name(file.name or "", kind),
                kind=kind,
                size_bytes=len(content),
                stored_path=stored,
                created_by=actor,
            )
            with transaction.atomic():
                document.save()
        except BaseException:
            discard(stored)
            raise
        record_audit(
            tenant=sender.tenant,
            actor=actor,
            action="sender.document_added",
            target=sender.name,
            data={"name": document.file_name},
        )
    return document


def discard_documents(sender: SenderId) -> None:
    """Their files go once the caller's transaction, which removes the rows, is through."""
    paths = list(SenderDocument.objects.filter(sender=sender).values_list("stored_path", flat=True))
    for path in paths:
        transaction.on_commit(partial(discard, path))


def discard(stored_path: str) -> None:
    with contextlib.suppress(OSError):
        default_storage.delete(stored_path)


def clean_name(name: str, kind: str) -> str:
    """The last part of what the browser called it, printable, with the ending of its content."""
    stem = PurePath(name.replace("\\", "/")).stem
    printable = "".join(char for char in stem if char.isprintable()).strip(" .")[:100]
    return f"{printable or 'belge'}.{kind}"
