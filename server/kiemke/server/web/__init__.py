"""Pages for a browser, made on the server without scripts."""
