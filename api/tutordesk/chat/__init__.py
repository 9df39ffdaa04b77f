"""One person and the tutor: chats in global mode and about a ticket."""
