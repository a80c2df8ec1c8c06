#[lifecycle::test]
async fn without_a_runtime() {}

#[lifecycle::test]
fn with_arguments(_count: u8, (_, _): (u8, u8)) {}

#[lifecycle::test(start_paused = true, crat = lifecycle)]
fn generic<T>() {}

#[lifecycle::test]
const fn at_compile_time() {}

#[lifecycle::test]
struct Config;

fn main() {}
