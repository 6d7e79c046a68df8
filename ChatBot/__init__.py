"""ChatBot: a self-hosted chat for people who make pictures with AI, and do not want to lose them."""

__version__ = "0.1.0"
