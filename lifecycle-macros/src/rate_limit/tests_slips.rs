use super::rate_limit;
use crate::circuit_breaker::circuit_breaker;
use crate::tests::mistakes;
use proc_macro2::TokenStream;
use quote::quote;

#[test]
fn slips() {
    let function = || {
        quote!(
            fn f(n: u32) -> Result<(), Rejected> {
                g()
            }
        )
    };
    let on_function = |args: TokenStream| mistakes(rate_limit(args, function())).join("\n");
    for (args, says) in [
        (quote!("100/s", permits = 0), "`permits` must be at least 1"),
        (quote!("100/s", permits = 0u32), "`permits` must be at least 1"),
        (quote!("100/s", permits = "1"), "write it without quotes, `permits = 1`"),
        (quote!("100/s", permits = "n"), "write it without quotes, `permits = 10` or `permits = batch.size`"),
        (quote!("100/s", permits = -1), "cannot be negative"),
        (quote!("100/s", permits = 1.5), "a whole number"),
        (quote!("100/s", permits = 1usize), "is a `u32`"),
        (quote!("100/s", permits = |n| n), "sees the arguments by their names"),
        (quote!("100/s", permits(3)), "`permits` needs `=` and a value"),
        (quote!("100/s", permits = 101), "101 permits can never be had: a window holds 100"),
        (quote!("100/s", permits = 11, mode = gcra(burst = 10)), "11 permits can never be had: a burst holds 10"),
        (quote!("2/ns", mode = gcra(burst = 1)), "at least a nanosecond apart"),
        (quote!("100/s", on_limit = "wait"), "`on_limit` is a word"),
        (quote!("100/s", wait("50ms")), "write `on_limit = wait(\"50ms\")`"),
        (quote!("100/s", gcra(burst = 3)), "write `mode = gcra(burst = 10)`"),
        (quote!("100/s", burst = 3), "write `mode = gcra(burst = 10)`"),
        (quote!("100/s", cost = n), "write `permits = 10`"),
        (quote!("100/s", mode = token_bucket), "a mean rate with bursts is `gcra` here"),
        (quote!(API, mode = gcra(burst = 10)), "`mode` belongs to the limiter itself"),
        (quote!("100/s", fallback = h, permits = a, permits = b), "`permits` is given twice"),
    ] {
        let said = on_function(args.clone());
        assert!(said.contains(says), "{args}: {said}");
    }
    let item = quote!(
        static API: RateLimiter;
    );
    for (args, says) in [
        (quote!("100/s", permits = 2), "`#[rate_limit(API, permits = ..)]`"),
        (quote!("100/s", on_limit = wait("1s")), "`#[rate_limit(API, on_limit = ..)]`"),
    ] {
        let said = mistakes(rate_limit(args.clone(), item.clone())).join("\n");
        assert!(said.contains(says), "{args}: {said}");
    }
    let breaker = mistakes(circuit_breaker(quote!(permits = 3), function())).join("\n");
    assert!(breaker.contains("`permits` belongs to `#[rate_limit]`"), "{breaker}");
}

#[test]
fn what_a_pattern_takes_out_is_not_there_before_a_fallback() {
    let said = mistakes(rate_limit(
        quote!("100/s", permits = size, fallback = h),
        quote!(
            fn f(Batch { size, .. }: Batch) -> Result<(), Rejected> {
                g()
            }
        ),
    ));
    assert!(said.join("\n").contains("give the argument a name"), "{said:?}");
}
