"""From a catalogue to arrays: validated by Great Expectations, split and prepared."""
