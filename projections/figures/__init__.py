"""Figures for management: what is asked, and from which read models each figure is added up.

``asked`` says by what and over which work, ``work`` adds up lots, ``books`` the journal, ``capacity`` people's hours;
``earnings`` puts them together. ``waterfall`` leads from the value of the work to cash, ``unbilled`` tells how old what
is not billed is, ``cycle`` how long it takes, ``synchronised`` what the other systems know, ``waiting`` who waits for
whom. Every amount is in one currency, that of the firm: revenue and cost as the journal reports them, all else at the
rate of the last day of its month.
"""
