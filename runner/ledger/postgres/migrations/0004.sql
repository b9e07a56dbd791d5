-- Every ledger has an id, and a mark says whether it is current, being filled by a move (pending), or left (moved).
-- Of several marks the highest turn holds, and within a turn the later of: pending, current, moved.

ALTER TABLE headers RENAME moved TO address;
ALTER TABLE headers ADD ledger text NOT NULL DEFAULT '',
    ADD status text NOT NULL DEFAULT 'current' CHECK (status IN ('pending', 'current', 'moved'));
UPDATE headers SET status = 'moved' WHERE address <> '';
ALTER TABLE headers DROP CONSTRAINT headers_pkey,
    ADD PRIMARY KEY (workspace, salt_check, ledger, turn, status, address);

DROP FUNCTION move(text, text, text);
DROP FUNCTION pin(text, text);

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

-- Claims as before, if the ledger is current (else SQLSTATE MR003, with the status and the address of its mark).
CREATE OR REPLACE FUNCTION claim(
    ours text, known pg_snapshot, patient boolean, keys text[], attempts text[], messages text[], revisions integer[],
    contacts text[], lines text[]
) RETURNS SETOF text LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    last headers;
BEGIN
    LOCK TABLE headers IN ROW EXCLUSIVE MODE;
    SELECT * INTO last FROM last_mark();
    IF last.status <> 'current' THEN
        RAISE EXCEPTION '% %', last.status, last.address USING ERRCODE = 'MR003';
    END IF;
    RETURN QUERY SELECT claim_here(ours, known, patient, keys, attempts, messages, revisions, contacts, lines);
END $$;
