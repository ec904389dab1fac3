"""The journal: double entry derived from the events alone, by the rules of posting.

``fold`` gives each fact to what enters it: ``lots`` what happens to work, whose ``earnings`` stay within what ``caps``
leave, and ``room`` what moves these; ``lines`` and ``progress`` what a contract line earns apart from its bills;
``money`` invoices and receipts; ``credits`` credit notes; ``intercompany`` and ``crossing`` what entities and practices
charge each other. All of them enter by the ``writer``. ``tables`` are the rows, and ``journal`` answers what the
accounts come to.
"""
