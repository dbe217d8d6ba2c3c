"""Vitruvian: digital twins of patients."""
