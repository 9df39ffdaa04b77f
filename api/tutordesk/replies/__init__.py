"""Replies: the tutor's answers while they are written. They belong to the server, so they survive their request."""
