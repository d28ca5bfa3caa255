//! Requests, responses and errors.
