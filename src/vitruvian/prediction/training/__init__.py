"""Training: from a cohort and a recipe to a bundle, in stages that a killed run takes up again."""
