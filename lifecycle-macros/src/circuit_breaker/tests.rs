use super::circuit_breaker;
use crate::tests::{pretty, pretty_method};
use expect_test::expect;
use quote::quote;

#[test]
fn minimal() {
    let expanded = circuit_breaker(
        quote!(),
        quote!(
            fn fetch(id: u64) -> Result<User, ApiError> {
                get(id)
            }
        ),
    );
    expect![[r#"
        fn fetch(id: u64) -> Result<User, ApiError> {
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
                        Result<User, ApiError>,
                    >(lifecycle_rejected);
                }
            };
            return lifecycle_admission
                .run(
                    || -> Result<User, ApiError> { get(id) },
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
fn rich() {
    let args = quote!(
        threshold = 3,
        timeout = OPEN,
        slow_call = "1.5s",
        name = "users",
        on_rejected = |r| ApiError::refused(id, r)
    );
    let item = quote! {
        /// Fetches.
        #[inline]
        pub(crate) async fn fetch<'a, T: Load>(&'a mut self, id: u64, mut rest: impl Iterator<Item = T>) -> Result<&'a T, ApiError> {
            self.get(id, rest.next()).await
        }
    };
    expect![[r#"
        impl Service {
            /// Fetches.
            #[inline]
            pub(crate) async fn fetch<'a, T: Load>(
                &'a mut self,
                id: u64,
                mut rest: impl Iterator<Item = T>,
            ) -> Result<&'a T, ApiError> {
                let lifecycle_breaker = {
                    const __LIFECYCLE_TIMEOUT: ::lifecycle::__private0::core::time::Duration = {
                        let lifecycle_value: ::lifecycle::__private0::core::time::Duration = ::lifecycle::__private0::channel::seconds(
                            OPEN,
                        );
                        ::lifecycle::__private0::core::assert!(
                            ! lifecycle_value.is_zero(), "`timeout` must be longer than zero"
                        );
                        lifecycle_value
                    };
                    static __LIFECYCLE_BREAKER: ::lifecycle::__private0::CircuitBreaker = ::lifecycle::__private0::CircuitBreaker::__declared(
                        ::lifecycle::__private0::Descriptor::new(
                            ::lifecycle::__private0::Kind::Breaker,
                            "users",
                            ::lifecycle::__private0::core::module_path!(),
                            ::lifecycle::__private0::core::file!(),
                            ::lifecycle::__private0::core::line!(),
                        ),
                        ::lifecycle::__private0::BreakerConfig::new()
                            .threshold(3u32)
                            .timeout(__LIFECYCLE_TIMEOUT)
                            .slow_call(
                                ::lifecycle::__private0::core::time::Duration::new(
                                    1u64,
                                    500000000u32,
                                ),
                            ),
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
                        return {
                            use ::lifecycle::__private0::channel::Whole as _;
                            ::lifecycle::__private0::channel::Outcome::<
                                Result<&'a T, ApiError>,
                            >::NEW
                                .__refused(|r| ApiError::refused(id, r), lifecycle_rejected)
                        };
                    }
                };
                return lifecycle_admission
                    .run_async(
                        async move {
                            if false {
                                return ::lifecycle::__private0::guard::never::<
                                    Result<&'a T, ApiError>,
                                >();
                            }
                            self.get(id, rest.next()).await
                        },
                        |lifecycle_value| {
                            use ::lifecycle::__private0::channel::failed::by_type::*;
                            ::lifecycle::__private0::channel::Outcome::<
                                Result<&'a T, ApiError>,
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
    "#]].assert_eq(&pretty_method(&circuit_breaker(args, item)));
}
