"""Which filters of a network can go, which do, and the smaller network without them."""
