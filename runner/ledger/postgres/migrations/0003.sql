-- A ledger that moved elsewhere says so, or a `lock:` that goes back to it would send again what was sent since.
-- Of all turns the last holds; `moved` is empty where the ledger came back.

ALTER TABLE headers ADD turn integer NOT NULL DEFAULT 0, ADD moved text NOT NULL DEFAULT '';
ALTER TABLE headers DROP CONSTRAINT headers_pkey, ADD PRIMARY KEY (workspace, salt_check, turn, moved);

-- Notes where the ledger moved, and returns the turn that holds. It waits for the claims that are just being made, and
-- no claim is made after it.
CREATE FUNCTION move(space text, check_of_salt text, target text) RETURNS TABLE (turn integer, moved text)
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    last headers;
BEGIN
    LOCK TABLE headers IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO last FROM headers ORDER BY headers.turn DESC, headers.moved DESC LIMIT 1;
    IF coalesce(last.moved, '') <> target THEN
        INSERT INTO headers VALUES (space, check_of_salt, coalesce(last.turn, 0) + 1, target) RETURNING * INTO last;
    END IF;
    RETURN QUERY SELECT coalesce(last.turn, 0), coalesce(last.moved, '');
END $$;

-- Claims as before, unless the ledger moved (SQLSTATE MR003).
ALTER FUNCTION claim(text, pg_snapshot, boolean, text[], text[], text[], integer[], text[], text[])
    RENAME TO claim_here;
CREATE FUNCTION claim(
    ours text, known pg_snapshot, patient boolean, keys text[], attempts text[], messages text[], revisions integer[],
    contacts text[], lines text[]
) RETURNS SETOF text LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    target text;
BEGIN
    LOCK TABLE headers IN ROW EXCLUSIVE MODE;
    SELECT moved INTO target FROM headers ORDER BY turn DESC, moved DESC LIMIT 1;
    IF target <> '' THEN
        RAISE EXCEPTION '%', target USING ERRCODE = 'MR003';
    END IF;
    RETURN QUERY SELECT claim_here(ours, known, patient, keys, attempts, messages, revisions, contacts, lines);
END $$;
