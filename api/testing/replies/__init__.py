"""What tests and benchmarks of replies share: a reader of the wire, cuts, and the text that kills lose."""
