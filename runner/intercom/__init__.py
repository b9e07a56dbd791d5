"""Intercom's HTTP API: the client, the meaning of replies, the formats of the versions, the rate limit, and reads."""
