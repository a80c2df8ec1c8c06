//! Where the breaker or limiter is: one for each key, one declared elsewhere.

use crate::circuit_breaker::circuit_breaker;
use crate::rate_limit::rate_limit;
use crate::tests::{mistakes, pretty, pretty_method};
use expect_test::expect;
use proc_macro2::TokenStream;
use quote::quote;

#[test]
fn one_for_each_key() {
    let expanded = circuit_breaker(
        quote!(key = format!("{host}/{id}"), max_keys = MOST, threshold = 3, name = "hosts"),
        quote!(
            async fn fetch(host: String, id: u64) -> Result<User, ApiError> {
                get(host, id).await
            }
        ),
    );
    expect![[r#"
        async fn fetch(host: String, id: u64) -> Result<User, ApiError> {
            let lifecycle_breaker = {
                const __LIFECYCLE_MAX_KEYS: ::lifecycle::__private0::core::primitive::u32 = {
                    let lifecycle_value: ::lifecycle::__private0::core::primitive::u32 = MOST;
                    ::lifecycle::__private0::core::assert!(
                        lifecycle_value != 0, "`max_keys` must be at least 1"
                    );
                    lifecycle_value
                };
                static __LIFECYCLE_BREAKER: ::lifecycle::__private0::KeyedCircuitBreaker = ::lifecycle::__private0::KeyedCircuitBreaker::__declared(
                    ::lifecycle::__private0::Descriptor::new(
                        ::lifecycle::__private0::Kind::Breaker,
                        "hosts",
                        ::lifecycle::__private0::core::module_path!(),
                        ::lifecycle::__private0::core::file!(),
                        ::lifecycle::__private0::core::line!(),
                    ),
                    ::lifecycle::__private0::BreakerConfig::new().threshold(3u32),
                    __LIFECYCLE_MAX_KEYS as ::lifecycle::__private0::core::primitive::usize,
                    || &__LIFECYCLE_BREAKER,
                );
                ::lifecycle::__private0::inventory::submit! {
                    ::lifecycle::__private0::Listed::keyed_breaker(& __LIFECYCLE_BREAKER)
                }
                __LIFECYCLE_BREAKER
                    .at(::lifecycle::__private0::channel::key(&(format!("{host}/{id}"))))
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
                .run_async(
                    async move {
                        if false {
                            return ::lifecycle::__private0::guard::never::<
                                Result<User, ApiError>,
                            >();
                        }
                        get(host, id).await
                    },
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
                )
                .await;
        }
    "#]].assert_eq(&pretty(&expanded));
}

#[test]
fn a_limiter_for_each_key() {
    let expanded = rate_limit(
        quote!("5/s", key = client),
        quote!(
            fn search(client: &str) -> Result<Hits, SearchError> {
                index().search(client)
            }
        ),
    );
    expect![[r#"
        fn search(client: &str) -> Result<Hits, SearchError> {
            let lifecycle_limiter = {
                static __LIFECYCLE_LIMITER: ::lifecycle::__private0::KeyedRateLimiter = ::lifecycle::__private0::KeyedRateLimiter::__declared(
                    ::lifecycle::__private0::Descriptor::new(
                        ::lifecycle::__private0::Kind::Limiter,
                        "search",
                        ::lifecycle::__private0::core::module_path!(),
                        ::lifecycle::__private0::core::file!(),
                        ::lifecycle::__private0::core::line!(),
                    ),
                    5u32,
                    ::lifecycle::__private0::core::time::Duration::new(1u64, 0u32),
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
                    Result<Hits, SearchError>,
                >(lifecycle_rejected);
            }
            index().search(client)
        }
    "#]].assert_eq(&pretty(&expanded));
}

#[test]
fn one_that_is_declared_elsewhere() {
    let expanded = circuit_breaker(
        quote!(self.breaker, on_rejected = Self::refused),
        quote!(
            async fn fetch(&self, id: u64) -> Result<User, ApiError> {
                self.get(id).await
            }
        ),
    );
    expect![[r#"
        impl Service {
            async fn fetch(&self, id: u64) -> Result<User, ApiError> {
                let lifecycle_given_breaker = &(self.breaker);
                let lifecycle_breaker = ::lifecycle::__private0::guard::shared_breaker(
                    lifecycle_given_breaker,
                );
                let lifecycle_admission = match ::lifecycle::__private0::guard::breaker(
                    lifecycle_breaker,
                ) {
                    ::lifecycle::__private0::core::result::Result::Ok(lifecycle_admitted) => {
                        lifecycle_admitted
                    }
                    ::lifecycle::__private0::core::result::Result::Err(lifecycle_rejected) => {
                        return {
                            use ::lifecycle::__private0::channel::Whole as _;
                            ::lifecycle::__private0::channel::Outcome::<
                                Result<User, ApiError>,
                            >::NEW
                                .__refused(Self::refused, lifecycle_rejected)
                        };
                    }
                };
                return lifecycle_admission
                    .run_async(
                        async move {
                            if false {
                                return ::lifecycle::__private0::guard::never::<
                                    Result<User, ApiError>,
                                >();
                            }
                            self.get(id).await
                        },
                        |lifecycle_value| {
                            use ::lifecycle::__private0::channel::failed::by_type::*;
                            ::lifecycle::__private0::channel::Outcome::<
                                Result<User, ApiError>,
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
                    )
                    .await;
            }
        }
    "#]]
    .assert_eq(&pretty_method(&expanded));
}

/// What holds a borrow of `self` through the body cannot stand where the body has `self` to itself.
#[test]
fn what_the_body_takes_is_reached_by_an_owner() {
    let guards = |args: TokenStream, signature: TokenStream| {
        let expanded = circuit_breaker(args, quote!(#signature { body }));
        let tokens = expanded.to_string();
        assert_eq!(mistakes(expanded), Vec::<String>::new(), "{signature}");
        let (shared, owned) = (tokens.contains("guard :: shared_breaker"), tokens.contains("guard :: owned_breaker"));
        assert!(shared != owned, "{tokens}");
        if owned { "owned" } else { "shared" }
    };
    for (args, signature, how) in [
        (quote!(self.breaker), quote!(fn f(&self) -> Result<u8, E>), "shared"),
        (quote!(self.breaker), quote!(fn f(self: &Self) -> Result<u8, E>), "shared"),
        (quote!(self.breaker), quote!(fn f(&mut self) -> Result<u8, E>), "owned"),
        (quote!(self.breaker), quote!(fn f(self) -> Result<u8, E>), "owned"),
        (quote!(self.breaker), quote!(fn f(mut self) -> Result<u8, E>), "owned"),
        (quote!(self.breaker), quote!(fn f(self: Arc<Self>) -> Result<u8, E>), "owned"),
        (quote!(self.breaker), quote!(fn f(self: Pin<&mut Self>) -> Result<u8, E>), "owned"),
        (quote!(HA), quote!(fn f(self) -> Result<u8, E>), "shared"),
        (quote!(registry().breaker("x")), quote!(fn f(&mut self) -> Result<u8, E>), "shared"),
        (quote!(client.breaker), quote!(fn f(client: &Client) -> Result<u8, E>), "shared"),
        (quote!(client.breaker), quote!(async fn f(client: Client) -> Result<u8, E>), "owned"),
        (quote!(self.of(shard)), quote!(async fn f(&self, shard: usize) -> Result<u8, E>), "shared"),
        (quote!(self.breaker), quote!(fn f(&self) -> BoxFuture<'_, Result<u8, E>>), "owned"),
        (quote!(HA), quote!(fn f(&self) -> BoxFuture<'_, Result<u8, E>>), "shared"),
    ] {
        assert_eq!(guards(args.clone(), signature.clone()), how, "{args} on {signature}");
    }
}

/// The body runs at the call, and the guard decides at the first poll: what it needs of the arguments it takes before.
#[test]
fn a_body_that_builds_a_future_and_a_key() {
    let expanded = circuit_breaker(
        quote!(key = host),
        quote!(
            fn load(host: String) -> impl Future<Output = Result<u8, E>> {
                let request = request(host);
                async move { request.await }
            }
        ),
    );
    expect![[r#"
        fn load(host: String) -> impl Future<Output = Result<u8, E>> {
            let lifecycle_breaker = {
                static __LIFECYCLE_BREAKER: ::lifecycle::__private0::KeyedCircuitBreaker = ::lifecycle::__private0::KeyedCircuitBreaker::__declared(
                    ::lifecycle::__private0::Descriptor::new(
                        ::lifecycle::__private0::Kind::Breaker,
                        "load",
                        ::lifecycle::__private0::core::module_path!(),
                        ::lifecycle::__private0::core::file!(),
                        ::lifecycle::__private0::core::line!(),
                    ),
                    ::lifecycle::__private0::BreakerConfig::new(),
                    65536u32 as ::lifecycle::__private0::core::primitive::usize,
                    || &__LIFECYCLE_BREAKER,
                );
                ::lifecycle::__private0::inventory::submit! {
                    ::lifecycle::__private0::Listed::keyed_breaker(& __LIFECYCLE_BREAKER)
                }
                __LIFECYCLE_BREAKER.at(::lifecycle::__private0::channel::key(&(host)))
            };
            let lifecycle_future = ::lifecycle::__private0::guard::call(|| -> _ {
                let request = request(host);
                async move { request.await }
            });
            return async move {
                if false {
                    return ::lifecycle::__private0::guard::never::<Result<u8, E>>();
                }
                let lifecycle_admission = match ::lifecycle::__private0::guard::breaker(
                    lifecycle_breaker,
                ) {
                    ::lifecycle::__private0::core::result::Result::Ok(lifecycle_admitted) => {
                        lifecycle_admitted
                    }
                    ::lifecycle::__private0::core::result::Result::Err(lifecycle_rejected) => {
                        return ::lifecycle::__private0::channel::refuse::<
                            Result<u8, E>,
                        >(lifecycle_rejected);
                    }
                };
                return lifecycle_admission
                    .run_async(
                        lifecycle_future,
                        |lifecycle_value| {
                            use ::lifecycle::__private0::channel::failed::by_type::*;
                            ::lifecycle::__private0::channel::Outcome::<Result<u8, E>>::NEW
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
            };
        }
    "#]].assert_eq(&pretty(&expanded));
}

#[test]
fn a_fallback_hides_what_patterns_bind() {
    let said = mistakes(circuit_breaker(
        quote!(key = host, fallback = cached),
        quote!(
            fn f(Request { host, .. }: Request) -> Result<u8, E> {
                g(host)
            }
        ),
    ));
    assert!(said.len() == 1 && said[0].contains("give the argument a name"), "{said:?}");
    let said = mistakes(circuit_breaker(
        quote!(key = request.host, fallback = cached),
        quote!(
            fn f(request: Request, (a, host): (u8, u8)) -> Result<u8, E> {
                g(host)
            }
        ),
    ));
    assert_eq!(said, Vec::<String>::new());
}
