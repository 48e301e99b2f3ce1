"""Reminders of visits: planned steps, a ledger, escalation, and links that act."""
