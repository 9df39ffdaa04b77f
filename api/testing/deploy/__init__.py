"""What the tests of deployment share: compose.yaml without a container, and nginx as its image starts it."""
