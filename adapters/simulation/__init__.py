"""The sample firm: a seeded multinational consultancy that speaks as its vendors' systems do, in any size."""
