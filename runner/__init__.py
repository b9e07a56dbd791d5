"""msgrun: messages as code for Intercom."""

__version__ = "0.1.0"
