"""Issued documents over HTTP: ``/documents/invoice/<number or id>.pdf``, and the same for ``credit-note``.

``.pdf`` is for people, ``.xml`` is UBL, ``.cii.xml`` CII, and ``.facturx.pdf`` both in one file.

Who asks needs a token for the legal entity that sells; what an auditor reads is noted before it is answered. The bytes
of a document never change, which its ETag says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from adapters.documents.cii import cii_of
from adapters.documents.facturx import facturx_of
from adapters.documents.pdf import pdf_of
from adapters.documents.printed import Printed, printed_credit_note, printed_invoice
from adapters.documents.ubl import ubl_of
from api import reach
from api.access import Principal, require
from api.serving.parts import Parts
from domain.credit_note import IssuedCredit, NoCreditNote, credit_note_stream
from domain.invoice import Issued, Nothing, invoice_stream
from domain.kernel import Refused, StreamId
from domain.ports import Read
from projections.invoices import credit_notes, invoices
from projections.invoices.credit_notes import CreditNoteFilter
from projections.invoices.invoices import InvoiceFilter
from projections.pages import PageRequest
from projections.reader import FIRM, Reader


class UnknownDocument(Refused):
    """There is no such document."""

    code = "document.unknown"
    fix = (
        "Name an issued invoice or credit note by its number or id, as pdf, xml, cii.xml or facturx.pdf:"
        " /documents/invoice/<number>.pdf."
    )


class DocumentNotIssued(Refused):
    """Only what was issued is a document; a draft may still change."""

    code = "document.not_issued"
    fix = "Issue it first; previewInvoice and dry runs show drafts."


@dataclass(frozen=True, slots=True)
class Form:
    """One form in which documents are sent."""

    media_type: str
    make: Callable[[Printed], bytes]


FORMS: Final[Mapping[str, Form]] = {
    "pdf": Form("application/pdf", pdf_of),
    "xml": Form("application/xml", ubl_of),
    "cii.xml": Form("application/xml", cii_of),
    "facturx.pdf": Form("application/pdf", facturx_of),
}
_STREAMS: Final[Mapping[str, Callable[[str], StreamId]]] = {
    "invoice": invoice_stream,
    "credit-note": credit_note_stream,
}


@dataclass(frozen=True, slots=True)
class Made:
    """A document as it is sent, with the name of its file."""

    content: bytes
    media_type: str
    file_name: str


def stream_of_document(kind: str, name: str) -> StreamId:
    """The stream of an invoice or a credit note, or UnknownDocument."""
    if kind not in _STREAMS or not name:
        raise UnknownDocument(f"{kind}/{name}")
    return _STREAMS[kind](name)


def make(read: Read, kind: str, name: str, form: str) -> Made:
    """An issued document in one form, made of its stream alone; raises UnknownDocument or DocumentNotIssued."""
    if form not in FORMS:
        raise UnknownDocument(f"{kind}/{name}.{form}")
    match read(stream_of_document(kind, name)):
        case Issued() as issued:
            printed = printed_invoice(issued)
        case IssuedCredit() as note:
            printed = printed_credit_note(note)
        case Nothing() | NoCreditNote():
            raise UnknownDocument(f"{kind}/{name}")
        case _:
            raise DocumentNotIssued(name)
    made = FORMS[form]
    return Made(made.make(printed), made.media_type, f"{printed.number.replace('/', '-')}.{form}")


def id_of(read: Read, reader: Reader, kind: str, name: str) -> str:
    """The id of a document that is asked for by its id, or by the number that is printed on it."""
    if kind not in _STREAMS or not isinstance(read(stream_of_document(kind, name)), Nothing | NoCreditNote):
        return name
    page = PageRequest(first=1)
    with reader.view() as view:
        if kind == "invoice":
            return next(
                (row.invoice for row in invoices.find(view, InvoiceFilter(number=name), FIRM, page).items), name
            )
        found = credit_notes.find(view, CreditNoteFilter(number=name), FIRM, page).items
        return next((row.credit_note for row in found), name)


def make_document_router(parts: Parts) -> APIRouter:
    """The routes of ``/documents``."""
    router = APIRouter()

    @router.get("/documents/{kind}/{file}")
    async def document(kind: str, file: str, request: Request) -> Response:
        header = request.headers.get("authorization")
        made = await parts.in_thread(lambda: _asked(parts, header, kind, file))
        etag = f'"{hashlib.sha256(made.content).hexdigest()[:32]}"'
        headers: dict[str, Any] = {
            "ETag": etag,
            "Cache-Control": "private, no-cache",
            "Content-Disposition": f'inline; filename="{_ascii(made.file_name)}"',
        }
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(made.content, media_type=made.media_type, headers=headers)

    return router


def _asked(parts: Parts, header: str | None, kind: str, file: str) -> Made:
    """The document for somebody who may see it; to others it is as unknown as one that is not there."""
    principal = require(parts.verifier.bearer(header), "document")
    asked, form = form_of(file)
    if not asked.isprintable():
        raise UnknownDocument(f"{kind}/{asked!r}")
    read = reach.reader_of(parts.ledger)
    name = id_of(read, parts.reader, kind, asked)
    stream = stream_of_document(kind, name)
    if not reach.sees(read, principal, stream):
        raise UnknownDocument(f"{kind}/{asked}")
    _note(parts, principal, kind, file)
    return make(read, kind, name, form)


def form_of(file: str) -> tuple[str, str]:
    """The name and the form of a document that is asked for as one file name."""
    for form in sorted(FORMS, key=len, reverse=True):
        if file.endswith(f".{form}"):
            return file.removesuffix(f".{form}"), form
    name, _, form = file.rpartition(".")
    return name, form


def _note(parts: Parts, principal: Principal, kind: str, file: str) -> None:
    if parts.reads.are_logged(principal):
        parts.reads.note(principal, "http", "document", f"/documents/{kind}/{file}", {})


def _ascii(name: str) -> str:
    return "".join(each if each.isascii() and (each.isalnum() or each in "-_.") else "_" for each in name)
