//! The messages of the macros, word for word. After a change: `TRYBUILD=overwrite cargo test -p lifecycle-ui-tests --test ui`,
//! then read the difference as a user would.

#[test]
fn refusals_say_what_to_write() {
    trybuild::TestCases::new().compile_fail("tests/fail/*.rs");
}
