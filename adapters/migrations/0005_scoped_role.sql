-- As whom a view of less than the whole firm reads: a role to which policies on the read models show its entities alone.
-- Who reads takes it on for one transaction, and has none of its privileges otherwise.

DO $$
DECLARE
    reader text;
BEGIN
    BEGIN
        CREATE ROLE p2c_scoped NOLOGIN;
    EXCEPTION
        WHEN duplicate_object OR unique_violation THEN NULL;
        WHEN insufficient_privilege THEN RAISE NOTICE 'role p2c_scoped was not made: this login may not make roles';
    END;
    FOR reader IN SELECT rolname FROM pg_roles WHERE rolname IN ('p2c_reader', session_user) LOOP
        IF NOT pg_has_role(reader, 'p2c_scoped', 'SET') THEN
            EXECUTE format('GRANT p2c_scoped TO %I WITH INHERIT FALSE, SET TRUE', reader);
        END IF;
    END LOOP;
EXCEPTION
    WHEN insufficient_privilege OR undefined_object THEN RAISE NOTICE 'grants skipped: %', SQLERRM;
END
$$;
