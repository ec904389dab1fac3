"""Finance: what was stated of periods, rates, agreements and accounts, and what became known of a month later."""
