// The Dataflow module.
