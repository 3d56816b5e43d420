"""Helpers of the tests: stand-ins for the outside world, and ways to spoil files."""
