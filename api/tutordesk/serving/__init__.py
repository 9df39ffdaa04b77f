"""How uvicorn runs Tutordesk: one process, or several workers."""
