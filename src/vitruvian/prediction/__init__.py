"""Early-warning scores and learned risk: what the state of a twin means for what comes next."""
