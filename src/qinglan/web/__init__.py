"""The FastAPI application and the built browser application that it serves."""
