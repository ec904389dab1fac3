-- Who read what under an auditor's role: written before the answer is given, never changed.

CREATE TABLE audit_read (
    id bigserial NOT NULL,
    read_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    subject text NOT NULL,
    roles text[] NOT NULL,
    channel text NOT NULL CHECK (channel IN ('http', 'websocket', 'nats', 'export')),
    operation text NOT NULL,
    query text NOT NULL,
    variables jsonb NOT NULL,
    head_position bigint NOT NULL,
    CONSTRAINT audit_read_pkey PRIMARY KEY (id)
);
CREATE INDEX audit_read_subject_idx ON audit_read (subject, read_at);

CREATE TRIGGER audit_read_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_read
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_history();
ALTER TABLE audit_read ENABLE ALWAYS TRIGGER audit_read_append_only;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'p2c_writer') THEN
        GRANT SELECT, INSERT ON audit_read TO p2c_writer;
        GRANT USAGE ON SEQUENCE audit_read_id_seq TO p2c_writer;
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN RAISE NOTICE 'grants skipped: %', SQLERRM;
END
$$;
