"""What may be asked: read models as pure folds of the log, each with tables, fold, queries and answers.

Each folder is one question. The files beside them are what all read models share: a ``generation`` holds their tables
(``scheme``), ``fold`` folds the log into them, ``projector`` keeps them current, and ``reader`` answers at one moment.
"""
