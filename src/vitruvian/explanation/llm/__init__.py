"""Language models behind one small contract, and their weights. None is needed: drafts stand without them."""
