//! Cold.
fn main() {}
