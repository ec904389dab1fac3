"""The governed services: what people and programs may do, each written once, behind GraphQL and NATS alike."""
