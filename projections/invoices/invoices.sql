-- Every invoice from its draft on; its lines and lots are read from its stream.

CREATE TABLE invoice (
    invoice text COLLATE "C" NOT NULL,
    number text COLLATE "C",
    status text COLLATE "C" NOT NULL,
    engagement text COLLATE "C" NOT NULL,
    customer text COLLATE "C" NOT NULL,
    buyer_name text,
    selling_entity text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    purchase_order text,
    cut_off date NOT NULL,
    prepared_by text COLLATE "C" NOT NULL,
    approved_by text COLLATE "C",
    net numeric NOT NULL,
    tax numeric NOT NULL,
    gross numeric NOT NULL,
    paid numeric NOT NULL,
    due numeric NOT NULL,
    held_back numeric NOT NULL,
    written_off numeric NOT NULL,
    credited numeric NOT NULL,
    disputes bigint NOT NULL,
    collections_on date,
    issued_on date,
    due_on date,
    paid_on date,
    delivered_on date,
    functional_currency text COLLATE "C",
    fx_rate numeric,
    line_count bigint NOT NULL,
    lot_count bigint NOT NULL,
    first_work_date date,
    last_work_date date,
    drafted_at timestamptz NOT NULL,
    approved_at timestamptz,
    issued_at timestamptz,
    issued_version bigint,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (invoice)
);

CREATE TABLE invoice_sum (
    selling_entity text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    invoices bigint NOT NULL,
    net numeric NOT NULL,
    gross numeric NOT NULL,
    paid numeric NOT NULL,
    due numeric NOT NULL,
    PRIMARY KEY (selling_entity, status, currency)
);

CREATE TABLE payment (
    payment text COLLATE "C" NOT NULL,
    customer text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    received_on date NOT NULL,
    reference text NOT NULL,
    amount numeric NOT NULL,
    applied numeric NOT NULL,
    refunded numeric NOT NULL,
    on_account numeric NOT NULL,
    recorded_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (payment)
);

CREATE TABLE invoice_payment (
    invoice text COLLATE "C" NOT NULL,
    payment text COLLATE "C" NOT NULL,
    customer text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    received_on date NOT NULL,
    reference text NOT NULL,
    amount numeric NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (invoice, payment)
);

-- indexes
CREATE INDEX payment_received ON payment (received_on, payment);
CREATE INDEX payment_customer ON payment (customer, received_on, payment);
CREATE INDEX payment_on_account ON payment (customer, entity, currency) WHERE on_account <> 0;
CREATE INDEX invoice_payment_received ON invoice_payment (received_on, payment, invoice);
CREATE INDEX invoice_payment_customer ON invoice_payment (customer, received_on, payment, invoice);
CREATE INDEX invoice_open ON invoice (customer, selling_entity, currency) WHERE status = 'issued' AND due <> 0;
CREATE INDEX invoice_drafted ON invoice (drafted_at, invoice);
CREATE INDEX invoice_number ON invoice (coalesce(number, ''), invoice);
CREATE INDEX invoice_due ON invoice (coalesce(due_on, 'infinity'::date), invoice);
CREATE INDEX invoice_gross ON invoice (gross, invoice);
CREATE INDEX invoice_engagement ON invoice (engagement, drafted_at, invoice);
CREATE INDEX invoice_customer ON invoice (customer, drafted_at, invoice);
CREATE INDEX invoice_entity ON invoice (selling_entity, drafted_at, invoice);
CREATE INDEX invoice_status ON invoice (status, drafted_at, invoice);
