-- Every credit note from its draft on; its lines and lots are read from its stream.

CREATE TABLE credit_note (
    credit_note text COLLATE "C" NOT NULL,
    number text COLLATE "C",
    status text COLLATE "C" NOT NULL,
    form text COLLATE "C" NOT NULL,
    invoice text COLLATE "C" NOT NULL,
    invoice_number text COLLATE "C" NOT NULL,
    engagement text COLLATE "C" NOT NULL,
    customer text COLLATE "C" NOT NULL,
    buyer_name text NOT NULL,
    selling_entity text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    reason text NOT NULL,
    prepared_by text COLLATE "C" NOT NULL,
    approved_by text COLLATE "C",
    net numeric NOT NULL,
    tax numeric NOT NULL,
    gross numeric NOT NULL,
    payable numeric NOT NULL,
    functional_currency text COLLATE "C" NOT NULL,
    fx_rate numeric NOT NULL,
    line_count bigint NOT NULL,
    lot_count bigint NOT NULL,
    issued_on date,
    delivered_on date,
    drafted_at timestamptz NOT NULL,
    issued_at timestamptz,
    issued_version bigint,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (credit_note)
);

-- indexes
CREATE INDEX credit_note_drafted ON credit_note (drafted_at, credit_note);
CREATE INDEX credit_note_gross ON credit_note (gross, credit_note);
CREATE INDEX credit_note_number ON credit_note (coalesce(number, ''), credit_note);
CREATE INDEX credit_note_invoice ON credit_note (invoice, drafted_at, credit_note);
CREATE INDEX credit_note_customer ON credit_note (customer, drafted_at, credit_note);
CREATE INDEX credit_note_entity ON credit_note (selling_entity, drafted_at, credit_note);
