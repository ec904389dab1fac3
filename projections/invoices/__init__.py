"""Invoices and cash: which documents there are, what is due of them, which money arrived and what it settled."""
