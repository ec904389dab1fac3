"""What the target systems answer: the PSA and the ERP of the firm, through their connectors."""
