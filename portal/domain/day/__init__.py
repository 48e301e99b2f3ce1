"""The day at a clinic: who is here, who goes next, how long it may take, walk-ins, and the public board."""
