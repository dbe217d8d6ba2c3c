"""Questions about a twin: where they lead, and what answers them."""
