"""What may be asked: read models as pure folds of the log, each with tables, fold, queries and answers."""
