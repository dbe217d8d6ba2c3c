"""The engine: steppers, one adaptive driver, one parallel ensemble driver, specialised for each model."""
