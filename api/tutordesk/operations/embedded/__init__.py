"""The embedded MongoDB: starts mongod, restarts it when it dies, and watches its disk."""
