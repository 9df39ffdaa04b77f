"""The tutor: turns prompts into text, by any provider. It knows neither FastAPI nor MongoDB."""
