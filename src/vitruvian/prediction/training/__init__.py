"""Training: from a cohort and a recipe to a bundle."""
