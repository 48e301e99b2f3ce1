"""Webhooks: what happened is told to programs, signed, in order, and again until they have it."""
