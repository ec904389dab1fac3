"""A PSA and an ERP that behave as such systems do, for demonstration and tests: stateful, sometimes down, slow or mute."""
