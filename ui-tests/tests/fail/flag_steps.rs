use lifecycle::{BoxError, Flag, init_flag};

struct App;

#[init_flag]
fn with_argument(path: &str) {
    let _ = path;
}

#[init_flag]
fn gives_something() -> u32 {
    1
}

#[init_flag]
fn gives_something_or_fails() -> Result<String, BoxError> {
    Ok(String::new())
}

#[init_flag]
fn hides_its_error() -> std::io::Result<()> {
    Ok(())
}

#[init_flag]
fn generic<T>() {}

#[init_flag]
fn never() -> ! {
    loop {}
}

#[init_flag]
const fn constant() {}

impl App {
    #[init_flag]
    fn of_a_value(&self) {}

    #[init_flag(on_initialize)]
    fn says_self() {
        Self::say();
    }

    fn say() {}
}

#[init_flag(env = "X", secret, depend_on(generic))]
fn options_of_flags() {}

#[init_flag(on_initialize, init_timeout = "1s")]
static OPTIONS_OF_STEPS: Flag<bool> = true;

#[init_flag(depends_on(itself))]
fn itself() {}

#[init_flag(depends_on(App))]
fn needs_no_singleton() {}

// Its users see no errors about it.
fn main() {
    let _: Result<(), std::io::Error> = hides_its_error();
    constant();
    never();
    App.of_a_value();
    App::says_self();
    options_of_flags();
    OPTIONS_OF_STEPS.set(false);
    itself();
}
