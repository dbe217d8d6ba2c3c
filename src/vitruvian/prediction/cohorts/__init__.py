"""Readers of labelled cohorts: every published form to one `Cohort`."""
