"""Who is acting: everything about an account that decides what it may do, read in one query."""
