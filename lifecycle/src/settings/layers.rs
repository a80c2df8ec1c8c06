//! The layers over a component's declaration: `configure` < environment < `reconfigure`.

use super::environment;
use super::options::{ComponentSettings, Number};
use super::problem::{Problem, Source};
use super::store::{Home, Names, Noted, part};
use super::value::OFF;
use crate::error::Error;
use crate::registry::{self, Descriptor, SettingSnapshot};
use std::sync::Arc;

/// The layers of one state of a component. Its owner keeps them under the lock under which it changes its configuration:
///
/// 1. [`refresh`](Self::refresh) and [`effective`](Self::effective) on first use, and when
///    [`settings_changed`](super::Configurable::settings_changed) is called, both under that lock (they take others, but
///    those are leaves, and call nothing of the user's), so that of two changes the later one stays;
/// 2. [`Home::tell`] after the lock is released.
#[derive(Debug, Clone)]
pub(crate) struct Layers<S> {
    /// From the lowest to the highest: see [`SOURCES`].
    given: [Option<Arc<S>>; 3],
    /// Something is said of this one key of a keyed component.
    of_key: bool,
    /// It is reconfigured by itself, not as all of its family.
    alone: bool,
    /// What was noted of them: some were left out. In a box, since there may be many keys and mostly nothing is noted.
    #[expect(clippy::box_collection, reason = "one word where there is none")]
    noted: Option<Box<Vec<Arc<Noted>>>>,
    /// Whose settings they are: those of the world the state belongs to, whoever asks. Where nobody said, that of the first use: a
    /// declared component's state in a world is made and used there.
    home: Option<Home>,
}

const SOURCES: [Source; 3] = [Source::Configured, Source::Environment, Source::Reconfigured];
const CONFIGURED: usize = 0;
const ENVIRONMENT: usize = 1;
const RECONFIGURED: usize = 2;

/// Which layers hold, in order of preference: as many as go together, and of those that do not the higher one.
const CHOICES: [[bool; 3]; 7] = [
    [true, true, true],
    [false, true, true],
    [true, false, true],
    [true, true, false],
    [false, false, true],
    [false, true, false],
    [true, false, false],
];

impl<S: ComponentSettings> Layers<S> {
    pub(crate) const fn new() -> Self {
        Self { given: [None, None, None], of_key: false, alone: false, noted: None, home: None }
    }

    /// Of what is built here, wherever it is used.
    pub(crate) fn here() -> Self {
        Self { home: Some(Home::here()), ..Self::new() }
    }

    /// Of a key to come: at home where its family is, and reconfigured to the same.
    pub(super) const fn of_key(home: Home, given: Option<Arc<S>>) -> Self {
        Self { given: [None, None, given], of_key: false, alone: false, noted: None, home: Some(home) }
    }

    /// The world they are of.
    pub(crate) fn home(&mut self) -> Home {
        self.home.get_or_insert_with(Home::here).clone()
    }

    /// Reconfigures it to what its family is.
    pub(crate) fn take(&mut self, given: Option<Arc<S>>) {
        self.given[RECONFIGURED] = given;
        self.alone = false;
    }

    /// Would a new one of its family be reconfigured alike?
    pub(crate) fn is_reconfigured_to(&self, given: Option<&Arc<S>>) -> bool {
        self.given[RECONFIGURED].as_deref() == given.map(|given| &**given)
    }

    /// What it is reconfigured to.
    pub(super) fn reconfigured(&self) -> Option<Arc<S>> {
        self.given[RECONFIGURED].clone()
    }

    /// Takes over what `configure` and the environment say by now, and notes what is wrong with the latter.
    pub(crate) fn refresh(&mut self, descriptor: &Descriptor) {
        let wrong = self.read(descriptor);
        self.home().note(wrong);
    }

    /// The same; what is wrong is given back. A test world has no environment.
    fn read(&mut self, descriptor: &Descriptor) -> Vec<Problem> {
        (self.given[CONFIGURED], self.given[ENVIRONMENT], self.of_key) = (None, None, false);
        let home = self.home();
        let outside = home.is_process() && !environment::is_empty();
        let configured = home.configured();
        // Mostly nothing is said, and there may be many keys.
        if !outside && configured.is_none() {
            return Vec::new();
        }
        let names = Names::of(descriptor);
        if let Some(layer) = configured {
            self.given[CONFIGURED] = part(&layer, &names).map(Arc::new);
            self.of_key = names.own().any(|name| layer.contains_key(name));
        }
        if !outside {
            return Vec::new();
        }
        let said = environment::of_component(&names);
        self.given[ENVIRONMENT] = said.settings.map(Arc::new);
        self.of_key |= said.of_key;
        said.problems
    }

