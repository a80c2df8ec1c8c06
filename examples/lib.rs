//! Nothing here: the examples are in `examples/`. Run one with `cargo run --example NAME`.
