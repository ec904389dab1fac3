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

-- indexes
CREATE INDEX resource_terms_employer ON resource_terms (employer, resource);
