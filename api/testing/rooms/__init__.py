"""What tests and benchmarks of rooms share: people, their sockets, and a Redis that can be killed."""
