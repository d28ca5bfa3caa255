//! The command language (see design.md): words, parser, printer, errors. Knows no simulator.
