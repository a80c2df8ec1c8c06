use super::rate_limit;
use crate::tests::{pretty, pretty_method};
use expect_test::expect;
use quote::quote;

#[test]
fn minimal() {
    let expanded = rate_limit(
        quote!("100/s"),
        quote!(
            fn search(words: &str) -> Result<Hits, SearchError> {
                index().search(words)
            }
        ),
    );
    expect![[r#"
        fn search(words: &str) -> Result<Hits, SearchError> {
            let lifecycle_limiter = {
                static __LIFECYCLE_LIMITER: ::lifecycle::__private0::RateLimiter = ::lifecycle::__private0::RateLimiter::__declared(
                    ::lifecycle::__private0::Descriptor::new(
                        ::lifecycle::__private0::Kind::Limiter,
                        "search",
                        ::lifecycle::__private0::core::module_path!(),
                        ::lifecycle::__private0::core::file!(),
                        ::lifecycle::__private0::core::line!(),
                    ),
                    100u32,
                    ::lifecycle::__private0::core::time::Duration::new(1u64, 0u32),
                    || &__LIFECYCLE_LIMITER,
                );
                ::lifecycle::__private0::inventory::submit! {
                    ::lifecycle::__private0::Listed::limiter(& __LIFECYCLE_LIMITER)
                }
                &__LIFECYCLE_LIMITER
            };
            if let ::lifecycle::__private0::core::result::Result::Err(lifecycle_rejected) = ::lifecycle::__private0::guard::limiter(
                lifecycle_limiter,
            ) {
                return ::lifecycle::__private0::channel::refuse::<
                    Result<Hits, SearchError>,
                >(lifecycle_rejected);
            }
            index().search(words)
        }
    "#]].assert_eq(&pretty(&expanded));
}

#[test]
fn rich() {
    let args =
        quote!(limit = LIMIT, window = "250ms", name = "search", fallback = Self::cached, crate = facade::lifecycle);
    let item = quote! {
        #[must_use]
        async fn search(&self, Query { words, .. }: Query<'_>, page: usize) -> Result<Hits, SearchError> {
            self.index.search(words, page).await
        }
    };
    expect![[r#"
        impl Service {
            #[must_use]
            async fn search(
                &self,
                lifecycle_argument_1: Query<'_>,
                page: usize,
            ) -> Result<Hits, SearchError> {
                let lifecycle_limiter = {
                    const __LIFECYCLE_LIMIT: facade::lifecycle::__private0::core::primitive::u32 = {
                        let lifecycle_value: facade::lifecycle::__private0::core::primitive::u32 = LIMIT;
                        facade::lifecycle::__private0::core::assert!(
                            lifecycle_value != 0, "`limit` must be at least 1"
                        );
                        lifecycle_value
                    };
                    static __LIFECYCLE_LIMITER: facade::lifecycle::__private0::RateLimiter = facade::lifecycle::__private0::RateLimiter::__declared(
                        facade::lifecycle::__private0::Descriptor::new(
                            facade::lifecycle::__private0::Kind::Limiter,
                            "search",
                            facade::lifecycle::__private0::core::module_path!(),
                            facade::lifecycle::__private0::core::file!(),
                            facade::lifecycle::__private0::core::line!(),
                        ),
                        __LIFECYCLE_LIMIT,
                        facade::lifecycle::__private0::core::time::Duration::new(
                            0u64,
                            250000000u32,
                        ),
                        || &__LIFECYCLE_LIMITER,
                    );
                    facade::lifecycle::__private0::inventory::submit! {
                        facade::lifecycle::__private0::Listed::limiter(& __LIFECYCLE_LIMITER)
                    }
                    &__LIFECYCLE_LIMITER
                };
                if let facade::lifecycle::__private0::core::result::Result::Err(
                    lifecycle_rejected,
                ) = facade::lifecycle::__private0::guard::limiter(lifecycle_limiter) {
                    return {
                        facade::lifecycle::__private0::core::mem::drop(lifecycle_rejected);
                        facade::lifecycle::__private0::channel::fallback(
                                Self::cached(self, lifecycle_argument_1, page),
                            )
                            .await
                    };
                }
                let Query { words, .. } = lifecycle_argument_1;
                self.index.search(words, page).await
            }
        }
    "#]].assert_eq(&pretty_method(&rate_limit(args, item)));
}
