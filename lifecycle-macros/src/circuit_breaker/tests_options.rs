//! Options beyond the first numbers: rates, growth, predicates, functions for `execute`.

use super::circuit_breaker;
use crate::tests::pretty;
use expect_test::expect;
use proc_macro2::TokenStream;
use quote::quote;

/// The errors of one use.
fn mistakes(args: TokenStream, item: TokenStream) -> Vec<String> {
    crate::tests::mistakes(circuit_breaker(args, item))
}

#[test]
fn rates_and_growth() {
    let args = quote!(
        failure_rate = 50,
        slow_call_rate = PERCENT,
        window = WINDOW,
        minimum_calls = 20,
        backoff = exponential(factor = 1.5, cap = "10m", jitter = 10),
        cancelled = neutral
    );
    let expanded = circuit_breaker(
        args,
        quote!(
            fn fetch() -> Result<User, ApiError> {
                get()
            }
        ),
    );
    expect![[r#"
        fn fetch() -> Result<User, ApiError> {
            let lifecycle_breaker = {
                const __LIFECYCLE_SLOW_CALL_RATE: ::lifecycle::__private0::core::primitive::u32 = {
                    let lifecycle_value: ::lifecycle::__private0::core::primitive::u32 = PERCENT;
                    ::lifecycle::__private0::core::assert!(
                        lifecycle_value != 0 && lifecycle_value <= 100,
                        "`slow_call_rate` is in percent, from 1 to 100"
                    );
                    lifecycle_value
                };
                const __LIFECYCLE_WINDOW: ::lifecycle::__private0::Window = {
                    let lifecycle_value: ::lifecycle::__private0::Window = WINDOW;
                    ::lifecycle::__private0::core::assert!(
                        ::lifecycle::__private0::channel::is_window(& lifecycle_value),
                        "`window` must hold at least one call and at most 1048576"
                    );
                    lifecycle_value
                };
                const _: () = ::lifecycle::__private0::core::assert!(
                    ::lifecycle::__private0::channel::window_holds(& __LIFECYCLE_WINDOW, 20u32),
                    "`minimum_calls` is more than the window can hold"
                );
                static __LIFECYCLE_BREAKER: ::lifecycle::__private0::CircuitBreaker = ::lifecycle::__private0::CircuitBreaker::__declared(
                    ::lifecycle::__private0::Descriptor::new(
                        ::lifecycle::__private0::Kind::Breaker,
                        "fetch",
                        ::lifecycle::__private0::core::module_path!(),
                        ::lifecycle::__private0::core::file!(),
                        ::lifecycle::__private0::core::line!(),
                    ),
                    ::lifecycle::__private0::BreakerConfig::new()
                        .failure_rate(50u32)
                        .slow_call_rate(__LIFECYCLE_SLOW_CALL_RATE)
                        .minimum_calls(20u32)
                        .window(__LIFECYCLE_WINDOW)
                        .backoff(
                            ::lifecycle::__private0::Backoff::exponential()
                                .factor(1.5f64)
                                .cap(
                                    ::lifecycle::__private0::core::time::Duration::new(
                                        600u64,
                                        0u32,
                                    ),
                                )
                                .jitter(10u32),
                        )
                        .cancelled(::lifecycle::__private0::Cancelled::Neutral),
                    || &__LIFECYCLE_BREAKER,
                );
                ::lifecycle::__private0::inventory::submit! {
                    ::lifecycle::__private0::Listed::breaker(& __LIFECYCLE_BREAKER)
                }
                &__LIFECYCLE_BREAKER
            };
            let lifecycle_admission = match ::lifecycle::__private0::guard::breaker(
                lifecycle_breaker,
            ) {
                ::lifecycle::__private0::core::result::Result::Ok(lifecycle_admitted) => {
                    lifecycle_admitted
                }
                ::lifecycle::__private0::core::result::Result::Err(lifecycle_rejected) => {
                    return ::lifecycle::__private0::channel::refuse::<
                        Result<User, ApiError>,
                    >(lifecycle_rejected);
                }
            };
            return lifecycle_admission
                .run(
                    || -> Result<User, ApiError> { get() },
                    |lifecycle_value| {
                        use ::lifecycle::__private0::channel::failed::by_type::*;
                        ::lifecycle::__private0::channel::Outcome::<Result<User, ApiError>>::NEW
                            .__verdict(
                                lifecycle_value,
                                |lifecycle_error| {
                                    (&&&&&&&&&::lifecycle::__private0::channel::failed::Failed(
                                        lifecycle_error,
                                    ))
                                        .__verdict()
                                },
                            )
                    },
                );
        }
    "#]].assert_eq(&pretty(&expanded));
}

#[test]
fn predicates() {
    let expanded = circuit_breaker(
        quote!(ignore = |e| e.is_not_found(), failure_if = Response::is_broken),
        quote!(
            async fn fetch(id: u64) -> Result<Response, ApiError> {
                get(id).await
            }
        ),
    );
    expect![[r#"
        async fn fetch(id: u64) -> Result<Response, ApiError> {
            let lifecycle_breaker = {
                static __LIFECYCLE_BREAKER: ::lifecycle::__private0::CircuitBreaker = ::lifecycle::__private0::CircuitBreaker::__declared(
                    ::lifecycle::__private0::Descriptor::new(
                        ::lifecycle::__private0::Kind::Breaker,
                        "fetch",
                        ::lifecycle::__private0::core::module_path!(),
                        ::lifecycle::__private0::core::file!(),
                        ::lifecycle::__private0::core::line!(),
                    ),
                    ::lifecycle::__private0::BreakerConfig::new(),
                    || &__LIFECYCLE_BREAKER,
                );
                ::lifecycle::__private0::inventory::submit! {
                    ::lifecycle::__private0::Listed::breaker(& __LIFECYCLE_BREAKER)
                }
                &__LIFECYCLE_BREAKER
            };
            let lifecycle_admission = match ::lifecycle::__private0::guard::breaker(
                lifecycle_breaker,
            ) {
                ::lifecycle::__private0::core::result::Result::Ok(lifecycle_admitted) => {
                    lifecycle_admitted
                }
                ::lifecycle::__private0::core::result::Result::Err(lifecycle_rejected) => {
                    return ::lifecycle::__private0::channel::refuse::<
                        Result<Response, ApiError>,
                    >(lifecycle_rejected);
                }
            };
            return lifecycle_admission
                .run_async(
                    async move {
                        if false {
                            return ::lifecycle::__private0::guard::never::<
                                Result<Response, ApiError>,
                            >();
                        }
                        get(id).await
                    },
                    |lifecycle_value| {
                        if ::lifecycle::__private0::channel::ignores(
                            lifecycle_value,
                            |e| e.is_not_found(),
                        ) {
                            return ::lifecycle::__private0::Verdict::Ignored;
                        }
                        ::lifecycle::__private0::channel::failed_if(
                            lifecycle_value,
                            Response::is_broken,
                        )
                    },
                )
                .await;
        }
    "#]].assert_eq(&pretty(&expanded));
}

#[test]
fn a_function_for_execute() {
    let expanded = circuit_breaker(
        quote!(dispatch),
        quote!(
            fn sweep() -> Result<u64, SweepError> {
                work()
            }
        ),
    );
    expect![[r##"
        #[allow(dead_code)]
        fn sweep() -> Result<u64, SweepError> {
            #[inline]
            fn __lifecycle_dispatched() -> Result<u64, SweepError> {
                let lifecycle_breaker = {
                    static __LIFECYCLE_BREAKER: ::lifecycle::__private0::CircuitBreaker = ::lifecycle::__private0::CircuitBreaker::__declared(
                        ::lifecycle::__private0::Descriptor::new(
                            ::lifecycle::__private0::Kind::Breaker,
                            "sweep",
                            ::lifecycle::__private0::core::module_path!(),
                            ::lifecycle::__private0::core::file!(),
                            ::lifecycle::__private0::core::line!(),
                        ),
                        ::lifecycle::__private0::BreakerConfig::new(),
                        || &__LIFECYCLE_BREAKER,
                    );
                    ::lifecycle::__private0::inventory::submit! {
                        ::lifecycle::__private0::Listed::breaker_with(& __LIFECYCLE_BREAKER, || {
                        use ::lifecycle::__private0::channel::DispatchedWhole as _;
                        ::lifecycle::__private0::channel::Dispatching(__lifecycle_dispatched())
                        .__dispatched() })
                    }
                    &__LIFECYCLE_BREAKER
                };
                let lifecycle_admission = match ::lifecycle::__private0::guard::breaker(
                    lifecycle_breaker,
                ) {
                    ::lifecycle::__private0::core::result::Result::Ok(lifecycle_admitted) => {
                        lifecycle_admitted
                    }
                    ::lifecycle::__private0::core::result::Result::Err(lifecycle_rejected) => {
                        return ::lifecycle::__private0::channel::refuse::<
                            Result<u64, SweepError>,
                        >(lifecycle_rejected);
                    }
                };
                return lifecycle_admission
                    .run(
                        || -> Result<u64, SweepError> { work() },
                        |lifecycle_value| {
                            use ::lifecycle::__private0::channel::failed::by_type::*;
                            ::lifecycle::__private0::channel::Outcome::<
                                Result<u64, SweepError>,
                            >::NEW
                                .__verdict(
                                    lifecycle_value,
                                    |lifecycle_error| {
                                        (&&&&&&&&&::lifecycle::__private0::channel::failed::Failed(
                                            lifecycle_error,
                                        ))
                                            .__verdict()
                                    },
                                )
                        },
                    );
            }
            return __lifecycle_dispatched();
        }
    "##]].assert_eq(&pretty(&expanded));
}

#[test]
fn what_does_not_go_together() {
    for (args, says) in [
        (quote!(window = "10s"), "`window` is about rates"),
        (quote!(minimum_calls = 3), "add `failure_rate = 50`"),
        (quote!(failure_rate = 50, minimum_calls = 101), "a window of 100 calls never holds 101"),
        (quote!(failure_rate = 50, window = "10 calls", minimum_calls = 11), "write `window = \"11 calls\"` or more"),
        (quote!(max_keys = 3), "without `key` there is one breaker"),
        (quote!(key = id, dispatch), "`execute` has no arguments to give"),
        (quote!(HA, threshold = 3), "`threshold` belongs to the breaker itself"),
        (quote!(HA, name = "x"), "`name` belongs to the breaker itself"),
        (quote!(HA, key = id), "leave one of the two away"),
        (quote!(threshold = 3, fallback = f, on_rejected = g), "says already"),
        (quote!(skip, threshold = 3), "nothing more to say"),
        (quote!(skip, on_rejected = f), "nothing more to say"),
        (quote!(HA, skip), "needs no breaker"),
        (quote!(include, threshold = 3), "belongs to that"),
        (quote!(skip), "there is none: remove the attribute"),
        (quote!(include), "there is none: put one there"),
        (quote!(dispatch), "`execute` has no arguments to give"),
        (quote!(dispatch<T>), "nobody could tell generic parameters"),
        (
            quote!(threshold = "Off"),
            "`threshold` is off beside `failure_rate` or `slow_call_rate`, unless it is written",
        ),
        (quote!(threshold = None, failure_rate = 50), "leave `threshold` away"),
        (quote!(failure_rate = off), "`failure_rate` is off unless it is written"),
        (quote!(backoff = "off"), "`backoff` is off unless it is written"),
        (quote!(timeout = false), "`timeout` cannot be off: write `timeout = 30`"),
    ] {
        let said = mistakes(
            args.clone(),
            quote!(
                fn fetch(id: u64) -> Result<User, ApiError> {
                    get(id)
                }
            ),
        );
        assert!(said.len() == 1 && said[0].contains(says), "{args}: {said:?}");
    }
    for (item, says) in [
        (
            quote!(
                async fn f() -> Result<u8, E> {
                    g()
                }
            ),
            "this function is async",
        ),
        (
            quote!(
                fn f(&self) -> Result<u8, E> {
                    g()
                }
            ),
            "no value to call a method of",
        ),
        (
            quote!(
                fn f<T>() -> Result<T, E> {
                    g()
                }
            ),
            "cannot tell the generic parameters",
        ),
        (
            quote!(
                unsafe fn f() -> Result<u8, E> {
                    g()
                }
            ),
            "`execute` is safe",
        ),
    ] {
        let said = mistakes(quote!(dispatch), item);
        assert!(said.len() == 1 && said[0].contains(says), "{said:?}");
    }
    assert!(
        mistakes(
            quote!(slow_call_rate = 80),
            quote!(
                fn f() -> Result<u8, E> {
                    g()
                }
            )
        )
        .is_empty()
    );
    assert!(
        mistakes(
            quote!(failure_rate = 80, window = "10s", minimum_calls = 1000),
            quote!(
                fn f() -> Result<u8, E> {
                    g()
                }
            )
        )
        .is_empty()
    );
}
