"""The heart: replies that belong to the server and not to the request that asked for them."""
