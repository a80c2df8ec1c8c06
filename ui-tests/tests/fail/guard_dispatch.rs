//! A function that `execute` calls has no generic parameters: not its own, and none of its impl block, which the attribute cannot see.

use lifecycle::{Rejected, circuit_breaker};
use std::marker::PhantomData;

struct Store<T>(PhantomData<T>);

impl<T: Default> Store<T> {
    #[circuit_breaker(dispatch)]
    fn counted() -> Result<u64, Rejected> {
        let _ = T::default();
        Ok(1)
    }

    #[circuit_breaker(dispatch)]
    fn says_nothing_of_it() -> Result<u64, Rejected> {
        Ok(1)
    }
}

impl<T> Store<Vec<T>> {
    // As the compiler proposes for the first.
    #[circuit_breaker(dispatch<T>)]
    fn swept() -> Result<u64, Rejected> {
        Ok(1)
    }
}

fn main() {}
