"""Says in one sentence what happened to what customers owe: receipts, disputes, collections, write-offs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from domain.invoice import (
    BalanceRefunded,
    DisputeResolved,
    HandedToCollections,
    HoldbackReleased,
    InvoiceDelivered,
    InvoiceDisputed,
    InvoicePaymentApplied,
    InvoicePaymentUnapplied,
    ReceivableWrittenOff,
)
from domain.payment import MoneyReceived, PaymentApplied, PaymentRefunded, PaymentUnapplied

Wording = Callable[[Any, str], str]
"""Words an event; the text is the id of the object that it happened to."""

CASH: Final[Mapping[type, Wording]] = {
    InvoicePaymentApplied: lambda e, _: f"Payment {e.payment} settled {e.amount} of it on {e.on}.",
    InvoicePaymentUnapplied: lambda e, _: f"Payment {e.payment} no longer settles {e.amount} of it: {e.reason}",
    BalanceRefunded: lambda e, _: f"{e.by} paid back {e.amount} on {e.on}: {e.reason}",
    HoldbackReleased: lambda e, _: (
        f"{e.by} released {e.amount} that was kept back, due on {e.due_on}"
        f"{f' by invoice {e.into}' if e.into else ''}: {e.reason}"
    ),
    InvoiceDelivered: lambda e, _: f"{e.by} sent the invoice by {e.channel} on {e.on}.",
    InvoiceDisputed: lambda e, _: (
        f"The customer disputes {e.amount if e.amount is not None else 'the invoice'} since {e.on}: {e.reason}"
    ),
    DisputeResolved: lambda e, _: f"Dispute {e.dispute} ended on {e.on}: {e.outcome}",
    HandedToCollections: lambda e, _: f"{e.by} handed {e.due} to {e.target} on {e.on}: {e.reason}",
    ReceivableWrittenOff: lambda e, _: (
        f"{e.by} wrote off {e.amount}{f', of which {e.tax} is tax that is claimed back' if e.tax is not None else ''}, "
        f"effective {e.effective_on}: {e.reason}"
    ),
    MoneyReceived: lambda e, _: (
        f"{e.amount} arrived from customer {e.customer} on {e.received_on}{f': {e.reference}' if e.reference else '.'}"
    ),
    PaymentApplied: lambda e, _: f"{e.settled} of it settled {e.amount} of invoice {e.invoice} on {e.on}.",
    PaymentUnapplied: lambda e, _: f"{e.settled} of it no longer settles invoice {e.invoice}: {e.reason}",
    PaymentRefunded: lambda e, _: f"{e.by} paid back {e.amount} on {e.on}: {e.reason}",
}
"""How each event of receivables and receipts is worded."""
