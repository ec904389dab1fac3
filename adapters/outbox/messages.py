"""Which events oblige us to tell other systems something, and what: asked for every event, wherever it is decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adapters.eventstore.rows import OutboxRow
from adapters.eventstore.unit import NewEvent
from adapters.outbox.contracts import (
    SUBJECTS,
    AddressOut,
    AmountOut,
    ContractLineOut,
    CreditNoteLineOut,
    CreditNotePost,
    CustomerOut,
    EngagementOut,
    EntityOut,
    InvoiceCollect,
    InvoiceLineOut,
    InvoicePost,
    Message,
    PartyOut,
    ProjectCreate,
    TaskOut,
    TaxOut,
    encoded,
    key_of,
)
from domain.contract import TimeAndMaterials
from domain.credit_note import CreditPostingRequested, IssuedCredit
from domain.engagement import Engagement
from domain.invoice import Document, HandedToCollections, Issued, Party, PostingRequested
from domain.money import total
from domain.ports import Read, customer_of, engagement_of, entity_of
from domain.project import Project, SetUpRequested
from domain.tax import TaxSubtotal

SOURCE: Final = "p2c-ledger"


def outgoing(event: NewEvent, read: Read) -> Sequence[OutboxRow]:
    """The messages that an event obliges us to send, none for most; ``read`` gives the states with that event."""
    match event.event:
        case SetUpRequested(target):
            return [_row(event, _project(event.id, target, read(event.stream), read))]
        case PostingRequested(target):
            return [_row(event, _invoice(event.id, target, read(event.stream)))]
        case CreditPostingRequested(target):
            return [_row(event, _credit_note(event.id, target, read(event.stream)))]
        case HandedToCollections() as handed:
            return [_row(event, _collect(event.id, handed, read(event.stream)))]
        case _:
            return ()


def _row(event: NewEvent, message: Message) -> OutboxRow:
    """The broker leaves out what has the same id; ``ce-*`` are the names of CloudEvents 1.0 in binary mode."""
    return OutboxRow(
        stream=event.stream,
        version=event.version,
        target=message.target,
        subject=f"p2c.out.{message.target}.{SUBJECTS[message.type]}",
        nats_msg_id=event.id,
        payload=encoded(message),
        headers={
            "ce-specversion": "1.0",
            "ce-id": event.id,
            "ce-source": SOURCE,
            "ce-type": message.type,
            "ce-subject": key_of(message),
            "p2c-correlation": event.cause.correlation_id,
        },
    )


def _project(id_: str, target: str, project: Project, read: Read) -> ProjectCreate:
    terms = project.terms
    engagement = engagement_of(read, terms.engagement)
    return ProjectCreate(
        id=id_,
        target=target,
        project=terms.project,
        title=terms.title,
        engagement=EngagementOut(
            engagement=terms.engagement,
            title=engagement.terms.title,
            opportunity=engagement.terms.opportunity,
            purchase_order=engagement.purchase_order.number if engagement.purchase_order else None,
            signed_on=engagement.signed.signed_on if engagement.signed else None,
        ),
        line=_line(engagement, terms.line),
        customer=_customer(engagement.terms.customer, read),
        selling_entity=_entity(engagement.terms.selling_entity, read),
        delivering_entity=terms.delivering_entity,
        currency=engagement.currency,
        starts=terms.starts,
        ends=terms.ends,
        manager=project.manager,
        internal=terms.internal,
        tasks=tuple(
            TaskOut(task=each.task, title=each.title, chargeable=each.chargeable) for each in project.tasks.values()
        ),
    )


def _line(engagement: Engagement, name: str) -> ContractLineOut | None:
    """The line that pays for the project; it may not be agreed yet."""
    line = engagement.lines.get(name)
    if line is None:
        return None
    cap = line.billing.cap if isinstance(line.billing, TimeAndMaterials) else None
    amount = AmountOut.of(cap) if cap is not None else None
    return ContractLineOut(line=line.line, title=line.title, method=line.billing.kind, cap=amount)


def _customer(name: str, read: Read) -> CustomerOut:
    customer = customer_of(read, name)
    return CustomerOut(
        customer=name,
        name=customer.name or name,
        country=customer.country,
        tax_id=customer.tax_id,
        address=AddressOut.of(customer.bill_to) if customer.bill_to else None,
    )


def _entity(name: str, read: Read) -> EntityOut:
    """The entity by its newest terms: what the target needs is who it is, not what held on a day."""
    versions = entity_of(read, name).versions
    terms = versions[-1] if versions else None
    return EntityOut(
        entity=name,
        name=terms.name if terms else None,
        country=terms.address.country if terms else None,
        functional_currency=terms.functional_currency if terms else None,
    )


def _invoice(id_: str, target: str, invoice: Issued) -> InvoicePost:
    document = invoice.document
    return InvoicePost(
        id=id_,
        target=target,
        invoice=invoice.invoice,
        number=document.number,
        issued_on=document.issued_on,
        due_on=document.due_on,
        seller=_party(document.seller),
        buyer=_party(document.buyer),
        engagement=document.header.engagement,
        purchase_order=document.header.purchase_order,
        currency=document.header.currency,
        lines=_lines(document),
        taxes=_taxes(document.taxes),
        net=AmountOut.of(document.net),
        tax=AmountOut.of(document.tax),
        gross=AmountOut.of(document.gross),
        functional_currency=document.functional_currency,
        fx_rate=document.fx_rate,
        allowances=AmountOut.of(total((each.signed for each in document.allowances), document.net.currency)),
        holdback=AmountOut.of(document.holdback),
        prepaid=AmountOut.of(document.prepaid),
        payable=AmountOut.of(document.payable),
    )


def _credit_note(id_: str, target: str, note: IssuedCredit) -> CreditNotePost:
    credit = note.credit
    allowances = total((each.adjustment.signed for each in credit.allowances), credit.net.currency)
    return CreditNotePost(
        id=id_,
        target=target,
        credit_note=note.credit_note,
        number=note.number,
        issued_on=note.issued_on,
        form=credit.form,
        invoice=credit.invoice,
        invoice_number=credit.invoice_number,
        invoice_issued_on=credit.invoice_issued_on,
        reason=credit.reason,
        seller=_party(credit.seller),
        buyer=_party(credit.buyer),
        engagement=credit.header.engagement,
        currency=credit.header.currency,
        lines=tuple(
            CreditNoteLineOut(
                line=each.line,
                of_line=each.of_line,
                description=each.description,
                quantity=each.quantity,
                unit=each.unit,
                price=each.price,
                net=AmountOut.of(each.net),
                project=each.project,
                contract_line=each.contract_line,
                first_work_date=each.first_work_date,
                last_work_date=each.last_work_date,
            )
            for each in credit.lines
        ),
        taxes=_taxes(credit.taxes),
        allowances=AmountOut.of(allowances),
        net=AmountOut.of(credit.net),
        tax=AmountOut.of(credit.tax),
        gross=AmountOut.of(credit.gross),
        holdback=AmountOut.of(credit.holdback),
        payable=AmountOut.of(credit.payable),
        functional_currency=credit.functional_currency,
        fx_rate=credit.fx_rate,
    )


def _taxes(taxes: Sequence[TaxSubtotal]) -> tuple[TaxOut, ...]:
    return tuple(
        TaxOut(
            category=each.category,
            rate=each.rate,
            taxable=AmountOut.of(each.taxable),
            tax=AmountOut.of(each.tax),
            reason=each.reason,
        )
        for each in taxes
    )


def _collect(id_: str, handed: HandedToCollections, invoice: Issued) -> InvoiceCollect:
    document = invoice.document
    return InvoiceCollect(
        id=id_,
        target=handed.target,
        invoice=invoice.invoice,
        number=document.number,
        issued_on=document.issued_on,
        due_on=document.due_on,
        seller=_party(document.seller),
        buyer=_party(document.buyer),
        gross=AmountOut.of(document.gross),
        due=AmountOut.of(handed.due),
        handed_over_on=handed.on,
        reason=handed.reason,
    )


def _party(party: Party) -> PartyOut:
    return PartyOut(id=party.id, name=party.name, address=AddressOut.of(party.address), tax_id=party.tax_id)


def _lines(document: Document) -> tuple[InvoiceLineOut, ...]:
    return tuple(
        InvoiceLineOut(
            line=each.line,
            description=each.description,
            quantity=each.quantity,
            unit=each.unit,
            price=each.price,
            net=AmountOut.of(each.net),
            project=each.project,
            contract_line=each.contract_line,
            first_work_date=each.first_work_date,
            last_work_date=each.last_work_date,
        )
        for each in document.lines
    )
