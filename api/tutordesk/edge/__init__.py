"""What a request meets before a route: the gate, the client's pages, the API reference."""