    /// What the component goes by. A layer that makes it invalid is left out as a whole, and noted; so is an option of which
    /// nothing comes.
    pub(crate) fn effective(&mut self, descriptor: &Descriptor, base: &S::Config) -> S::Config {
        if self.noted.is_none() && self.given.iter().all(Option::is_none) {
            return base.clone();
        }
        let (holds, reason) = self.holding(base);
        let ignored = self.ignored(descriptor, base, holds, &reason);
        if !ignored.is_empty() || self.noted.is_some() {
            let before = self.noted.take().map_or_else(Vec::new, |noted| *noted);
            let now = self.home().note_layers(before, ignored);
            self.noted = (!now.is_empty()).then(|| Box::new(now));
        }
        self.overlaid(base, holds)
    }

    /// What is wrong with what is said by now, also of what nobody uses: a look, nothing is noted. What is wrong with
    /// single variables is not part of it.
    pub(crate) fn problems(mut self, descriptor: &Descriptor, base: &S::Config) -> Vec<Problem> {
        self.read(descriptor);
        // Mostly nothing is said, and every snapshot asks.
        if self.given.iter().all(Option::is_none) {
            return Vec::new();
        }
        let (holds, reason) = self.holding(base);
        self.ignored(descriptor, base, holds, &reason)
    }

    fn is_of_key(&self) -> bool {
        self.of_key || self.alone
    }

    fn ignored(&self, descriptor: &Descriptor, base: &S::Config, holds: [bool; 3], reason: &str) -> Vec<Problem> {
        let names = Names::of(descriptor);
        let (name, path) = names.shown(self.is_of_key());
        // Several may have the short name.
        let name = if registry::find(descriptor.kind(), name).is_err() { path } else { name };
        let left_out = |at: usize| {
            let problem = |what: &str| Problem::new(name, SOURCES[at], format!("{reason}{what}"));
            match SOURCES[at] {
                Source::Configured => problem("; what is configured for it is ignored"),
                Source::Reconfigured => problem("; what it was reconfigured to is ignored"),
                _ => match environment::variables(descriptor.kind(), &names, None).as_slice() {
                    [] => problem(""),
                    [one] => Problem { variable: Some(one.clone()), ..problem("") },
                    several => problem(&format!("; the variables are `{}`", several.join("`, `"))),
                },
            }
        };
        let idle = |(at, option, off): (usize, &str, &str)| {
            let variables = if at == ENVIRONMENT {
                environment::variables(descriptor.kind(), &names, Some(option))
            } else {
                Vec::new()
            };
            let reason = format!("`{off}` is off, and nothing else goes by `{option}`: leave one of the two out");
            // The most specific one is what holds.
            Problem { variable: variables.into_iter().last(), ..Problem::new(name, SOURCES[at], reason).at(option) }
        };
        let left_out = (0..3).filter(|at| !holds[*at] && self.given[*at].is_some()).map(left_out);
        left_out.chain(self.idle(base, holds).into_iter().map(idle)).collect()
    }

    /// Options that are said beside, or above, what takes them away: layer, option, and what is off.
    fn idle(&self, base: &S::Config, holds: [bool; 3]) -> Vec<(usize, &'static str, &'static str)> {
        let is_off = |settings: &S, number: &Number<S>| (number.write)(settings).is_some_and(|value| value == OFF);
        let layer = |at: usize| self.given[at].as_deref().filter(|_| holds[at]);
        let off = |at: usize| {
            let settings = layer(at)?;
            let takes = |number: &&Number<S>| S::TAKE_OTHERS.contains(&number.name) && is_off(settings, number);
            Some((at, S::NUMBERS.iter().find(takes)?.name))
        };
        let Some((off_at, off)) = (0..3).rev().find_map(off) else { return Vec::new() };
        let said = self.said(holds);
        let numbers = S::numbers(&said.overlay(base.clone()));
        let nothing_comes = S::NUMBERS
            .iter()
            .filter(|number| (number.given)(&said) && !is_off(&said, number) && (number.write)(&numbers).is_none());
        let by = |number: &Number<S>| (off_at..3).rev().find(|at| layer(*at).is_some_and(number.given));
        nothing_comes.filter_map(|number| Some((by(number)?, number.name, off))).collect()
    }

