"""What knows nothing of medicine and nothing of the web."""
