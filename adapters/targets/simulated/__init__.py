"""A PSA and an ERP that behave as such systems do, to run against: stateful, and sometimes down, slow or mute."""
