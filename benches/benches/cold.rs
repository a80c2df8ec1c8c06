//! Cold.
fn main(){}
