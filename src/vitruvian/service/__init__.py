"""The service: FastAPI, thin, over the ward at run time."""
