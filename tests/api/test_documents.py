"""Documents over HTTP: for those who may see them, in both forms, noted when an auditor reads."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from api.access import Role
from tests.api.asker import Asker


def get(books: Asker, path: str, role: Role = Role.FINANCE_PREPARER, **scope: Any) -> httpx.Response:
    return books.send("GET", path, headers={"Authorization": f"Bearer {books.token(role, **scope)}"})


def test_an_issued_invoice_is_served_in_both_forms(books: Asker) -> None:
    pdf, xml = get(books, "/documents/invoice/I-1.pdf"), get(books, "/documents/invoice/I-1.xml")
    assert (pdf.status_code, pdf.headers["content-type"]) == (200, "application/pdf")
    assert pdf.content.startswith(b"%PDF-")
    assert (xml.status_code, xml.headers["content-type"]) == (200, "application/xml")
    assert b"urn:cen.eu:en16931:2017" in xml.content
    assert get(books, "/documents/invoice/I-1.pdf").headers["etag"] == pdf.headers["etag"]
    cii, hybrid = get(books, "/documents/invoice/I-1.cii.xml"), get(books, "/documents/invoice/I-1.facturx.pdf")
    assert b"CrossIndustryInvoice" in cii.content
    assert (hybrid.headers["content-type"], hybrid.content[:5]) == ("application/pdf", b"%PDF-")
    assert b"factur-x.xml" in hybrid.content
    assert get(books, "/documents/invoice/I-1.facturx.pdf").headers["etag"] == hybrid.headers["etag"]
    assert 'filename="DE01-2026-000001.facturx.pdf"' in hybrid.headers["content-disposition"]


def test_a_document_is_also_found_by_the_number_that_is_printed_on_it(books: Asker) -> None:
    by_id, by_number = get(books, "/documents/invoice/I-1.pdf"), get(books, "/documents/invoice/DE01-2026-000001.pdf")
    assert by_number.status_code == 200
    assert by_number.headers["etag"] == by_id.headers["etag"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/documents/invoice/I-2.pdf", 422),
        ("/documents/invoice/I-99.pdf", 404),
        ("/documents/invoice/I-1.docx", 404),
        ("/documents/letter/I-1.pdf", 404),
        ("/documents/credit-note/CN-9.pdf", 404),
        ("/documents/invoice/%00.pdf", 404),
        ("/documents/invoice/line%0Abreak.xml", 404),
    ],
)
def test_what_is_not_issued_is_no_document(books: Asker, path: str, status: int) -> None:
    assert get(books, path).status_code == status


def test_nobody_reads_without_a_token(books: Asker) -> None:
    assert books.send("GET", "/documents/invoice/I-1.pdf").status_code == 401


def test_to_those_who_may_not_see_it_a_document_is_unknown(books: Asker) -> None:
    assert get(books, "/documents/invoice/I-1.pdf", entities=(), regions=("APAC",)).status_code == 404


def test_what_an_auditor_reads_is_noted(books: Asker) -> None:
    get(books, "/documents/invoice/I-1.xml", Role.AUDITOR)
    with books.parts.pool.connection() as conn:
        noted = conn.execute("SELECT query FROM audit_read WHERE operation = 'document'").fetchall()
    assert noted == [("/documents/invoice/I-1.xml",)]
