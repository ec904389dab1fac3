-- What legal entities charge each other: every lot that is charged for, and every invoice between two entities.

CREATE TABLE transfer (
    stream text COLLATE "C" NOT NULL,
    lot text COLLATE "C" NOT NULL,
    lender text COLLATE "C" NOT NULL,
    borrower text COLLATE "C" NOT NULL,
    crossing boolean NOT NULL,  -- between practices of one entity, without an invoice
    engagement text COLLATE "C" NOT NULL,
    project text COLLATE "C" NOT NULL,
    work_date date NOT NULL,
    quantity numeric NOT NULL,
    currency text COLLATE "C" NOT NULL,  -- empty while there is no price
    price numeric,
    value numeric,
    because text NOT NULL,
    gap text COLLATE "C",
    status text COLLATE "C" NOT NULL,  -- due, lacking, crossing, invoiced, to_take_back
    number text COLLATE "C",
    PRIMARY KEY (stream, lot)
);

CREATE TABLE intercompany_invoice (
    number text COLLATE "C" NOT NULL,
    lender text COLLATE "C" NOT NULL,
    borrower text COLLATE "C" NOT NULL,
    period text COLLATE "C" NOT NULL,
    issued_on date NOT NULL,
    currency text COLLATE "C" NOT NULL,
    lines bigint NOT NULL,
    net numeric NOT NULL,
    tax numeric NOT NULL,
    gross numeric NOT NULL,
    tax_category text COLLATE "C" NOT NULL,
    lender_currency text COLLATE "C" NOT NULL,
    lender_revenue numeric NOT NULL,
    lender_receivable numeric NOT NULL,
    lender_rate_id text NOT NULL,
    borrower_currency text COLLATE "C" NOT NULL,
    borrower_cost numeric NOT NULL,
    borrower_payable numeric NOT NULL,
    borrower_rate_id text NOT NULL,
    run_by text COLLATE "C" NOT NULL,
    event text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    settled numeric NOT NULL,
    PRIMARY KEY (number)
);

-- indexes
CREATE INDEX transfer_pair ON transfer (lender, borrower, work_date, lot);
CREATE INDEX transfer_waiting ON transfer (status, lender, borrower) WHERE status IN ('due', 'to_take_back', 'lacking');
CREATE INDEX intercompany_invoice_pair ON intercompany_invoice (lender, borrower, period, number);
