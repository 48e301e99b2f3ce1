"""The day at the clinic: check-in, walk-ins, the queue and its public board."""
