"""What may be asked: read models as pure folds of the log, each with its table, its fold, its queries and its answers."""
