"""Books: what every fact debits and credits, in which account, and in which month.

``journal`` is double entry, ``postings`` the rules of what a fact posts, ``account_role`` the accounts that they name,
and ``accounting_period`` the months that are open for it.
"""
