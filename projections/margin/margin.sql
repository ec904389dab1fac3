-- What work is worth, what of it is billed and recognised, and what it costs: the cells, and their sums by each question.

CREATE TABLE margin (
    by text COLLATE "C" NOT NULL,  -- cell, project, engagement, customer, selling_entity, practice
    month text COLLATE "C" NOT NULL,  -- of the work, as 2026-03; empty for all months
    key text COLLATE "C" NOT NULL,
    selling_entity text COLLATE "C" NOT NULL,
    customer text COLLATE "C" NOT NULL,
    engagement text COLLATE "C" NOT NULL,
    project text COLLATE "C" NOT NULL,
    practice text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    functional_currency text COLLATE "C" NOT NULL,
    lots bigint NOT NULL,
    unconverted bigint NOT NULL,
    hours numeric NOT NULL,
    standard numeric NOT NULL,
    billed numeric NOT NULL,
    recognised numeric NOT NULL,
    cost numeric NOT NULL,
    functional_standard numeric NOT NULL,
    functional_billed numeric NOT NULL,
    functional_recognised numeric NOT NULL,
    functional_cost numeric NOT NULL,
    PRIMARY KEY (by, month, key, selling_entity, customer, engagement, project, practice, currency, functional_currency)
);

-- indexes
CREATE INDEX margin_value ON margin (by, month, (functional_recognised - functional_cost), key, selling_entity, currency);
CREATE INDEX margin_cells_engagement ON margin (engagement) WHERE by = 'cell';
CREATE INDEX margin_cells_customer ON margin (customer) WHERE by = 'cell';
CREATE INDEX margin_cells_project ON margin (project) WHERE by = 'cell';
CREATE INDEX margin_key ON margin (by, key, month);
