"""What patients say about doctors they came to."""
