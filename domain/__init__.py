"""What the business means: pure rules over frozen values, with no clock, no I/O and no framework."""
