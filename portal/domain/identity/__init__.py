"""Who someone is: accounts, sessions, passwords, invitations, tokens for programs."""
