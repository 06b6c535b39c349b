// The Connectors module.
