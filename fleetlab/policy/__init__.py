"""What a scheduler decides: which job next, where, and who waits for whom."""
