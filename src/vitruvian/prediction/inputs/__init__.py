"""What models read: blocks of columns and hourly sequences, the same in batch and live."""
