-- The ledger's first form. Everything lies in one PostgreSQL schema, which the search_path names when this runs.

-- What the header lines of a lockfile say; a set, as there. A row with a turn is a mark: whether the ledger is current,
-- being filled by a move (pending), or left (moved); `address` is where it came from or went to.
CREATE TABLE headers (
    workspace text NOT NULL,
    salt_check text NOT NULL,
    turn integer NOT NULL DEFAULT 0,
    address text NOT NULL DEFAULT '',
    ledger text NOT NULL DEFAULT '',  -- its id
    status text NOT NULL DEFAULT 'current' CHECK (status IN ('pending', 'current', 'moved')),
    PRIMARY KEY (workspace, salt_check, ledger, turn, status, address)
);

-- The runs that may have claims open. A run lives as long as its beat, by this server's clock, is younger than its lease.
CREATE TABLE runs (
    run text PRIMARY KEY,
    who text NOT NULL,
    began timestamptz NOT NULL DEFAULT clock_timestamp(),
    beat timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- One row a delivery: what is locked while something is written about it. `changed` is the transaction that wrote last.
CREATE TABLE deliveries (
    key text COLLATE "C" PRIMARY KEY,
    status text NOT NULL DEFAULT 'free' CHECK (status IN ('free', 'refused', 'unknown', 'sent')),
    changed xid8
);

-- The facts, each as its line of a lockfile. Rows are only added; `lock compact` removes what others replace.
CREATE TABLE facts (
    key text COLLATE "C" NOT NULL REFERENCES deliveries,
    attempt text COLLATE "C" NOT NULL,
    rank smallint NOT NULL CHECK (rank BETWEEN 0 AND 4),
    message text NOT NULL,
    revision integer NOT NULL,
    contact text NOT NULL,
    line text NOT NULL
);
CREATE UNIQUE INDEX facts_once ON facts (key, attempt, md5(line));
CREATE INDEX facts_contact ON facts (contact, message, revision) WHERE contact <> '';

-- How long a run counts as alive after its last beat: four times as long as it goes on POSTing without one, so that
-- whatever it had on its way has come to an end.
CREATE FUNCTION lease() RETURNS interval IMMUTABLE LANGUAGE sql AS $$ SELECT interval '120 seconds' $$;

CREATE FUNCTION run_of(attempt text) RETURNS text IMMUTABLE LANGUAGE sql AS
$$ SELECT regexp_replace(attempt, '-[^-]*$', '') $$;

-- Of several marks the highest turn holds, and within a turn the later of: pending, current, moved.
CREATE FUNCTION rank_of(status text) RETURNS integer IMMUTABLE LANGUAGE sql AS
$$ SELECT array_position(ARRAY['pending', 'current', 'moved'], status) $$;

-- The header whose mark holds.
CREATE FUNCTION last_mark() RETURNS SETOF headers STABLE LANGUAGE sql SET search_path FROM CURRENT AS
$$ SELECT * FROM headers ORDER BY turn DESC, rank_of(status) DESC, address COLLATE "C" DESC LIMIT 1 $$;

-- Adds a header, unless a mark as high as its own holds, or it contradicts the workspace or the id
-- of another one. It waits for the claims that are being made. Returns all headers: the caller sees what holds.
CREATE FUNCTION add_header(
    new_workspace text, new_salt_check text, new_ledger text, new_turn integer, new_status text, new_address text
) RETURNS SETOF headers LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    last headers;
BEGIN
    LOCK TABLE headers IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO last FROM last_mark();
    IF NOT EXISTS (
        SELECT FROM headers
        WHERE (workspace <> '' AND new_workspace NOT IN ('', workspace)) OR (ledger <> '' AND new_ledger NOT IN ('', ledger))
    ) AND (
        new_turn = 0 OR last IS NULL
        OR (new_turn, rank_of(new_status)) > (last.turn, rank_of(last.status))
    ) THEN
        INSERT INTO headers (workspace, salt_check, ledger, turn, status, address)
        VALUES (new_workspace, new_salt_check, new_ledger, new_turn, new_status, new_address) ON CONFLICT DO NOTHING;
    END IF;
    RETURN QUERY SELECT * FROM headers;
END $$;

-- The keys, of these, that are sent or may have been: the truth, from the facts alone.
CREATE FUNCTION taken(keys text[]) RETURNS SETOF text STABLE LANGUAGE sql SET search_path FROM CURRENT AS $$
    SELECT DISTINCT key FROM (
        SELECT key, max(rank) AS top FROM facts WHERE key = ANY (keys) GROUP BY key, attempt
    ) AS attempts WHERE top IN (0, 1, 4)
$$;

-- Says what the facts make of some deliveries, whose rows the caller has locked.
CREATE FUNCTION fold(keys text[]) RETURNS void LANGUAGE sql SET search_path FROM CURRENT AS $$
    UPDATE deliveries SET changed = pg_current_xact_id(), status = CASE
        WHEN has_sent THEN 'sent' WHEN has_open THEN 'unknown' WHEN has_refused THEN 'refused' ELSE 'free' END
    FROM (
        SELECT key, bool_or(top = 4) AS has_sent, bool_or(top IN (0, 1)) AS has_open, bool_or(top = 2) AS has_refused
        FROM (SELECT key, max(rank) AS top FROM facts WHERE key = ANY (keys) GROUP BY key, attempt) AS attempts
        GROUP BY key
    ) AS folded WHERE deliveries.key = folded.key
$$;

-- Writes facts that are no claims of the run: outcomes, what people decide, what is imported. Twice changes nothing.
-- An open attempt of another run is left to that run as long as it lives (SQLSTATE MR001).
CREATE FUNCTION record(
    mine text[], keys text[], attempts text[], ranks smallint[], messages text[], revisions integer[], contacts text[],
    lines text[]
) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    holder text;
    fresh text[];
BEGIN
    INSERT INTO deliveries (key) SELECT DISTINCT k FROM unnest(keys) AS k ORDER BY k ON CONFLICT DO NOTHING;
    PERFORM 1 FROM deliveries WHERE key = ANY (keys) ORDER BY key FOR UPDATE;
    SELECT runs.who INTO holder
    FROM unnest(keys, attempts, lines) AS new (key, attempt, line)
    JOIN runs ON runs.run = run_of(new.attempt) AND runs.run <> ALL (mine) AND runs.beat > clock_timestamp() - lease()
    WHERE NOT EXISTS (
        SELECT FROM facts WHERE (facts.key, facts.attempt, md5(facts.line)) = (new.key, new.attempt, md5(new.line))
    ) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', holder USING ERRCODE = 'MR001';
    END IF;
    WITH added AS (
        INSERT INTO facts (key, attempt, rank, message, revision, contact, line)
        SELECT * FROM unnest(keys, attempts, ranks, messages, revisions, contacts, lines)
        ON CONFLICT DO NOTHING RETURNING key
    ) SELECT array_agg(DISTINCT key) INTO fresh FROM added;
    PERFORM fold(fresh);
END $$;

-- Claims deliveries for a run, and returns the attempts that it did not get: another run or a person wrote about them
-- since `known`, the snapshot that the run's plan rests on, or sent this revision to the same contact. One that is
-- `limited` is not claimed either if another run has sent anything to its contact since `known`, or is about to.
-- A claim whose answer was lost is asked again, `patient`: it waits for what its first try may still commit, and finds
-- it. The lease of the run must be valid, else another run could settle its claims (SQLSTATE MR002). The ledger must be
-- current (else SQLSTATE MR003, with the status and the address of its mark).
CREATE FUNCTION claim(
    ours text, known pg_snapshot, patient boolean, keys text[], attempts text[], messages text[], revisions integer[],
    contacts text[], lines text[], limited boolean[]
) RETURNS SETOF text LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    last headers;
    mine text[];
    already text[];
    got text[];
BEGIN
    LOCK TABLE headers IN ROW EXCLUSIVE MODE;
    SELECT * INTO last FROM last_mark();
    IF last.status <> 'current' THEN
        RAISE EXCEPTION '% %', last.status, last.address USING ERRCODE = 'MR003';
    END IF;
    PERFORM 1 FROM runs WHERE run = ours AND beat > clock_timestamp() - lease() FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the lease is over' USING ERRCODE = 'MR002';
    END IF;
    -- One contact at a time, in one order: two runs that have it under two addresses must not pass each other by.
    PERFORM pg_advisory_xact_lock(hash) FROM (
        SELECT DISTINCT hashtextextended(concat_ws(chr(31), current_schema(), c), 0) AS hash
        FROM unnest(contacts) AS c WHERE c <> '' ORDER BY 1
    ) AS hashes;
    INSERT INTO deliveries (key) SELECT k FROM unnest(keys) AS k ORDER BY k ON CONFLICT DO NOTHING;
    IF patient THEN
        PERFORM 1 FROM deliveries WHERE key = ANY (keys) ORDER BY key FOR UPDATE;
    END IF;
    mine := ARRAY(
        SELECT key FROM deliveries
        WHERE key = ANY (keys) AND (changed IS NULL OR pg_visible_in_snapshot(changed, known))
        ORDER BY key FOR UPDATE SKIP LOCKED
    );
    already := ARRAY(
        SELECT facts.key FROM facts JOIN unnest(keys, attempts) AS new (key, attempt) USING (key, attempt)
        WHERE facts.rank = 0
    );
    -- A statement of its own, which sees what was committed before the locks above were granted.
    got := ARRAY(
        SELECT new.key
        FROM unnest(keys, messages, revisions, contacts, limited) AS new (key, message, revision, contact, is_limited)
        WHERE new.key = ANY (mine) AND NOT new.key = ANY (already)
        AND new.key NOT IN (SELECT taken(keys))
        AND (new.contact = '' OR NOT EXISTS (
            SELECT FROM facts WHERE (facts.contact, facts.message, facts.revision)
                = (new.contact, new.message, new.revision)
            AND facts.key <> new.key AND facts.contact <> ''
            AND facts.key IN (SELECT taken(ARRAY[facts.key]))
        ))
        AND (new.contact = '' OR NOT new.is_limited OR NOT EXISTS (
            SELECT FROM facts JOIN deliveries USING (key)
            WHERE facts.contact = new.contact AND facts.contact <> '' AND run_of(facts.attempt) <> ours
            AND facts.key IN (SELECT taken(ARRAY[facts.key]))
            AND (
                NOT pg_visible_in_snapshot(deliveries.changed, known)
                OR deliveries.status = 'unknown' AND run_of(facts.attempt) IN (
                    SELECT run FROM runs WHERE beat > clock_timestamp() - lease()
                )
            )
        ))
    );
    INSERT INTO facts (key, attempt, rank, message, revision, contact, line)
    SELECT key, attempt, 0, message, revision, contact, line
    FROM unnest(keys, attempts, messages, revisions, contacts, lines)
        AS new (key, attempt, message, revision, contact, line)
    WHERE key = ANY (got);
    UPDATE deliveries SET status = 'unknown', changed = pg_current_xact_id() WHERE key = ANY (got);
    RETURN QUERY SELECT attempt FROM unnest(keys, attempts) AS new (key, attempt)
        WHERE NOT (key = ANY (got) OR key = ANY (already));
END $$;
