"""The ledger in a PostgreSQL database, for many runs at the same time. Needs psycopg, of the extra `postgres`."""
