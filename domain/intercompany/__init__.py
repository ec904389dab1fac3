"""Intercompany: what legal entities of the firm charge each other for work on each other's engagements.

``invoice`` holds what a pair of entities invoices and pays, ``run`` makes the invoices of a month, and ``settlement``
pays them.
"""
