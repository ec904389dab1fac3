"""Eligibility of all work: whether it may be billed, and why not, decided again when anything changes it depends on.

``lots`` follows every lot, and what is not a lot yet, in the rows of ``items``; ``touched_work`` finds what a batch of
facts touches, ``fold`` decides it, and ``sums`` adds it up. ``billing_eligibility``, ``explained`` and ``candidates``
answer.
"""
