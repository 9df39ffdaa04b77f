"""What tests and benchmarks of databases share: states to compare, kills, a replica set and a change log."""
