"""Carries out a plan, takes it back, and goes on with it after a death. Knows no step by name."""
