"""Verification proves that the books follow from the record, and names every object that breaks a rule.

It keeps a second, simpler model of its own, so that a mistake in the first one cannot hide behind itself.
"""
