"""Recipes: for each task which features, families and policies."""
