//! Recordings of what stands around the brokers: nginx's choices, compose files, listeners. One file may hold many cases.

mod compose;
mod listeners;
mod network;
mod serving;

use super::Verdict;
use serde_json::{Map, Value};

/// One recorded case.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    pub covers: Vec<String>,
    kind: Kind,
    body: Map<String, Value>,
}

/// Whose rules play it.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Serving,
    Compose,
    ApacheImage,
    WurstmeisterImage,
    Startup,
    /// A client, a broker, and the network between them.
    Network,
    /// Nothing that could be played: measurements.
    Figures,
}

impl Case {
    /// The cases of a file; none if it is a recording of a broker.
    pub fn find(file: &Map<String, Value>) -> Option<Vec<Case>> {
        if file.contains_key("nginx") && file.contains_key("steps") {
            return Some(vec![Case::new(Kind::Serving, "serving", file)]);
        }
        if file.contains_key("loader")
            && let Some(cases) = file.get("cases").and_then(Value::as_array)
        {
            let cases = cases.iter().filter_map(Value::as_object);
            return Some(cases.map(|case| Case::new(Kind::Compose, "compose", case)).collect());
        }
        if file.contains_key("apache/kafka") || file.contains_key("wurstmeister/kafka") {
            let image = |name: &str, kind| cases_of(file.get(name), kind, "images");
            let mut all = image("apache/kafka", Kind::ApacheImage);
            all.extend(image("wurstmeister/kafka", Kind::WurstmeisterImage));
            return Some(all);
        }
        if file.contains_key("broker") && file.contains_key("client") {
            return Some(vec![Case::new(Kind::Network, "listeners", file)]);
        }
        if file.contains_key("broker") && file.contains_key("cases") {
            let whole = Value::Object(file.clone());
            return Some(cases_of(Some(&whole), Kind::Startup, "startup"));
        }
        // What `measure.json`, `ratios.json` and `cost.json` beside nginx's cases have and no recording does.
        let recorded = ["steps", "cases", "cluster", "do"]
            .iter()
            .any(|key| file.contains_key(*key));
        (!recorded).then(|| vec![Case::new(Kind::Figures, "figures", file)])
    }

    fn new(kind: Kind, tag: &str, body: &Map<String, Value>) -> Case {
        let name = body.get("case").and_then(Value::as_str).unwrap_or(tag);
        Case {
            name: name.to_string(),
            covers: vec![tag.to_string()],
            kind,
            body: body.clone(),
        }
    }

    /// Plays it.
    pub fn judge(&self) -> Verdict {
        let difference = match self.kind {
            Kind::Serving => serving::play(&self.body),
            Kind::Compose => compose::play(&self.body),
            Kind::ApacheImage => listeners::apache_image(&self.body),
            Kind::WurstmeisterImage => listeners::wurstmeister_image(&self.body),
            Kind::Startup => match listeners::depends_on_the_world(&self.body) {
                Some(why) => return Verdict::NotModelled(why),
                None => listeners::start(&self.body),
            },
            Kind::Network => network::play(&self.body),
            Kind::Figures => return Verdict::NotModelled("a file of figures, with nothing to play".into()),
        };
        match difference {
            Ok(()) => Verdict::Agrees,
            Err(why) => Verdict::Differs(format!("{}: {why}", self.name)),
        }
    }
}

/// The cases under `cases`.
fn cases_of(of: Option<&Value>, kind: Kind, tag: &str) -> Vec<Case> {
    let cases = of
        .and_then(|of| of.get("cases"))
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let cases = cases.filter_map(Value::as_object);
    cases.map(|case| Case::new(kind, tag, case)).collect()
}

/// Compares one thing.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, expected: &T, found: &T) -> Result<(), String> {
    if expected == found {
        Ok(())
    } else {
        Err(format!("{what}: expected {expected:?}, found {found:?}"))
    }
}
