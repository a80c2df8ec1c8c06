use super::isolated_test;
use crate::tests::pretty;
use expect_test::expect;
use quote::quote;

#[test]
fn minimal() {
    expect![[r#"
        #[::lifecycle::__private0::core::prelude::v1::test]
        fn works() {
            return ::lifecycle::testing::isolated(|| -> () { assert!(true) });
        }
    "#]]
    .assert_eq(&pretty(&isolated_test(
        quote!(),
        quote!(
            fn works() {
                assert!(true)
            }
        ),
    )));
}

#[test]
fn rich() {
    let item = quote! {
        /// About it.
        #[should_panic(expected = "no")]
        pub(crate) fn works() -> Result<(), Error> { #![allow(unused)] run()?; Ok(()) }
    };
    expect![[r#"
        /// About it.
        #[should_panic(expected = "no")]
        #[allow(unused)]
        #[facade::lifecycle::__private0::core::prelude::v1::test]
        pub(crate) fn works() -> Result<(), Error> {
            return facade::lifecycle::testing::isolated(|| -> Result<(), Error> {
                run()?;
                Ok(())
            });
        }
    "#]]
    .assert_eq(&pretty(&isolated_test(quote!(crate = facade::lifecycle), item)));
}

#[test]
fn asynchronous() {
    let item = quote! {
        #[tokio::test(flavor = "multi_thread")]
        #[ignore]
        async fn works() -> Result<(), Error> { run().await }
    };
    expect![[r##"
        #[tokio::test(flavor = "multi_thread")]
        #[ignore]
        async fn works() -> Result<(), Error> {
            return ::lifecycle::testing::isolated_async(async move {
                    if false {
                        return ::lifecycle::__private0::guard::never::<Result<(), Error>>();
                    }
                    run().await
                })
                .await;
        }
    "##]]
    .assert_eq(&pretty(&isolated_test(quote!(), item)));
}

#[test]
fn a_value_without_a_name() {
    expect![[r#"
        #[::lifecycle::__private0::core::prelude::v1::test]
        fn works() -> impl Termination {
            return ::lifecycle::testing::isolated(|| { run() });
        }
    "#]]
    .assert_eq(&pretty(&isolated_test(
        quote!(),
        quote!(
            fn works() -> impl Termination {
                run()
            }
        ),
    )));
}
