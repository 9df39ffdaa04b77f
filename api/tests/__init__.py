"""Tests mirror the packages and go through HTTP; see conftest.py for what they run against."""
