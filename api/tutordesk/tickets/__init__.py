"""The knowledge: tickets, their summaries and the search over them."""
