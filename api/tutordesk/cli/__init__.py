"""The command line: `tutordesk …`."""
