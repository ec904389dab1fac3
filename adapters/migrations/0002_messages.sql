-- What came in, what became of it, and what goes out.

-- One row per message that was delivered; a delivery that repeats it is counted in the same row.
CREATE TABLE received_message (
    message_id text COLLATE "C" NOT NULL,
    system text NOT NULL,
    subject text NOT NULL,
    business_message_id text COLLATE "C" NOT NULL,
    payload_sha256 bytea NOT NULL CHECK (octet_length(payload_sha256) = 32),
    headers jsonb NOT NULL,
    payload bytea NOT NULL,
    received_at timestamptz NOT NULL,
    broker_sequence bigint,
    fate text NOT NULL CHECK (
        fate IN ('recorded', 'quiet', 'refused', 'parked', 'duplicate', 'conflict', 'quarantined')
    ),
    code text,
    detail text,
    streams text[] NOT NULL,
    events text[] NOT NULL,
    deliveries integer NOT NULL DEFAULT 1 CHECK (deliveries > 0),
    last_delivered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT received_message_pkey PRIMARY KEY (message_id)
);
CREATE UNIQUE INDEX received_message_business_id_idx
    ON received_message (system, business_message_id, payload_sha256);
CREATE INDEX received_message_received_at_idx ON received_message (received_at);
CREATE INDEX received_message_unsettled_idx ON received_message (fate, received_at)
    WHERE fate IN ('refused', 'parked', 'conflict', 'quarantined');

-- A message whose parents are unknown yet, and what it waits for.
CREATE TABLE parked_message (
    message_id text COLLATE "C" NOT NULL REFERENCES received_message,
    waits_for text COLLATE "C" NOT NULL,
    order_key text COLLATE "C" NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT parked_message_pkey PRIMARY KEY (message_id)
);
CREATE INDEX parked_message_waits_for_idx ON parked_message (waits_for, order_key, message_id);

-- Where the facts of a source system's object live, and its newest revision that was seen.
CREATE TABLE source_object (
    system text COLLATE "C" NOT NULL,
    object text COLLATE "C" NOT NULL,
    external_id text COLLATE "C" NOT NULL,
    revision text COLLATE "C" NOT NULL,
    home text COLLATE "C",
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT source_object_pkey PRIMARY KEY (system, object, external_id)
);
CREATE INDEX source_object_home_idx ON source_object (home);

-- What other systems have to be told; the relay publishes it and marks it.
CREATE TABLE outbox (
    id bigserial NOT NULL,
    stream text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    target text COLLATE "C" NOT NULL,
    subject text NOT NULL,
    nats_msg_id text COLLATE "C" NOT NULL,
    payload bytea NOT NULL,
    headers jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    relayed_at timestamptz,
    CONSTRAINT outbox_pkey PRIMARY KEY (id),
    CONSTRAINT outbox_nats_msg_id_key UNIQUE (nats_msg_id)
);
-- Ids are drawn before the log's lock, so a relay asks for what is unsent, never for "after id".
CREATE INDEX outbox_unrelayed_idx ON outbox (id) WHERE relayed_at IS NULL;
CREATE INDEX outbox_stream_idx ON outbox (stream, version);