    /// The same, for a look: nothing is noted.
    pub(crate) fn holds(&self, base: &S::Config) -> S::Config {
        self.overlaid(base, self.holding(base).0)
    }

    /// Replaces the reconfigured layer, if what comes of it is valid.
    pub(crate) fn reconfigure(&mut self, descriptor: &Descriptor, base: &S::Config, settings: S) -> Result<(), Error> {
        let mut then = self.clone();
        then.given[RECONFIGURED] = None;
        let ([configured, environment, _], _) = then.holding(base);
        then.given[RECONFIGURED] = Some(settings).filter(|settings| !settings.is_nothing()).map(Arc::new);
        then.tried(base, [configured, environment, true], descriptor.name())?;
        self.given[RECONFIGURED] = then.given[RECONFIGURED].take();
        self.alone = self.given[RECONFIGURED].is_some();
        Ok(())
    }

    /// Would this be valid as the configured layer?
    pub(crate) fn accepts(&self, descriptor: &Descriptor, base: &S::Config, settings: Option<S>) -> Result<(), Error> {
        let mut then = self.clone();
        then.given[CONFIGURED] = settings.map(Arc::new);
        let (holds, _) = then.holding(base);
        if holds[CONFIGURED] {
            return Ok(());
        }
        then.tried(base, [true, holds[ENVIRONMENT], holds[RECONFIGURED]], descriptor.name())
    }

    /// The numbers of [`effective`](Self::effective), and where each comes from.
    pub(crate) fn listed(&self, base: &S::Config) -> Vec<SettingSnapshot> {
        let (holds, _) = self.holding(base);
        let numbers = S::numbers(&self.overlaid(base, holds));
        let source = |number: &Number<S>| {
            let by = (0..3).rev().find(|at| holds[*at] && self.given[*at].as_deref().is_some_and(number.given));
            match by {
                Some(at) => SOURCES[at],
                None if (number.said)(base) => Source::Attribute,
                None => Source::Default,
            }
        };
        let said = self.said(holds);
        let listed = S::NUMBERS.iter().filter_map(|number| {
            // What is taken away is told too, by whom above all.
            let off = || (number.write)(&said).filter(|value| value == OFF);
            let value = (number.write)(&numbers).or_else(off)?;
            Some(SettingSnapshot { option: number.name.to_owned(), value, source: source(number) })
        });
        listed.collect()
    }

    /// Which layers hold; where not all do, why.
    fn holding(&self, base: &S::Config) -> ([bool; 3], String) {
        let mut why = String::new();
        for holds in CHOICES {
            match self.tried(base, holds, "") {
                Ok(()) => return (holds, why),
                Err(Error::InvalidConfig { reason, .. }) if why.is_empty() => why = reason,
                Err(_) => {}
            }
        }
        ([false; 3], why)
    }

    /// Would these layers do together?
    fn tried(&self, base: &S::Config, holds: [bool; 3], name: &str) -> Result<(), Error> {
        let said = self.said(holds);
        said.validate(&said.overlay(base.clone()), name)
    }

    fn overlaid(&self, base: &S::Config, holds: [bool; 3]) -> S::Config {
        self.said(holds).overlay(base.clone())
    }

