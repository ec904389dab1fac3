"""Billing spans several aggregates in one transaction: lots, caps, number series, and the invoice or credit note.

``drafting`` puts lots on drafts: ``billable`` says which and how much of each, ``sharing`` divides them among payers,
``draft_lines`` makes the lines, ``line_rounding`` says what each asks for, and ``claims`` what they take. ``adjusting``
changes a draft or gives it up, and ``issuing`` gives it its number. ``crediting`` takes back part of what was issued:
``credit_wishes`` finds the lots, ``credited_amounts`` says what they come to, and ``given_back`` opens them again.

The functions return the commands for every aggregate that is touched; recorded together or not at all, they make it
impossible that a cap is passed, that a lot is billed twice, or that a number is lost.
"""
