"""Feeds of exchange rates, in the shapes of the European Central Bank and of those who pass its rates on."""
