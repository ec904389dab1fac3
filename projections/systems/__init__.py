"""Other systems: what each of them knows of us, and how fresh what it tells is."""
