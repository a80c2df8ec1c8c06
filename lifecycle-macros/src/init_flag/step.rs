//! `#[init_flag]` on a function: a step, run once. To the runtime it is a singleton of `()`, so its expansion is that of one.

use super::args::Args;
use super::args::GRAMMAR;
use crate::entry::item_and;
use crate::errors::Errors;
use crate::item::Function;
use crate::item::says_self;
use crate::names::snake_case;
use crate::options::{Needed, Options};
use crate::runtime::Runtime;
use crate::singleton::check::{Words, called_by_everybody, no_self, result_of};
use crate::singleton::check_options::not_itself;
use crate::singleton::expand_fn;
use crate::singleton::model::{Declares, FunctionSingleton, Output};
use crate::singleton::settings::Settings;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{FnArg, ReturnType, Type};

/// The macro on a function.
pub(super) fn step(args: Args, item: TokenStream, mut errors: Errors) -> TokenStream {
    let function = match Function::read(GRAMMAR.name, "stands on a static or a function", item.clone()) {
        Ok(function) => function,
        Err(error) => {
            errors.push(error);
            return item_and(item, errors);
        }
    };
    let Args { mut options } = args;
    check(&options, &function, &mut errors);
    let Some(output) = output(&function, &mut errors) else {
        return item_and(item, errors);
    };
    if let Output::Fallible(fallible) = &output {
        no_self(&fallible.error, &mut errors);
    }
    let model = FunctionSingleton {
        runtime: Runtime::at(options.path("crate")),
        name: options.text("name").map_or_else(|| snake_case(&function.sig.ident), |name| name.value()),
        settings: Settings::of_step(&mut options),
        function: &function,
        output,
        declares: Declares::Step,
        says_self: says_self(function.body.stream()),
    };
    if errors.is_empty() { expand_fn::expand(&model) } else { item_and(expand_fn::stand_in(&model), errors) }
}

fn check(options: &Options, function: &Function, errors: &mut Errors) {
    let sig = &function.sig;
    let name = &sig.ident;
    for (key, says) in [
        (
            "env",
            "a step takes nothing from the environment; a flag does: `#[init_flag(env = \"..\")] static X: Flag<bool> = true;`",
        ),
        ("secret", "a step has no value to hide; a flag has: `#[init_flag(secret)] static X: Flag<String> = \"\";`"),
    ] {
        if let Some(ident) = options.ident(key) {
            errors.on(ident, says);
        }
    }
    if let (Some(ident), true) = (options.ident("on_initialize"), says_self(function.body.stream())) {
        errors
            .on(ident, format!("`initialize` cannot call a body that says `Self`: write the type's name in `{name}`"));
    }
    not_itself(options, |needed| matches!(needed, Needed::Function(path) if path.is_ident(name)), errors);
    called_by_everybody(&Words { a: "a step", is_made: "runs" }, sig, errors);
    if !sig.generics.params.is_empty() {
        errors.on(&sig.generics, format!("a step runs once, and a generic function is many: write the types out, or one function a type instead of `{name}`"));
    }
    if sig.receiver().is_none() && !sig.inputs.is_empty() {
        let inputs: Vec<&FnArg> = sig.inputs.iter().collect();
        errors.on(
            quote!(#(#inputs),*),
            "a step runs once, so it takes no arguments: read what it needs from the configuration (`lifecycle::initialization().config()`), a flag or a singleton",
        );
    }
}

/// `()` or `Result<(), E>`; `None` for everything else.
fn output(function: &Function, errors: &mut Errors) -> Option<Output> {
    let ReturnType::Type(_, ty) = &function.sig.output else {
        return Some(Output::Value(Box::new(syn::parse_quote!(()))));
    };
    let output = result_of(ty, "the step", errors)?;
    let value = output.value();
    if is_unit(value) {
        return Some(output);
    }
    let name = &function.sig.ident;
    let message = match (value, &output) {
        (Type::Never(_), _) => format!("a step comes to an end; who calls `{name}` would wait for ever"),
        (_, Output::Fallible(_)) => {
            format!("a step gives nothing, `Result<(), E>`; for a value use `#[singleton] fn {name}() -> Result<T, E>`")
        }
        (_, Output::Value(_)) => format!(
            "a step gives nothing, `()` or `Result<(), E>` written out; for a value use `#[singleton] fn {name}() -> T`"
        ),
    };
    errors.on(value, message);
    None
}

fn is_unit(ty: &Type) -> bool {
    match ty {
        Type::Group(group) => is_unit(&group.elem),
        Type::Paren(paren) => is_unit(&paren.elem),
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        _ => false,
    }
}
