"""Changed hours and leave: every visit that is hit gets a decision, and its patient a choice."""
