//! Completes a command line that is being typed.
