//! The most permits that any one second saw: `cargo bench -p lifecycle-benches --bench windows`. `--bench yardstick` shows them too.

fn main() {
    println!("\n{}", lifecycle_benches::windows::table());
}
