"""HTTP only: read the request, call one service, render the answer."""
