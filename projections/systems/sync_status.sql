-- How far each target system is with each project and each invoice.

CREATE TABLE sync (
    stream text COLLATE "C" NOT NULL,
    target text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    object text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    since timestamptz NOT NULL,
    external_id text COLLATE "C",
    reason text,
    our_version bigint NOT NULL,
    requested_version bigint,
    confirmed_version bigint,
    attempts bigint NOT NULL,
    pending_at timestamptz NOT NULL,
    requested_at timestamptz,
    first_sent_at timestamptz,
    sent_at timestamptz,  -- the newest
    in_doubt_at timestamptz,
    confirmed_at timestamptz,
    rejected_at timestamptz,
    engagement text COLLATE "C" NOT NULL,
    customer text COLLATE "C" NOT NULL,
    selling_entity text COLLATE "C" NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (stream, target)
);

CREATE TABLE sync_sum (
    selling_entity text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    target text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    objects bigint NOT NULL,
    PRIMARY KEY (selling_entity, kind, target, state)
);

-- indexes
CREATE INDEX sync_updated ON sync (updated_at, stream, target);
CREATE INDEX sync_since ON sync (since, stream, target);
CREATE INDEX sync_state ON sync (state, updated_at, stream, target);
CREATE INDEX sync_waiting ON sync (kind, target, state, since) WHERE state <> 'confirmed';  -- few, whatever the history
CREATE INDEX sync_kind ON sync (kind, target, state, since);
CREATE INDEX sync_engagement ON sync (engagement, updated_at, stream, target);
CREATE INDEX sync_customer ON sync (customer, updated_at, stream, target);
CREATE INDEX sync_entity ON sync (selling_entity, updated_at, stream, target);
