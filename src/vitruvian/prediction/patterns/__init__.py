"""What is unusual for this patient: a calibrated forecast residual."""
