//! What the runtime asks of an enum: its names, and a number for each variant.

use super::model::{FlagEnum, Named};
use crate::runtime::generated;
use proc_macro2::TokenStream;

/// Input: `enum Mode { Off, Fast }`
/// Output: `impl FlagEnum for Mode { names; fn index(&self) -> u64 { .. } fn at(index: u64) -> Self { .. } } flag_in_word!(Mode);`
pub(super) fn expand(model: &FlagEnum<'_>) -> TokenStream {
    let FlagEnum { runtime, ident, variants } = model;
    let private = runtime.private();
    let primitive = generated!(#private::core::primitive);
    let (name, expected) = (model.name(), model.expected());
    let names = variants.iter().map(|variant| &variant.name);
    let index = variants.iter().zip(0_u64..).map(|(Named { ident, .. }, at)| generated!(Self::#ident => #at));
    // Any number gives a variant: the last one stands for what there is not.
    let last = variants.len().saturating_sub(1);
    let at = variants.iter().zip(0_u64..).enumerate().map(|(place, (Named { ident, .. }, at))| {
        if place == last { generated!(_ => Self::#ident) } else { generated!(#at => Self::#ident) }
    });
    generated! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #private::FlagEnum for #ident {
            const NAME: &'static #primitive::str = #name;
            const EXPECTED: &'static #primitive::str = #expected;
            const NAMES: &'static [&'static #primitive::str] = &[#(#names),*];
            #[inline]
            fn index(&self) -> #primitive::u64 {
                match self { #(#index),* }
            }
            #[inline]
            fn at(lifecycle_index: #primitive::u64) -> Self {
                match lifecycle_index { #(#at),* }
            }
        }
        #private::flag_in_word!(#ident);
    }
}
