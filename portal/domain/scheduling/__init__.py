"""Opening hours, free times and appointments."""
