"""Conversations, their answers, and the pictures that are drawn in them."""
