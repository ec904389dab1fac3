"""Which work might be touched, as the live read model knows it: the port of the domain, filled for this installation."""
