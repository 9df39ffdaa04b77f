"""The agent: the tutor taking part in a room."""
