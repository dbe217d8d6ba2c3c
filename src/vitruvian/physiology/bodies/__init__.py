"""Bodies: rooms joined by their declared couplings. The only part of the package that imports rooms."""
