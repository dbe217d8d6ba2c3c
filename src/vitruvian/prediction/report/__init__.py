"""An evaluation for people: plots, a page, a model card."""
