"""Readers: what arrives in files and messages becomes entries, or says why it did not."""
