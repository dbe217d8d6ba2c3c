"""Families of models: each fits on a table and leaves an ONNX member."""
