//! Measuring: see `benches/`.
