"""Who: visitors by a signed cookie, and what each may do."""
