"""The editor's desk: what its pages show, as values; the routes are ``web.routes.knowledge*``."""
