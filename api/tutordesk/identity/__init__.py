"""Identity: visitors by a signed cookie, names, accounts, and the rights and limits of each."""
