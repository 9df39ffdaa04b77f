"""The relay: carries what happens in a room to everyone in it, on any process."""
