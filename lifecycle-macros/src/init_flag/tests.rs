use super::init_flag;
use crate::tests::pretty;
use expect_test::expect;
use quote::quote;

#[test]
fn minimal() {
    expect![[r#"
        static USE_CACHE: Flag<bool> = <Flag<
            bool,
        >>::__declared(
            true,
            ::lifecycle::__private0::Descriptor::new(
                ::lifecycle::__private0::Kind::Flag,
                "use_cache",
                ::lifecycle::__private0::core::module_path!(),
                ::lifecycle::__private0::core::file!(),
                ::lifecycle::__private0::core::line!(),
            ),
            ::lifecycle::__private0::core::option::Option::None,
            || &USE_CACHE,
        );
        const _: () = {
            ::lifecycle::__private0::inventory::submit! {
                ::lifecycle::__private0::Listed::flag(& USE_CACHE)
            }
        };
    "#]]
    .assert_eq(&pretty(&init_flag(
        quote!(),
        quote!(
            static USE_CACHE: Flag<bool> = true;
        ),
    )));
}

#[test]
fn rich() {
    let args = quote!(env = "RETRY_AFTER", name = "retry", crate = facade::lifecycle);
    let item = quote! {
        /// How long to wait.
        #[cfg(unix)]
        pub(crate) static RETRY_AFTER: lifecycle::Flag<Duration> = lifecycle::Flag::new(Duration::from_secs(3));
    };
    expect![[r#"
        /// How long to wait.
        #[cfg(unix)]
        pub(crate) static RETRY_AFTER: lifecycle::Flag<Duration> = <lifecycle::Flag<
            Duration,
        >>::__declared(
            Duration::from_secs(3),
            facade::lifecycle::__private0::Descriptor::new(
                facade::lifecycle::__private0::Kind::Flag,
                "retry",
                facade::lifecycle::__private0::core::module_path!(),
                facade::lifecycle::__private0::core::file!(),
                facade::lifecycle::__private0::core::line!(),
            ),
            facade::lifecycle::__private0::core::option::Option::Some("RETRY_AFTER"),
            || &RETRY_AFTER,
        );
        #[cfg(unix)]
        const _: () = {
            facade::lifecycle::__private0::inventory::submit! {
                facade::lifecycle::__private0::Listed::flag(& RETRY_AFTER)
            }
        };
    "#]]
    .assert_eq(&pretty(&init_flag(args, item)));
}
