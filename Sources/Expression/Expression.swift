// The Expression module.
