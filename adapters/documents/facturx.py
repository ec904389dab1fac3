"""An issued document as Factur-X (ZUGFeRD): the PDF for people, and inside it the CII for machines.

The profile is EN 16931. The file is PDF/A-3b with the attachment ``factur-x.xml`` and the metadata that its standard
asks for, which the library of the standard's French forum writes. The same document has the same bytes for ever: the
clock of the machine, which that library writes into the file, is put back to the day of the document.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from adapters.documents.cii import cii_of
from adapters.documents.pdf import pdf_of
from adapters.documents.printed import Printed

FILE_NAME: Final = "factur-x.xml"
_CLOCKS: Final = (
    (re.compile(rb"(?<=D:)\d{14}|(?<=D\\072)\d{14}"), "%Y%m%d120000"),
    (re.compile(rb"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?=\+00:00)"), "%Y-%m-%dT12:00:00"),
)
"""How the library writes moments, in the dictionary of the file and in its metadata, and how a day at noon looks so."""


def facturx_of(printed: Printed) -> bytes:
    """The document as one file for people and machines."""
    from facturx import generate_from_binary  # noqa: PLC0415 - half a second that no other form needs

    made = generate_from_binary(
        pdf_of(printed),
        cii_of(printed),
        flavor="factur-x",
        level="en16931",
        check_xsd=True,
        pdf_metadata={
            "author": printed.seller.name,
            "title": f"{printed.seller.name}: {printed.title} {printed.number}",
            "subject": f"{printed.title} {printed.number} of {printed.issued_on}",
            "keywords": f"{printed.title}, Factur-X",
        },
        lang="en",
        afrelationship="alternative",
        xmp_compression=False,
    )
    return _on(bytes(made), printed.issued_on)


def _on(content: bytes, day: date) -> bytes:
    """The file as if it had been made on a day: every moment is as long as before, so that nothing moves."""
    for moment, form in _CLOCKS:
        content = moment.sub(day.strftime(form).encode(), content)
    return content
