"""The edge: the gate, the client's pages and the API reference, which a request passes before a route."""
