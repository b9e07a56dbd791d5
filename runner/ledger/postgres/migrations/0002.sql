-- One rate budget for all runs: a row for each workspace and window of ten seconds. Nothing here outlives its window, so
-- none of it is worth a write to the log: after a crash, and on another server, the next draw begins the row anew, and
-- Intercom's headers say what was used by then.

CREATE UNLOGGED TABLE budgets (
    workspace text,
    ends bigint,                      -- Intercom's reset, in Unix seconds
    drawn integer NOT NULL,           -- permits that runs took
    landed integer NOT NULL,          -- of these, how many were answered
    used integer NOT NULL DEFAULT 0,  -- of the limit, by whomever: the most that a response told
    PRIMARY KEY (workspace, ends)
);

-- Permits for a run. `due` of all have been granted by now at most; and never more than the limit leaves when everything
-- is counted that the server told of, and whatever was drawn and may not have reached it yet.
-- Windows are named by Intercom's clock, which all runs hear of; only where they hear nothing (`reset` is null), by this
-- server's, which they have in common as well.
CREATE FUNCTION draw(
    space text, reset bigint, budget integer, due integer, passed integer, cap integer, heard integer, arrived integer,
    back integer, wanted integer
) RETURNS integer LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    seconds double precision := extract(epoch FROM clock_timestamp());
    found budgets;
    granted integer;
BEGIN
    IF reset IS NULL THEN
        reset := (floor(seconds / 10) + 1) * 10;
        due := ceil(budget * (seconds - reset + 10) / 10);
        passed := 0;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(concat_ws(chr(31), 'budget', current_schema(), space), 0));
    -- The reset of one window may seem to differ by a second: servers count whole ones.
    SELECT * INTO found FROM budgets WHERE workspace = space AND abs(ends - reset) < 2 ORDER BY ends LIMIT 1;
    IF found IS NULL THEN
        DELETE FROM budgets WHERE workspace = space AND abs(ends - reset) > 60;
        INSERT INTO budgets (workspace, ends, drawn, landed) VALUES (space, reset, passed, passed) RETURNING * INTO found;
    END IF;
    found.drawn := greatest(0, found.drawn - back);
    found.landed := least(found.drawn, found.landed + arrived);
    found.used := greatest(found.used, heard);
    granted := greatest(0, least(wanted, due - found.drawn, cap - found.used - (found.drawn - found.landed)));
    UPDATE budgets SET drawn = found.drawn + granted, landed = found.landed, used = found.used
    WHERE workspace = space AND ends = found.ends;
    RETURN granted;
END $$;
