"""Revenue is earned as promises are kept, whatever is billed when.

``methods`` says how much is earned by each method, ``promises`` what each contract line is worth, and ``earning`` joins
them for one line on one day.
"""
