"""The preview: every message as its recipients see it, as pages that open from disk, or from a server on this machine."""
