use super::flag_value;
use crate::tests::{pretty, tokens};
use expect_test::expect;
use quote::quote;

#[test]
fn rich() {
    let item = quote! {
        #[flag_value(crate = facade::lifecycle)]
        pub enum Mode {
            Off = 7,
            VeryFast,
            #[flag_value(rename = "best")]
            r#Final,
        }
    };
    expect![[r##"
        #[automatically_derived]
        #[allow(deprecated)]
        impl facade::lifecycle::__private0::FlagEnum for Mode {
            const NAME: &'static facade::lifecycle::__private0::core::primitive::str = "Mode";
            const EXPECTED: &'static facade::lifecycle::__private0::core::primitive::str = "Mode (`off`, `very_fast`, `best`)";
            const NAMES: &'static [&'static facade::lifecycle::__private0::core::primitive::str] = &[
                "off",
                "very_fast",
                "best",
            ];
            #[inline]
            fn index(&self) -> facade::lifecycle::__private0::core::primitive::u64 {
                match self {
                    Self::Off => 0u64,
                    Self::VeryFast => 1u64,
                    Self::r#Final => 2u64,
                }
            }
            #[inline]
            fn at(lifecycle_index: facade::lifecycle::__private0::core::primitive::u64) -> Self {
                match lifecycle_index {
                    0u64 => Self::Off,
                    1u64 => Self::VeryFast,
                    _ => Self::r#Final,
                }
            }
        }
        facade::lifecycle::__private0::flag_in_word!(Mode);
    "##]].assert_eq(&pretty(&flag_value(item)));
}

#[test]
fn mistakes() {
    for (item, says, implemented) in [
        ("struct S;", "`FlagValue` is for enums", false),
        ("union U { a: u8 }", "`FlagValue` is for enums", false),
        ("enum E {}", "has no variants", false),
        ("enum E<T> { A, B(T) }", "an enum with parameters is many", false),
        ("enum E { A, B(u8) }", "`B` holds more than that", false),
        ("enum E { A { x: u8 }, B }", "`A` holds more than that", false),
        ("enum E { AB, Ab }", "`ab` means `AB` already", true),
        ("enum E { A, #[flag_value(rename = \"A\")] B }", "means `A` already", true),
        ("enum E { #[flag_value(rename = \"\")] A }", "not empty", true),
        ("enum E { #[flag_value(rename = 1)] A }", "expected string literal", true),
        ("enum E { #[flag_value(renam = \"x\")] A }", "did you mean `rename`", true),
        ("enum E { #[flag_value(alias = \"x\")] A }", "there is `rename = \\\"fast\\\"`", true),
        ("enum E { #[flag_value(crate = x)] A }", "`crate` belongs to the enum", true),
        ("#[flag_value(rename = \"x\")] enum E { A }", "`rename` belongs to a variant", true),
        ("enum E { #[flag_value(rename = \"x\", rename = \"y\")] A }", "given twice", true),
    ] {
        let expanded = flag_value(tokens(item)).to_string();
        assert!(expanded.contains(says), "{item}: {expanded}");
        assert_eq!(expanded.matches("compile_error").count(), 1, "{item}: {expanded}");
        assert_eq!(expanded.contains("impl"), implemented, "{item}: {expanded}");
    }
}
