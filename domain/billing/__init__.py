"""Billing spans several aggregates in one transaction: lots, caps, number series, and the invoice or credit note.

``drafting`` puts lots on drafts, ``issuing`` takes a draft on to its number, and ``crediting`` takes back part of what
was issued; ``sharing`` divides a bill among payers, and ``credited_amounts`` says what a credit comes to.
"""
