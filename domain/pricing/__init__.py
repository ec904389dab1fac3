"""Pricing finds what approved work is billed at, what it costs, and what one entity charges another for it.

``rating`` finds the row of a rate card that wins, ``lots`` freezes the figures in a lot, and ``transfers`` adds the
transfer price.
"""
