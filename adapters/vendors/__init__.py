"""What each system says and how it says it: one folder per system, translation as pure functions without I/O."""
