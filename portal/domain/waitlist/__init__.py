"""The waitlist: who would come earlier, and the held offer that goes to the best of them."""
