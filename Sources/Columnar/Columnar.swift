// The Columnar module.
