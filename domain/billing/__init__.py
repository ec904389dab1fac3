"""Billing spans several aggregates in one transaction: lots, caps, number series, and the invoice or credit note.

``drafting`` puts lots on drafts: ``billable`` says which and how much of each, ``sharing`` divides them among payers,
``draft_lines`` makes the lines, and ``claims`` says what they take. ``issuing`` takes a draft on to its number.
``crediting`` takes back part of what was issued: ``credit_wishes`` finds the lots, ``credited_amounts`` says what they
come to, and ``given_back`` opens them again.
"""
