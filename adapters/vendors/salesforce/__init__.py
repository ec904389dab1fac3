"""Salesforce: deals, customers and contract lines, by change events and by rows of the REST API."""