    /// What these layers say together: at once, since of what a lower one takes away a higher one may need the rest.
    fn said(&self, holds: [bool; 3]) -> S {
        let layers = self.given.iter().zip(holds).filter(|(_, holds)| *holds).filter_map(|(layer, _)| layer.as_deref());
        layers.fold(S::default(), S::merged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breaker::{BreakerConfig, Window};
    use crate::registry::Kind;
    use crate::settings::BreakerSettings;
    use std::time::Duration;

    const BASE: BreakerConfig = BreakerConfig::new().timeout(Duration::from_secs(30));

    fn layers(given: [Option<BreakerSettings>; 3]) -> Layers<BreakerSettings> {
        Layers { given: given.map(|layer| layer.map(Arc::new)), ..Layers::new() }
    }

    fn descriptor(name: &'static str) -> Descriptor {
        Descriptor::dynamic(Kind::Breaker, name.into())
    }

    fn problems(name: &str) -> Vec<String> {
        let all = Home::here().problems().into_iter();
        all.filter(|problem| problem.name == name).map(|problem| problem.to_string()).collect()
    }

    #[test]
    fn a_higher_layer_counts_more_option_by_option() {
        let s = BreakerSettings::new;
        let mut layers = layers([
            Some(s().threshold(1).half_open_calls(1).success_threshold(2).slow_call(Duration::from_secs(3))),
            Some(s().threshold(2).half_open_calls(4)),
            Some(s().threshold(3)),
        ]);
        let config = layers.effective(&descriptor("precedence"), &BASE);
        let expected = BASE.threshold(3).half_open_calls(4).success_threshold(2).slow_call(Duration::from_secs(3));
        assert_eq!(config, expected);
        let listed = layers.listed(&BASE);
        let listed: Vec<_> =
            listed.iter().map(|one| (one.option.as_str(), one.value.to_string(), one.source)).collect();
        let expected = [
            ("threshold", "3", Source::Reconfigured),
            ("slow_call", "\"3s\"", Source::Configured),
            ("cancelled", "\"failure_when_slow\"", Source::Default),
            ("timeout", "\"30s\"", Source::Attribute),
            ("half_open_calls", "4", Source::Environment),
            ("success_threshold", "2", Source::Configured),
            ("half_open_timeout", "\"30s\"", Source::Default),
        ];
        assert_eq!(listed, expected.map(|(option, value, source)| (option, value.to_owned(), source)));
        assert!(problems("precedence").is_empty());
    }

    #[test]
    fn a_layer_that_does_not_go_with_the_rest_is_left_out_whole_and_noted() {
        let s = BreakerSettings::new;
        // A window without a rate, beside a threshold that alone would do.
        let odd = s().threshold(9).window(Window::Calls(10));
        let mut layers = layers([Some(s().success_threshold(2)), Some(odd), None]);
        let descriptor = descriptor("left_out");
        let expected = BASE.success_threshold(2);
        assert_eq!(layers.effective(&descriptor, &BASE), expected);
        let told = "`left_out`: its environment variables are ignored: `window` is about rates: it needs `failure_rate` or \
                    `slow_call_rate`";
        assert_eq!(problems("left_out"), [told]);
        assert!(layers.listed(&BASE).iter().all(|one| one.source != Source::Environment));
        // With a rate from another layer it goes.
        layers.given[CONFIGURED] = Some(Arc::new(s().failure_rate(50)));
        let expected = BASE.failure_rate(50).threshold(9).window(Window::Calls(10));
        assert_eq!(layers.effective(&descriptor, &BASE), expected);
        assert!(problems("left_out").is_empty(), "what is put right is forgotten");
    }

    #[test]
    fn of_two_layers_that_do_not_go_together_the_higher_one_holds() {
        let s = BreakerSettings::new;
        let base = BASE.failure_rate(50);
        let mut layers = layers([Some(s().minimum_calls(20)), Some(s().window(Window::Calls(5))), None]);
        assert_eq!(layers.effective(&descriptor("both"), &base), base.window(Window::Calls(5)));
        let told = problems("both");
        assert_eq!(
            told,
            [
                "`both`: `minimum_calls` is more than the window can hold: 20 of 5 calls (a larger `window`, or a smaller \
                 `minimum_calls`); what is configured for it is ignored"
            ]
        );
    }

    #[test]
    fn reconfiguring_to_what_is_invalid_changes_nothing() {
        let s = BreakerSettings::new;
        let descriptor = descriptor("reconfigured");
        let mut layers = layers([None, None, Some(s().threshold(3))]);
        assert!(layers.reconfigure(&descriptor, &BASE, s().threshold(0)).is_err());
        assert!(layers.reconfigure(&descriptor, &BASE, s().minimum_calls(5)).is_err());
        assert_eq!(layers.effective(&descriptor, &BASE), BASE.threshold(3));
        layers.reconfigure(&descriptor, &BASE, s()).unwrap();
        assert_eq!(layers.effective(&descriptor, &BASE), BASE, "nothing said takes back what was");
        // A lower layer that is left out does not stand in the way.
        layers.given[ENVIRONMENT] = Some(Arc::new(s().minimum_calls(5)));
        layers.reconfigure(&descriptor, &BASE, s().threshold(4)).unwrap();
        assert_eq!(layers.effective(&descriptor, &BASE), BASE.threshold(4));
    }

    #[test]
    fn what_is_to_be_configured_can_be_tried() {
        let s = BreakerSettings::new;
        let layers = layers([None, None, None]);
        let descriptor = descriptor("tried");
        layers.accepts(&descriptor, &BASE, Some(s().threshold(4))).unwrap();
        layers.accepts(&descriptor, &BASE, None).unwrap();
        assert!(layers.accepts(&descriptor, &BASE, Some(s().minimum_calls(4))).is_err());
    }
}
