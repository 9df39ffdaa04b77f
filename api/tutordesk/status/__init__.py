"""HOW IT DOES: `/metrics`, `/status`, and what its page tests itself with."""
