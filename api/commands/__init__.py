"""What each command of ``p2c`` does: one module for each, imported when the command is given."""
