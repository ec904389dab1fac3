-- The event log, in the shape of the eventsourcing library, with the time at which each event was recorded.

CREATE TABLE stored_events (
    originator_id text COLLATE "C" NOT NULL,
    originator_version bigint NOT NULL CHECK (originator_version > 0),
    topic text NOT NULL,
    state bytea NOT NULL,
    notification_id bigserial NOT NULL,
    -- The insert statement gives all events of one commit one time, never earlier than the commit before.
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT stored_events_pkey PRIMARY KEY (originator_id, originator_version)
) WITH (autovacuum_analyze_scale_factor = 0.01);

CREATE UNIQUE INDEX stored_events_notification_id_idx ON stored_events (notification_id);
CREATE INDEX stored_events_recorded_at_idx ON stored_events (recorded_at);

CREATE TYPE stored_event_text AS (originator_id text, originator_version bigint, topic text, state bytea);

-- Books are corrected by new entries. The trigger also fires for the owner and for replication sessions.
CREATE FUNCTION refuse_change_of_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'recorded events are never changed: % on % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'Record a correcting event.';
END
$$;

CREATE TRIGGER stored_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stored_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_history();
ALTER TABLE stored_events ENABLE ALWAYS TRIGGER stored_events_append_only;

-- How far each process has acted on the log; written in the transaction of the events that it causes.
CREATE TABLE notification_tracking (
    application_name text NOT NULL,
    notification_id bigint NOT NULL,
    CONSTRAINT notification_tracking_pkey PRIMARY KEY (application_name)
);
INSERT INTO notification_tracking VALUES ('__migration__', 1);  -- the library's mark of one row per application

-- One row per commit: answers "did it happen?" when the reply to a COMMIT was lost.
CREATE TABLE commit_receipt (
    commit_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT commit_receipt_pkey PRIMARY KEY (commit_id)
);

-- One row per idempotency key: the same request again gets the same answer.
CREATE TABLE command_receipt (
    idempotency_key text COLLATE "C" NOT NULL,
    actor text NOT NULL,
    payload_sha256 bytea NOT NULL CHECK (octet_length(payload_sha256) = 32),
    outcome jsonb NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT command_receipt_pkey PRIMARY KEY (idempotency_key)
);
