-- Who may do what. Group roles without login: an operator grants them to the logins of each part.
-- Roles belong to the whole server, so they may exist already; where this login may not make them, nothing changes.

DO $$
DECLARE
    part text;
BEGIN
    FOREACH part IN ARRAY ARRAY['p2c_owner', 'p2c_writer', 'p2c_projector', 'p2c_reader', 'p2c_auditor'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', part);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN RAISE NOTICE 'role % was not made: this login may not make roles', part;
        END;
    END LOOP;
    IF (SELECT count(*) FROM pg_roles
        WHERE rolname IN ('p2c_owner', 'p2c_writer', 'p2c_projector', 'p2c_reader', 'p2c_auditor')) < 5 THEN
        RAISE NOTICE 'grants skipped: the roles do not exist';
        RETURN;
    END IF;

    EXECUTE format('GRANT USAGE ON SCHEMA %I TO p2c_writer, p2c_projector, p2c_reader, p2c_auditor', current_schema());
    -- Migrations are run by a login that is a member of the owner; nobody else makes tables here.
    EXECUTE format('GRANT ALL ON SCHEMA %I TO p2c_owner', current_schema());

    -- MAINTAIN lets the writer take the table lock that keeps positions in commit order, and nothing more.
    GRANT SELECT, INSERT, MAINTAIN ON stored_events TO p2c_writer;
    GRANT SELECT, INSERT ON commit_receipt, command_receipt TO p2c_writer;
    GRANT SELECT, INSERT, UPDATE ON notification_tracking, received_message, source_object, outbox TO p2c_writer;
    GRANT SELECT, INSERT, UPDATE, DELETE ON parked_message TO p2c_writer;
    EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO p2c_writer', current_schema());
    GRANT SELECT ON schema_migration TO p2c_writer, p2c_projector, p2c_reader;

    GRANT SELECT ON stored_events, notification_tracking, received_message, parked_message, outbox
        TO p2c_projector, p2c_reader;
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO p2c_auditor', current_schema());
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT ON TABLES TO p2c_auditor', current_schema());
EXCEPTION
    WHEN insufficient_privilege THEN RAISE NOTICE 'grants skipped: %', SQLERRM;
END
$$;
