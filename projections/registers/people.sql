-- What holds for each person from a day on: who employs them, where they belong, and how much they can work.

CREATE TABLE resource_terms (
    resource text COLLATE "C" NOT NULL,
    effective_from text COLLATE "C" NOT NULL,  -- ISO 8601
    employer text COLLATE "C" NOT NULL,
    practice text COLLATE "C" NOT NULL,
    role text COLLATE "C" NOT NULL,
    capacity_hours_per_week numeric NOT NULL,
    stated_at timestamptz NOT NULL,
    PRIMARY KEY (resource, effective_from)
);

-- Who was ever employed by a legal entity of the view: it sees all their terms, for each ends where the next begins.
CREATE VIEW employed AS
    SELECT resource FROM resource_terms WHERE employer = ANY (nullif(current_setting('p2c.entities', true), '')::text[]);

-- indexes
CREATE INDEX resource_terms_employer ON resource_terms (employer, resource);
