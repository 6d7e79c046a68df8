"""The views: each reads a request, calls one service and renders the answer."""
