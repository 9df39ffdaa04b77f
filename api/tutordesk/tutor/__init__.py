"""The voice: prompts in, text out, by any provider. Knows neither FastAPI nor MongoDB."""
