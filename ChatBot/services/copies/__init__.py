"""Copies on cloud hosts: sent, proved by reading back, tried again, taken away."""
