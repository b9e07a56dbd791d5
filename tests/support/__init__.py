"""What several tests and benchmarks build: projects, clones, remotes, servers, PostgreSQL, campaigns.

`intercom_server.py`, `gh.py` and `shim/` are programs of their own. They import nothing of msgrun, so they can disagree
with it.
"""
