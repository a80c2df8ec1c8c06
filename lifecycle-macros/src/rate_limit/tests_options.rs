use super::rate_limit;
use crate::circuit_breaker::circuit_breaker;
use crate::tests::{pretty, pretty_method};
use expect_test::expect;
use quote::quote;

/// The function's body from what asks for admission on.
fn admission(expanded: &str) -> String {
    let from = expanded.find("let lifecycle_permits").or_else(|| expanded.find("if let")).unwrap_or_default();
    expanded[from..].to_owned()
}

#[test]
fn permits_and_a_wait() {
    let args = quote!(API, permits = batch.len() as u32, on_limit = wait("50ms"));
    let blocking = quote!(
        fn store(batch: Vec<Row>) -> Result<(), DbError> {
            write(batch)
        }
    );
    expect![[r#"
        fn store(batch: Vec<Row>) -> Result<(), DbError> {
            let lifecycle_permits: ::lifecycle::__private0::core::primitive::u32 = batch.len()
                as u32;
            let lifecycle_given_limiter = &(API);
            let lifecycle_limiter = ::lifecycle::__private0::guard::shared_limiter(
                lifecycle_given_limiter,
            );
            if let ::lifecycle::__private0::core::result::Result::Err(lifecycle_rejected) = ::lifecycle::__private0::guard::limiter_within(
                lifecycle_limiter,
                lifecycle_permits,
                ::lifecycle::__private0::core::time::Duration::new(0u64, 50000000u32),
            ) {
                return ::lifecycle::__private0::channel::refuse::<
                    Result<(), DbError>,
                >(lifecycle_rejected);
            }
            write(batch)
        }
    "#]].assert_eq(&pretty(&rate_limit(args.clone(), blocking)));
    let awaiting = quote!(
        async fn store(&self, batch: Vec<Row>) -> Result<(), DbError> {
            write(batch).await
        }
    );
    expect![[r#"
        impl Service {
            async fn store(&self, batch: Vec<Row>) -> Result<(), DbError> {
                let lifecycle_permits: ::lifecycle::__private0::core::primitive::u32 = batch
                    .len() as u32;
                let lifecycle_given_limiter = &(API);
                let lifecycle_limiter = ::lifecycle::__private0::guard::shared_limiter(
                    lifecycle_given_limiter,
                );
                if let ::lifecycle::__private0::core::result::Result::Err(lifecycle_rejected) = ::lifecycle::__private0::guard::limiter_within_async(
                        lifecycle_limiter,
                        lifecycle_permits,
                        ::lifecycle::__private0::core::time::Duration::new(0u64, 50000000u32),
                    )
                    .await
                {
                    return ::lifecycle::__private0::channel::refuse::<
                        Result<(), DbError>,
                    >(lifecycle_rejected);
                }
                write(batch).await
            }
        }
    "#]].assert_eq(&pretty_method(&rate_limit(args, awaiting)));
}

#[test]
fn beside_a_breaker() {
    let args = quote!(HA);
    let item = quote!(
        #[::lifecycle::__private0::guard_part(limiter, API, permits = 3, on_limit = wait(Self::PATIENCE))]
        async fn load(&self) -> Result<(), DbError> {
            self.get().await
        }
    );
    expect![[r#"
        impl Service {
            async fn load(&self) -> Result<(), DbError> {
                let lifecycle_permits: ::lifecycle::__private0::core::primitive::u32 = 3;
                let lifecycle_given_breaker = &(HA);
                let lifecycle_breaker = ::lifecycle::__private0::guard::shared_breaker(
                    lifecycle_given_breaker,
                );
                let lifecycle_given_limiter = &(API);
                let lifecycle_limiter = ::lifecycle::__private0::guard::shared_limiter(
                    lifecycle_given_limiter,
                );
                let lifecycle_admission = match ::lifecycle::__private0::guard::both_within_async(
                        lifecycle_breaker,
                        lifecycle_limiter,
                        lifecycle_permits,
                        const {
                            let lifecycle_value: ::lifecycle::__private0::core::time::Duration = ::lifecycle::__private0::channel::duration(
                                Self::PATIENCE,
                            );
                            ::lifecycle::__private0::core::assert!(
                                ! lifecycle_value.is_zero(), "`wait` must be longer than zero"
                            );
                            lifecycle_value
                        },
                    )
                    .await
                {
                    ::lifecycle::__private0::core::result::Result::Ok(lifecycle_admitted) => {
                        lifecycle_admitted
                    }
                    ::lifecycle::__private0::core::result::Result::Err(lifecycle_rejected) => {
                        return ::lifecycle::__private0::channel::refuse::<
                            Result<(), DbError>,
                        >(lifecycle_rejected);
                    }
                };
                return lifecycle_admission
                    .run_async(
                        async move {
                            if false {
                                return ::lifecycle::__private0::guard::never::<
                                    Result<(), DbError>,
                                >();
                            }
                            self.get().await
                        },
                        |lifecycle_value| {
                            use ::lifecycle::__private0::channel::failed::by_type::*;
                            ::lifecycle::__private0::channel::Outcome::<Result<(), DbError>>::NEW
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
                    )
                    .await;
            }
        }
    "#]].assert_eq(&pretty_method(&circuit_breaker(args, item)));
    let item = quote!(
        #[::lifecycle::__private0::guard_part(limiter, API, permits = 3, on_limit = reject)]
        fn load() -> Result<(), DbError> {
            get()
        }
    );
    expect![[r#"
        fn load() -> Result<(), DbError> {
            let lifecycle_permits: ::lifecycle::__private0::core::primitive::u32 = 3;
            let lifecycle_given_breaker = &(HA);
            let lifecycle_breaker = ::lifecycle::__private0::guard::shared_breaker(
                lifecycle_given_breaker,
            );
            let lifecycle_given_limiter = &(API);
            let lifecycle_limiter = ::lifecycle::__private0::guard::shared_limiter(
                lifecycle_given_limiter,
            );
            let lifecycle_admission = match ::lifecycle::__private0::guard::both_n(
                lifecycle_breaker,
                lifecycle_limiter,
                lifecycle_permits,
            ) {
                ::lifecycle::__private0::core::result::Result::Ok(lifecycle_admitted) => {
                    lifecycle_admitted
                }
                ::lifecycle::__private0::core::result::Result::Err(lifecycle_rejected) => {
                    return ::lifecycle::__private0::channel::refuse::<
                        Result<(), DbError>,
                    >(lifecycle_rejected);
                }
            };
            return lifecycle_admission
                .run(
                    || -> Result<(), DbError> { get() },
                    |lifecycle_value| {
                        use ::lifecycle::__private0::channel::failed::by_type::*;
                        ::lifecycle::__private0::channel::Outcome::<Result<(), DbError>>::NEW
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
    "#]]
    .assert_eq(&pretty(&circuit_breaker(quote!(HA), item)));
}

#[test]
fn a_body_that_builds_a_future_takes_the_arguments_at_the_call() {
    let expanded = rate_limit(
        quote!(API, permits = rows.len() as u32, on_limit = wait("1s")),
        quote!(
            fn store(rows: Vec<Row>) -> impl Future<Output = Result<(), DbError>> {
                write(rows)
            }
        ),
    );
    expect![[r#"
        let lifecycle_permits: ::lifecycle::__private0::core::primitive::u32 = rows.len()
                as u32;
            let lifecycle_future = ::lifecycle::__private0::guard::call(|| -> _ { write(rows) });
            return async move {
                if false {
                    return ::lifecycle::__private0::guard::never::<Result<(), DbError>>();
                }
                let lifecycle_given_limiter = &(API);
                let lifecycle_limiter = ::lifecycle::__private0::guard::shared_limiter(
                    lifecycle_given_limiter,
                );
                let () = match ::lifecycle::__private0::guard::limiter_within_async(
                        lifecycle_limiter,
                        lifecycle_permits,
                        ::lifecycle::__private0::core::time::Duration::new(1u64, 0u32),
                    )
                    .await
                {
                    ::lifecycle::__private0::core::result::Result::Ok(lifecycle_admitted) => {
                        lifecycle_admitted
                    }
                    ::lifecycle::__private0::core::result::Result::Err(lifecycle_rejected) => {
                        return ::lifecycle::__private0::channel::refuse::<
                            Result<(), DbError>,
                        >(lifecycle_rejected);
                    }
                };
                return lifecycle_future.await;
            };
        }
    "#]]
    .assert_eq(&admission(&pretty(&expanded)));
}

#[test]
fn a_mode() {
    let own = rate_limit(
        quote!(limit = LIMIT, window = "1s", mode = gcra(burst = BURST)),
        quote!(
            static API: RateLimiter;
        ),
    );
    expect![[r#"
        static API: RateLimiter = {
            const __LIFECYCLE_LIMIT: ::lifecycle::__private0::core::primitive::u32 = {
                let lifecycle_value: ::lifecycle::__private0::core::primitive::u32 = LIMIT;
                ::lifecycle::__private0::core::assert!(
                    lifecycle_value != 0, "`limit` must be at least 1"
                );
                lifecycle_value
            };
            const __LIFECYCLE_BURST: ::lifecycle::__private0::core::primitive::u32 = {
                let lifecycle_value: ::lifecycle::__private0::core::primitive::u32 = BURST;
                ::lifecycle::__private0::core::assert!(
                    lifecycle_value != 0, "`burst` must be at least 1"
                );
                lifecycle_value
            };
            ::lifecycle::__private0::RateLimiter::__declared_gcra(
                ::lifecycle::__private0::Descriptor::new(
                    ::lifecycle::__private0::Kind::Limiter,
                    "api",
                    ::lifecycle::__private0::core::module_path!(),
                    ::lifecycle::__private0::core::file!(),
                    ::lifecycle::__private0::core::line!(),
                ),
                __LIFECYCLE_LIMIT,
                ::lifecycle::__private0::core::time::Duration::new(1u64, 0u32),
                __LIFECYCLE_BURST,
                || &API,
            )
        };
        const _: () = {
            ::lifecycle::__private0::inventory::submit! {
                ::lifecycle::__private0::Listed::limiter(& API)
            }
        };
    "#]]
    .assert_eq(&pretty(&own));
    let keyed = rate_limit(
        quote!("100/s", key = client, mode = gcra(burst = 10)),
        quote!(
            fn hello(client: &str) -> Result<(), Rejected> {
                greet(client)
            }
        ),
    );
    expect![[r#"
        fn hello(client: &str) -> Result<(), Rejected> {
            let lifecycle_limiter = {
                static __LIFECYCLE_LIMITER: ::lifecycle::__private0::KeyedRateLimiter = ::lifecycle::__private0::KeyedRateLimiter::__declared_gcra(
                    ::lifecycle::__private0::Descriptor::new(
                        ::lifecycle::__private0::Kind::Limiter,
                        "hello",
                        ::lifecycle::__private0::core::module_path!(),
                        ::lifecycle::__private0::core::file!(),
                        ::lifecycle::__private0::core::line!(),
                    ),
                    100u32,
                    ::lifecycle::__private0::core::time::Duration::new(1u64, 0u32),
                    10u32,
                    65536u32 as ::lifecycle::__private0::core::primitive::usize,
                    || &__LIFECYCLE_LIMITER,
                );
                ::lifecycle::__private0::inventory::submit! {
                    ::lifecycle::__private0::Listed::keyed_limiter(& __LIFECYCLE_LIMITER)
                }
                __LIFECYCLE_LIMITER.at(::lifecycle::__private0::channel::key(&(client)))
            };
            if let ::lifecycle::__private0::core::result::Result::Err(lifecycle_rejected) = ::lifecycle::__private0::guard::limiter(
                lifecycle_limiter,
            ) {
                return ::lifecycle::__private0::channel::refuse::<
                    Result<(), Rejected>,
                >(lifecycle_rejected);
            }
            greet(client)
        }
    "#]].assert_eq(&pretty(&keyed));
}

#[test]
fn an_impl_block_says_it_for_its_methods() {
    let expanded = rate_limit(
        quote!("100/s", permits = 2, on_limit = wait("1s"), mode = gcra(burst = 10)),
        quote!(
            impl Users {
                fn load(&self) -> Result<(), Rejected> {
                    Ok(())
                }
            }
        ),
    );
    expect![[r#"
        const _: () = {
            static __LIFECYCLE_LIMITER_OF_IMPL: ::lifecycle::__private0::RateLimiter = ::lifecycle::__private0::RateLimiter::__declared_gcra(
                ::lifecycle::__private0::Descriptor::new(
                    ::lifecycle::__private0::Kind::Limiter,
                    "users",
                    ::lifecycle::__private0::core::module_path!(),
                    ::lifecycle::__private0::core::file!(),
                    ::lifecycle::__private0::core::line!(),
                ),
                100u32,
                ::lifecycle::__private0::core::time::Duration::new(1u64, 0u32),
                10u32,
                || &__LIFECYCLE_LIMITER_OF_IMPL,
            );
            ::lifecycle::__private0::inventory::submit! {
                ::lifecycle::__private0::Listed::limiter(& __LIFECYCLE_LIMITER_OF_IMPL)
            }
            impl Users {
                #[::lifecycle::__private0::guard_part(
                    limiter_of_impl,
                    __LIFECYCLE_LIMITER_OF_IMPL,
                    permits = 2,
                    on_limit = wait("1s")
                )]
                fn load(&self) -> Result<(), Rejected> {
                    Ok(())
                }
            }
        };
    "#]].assert_eq(&pretty(&expanded));
}
