"""The preview: each message as its recipients see it, as pages from disk or from a server on this machine."""
