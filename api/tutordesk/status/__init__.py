"""Health reports: `/metrics`, `/status`, and the status page's self-test."""
