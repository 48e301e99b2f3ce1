"""Everything that leaves the building: each a small interface, a real implementation and one that keeps what it got."""
