"""One instrument a file: what it draws, what of it can be touched. No rules live here."""
