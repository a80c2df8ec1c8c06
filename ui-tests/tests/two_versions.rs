//! Two versions of the crate in one program, as when a library still wants the older one: two of everything, and neither is in the
//! other's way.
//!
//! It builds all of both, so it runs only when asked: `cargo test -p lifecycle-ui-tests --test two_versions -- --ignored`.

use std::fs;
use std::path::Path;
use std::process::Command;

const HERE: &str = env!("CARGO_PKG_VERSION");
const OTHER: &str = "0.999.0";

const PROGRAM: &str = r#"
use std::time::Duration;

mod one {
    #[lifecycle::singleton(shutdown = |_: &u8| ())]
    pub fn pool() -> u8 { 1 }

    #[lifecycle::circuit_breaker(threshold = 1)]
    pub fn call() -> Result<(), lifecycle::BoxError> { Err("down".into()) }

    #[lifecycle::init_flag]
    pub static CACHE: lifecycle::Flag<bool> = true;
}

mod two {
    #[other::singleton(crate = other, shutdown = |_: &u8| ())]
    pub fn pool() -> u8 { *crate::one::pool() + 1 }

    #[other::circuit_breaker(crate = other, threshold = 1)]
    pub fn call() -> Result<(), other::BoxError> { Err("down".into()) }

    #[other::init_flag(crate = other)]
    pub static CACHE: other::Flag<bool> = true;
}

fn main() {
    let (one, two) = (lifecycle::snapshot(), other::snapshot());
    assert_eq!([one.version.as_str(), two.version.as_str()], ["HERE", "OTHER"]);
    // Each lists what was declared with it, and nothing else: also what was not used yet.
    let paths = |one: &lifecycle::Snapshot| {
        let singletons = one.singletons.iter().map(|it| it.path.clone());
        let flags = one.flags.iter().map(|it| it.path.clone());
        singletons.chain(flags).collect::<Vec<_>>()
    };
    assert_eq!(paths(&one), ["program::one::pool", "program::one::CACHE"].map(|path| path.replace("CACHE", "cache")));
    assert_eq!(two.singletons.iter().map(|it| it.path.as_str()).collect::<Vec<_>>(), ["program::two::pool"]);
    // Factories of one may use the other's.
    assert_eq!((*two::pool(), *one::pool()), (2, 1));
    assert_eq!(lifecycle::snapshot().singletons[0].accesses, 2);
    assert_eq!(other::snapshot().singletons[0].accesses, 1);
    // Names are each other's own.
    one::call().unwrap_err();
    assert_eq!(lifecycle::breaker("call").unwrap().state(), lifecycle::State::Open);
    assert_eq!(other::breaker("call").unwrap().state(), other::State::Closed);
    // A refusal of one is an error like others to the other.
    let refused = one::call().unwrap_err();
    assert!(refused.downcast_ref::<lifecycle::Rejected>().is_some());
    assert!(refused.downcast_ref::<other::Rejected>().is_none());
    // A test world of one is none of the other.
    lifecycle::testing::isolated(|| {
        assert!(!lifecycle::handle(one::pool).unwrap().is_created());
        assert!(other::handle(two::pool).unwrap().is_created());
        one::CACHE.set(false);
        assert!(!one::CACHE.get() && two::CACHE.get());
    });
    // Each is shut down by itself.
    let report = lifecycle::shutdown_blocking(Duration::from_secs(5));
    assert!(report.is_clean() && report.hooks.len() == 1, "{report}");
    assert!(lifecycle::is_shutting_down() && !other::is_shutting_down());
    let report = other::shutdown_blocking(Duration::from_secs(5));
    assert!(report.is_clean() && report.hooks.len() == 1, "{report}");
    println!("two of everything");
}
"#;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

#[test]
#[ignore = "it builds the crate and its dependencies twice"]
fn two_versions_in_one_program_are_two_of_everything() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let room = Path::new(env!("CARGO_TARGET_TMPDIR")).join("two_versions");
    let (copied, program) = (room.join("copy"), room.join("program"));
    _ = fs::remove_dir_all(&copied);
    for crate_of_it in ["lifecycle", "lifecycle-macros"] {
        copy(&home.join(crate_of_it), &copied.join(crate_of_it));
    }
    // The copy calls itself by another version; else it is what is here.
    let workspace = fs::read_to_string(home.join("Cargo.toml")).unwrap();
    let of_two =
        |line| if str::starts_with(line, "members") { "members = [\"lifecycle\", \"lifecycle-macros\"]" } else { line };
    let mut manifest = workspace.lines().map(of_two).collect::<Vec<_>>().join("\n");
    for sign in ["", "="] {
        manifest = manifest.replace(&format!("\"{sign}{HERE}\""), &format!("\"{sign}{OTHER}\""));
    }
    fs::write(copied.join("Cargo.toml"), manifest).unwrap();
    fs::create_dir_all(program.join("src")).unwrap();
    fs::copy(home.join("Cargo.lock"), program.join("Cargo.lock")).unwrap();
    fs::write(program.join("src/main.rs"), PROGRAM.replace("HERE", HERE).replace("OTHER", OTHER)).unwrap();
    let manifest = format!(
        "[package]\nname = \"program\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         lifecycle = {{ path = {:?}, features = [\"testing\"] }}\n\
         other = {{ package = \"lifecycle\", path = {:?}, features = [\"testing\"] }}\n",
        home.join("lifecycle"),
        copied.join("lifecycle"),
    );
    fs::write(program.join("Cargo.toml"), manifest).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["run", "--offline", "--quiet"])
        .current_dir(&program)
        .env("CARGO_TARGET_DIR", room.join("target"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "two of everything\n");
}
