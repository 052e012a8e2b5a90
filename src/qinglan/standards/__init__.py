"""National standards: editions as data, evaluators that take a frame and give a frame."""
