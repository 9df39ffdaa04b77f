"""Tutordesk's server: an educational helpdesk with an AI tutor. Start reading at `main.create_app`."""

__version__ = "0.1.0"
