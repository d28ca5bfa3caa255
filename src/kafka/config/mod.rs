//! Configuration keys, defaults, refusals, and typed settings.
