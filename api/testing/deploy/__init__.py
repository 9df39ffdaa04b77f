"""Shared by the tests of deployment: compose.yaml without a container, and nginx as its image starts it."""
