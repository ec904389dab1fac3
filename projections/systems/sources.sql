-- The newest fact of each source system.

CREATE TABLE source (
    system text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    occurred_at timestamptz,
    PRIMARY KEY (system)
);
