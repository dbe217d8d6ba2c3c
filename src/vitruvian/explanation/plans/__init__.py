"""What is said of a packet, and in which order: claims for a reader, at most four sentences for a clinician."""
